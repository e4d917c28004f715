/** The rejected rows of a run as a file: the original header and records, byte for byte, or the failed items of a directory. */
import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { longRecord } from '../staging/longRecord.ts';
import { partName, storedManifest, type Manifest } from '../staging/manifest.ts';
import type { Backend } from '../database/backend.ts';
import { otherStore } from '../database/identity.ts';
import { IntakeError } from '../errors.ts';
import { FAILED_ITEMS_HEADER, failedItemLine } from '../sources/tree/failedItems.ts';
import { kindNamed } from '../kinds/index.ts';
import { rejectsEnd, rejectsHeader } from '../sources/csv/rejects.ts';
import type { Run, StoredItem, StoredReject } from '../database/rows.ts';
import type { Connections } from './connections.ts';

const PAGE = 500;

/** All rejects of a run in the order of the file, a page at a time. */
export async function* readRejects<T extends StoredReject | StoredItem = StoredReject>(
  backend: Backend,
  runId: string,
): AsyncGenerator<T> {
  for (let after = -1; ;) {
    const page = (await backend.call('read_rejects', { run_id: runId, after_row: after, max_rows: PAGE })) as T[];
    yield* page;
    if (page.length < PAGE) return;
    after = (page.at(-1) as T).row_index;
  }
}

/** Failed items of a run that read a directory. */
export const readItems = (backend: Backend, runId: string): AsyncGenerator<StoredItem> =>
  readRejects<StoredItem>(backend, runId);

/**
 * Writes the rejects of a run to a file or a stream (which stays open).
 * @returns how many there are, by code.
 * @throws IntakeError OBJECT_MISSING when the stored header of the source file cannot be read, USAGE for a file that cannot be written.
 */
export async function writeRejects(
  connections: Connections,
  run: Run,
  target: string | Writable,
): Promise<Record<string, number>> {
  const codes: Record<string, number> = {};
  const count = (code: string) => (codes[code] = (codes[code] ?? 0) + 1);
  const lines = await rejectLines(connections, run, count);
  const stream = typeof target === 'string' ? createWriteStream(target, { mode: 0o600 }) : target;
  try {
    await pipeline(Readable.from(lines), stream, { end: typeof target === 'string' });
  } catch (cause) {
    if (cause instanceof IntakeError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new IntakeError('USAGE', `${target as string} cannot be written`, {
      cause,
      remedy: 'Give a path in a directory that exists.',
    });
  }
  return codes;
}

/**
 * The same, as it is read.
 * @param count hears the code of each.
 * @throws IntakeError OBJECT_MISSING, before anything is read.
 */
export async function rejectLines(
  connections: Connections,
  run: Run,
  count: (code: string) => void = () => undefined,
): Promise<AsyncIterable<Buffer | string>> {
  if (kindNamed(run.import_kind).reads === 'directory') return itemLines(await connections.backend(), run, count);
  return recordLines(connections, run, count);
}

async function recordLines(
  connections: Connections,
  run: Run,
  count: (code: string) => void,
): Promise<AsyncGenerator<Buffer>> {
  const backend = await connections.backend();
  const { header, format, read } = await storedHeader(connections, run);
  return (async function* () {
    yield header;
    for await (const { line, code, message, record } of readRejects(backend, run.id)) {
      count(code);
      if (record === '') yield* longRecord(format, line, read);
      else yield Buffer.from(record, 'base64');
      yield rejectsEnd({ line, code, message: message ?? '' }, format, run.id);
    }
  })();
}

async function* itemLines(backend: Backend, { id }: Run, count: (code: string) => void): AsyncGenerator<string> {
  yield FAILED_ITEMS_HEADER;
  for await (const item of readItems(backend, id)) {
    count(item.code);
    yield failedItemLine(item, id);
  }
}

/** @throws IntakeError DATABASE_MISMATCH where the run's objects are known to be in another store. */
async function requireStore({ objects }: Backend, input: Run['metadata']['input']): Promise<void> {
  const there = input?.objects;
  const here = there && (await objects.identity());
  if (here && here.id !== there.id)
    throw otherStore(`The run keeps its file in ${there.name}, this command looks in ${here.name}`);
}

/**
 * The header of the file that a run imported, as a file of rejects has it, how its records are written, and its stored chunks.
 * @throws IntakeError DATABASE_MISMATCH, OBJECT_MISSING, OBJECT_CORRUPT.
 */
export async function storedHeader(
  connections: Connections,
  { id, storage_path: path, metadata }: Run,
): Promise<{ header: Buffer; format: Manifest; read: (chunk: number) => Promise<Buffer> }> {
  if (!path)
    throw new IntakeError('OBJECT_MISSING', `Run ${id} stored no file`, {
      remedy: 'Dry-run the file with --rejects FILE.',
    });
  const backend = await connections.backend(metadata.input?.backend);
  const [, hash = '', layout = ''] = path.split('/');
  await requireStore(backend, metadata.input);
  const format = await storedManifest(backend, hash, layout);
  const part = (n: number) => backend.objects.get(`${hash}/${layout}/${partName(n)}`);
  const head = await part(0);
  if (head.length !== format.headerLength)
    throw new IntakeError('OBJECT_CORRUPT', `The stored header of ${path} is not whole`);
  return { header: rejectsHeader(head, format), format, read: (chunk) => part(chunk + 1) };
}
