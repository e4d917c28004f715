/** Files of rejects: the original header and records, byte for byte, with `_line,_code,_error,_run` after them. */
import { csvCell } from './write.ts';
import { CONTROL_COLUMNS, encode, firstCells, hasControls } from './controls.ts';
import type { Dialect } from './dialect.ts';
import type { Encoding } from './encoding.ts';

export interface Reject {
  /** Physical line in the file, 1-based. */
  readonly line: number;
  readonly code: string;
  readonly message: string;
  /** The record's bytes without its line end. */
  readonly record: Buffer;
}

export interface RejectsFormat extends Dialect {
  readonly encoding: Encoding;
  readonly header: readonly string[];
}

/**
 * The first line of a file of rejects.
 * @param head the file's bytes up to its first record.
 */
export function rejectsHeader(head: Buffer, format: RejectsFormat): Buffer {
  const line = trimLineEnd(head, format);
  const original = hasControls(format.header)
    ? firstCells(line, format.header.length - CONTROL_COLUMNS.length, format)
    : line;
  return Buffer.concat([
    original,
    encode(CONTROL_COLUMNS.map((name) => format.delimiter + name).join('') + lineEnd(format), format.encoding),
  ]);
}

/** One reject; `run` is empty for a dry run. */
export const rejectsLine = (reject: Reject, format: RejectsFormat, run: string): Buffer =>
  Buffer.concat([reject.record, rejectsEnd(reject, format, run)]);

/** What follows the record of a reject: its control columns and the line end. */
export function rejectsEnd(
  { line, code, message }: Omit<Reject, 'record'>,
  format: RejectsFormat,
  run: string,
): Buffer {
  const quote = (cell: string) =>
    cell.includes(format.delimiter) && !cell.startsWith('"') ? `"${cell.replaceAll('"', '""')}"` : cell;
  const controls = [line, code, message, run].map((cell) => format.delimiter + quote(csvCell(cell))).join('');
  return encode(controls + lineEnd(format), format.encoding);
}

const lineEnd = ({ newline }: Dialect): string => (newline === 'cr' ? '\r' : '\n');

/** Without the carriage returns and line feeds at its end. */
export function trimLineEnd(bytes: Buffer, { encoding }: { encoding: Encoding }): Buffer {
  const width = encoding.startsWith('utf-16') ? 2 : 1;
  const low = encoding === 'utf-16be' ? 1 : 0;
  let end = bytes.length;
  while (end >= width) {
    const unit = bytes[end - width + low];
    const isBlank = (unit === 0x0a || unit === 0x0d) && (width === 1 || bytes[end - 1 - low] === 0);
    if (!isBlank) break;
    end -= width;
  }
  return bytes.subarray(0, end);
}
