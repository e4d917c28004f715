import { IntakeError } from '../../errors.ts';
import { cutCells } from './cells.ts';
import { withoutPads } from './controls.ts';
import type { Dialect } from './dialect.ts';
import { decode, isValid, unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { MAX_CELLS } from './parse.ts';
import { MAX_CELL_BYTES, RecordScanner } from './scanner.ts';
import { unitsOf } from './units.ts';

export interface HeaderOptions extends Dialect {
  readonly encoding: Encoding;
  /** Physical line of its first byte; 1 unless said otherwise. */
  readonly line?: number;
  readonly bomBytes: number;
}

/** The cells of a header, trimmed. */
export interface Header {
  /** As they stand in the file; an empty one is `column_N`, of its place. */
  readonly written: readonly string[];
  /** The same, each by a name of its own: what stands twice is `Notes` and `Notes 2`. */
  readonly names: readonly string[];
}

/**
 * The header of a file from its first bytes, which have to hold it whole. Throws EMPTY_FILE without a record, HEADER_UNREADABLE
 * for a broken one and for one of more columns than a spreadsheet has.
 */
export function readHeader(head: Buffer, options: HeaderOptions): Header {
  const record = firstRecord(head.subarray(options.bomBytes), options);
  if (!isValid(record, options.encoding)) throw unreadable('its bytes are invalid in the encoding');
  const text = decode(record, options.encoding);
  if (text.includes('\0')) throw unreadable('it holds a NUL character');
  const cells = withoutPads(cutCells(text, options.delimiter).map((cell) => cell.replaceAll('\ufeff', '').trim()));
  if (cells.length > MAX_CELLS) throw unreadable(`it has ${cells.length} columns, more than ${MAX_CELLS}`);
  const written = cells.map((cell, i) => cell || `column_${i + 1}`);
  const taken = new Set(cells);
  const seen = new Set<string>();
  const numbers = new Map<string, number>();
  const numbered = (name: string): string => {
    let number = numbers.get(name) ?? 2;
    while (taken.has(`${name} ${number}`)) number++;
    numbers.set(name, number + 1);
    return `${name} ${number}`;
  };
  const names = written.map((name, i) => {
    const free = cells[i] === '' ? !taken.has(name) : !seen.has(name);
    const own = free ? name : numbered(name);
    taken.add(own);
    seen.add(own);
    return own;
  });
  return { written, names };
}

/** The names of `readHeader`. */
export const parseHeader = (head: Buffer, options: HeaderOptions): readonly string[] => readHeader(head, options).names;

/** A header for comparison: lower case, without spaces, `-` and `_`. */
export function normalizeHeader(header: string): string {
  return header.toLowerCase().replace(/[\s_-]/g, '');
}

/** Its words in lower case: `firstName` has two. */
export const wordsOf = (text: string): string[] =>
  text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

/** Headers that a message names, of one that is longer than anybody reads. */
export const MOST_NAMED = 40;

function firstRecord(bytes: Buffer, options: HeaderOptions): Buffer {
  const width = unitBytes(options.encoding);
  const scanner = new RecordScanner(options, options.line ?? 1, { header: true, cellBytes: MAX_CELL_BYTES / width });
  const units = unitsOf(bytes, options.encoding);
  scanner.refill(units, units.length, true);
  if (!scanner.next()) throw new IntakeError('EMPTY_FILE', 'The file is empty');
  if (scanner.error === 'UNBALANCED_QUOTE') throw unreadable('a quote is not closed', scanner.line);
  if (scanner.error !== undefined) throw unreadable('a cell is larger than 1 MB', scanner.line);
  return bytes.subarray(scanner.start * width, scanner.end * width);
}

function unreadable(why: string, line = 1): IntakeError {
  return new IntakeError('HEADER_UNREADABLE', `The header cannot be read: ${why}`, { line });
}
