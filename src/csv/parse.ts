import { parse as parseCsv } from 'csv-parse/sync';
import type { RowErrorCode } from '../errors.ts';
import type { Dialect } from './dialect.ts';
import { decode, isValid, unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import { MAX_CELL_BYTES, MAX_RECORD_BYTES, RecordScanner } from './scanner.ts';
import { unitsOf } from './units.ts';

/** Records handed to csv-parse at once. */
const BATCH_RECORDS = 1000;

export interface ParseChunkOptions extends Dialect {
  readonly encoding: Encoding;
  /** Cells of the header; a record with another number is RAGGED_ROW. */
  readonly columns: number;
  /** Physical line of the chunk's first byte, 1-based. */
  readonly line: number;
  /** 0-based index of the chunk's first record in the file. */
  readonly firstRow: number;
}

/** One record of a chunk, good or not. */
export class ParsedRecord {
  /** 0-based index in the file, the header not counted. */
  readonly rowIndex: number;
  /** Physical line on which the record begins, 1-based. */
  readonly line: number;
  error: RowErrorCode | undefined;
  /** As they stand in the file, untrimmed. Undefined where the record cannot be read; a RAGGED_ROW has those it has. */
  cells: string[] | undefined = undefined;
  readonly #chunk: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(rowIndex: number, line: number, error: RowErrorCode | undefined, chunk: Buffer, start: number, end: number) {
    this.rowIndex = rowIndex;
    this.line = line;
    this.error = error;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  /** The record's original bytes without its line end: a view of the chunk. */
  bytes(): Buffer {
    return this.#chunk.subarray(this.#start, this.#end);
  }
}

/**
 * The records of a chunk in order. The scanner says where they are; a record without quoted cells is cut at its delimiters,
 * those with quoted cells are read by csv-parse, many at a time. Should it ever disagree with the scanner on their number,
 * they are read one by one, so that nothing shifts.
 */
export function parseChunk(chunk: Buffer, options: ParseChunkOptions): ParsedRecord[] {
  const quoted: ParsedRecord[] = [];
  const records = locate(chunk, options, quoted);
  markUnreadable(chunk, records, options.encoding);
  readQuoted(
    quoted.filter((record) => record.error === undefined),
    options,
  );
  for (const record of records) {
    if (record.error !== undefined) continue;
    record.cells ??= decode(record.bytes(), options.encoding).split(options.delimiter);
    if (record.cells.length !== options.columns) record.error = 'RAGGED_ROW';
  }
  return records;
}

function locate(chunk: Buffer, options: ParseChunkOptions, quoted: ParsedRecord[]): ParsedRecord[] {
  const width = unitBytes(options.encoding);
  const limits = { cellBytes: MAX_CELL_BYTES / width, recordBytes: MAX_RECORD_BYTES / width };
  const scanner = new RecordScanner(options, options.line, limits);
  const units = unitsOf(chunk, options.encoding);
  const records: ParsedRecord[] = [];
  scanner.refill(units, units.length, true);
  while (scanner.next()) {
    const rowIndex = options.firstRow + records.length;
    const end = Math.min(scanner.end * width, chunk.length);
    const record = new ParsedRecord(rowIndex, scanner.line, scanner.error, chunk, scanner.start * width, end);
    records.push(record);
    if (scanner.quoted) quoted.push(record);
  }
  return records;
}

/** Looks at single records only where the chunk as a whole has invalid bytes or a NUL. */
function markUnreadable(chunk: Buffer, records: readonly ParsedRecord[], encoding: Encoding): void {
  const invalid = !isValid(chunk, encoding);
  const nul = hasNul(chunk, encoding);
  if (!invalid && !nul) return;
  for (const record of records) {
    if (record.error !== undefined) continue;
    if (invalid && !isValid(record.bytes(), encoding)) record.error = 'INVALID_ENCODING';
    else if (nul && hasNul(record.bytes(), encoding)) record.error = 'NUL_BYTE';
  }
}

function hasNul(bytes: Buffer, encoding: Encoding): boolean {
  if (!bytes.includes(0)) return false;
  return unitBytes(encoding) === 1 || decode(bytes, encoding).includes('\0');
}

function readQuoted(records: readonly ParsedRecord[], options: ParseChunkOptions): void {
  for (let i = 0; i < records.length; i += BATCH_RECORDS) {
    const batch = records.slice(i, i + BATCH_RECORDS);
    const rows = parseQuoted(batch, options);
    const agreed = rows.length === batch.length;
    batch.forEach((record, j) => (record.cells = agreed ? rows[j] : parseQuoted([record], options)[0]));
  }
}

/** csv-parse reads bytes of UTF-8; other encodings are decoded to it first. */
function parseQuoted(records: readonly ParsedRecord[], { encoding, delimiter, newline }: ParseChunkOptions): string[][] {
  const end = newline === 'cr' ? '\r' : '\n';
  const lineEnd = Buffer.from(end);
  const input =
    encoding === 'utf-8'
      ? Buffer.concat(records.flatMap((record) => [record.bytes(), lineEnd]))
      : Buffer.from(records.map((record) => decode(record.bytes(), encoding) + end).join(''));
  return parseCsv(input, { delimiter, record_delimiter: end, relax_column_count: true, relax_quotes: true, bom: false });
}
