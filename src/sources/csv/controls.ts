/** The columns that a file of rejects carries after the original ones; taken off again when it comes back mended. */
import { unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';

const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;

export const CONTROL_COLUMNS = ['_line', '_code', '_error', '_run'] as const;

/** Whether a header ends with the control columns. */
export function hasControls(header: readonly string[]): boolean {
  return (
    header.length > CONTROL_COLUMNS.length &&
    CONTROL_COLUMNS.every((name, i) => header.at(i - CONTROL_COLUMNS.length) === name)
  );
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

/** ASCII text in a file's encoding. */
export function encode(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(text, encoding === 'utf-16le' ? 'utf16le' : 'latin1');
}
