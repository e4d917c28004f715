/** The columns that a file of rejects carries after the original ones; taken off again when it comes back mended. */
import { decode, unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';

const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;
/** Of a dry run there is none. */
const RUN = String.raw`(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})?`;

export const CONTROL_COLUMNS = ['_line', '_code', '_error', '_run'] as const;

/** Whether a header ends with the control columns. */
export function hasControls(header: readonly string[]): boolean {
  return (
    header.length > CONTROL_COLUMNS.length &&
    CONTROL_COLUMNS.every((name, i) => header.at(i - CONTROL_COLUMNS.length) === name)
  );
}

/** A header without the empty cells that a spreadsheet writes behind the control columns, where a row is longer. */
export function withoutPads(header: readonly string[]): readonly string[] {
  const own = header.slice(0, header.findLastIndex((name) => name !== '') + 1);
  return hasControls(own) ? own : header;
}

/** Whether the last cells of a record are what we wrote there, or empty: in a record of more or fewer cells they stand elsewhere. */
export function endsInControls(cells: readonly string[]): boolean {
  const [line, code, ...others] = cells.slice(-CONTROL_COLUMNS.length).map((cell) => cell.trim()) as [string, string];
  return (/^\d+$/.test(line) && /^[A-Z][A-Z\d_]*$/.test(code)) || [line, code, ...others].every((cell) => cell === '');
}

/**
 * A record's bytes without its last cells.
 * @param cells how many cells stay; a record with fewer stays whole.
 */
export function firstCells(
  record: Buffer,
  cells: number,
  { encoding, delimiter }: { encoding: Encoding; delimiter: string },
): Buffer {
  const width = unitBytes(encoding);
  const high = encoding === 'utf-16be' ? 1 : 0;
  const unitAt = (at: number) =>
    width === 1 ? record[at] : (record[at + high] as number) | ((record[at + 1 - high] as number) << 8);
  const wanted = delimiter.charCodeAt(0);
  let quoted = false;
  let cellStart = 0;
  let seen = 0;
  for (let at = 0; at + width <= record.length; at += width) {
    const unit = unitAt(at);
    if (!quoted && at === cellStart && unit !== wanted && (unit === SPACE || unit === TAB)) cellStart += width;
    // A quote counts where a cell starts; within a quoted cell a doubled one closes and opens it again.
    if (unit === QUOTE && (quoted || at === cellStart || unitAt(cellStart) === QUOTE)) quoted = !quoted;
    else if (unit === wanted && !quoted) {
      if (++seen === cells) return record.subarray(0, at);
      cellStart = at + width;
    }
  }
  return record;
}

/**
 * A record's bytes without the control columns at its end, whatever stands before them.
 * @param cells how many stay where its end is none that we wrote.
 */
export function withoutControls(
  record: Buffer,
  cells: number,
  format: { encoding: Encoding; delimiter: string },
): Buffer {
  const width = unitBytes(format.encoding);
  // The controls are ASCII; what is searched has one character for each unit.
  const text = width === 1 ? record.toString('latin1') : decode(record, format.encoding);
  const at = text.search(controlsAtEnd(format.delimiter));
  return at < 0 ? firstCells(record, cells, format) : record.subarray(0, at * width);
}

/** `,7,BAD_EMAIL,"what is wrong",<run>`; a spreadsheet may quote each, and write empty cells behind them. */
function controlsAtEnd(delimiter: string): RegExp {
  const d = delimiter === '|' ? '\\|' : delimiter;
  const message = `(?:"(?:[^"]|"")*"|[^"${d}]*)`;
  return new RegExp(`${d}"?\\d+"?${d}"?[A-Z][A-Z\\d_]*"?${d}${message}${d}"?${RUN}"?(?:${d}|\\s)*$`);
}

/** ASCII text in a file's encoding. */
export function encode(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(text, encoding === 'utf-16le' ? 'utf16le' : 'latin1');
}
