/** The batches of a push as files on the host that posts them: what is posted is what the file held when the push began. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IntakeError } from '../../errors.ts';
import { hashFile } from '../../sources/file.ts';
import type { Push } from '../../messages/push.ts';
import { addRemarks, type Remark, type Remarks } from '../../messages/remarks.ts';
import { batchIdOf } from './batchId.ts';
import { projectRows, type LeftOutRow } from './projectRows.ts';
import { projects } from '../../kinds/projects.ts';
import { splitRows } from '../../sources/projects/split.ts';
import { pushFolder } from '../deps.ts';

export interface SpooledBatch {
  readonly batchId: string;
  readonly rows: number;
  /** 0-based index of its first row in the file, and of its last. */
  readonly firstRow: number;
  readonly lastRow: number;
}

export interface Spool {
  readonly folder: string;
  readonly rows: number;
  readonly batches: readonly SpooledBatch[];
  /** Rows that cannot be posted. */
  readonly leftOut: readonly LeftOutRow[];
  /** What was noticed in the texts of its rows. */
  readonly remarks?: Remarks;
  /** Of the file, as it was read. */
  readonly size: number;
  readonly mtimeMs: number;
}

/** What nobody came back for. */
const STALE_SPOOL_MS = 7 * 24 * 3600 * 1000;
const SOURCE = 'projects-import';

/**
 * The batches of a push, made from the file where they are not there (any more).
 * @throws IntakeError CHANGED_FILE when the file is not the one that was asked for, or not any more; what `projectRows` throws.
 */
export async function openSpool(workDir: string, push: Push, signal?: AbortSignal): Promise<Spool> {
  const folder = spoolFolder(workDir, push);
  const spool = (await readSpool(folder)) ?? (await makeSpool(folder, push, signal));
  const { size, mtimeMs } = await fileStamp(push.path);
  // A file that is still being written is not what was asked for, though its beginning was.
  if ((size !== spool.size || mtimeMs !== spool.mtimeMs) && (await hashFile(push.path)).hash !== push.fileHash)
    throw changed();
  return spool;
}

/** The body of a batch, JSON in UTF-8. */
export const readBody = ({ folder }: Spool, index: number): Promise<Buffer> => readFile(join(folder, bodyName(index)));

export const removeSpool = (workDir: string, push: Push): Promise<void> =>
  rm(spoolFolder(workDir, push), { recursive: true, force: true });

const spoolFolder = (workDir: string, { correlationId }: Push): string => join(pushFolder(workDir), correlationId);
const bodyName = (index: number): string => `batch-${String(index + 1).padStart(5, '0')}.json`;
const changed = (): IntakeError =>
  new IntakeError('CHANGED_FILE', 'The file changed since its push began', {
    remedy: 'Let the file be written to its end, then push it again.',
  });

/** Undefined where it is not there, or not whole: somebody emptied the folder, or its host crashed. */
async function readSpool(folder: string): Promise<Spool | undefined> {
  try {
    const spool = JSON.parse(await readFile(join(folder, 'spool.json'), 'utf8')) as Omit<Spool, 'folder'>;
    const names = new Set(await readdir(folder));
    return spool.batches.every((_, i) => names.has(bodyName(i))) ? { ...spool, folder } : undefined;
  } catch {
    return undefined;
  }
}

async function makeSpool(folder: string, push: Push, signal: AbortSignal | undefined): Promise<Spool> {
  await sweep(join(folder, '..'));
  const draft = `${folder}.${randomUUID()}`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    const { size, mtimeMs } = await fileStamp(push.path);
    if ((await hashFile(push.path)).hash !== push.fileHash) throw changed();
    const { tenantId, correlationId, startedAt, timeZone, batchRows, nullWords, decodeHtml } = push;
    const remarks: Record<string, Remark> = {};
    const batches: SpooledBatch[] = [];
    const leftOut: LeftOutRow[] = [];
    /** Places of the good rows that are in no batch yet. */
    const places: number[] = [];
    const good = async function* () {
      let row = 0;
      for await (const read of projectRows(
        push.path,
        push.dateOrder ?? projects.dateOrder,
        signal,
        { nullWords, decodeHtml },
        (code, remark) => addRemarks(remarks, { [code]: remark }),
      )) {
        if (read.leftOut) leftOut.push(read.leftOut);
        else {
          places.push(row);
          yield read.row;
        }
        row++;
      }
    };
    let posted = 0;
    for await (const { rows, json } of splitRows(good(), batchRows)) {
      const batchId = batchIdOf(startedAt, batches.length, timeZone);
      const envelope = JSON.stringify({
        tenant_id: tenantId,
        source: SOURCE,
        batch_id: batchId,
        correlation_id: correlationId,
        // The rows are clean; the gateway's own words would empty what this file means.
        ...(nullWords ? { null_words: nullWords } : {}),
      });
      await writeFile(join(draft, bodyName(batches.length)), `${envelope.slice(0, -1)},"rows":${json}}`, {
        mode: 0o600,
      });
      const inFile = places.splice(0, rows);
      batches.push({ batchId, rows, firstRow: inFile[0]!, lastRow: inFile.at(-1)! });
      posted += rows;
    }
    if (posted === 0 && leftOut.length === 0) throw new IntakeError('EMPTY_FILE', 'The file has no rows');
    await writeFile(
      join(draft, 'spool.json'),
      JSON.stringify({ rows: posted, batches, leftOut, remarks, size, mtimeMs }),
      {
        mode: 0o600,
      },
    );
    await rename(draft, folder).catch(async () => {
      if (await readSpool(folder)) return; // another attempt was first: its batches are the same
      await rm(folder, { recursive: true });
      await rename(draft, folder);
    });
    return (await readSpool(folder)) as Spool;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function fileStamp(path: string): Promise<{ size: number; mtimeMs: number }> {
  const { size, mtimeMs } = await stat(path).catch((cause: unknown) => {
    throw new IntakeError('FILE_NOT_FOUND', 'The file is gone', { cause });
  });
  return { size, mtimeMs };
}

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_SPOOL_MS) await rm(path, { recursive: true, force: true });
  }
}
