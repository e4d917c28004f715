/** Generated rows as a file, and how many there are of each nature. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';

export interface GeneratedRow<Nature extends string = string> {
  /** What the row is made to be. */
  readonly nature: Nature;
  /** The record with its line feed. */
  readonly csv: string;
}

const BLOCK = 256 * 1024;

/** Writes a header and the rows; whole or not at all. */
export async function writeRows(path: string, header: readonly string[], rows: Iterable<GeneratedRow>): Promise<void> {
  const draft = `${path}.${process.pid}`;
  const out = createWriteStream(draft);
  let block = `${header.join(',')}\n`;
  for (const { csv } of rows) {
    block += csv;
    if (block.length < BLOCK) continue;
    if (!out.write(block)) await once(out, 'drain');
    block = '';
  }
  out.end(block);
  await once(out, 'finish');
  await rename(draft, path);
}

export function countNatures<Nature extends string>(rows: Iterable<GeneratedRow<Nature>>): Map<Nature, number> {
  const counts = new Map<Nature, number>();
  for (const { nature } of rows) counts.set(nature, (counts.get(nature) ?? 0) + 1);
  return counts;
}
