import { parse as parseCsv } from 'csv-parse/sync';
import { IntakeError } from '../../errors.ts';
import type { Dialect } from './dialect.ts';
import { decode, isValid, unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { MAX_CELL_BYTES, RecordScanner } from './scanner.ts';
import { unitsOf } from './units.ts';

export interface HeaderOptions extends Dialect {
  readonly encoding: Encoding;
  readonly bomBytes: number;
}

/**
 * The header cells of a file from its first bytes, trimmed; an empty one becomes `column_N`, which is no duplicate of
 * anything. The head has to hold the whole header. Throws EMPTY_FILE without a record, HEADER_UNREADABLE for a broken one,
 * DUPLICATE_HEADER for two cells that are equal without case, spaces, `-` and `_`, unless `map` names that header.
 */
export function parseHeader(
  head: Buffer,
  options: HeaderOptions,
  map: Readonly<Record<string, string>> = {},
): string[] {
  const record = firstRecord(head.subarray(options.bomBytes), options);
  if (!isValid(record, options.encoding)) throw unreadable('its bytes are invalid in the encoding');
  const text = decode(record, options.encoding);
  if (text.includes('\0')) throw unreadable('it holds a NUL character');
  const row = parseCsv(text, {
    delimiter: options.delimiter,
    record_delimiter: options.newline === 'cr' ? '\r' : '\n',
    relax_quotes: true,
  })[0] ?? [''];
  const header = row.map((cell, i) => cell.replaceAll('\ufeff', '').trim() || `column_${i + 1}`);
  rejectDuplicates(row, header, map);
  return header;
}

/** A header for comparison: lower case, without spaces, `-` and `_`. */
export function normalizeHeader(header: string): string {
  return header.toLowerCase().replace(/[\s_-]/g, '');
}

/** A header for messages: one that may be personal data (an `@`, four digits) is shown by its place only. */
export function maskHeader(header: string, index: number): string {
  return header.includes('@') || (header.match(/\d/g)?.length ?? 0) >= 4 || header.length > 60
    ? `<column ${index + 1}>`
    : header;
}

function firstRecord(bytes: Buffer, options: HeaderOptions): Buffer {
  const width = unitBytes(options.encoding);
  const scanner = new RecordScanner(options, 1, { header: true, cellBytes: MAX_CELL_BYTES / width });
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

function rejectDuplicates(
  row: readonly string[],
  header: readonly string[],
  map: Readonly<Record<string, string>>,
): void {
  const seen = new Map<string, number>();
  for (const [index, cell] of header.entries()) {
    if (row[index]!.trim() === '') continue;
    const name = normalizeHeader(cell);
    const first = seen.get(name);
    if (first !== undefined && map[cell] === undefined && map[header[first]!] === undefined) {
      const places = `columns ${first + 1} and ${index + 1}`;
      throw new IntakeError('DUPLICATE_HEADER', `The header ${maskHeader(cell, index)} stands twice: ${places}`, {
        line: 1,
      });
    }
    if (first === undefined) seen.set(name, index);
  }
}
