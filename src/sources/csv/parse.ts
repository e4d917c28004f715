import type { RowErrorCode } from '../../errors.ts';
import { cutCells } from './cells.ts';
import { endsInControls } from './controls.ts';
import { outsideQuotes, type Dialect } from './dialect.ts';
import { decode, isValid, unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { closesCell, leavesOpen, mostCells } from './quotes.ts';
import { MAX_CELL_BYTES, MAX_RECORD_BYTES, MAX_TAIL_LINES, RecordScanner } from './scanner.ts';
import { unitsOf } from './units.ts';

export interface ParseChunkOptions extends Dialect {
  readonly encoding: Encoding;
  /** Cells of the header; a record with another number is RAGGED_ROW. */
  readonly columns: number;
  /** Cells that every record of the file has instead: empty ones more, or the last ones not written. */
  readonly rowCells?: number | undefined;
  /** The file is one of rejects: each record ends in control columns, and what a spreadsheet wrote behind them is empty. */
  readonly controls?: boolean | undefined;
  /** Physical line of the chunk's first byte, 1-based. */
  readonly line: number;
  /** 0-based index of the chunk's first record in the file. */
  readonly firstRow: number;
}

/** As many as a spreadsheet has columns: cells beyond are no record of ours, and millions of them are no row of a table. */
export const MAX_CELLS = 16_384;

const ESCAPABLE = /[\\\u0000-\u001f\ud800-\udfff]/;

/** One record of a chunk, good or not. */
export class ParsedRecord {
  /** 0-based index in the file, the header not counted. */
  readonly rowIndex: number;
  /** Physical line on which the record begins, 1-based. */
  readonly line: number;
  error: RowErrorCode | undefined;
  /** As they stand in the file, untrimmed. Undefined where the record cannot be read; a RAGGED_ROW has those it has. */
  cells: string[] | undefined = undefined;
  /** Whether its text has neither backslash, control character nor surrogate: nothing that an encoding of it escapes, but quotes. */
  plain = false;
  /** Whether it was given the header's number of cells. */
  fitted = false;
  readonly #chunk: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(
    rowIndex: number,
    line: number,
    error: RowErrorCode | undefined,
    chunk: Buffer,
    start: number,
    end: number,
  ) {
    this.rowIndex = rowIndex;
    this.line = line;
    this.error = error;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  /** Its cells may not be what its writer meant. */
  refuse(): void {
    this.error = 'UNBALANCED_QUOTE';
    this.cells = undefined;
  }

  /** The record's original bytes without its line end: a view of the chunk. */
  bytes(): Buffer {
    return this.#chunk.subarray(this.#start, this.#end);
  }
}

/**
 * The records of a chunk in order, one at a time, so that a chunk's cells are never all in memory. The scanner says where they
 * are; a record without quoted cells is cut at its delimiters. A broken record that would end a quoted cell may be the rest of the
 * last whole one before it, whose cell lost its quote, and one that leaves a cell open and lacks cells may have its rest in the
 * next whole one: what may be half a record is none, so these are UNBALANCED_QUOTE too.
 */
export function* parseChunk(chunk: Buffer, options: ParseChunkOptions): Generator<ParsedRecord, void, undefined> {
  const { encoding, delimiter, columns } = options;
  const width = unitBytes(encoding);
  const scanner = new RecordScanner(options, options.line, {
    cellBytes: MAX_CELL_BYTES / width,
    recordBytes: MAX_RECORD_BYTES / width,
  });
  const units = unitsOf(chunk, encoding);
  const foreignEnd = options.newline === 'cr' ? '\n' : '\r';
  // Single records are looked at only where the chunk as a whole has invalid bytes or a NUL.
  const invalid = !isValid(chunk, encoding);
  const nul = hasNul(chunk, encoding);
  const delimiterUnit = delimiter.charCodeAt(0);
  let rowIndex = options.firstRow;
  /** The last whole record, and what came behind it. */
  let held: ParsedRecord | undefined;
  const behind: ParsedRecord[] = [];
  let torn = false;
  scanner.refill(units, units.length, true);
  while (scanner.next()) {
    const end = Math.min(scanner.end * width, chunk.length);
    const record = new ParsedRecord(rowIndex++, scanner.line, scanner.error, chunk, scanner.start * width, end);
    if (record.error === undefined && invalid && !isValid(record.bytes(), encoding)) record.error = 'INVALID_ENCODING';
    if (record.error === undefined && nul && hasNul(record.bytes(), encoding)) record.error = 'NUL_BYTE';
    if (record.error === undefined) {
      const text = decodeRange(chunk, scanner.start * width, end, encoding);
      record.plain = !ESCAPABLE.test(text);
      if (!record.plain && text.includes(foreignEnd)) record.error = mergedLines(text, foreignEnd);
      const most = text.length > MAX_CELLS ? MAX_CELLS + 1 : undefined;
      const cells = scanner.quoted ? cutCells(text, delimiter, most) : text.split(delimiter, most);
      if (cells.length > MAX_CELLS) record.error ??= 'RECORD_TOO_LARGE';
      else record.cells = cells;
      if (!record.plain) dropEndOfText(cells);
      if (cells.length !== columns && !(record.fitted = fit(cells, options))) record.error ??= 'RAGGED_ROW';
      else if (options.controls && !endsInControls(cells)) record.error ??= 'RAGGED_ROW';
    }
    if (scanner.error === undefined && record.error !== 'RAGGED_ROW') {
      if (torn) record.refuse();
      torn = false;
      if (held !== undefined) yield held;
      held = record;
      if (behind.length === 0) continue;
    } else {
      if (scanner.error === 'UNBALANCED_QUOTE') {
        if (closesCell(units, scanner.start, scanner.end, delimiterUnit)) held?.refuse();
        torn = isTorn(units, scanner, options);
      }
      if (behind.push(record) <= MAX_TAIL_LINES) continue;
      if (held !== undefined) yield held;
      held = undefined;
    }
    yield* behind;
    behind.length = 0;
  }
  if (held !== undefined) yield held;
  yield* behind;
}

/** Whether a broken record leaves a cell open, and has fewer cells than a record even where one of its quotes is none. */
function isTorn(units: Uint8Array, { start, end }: RecordScanner, options: ParseChunkOptions): boolean {
  const delimiter = options.delimiter.charCodeAt(0);
  const newline = options.newline === 'cr' ? 0x0d : 0x0a;
  if (!leavesOpen(units, start, end, delimiter, newline, false)) return false;
  return mostCells(units.subarray(start, end), delimiter) < (options.rowCells ?? options.columns);
}

/** What old programs write behind the last row (`^Z`); of joined files it stands before the first of the next. */
function dropEndOfText(cells: string[]): void {
  const last = cells.length - 1;
  if (cells[0]!.startsWith(END_OF_TEXT)) cells[0] = cells[0]!.replace(/^\u001a+/, '');
  if (cells[last]!.endsWith(END_OF_TEXT)) cells[last] = cells[last]!.replace(/\u001a+$/, '');
}
const END_OF_TEXT = '\u001a';

/** Gives a record of the usual other number of cells that of the header; false where it is none such. */
function fit(cells: string[], { columns, rowCells, controls }: ParseChunkOptions): boolean {
  const isUsual = controls ? cells.length > columns : cells.length === rowCells;
  if (!isUsual || cells.slice(columns).some((cell) => cell.trim() !== '')) return false;
  while (cells.length < columns) cells.push('');
  cells.length = columns;
  return true;
}

/** A line end of the other kind outside quotes: two records may stand here, and one of them would be lost in the other. */
function mergedLines(text: string, foreignEnd: string): RowErrorCode | undefined {
  return outsideQuotes(text).replace(/\r+$/, '').includes(foreignEnd) ? 'MIXED_LINE_ENDS' : undefined;
}

function decodeRange(chunk: Buffer, start: number, end: number, encoding: Encoding): string {
  return encoding === 'utf-8' ? chunk.toString('utf8', start, end) : decode(chunk.subarray(start, end), encoding);
}

function hasNul(bytes: Buffer, encoding: Encoding): boolean {
  if (!bytes.includes(0)) return false;
  return unitBytes(encoding) === 1 || decode(bytes, encoding).includes('\0');
}
