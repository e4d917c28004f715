/** The rejected rows of a run as a file: the original header and records, byte for byte, and what is wrong with each. */
import { createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { partName, storedManifest } from '../activities/manifest.ts';
import type { Backend } from '../backends/backend.ts';
import { IntakeError } from '../errors.ts';
import { rejectsHeader, rejectsLine, type RejectsFormat } from '../rejects.ts';
import type { Run } from './findRun.ts';
import type { Session } from './session.ts';

const PAGE = 500;

export interface StoredReject {
  readonly row_index: number;
  readonly line: number;
  readonly code: string;
  readonly message: string | null;
  /** The record's bytes, base64. */
  readonly record: string;
}

/** All rejects of a run in the order of the file, a page at a time. */
export async function* readRejects(backend: Backend, runId: string): AsyncGenerator<StoredReject> {
  let after = -1;
  for (;;) {
    const page = await backend.call<StoredReject[]>('read_rejects', { run_id: runId, after_row: after, max_rows: PAGE });
    yield* page;
    if (page.length < PAGE) return;
    after = (page.at(-1) as StoredReject).row_index;
  }
}

/**
 * Writes the rejects of a run to a file or a stream (which stays open).
 * @returns how many there are, by code.
 * @throws IntakeError OBJECT_MISSING when the stored header of the source file cannot be read, USAGE for a file that cannot be written.
 */
export async function writeRejects(session: Session, run: Run, target: string | Writable): Promise<Record<string, number>> {
  const backend = await session.backend();
  const { header, format } = await storedHeader(await session.backend(run.metadata.input?.backend), run);
  const codes: Record<string, number> = {};
  async function* lines(): AsyncGenerator<Buffer> {
    yield header;
    for await (const { line, code, message, record } of readRejects(backend, run.id)) {
      codes[code] = (codes[code] ?? 0) + 1;
      yield rejectsLine({ line, code, message: message ?? '', record: Buffer.from(record, 'base64') }, format, run.id);
    }
  }
  const stream = typeof target === 'string' ? createWriteStream(target, { mode: 0o600 }) : target;
  try {
    await pipeline(Readable.from(lines()), stream, { end: typeof target === 'string' });
  } catch (cause) {
    if (cause instanceof IntakeError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new IntakeError('USAGE', `${target as string} cannot be written`, { cause, remedy: 'Give a path in a directory that exists.' });
  }
  return codes;
}

async function storedHeader(backend: Backend, { id, storage_path: path }: Run): Promise<{ header: Buffer; format: RejectsFormat }> {
  if (!path) throw new IntakeError('OBJECT_MISSING', `Run ${id} stored no file`, { remedy: 'Dry-run the file with --rejects FILE.' });
  const [, hash = '', layout = ''] = path.split('/');
  const format = await storedManifest(backend, hash, layout);
  const head = await backend.objects.get(`${hash}/${layout}/${partName(0)}`);
  if (head.length !== format.headerLength) throw new IntakeError('OBJECT_CORRUPT', `The stored header of ${path} is not whole`);
  return { header: rejectsHeader(head, format), format };
}
