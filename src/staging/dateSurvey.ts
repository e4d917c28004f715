/** All numeric dates of a file, before anything is claimed: whether they are in the order that nobody has stated. */
import { setImmediate } from 'node:timers/promises';
import { IntakeError } from '../errors.ts';
import { csvKindNamed } from '../kinds/index.ts';
import { cellReader, mapHeader } from '../sources/csv/columns.ts';
import { parseChunk } from '../sources/csv/parse.ts';
import { readRange } from '../sources/file.ts';
import { orderOf } from '../values/date.ts';
import type { Manifest } from './manifest.ts';
import { originalWidth, type ChunkSource } from './readRows.ts';

type Question = Pick<ChunkSource, 'kind' | 'map' | 'dateOrder' | 'rowCells'>;

/** @throws IntakeError DATE_ORDER_UNCLEAR where at least as many dates fit the other order alone as fit the assumed one alone. */
export async function requireDateOrder(
  path: string,
  manifest: Manifest,
  question: Question,
  signal: AbortSignal,
): Promise<void> {
  const kind = csvKindNamed(question.kind);
  const mapping = mapHeader(manifest.header.slice(0, originalWidth(manifest.header)), kind, question.map);
  const read = cellReader(kind, mapping);
  const columns = kind.dates.filter((column) => read(manifest.header, column) !== undefined);
  if (columns.length === 0) return;
  const seen = { mdy: 0, dmy: 0, both: 0 };
  const options = { columns: manifest.header.length, rowCells: question.rowCells };
  for (const chunk of manifest.chunks) {
    signal.throwIfAborted();
    if (chunk.tooLarge) continue;
    for (const { cells, error } of parseChunk(await readRange(path, chunk), { ...manifest, ...chunk, ...options })) {
      if (error !== undefined) continue;
      for (const column of columns) {
        const order = orderOf(read(cells, column));
        if (order !== undefined) seen[order]++;
      }
    }
    await setImmediate();
  }
  const assumed = question.dateOrder;
  const other = assumed === 'mdy' ? 'dmy' : 'mdy';
  if (seen[other] === 0 || seen[other] < seen[assumed]) return;
  const all = seen.mdy + seen.dmy + seen.both;
  throw new IntakeError(
    'DATE_ORDER_UNCLEAR',
    `${seen[other]} of ${all} dates only fit ${other}, and no order is stated`,
    {
      remedy: `Write --date-order ${other}; with --date-order ${assumed} they are rejects.`,
    },
  );
}
