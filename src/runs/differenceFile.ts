/** What rows of a run say otherwise than the tables, as a file: a line for each field. */
import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Backend } from '../database/backend.ts';
import type { Difference } from '../database/rows.ts';
import { DIFFERENCES_HEADER, differenceLine } from '../sources/csv/differences.ts';

const PAGE = 500;

/** All differences of a run, a page at a time. */
export async function* readDifferences(backend: Backend, runId: string): AsyncGenerator<Difference> {
  for (let after = 0; ;) {
    const page = await backend.call('read_differences', { run_id: runId, after_id: after, max_rows: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

/**
 * Writes them as CSV to a file, which only its owner reads, or to a stream, which stays open.
 * @returns how many there are, by field.
 */
export async function writeDifferences(
  backend: Backend,
  runId: string,
  target: string | Writable,
): Promise<Record<string, number>> {
  const fields: Record<string, number> = {};
  async function* lines(): AsyncGenerator<string> {
    yield DIFFERENCES_HEADER;
    for await (const d of readDifferences(backend, runId)) {
      fields[d.field] = (fields[d.field] ?? 0) + 1;
      yield differenceLine(d);
    }
  }
  const stream = typeof target === 'string' ? createWriteStream(target, { mode: 0o600 }) : target;
  await pipeline(Readable.from(lines()), stream, { end: typeof target === 'string' });
  return fields;
}
