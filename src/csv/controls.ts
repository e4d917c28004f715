/** The columns that a file of rejects carries after the original ones; taken off again when it comes back mended. */
import { unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';

export const CONTROL_COLUMNS = ['_line', '_code', '_error', '_run'] as const;

/** Whether a header ends with the control columns. */
export function hasControls(header: readonly string[]): boolean {
  return header.length > CONTROL_COLUMNS.length && CONTROL_COLUMNS.every((name, i) => header.at(i - CONTROL_COLUMNS.length) === name);
}

/**
 * A record's bytes without its last cells.
 * @param cells how many cells stay; a record with fewer stays whole.
 */
export function firstCells(record: Buffer, cells: number, { encoding, delimiter }: { encoding: Encoding; delimiter: string }): Buffer {
  const width = unitBytes(encoding);
  const high = encoding === 'utf-16be' ? 1 : 0;
  const wanted = delimiter.charCodeAt(0);
  let quoted = false;
  let seen = 0;
  for (let at = 0; at + width <= record.length; at += width) {
    const unit = width === 1 ? record[at] : (record[at + high] as number) | ((record[at + 1 - high] as number) << 8);
    if (unit === 0x22) quoted = !quoted;
    else if (unit === wanted && !quoted && ++seen === cells) return record.subarray(0, at);
  }
  return record;
}

/** Text in a file's encoding. */
export function encode(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(text, encoding === 'utf-16le' ? 'utf16le' : encoding === 'utf-8' ? 'utf8' : 'latin1');
}
