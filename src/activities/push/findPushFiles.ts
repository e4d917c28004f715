/** What a schedule's push has to push now: a file, the new files of a folder, or a download. */
import { stat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Backend } from '../../database/backend.ts';
import { IntakeError } from '../../errors.ts';
import { hashFile } from '../../sources/file.ts';
import { discardDownload, download } from './download.ts';
import { requireFiles, requireOrder } from '../ordered.ts';
import type { FoundFile, FoundFiles, ScheduledPushInput } from '../../messages/schedules.ts';
import { pushFolder, type Deps } from '../deps.ts';
import type { Push, PushReport } from '../../messages/push.ts';

/** Of one answer. */
const MOST_FILES = 50;

export const findPushFilesActivities = (deps: Deps) => ({
  /** @param passed contents that this run has tried already. */
  async findPushFiles(
    { backend: name, tenantId, from, fileQueue }: ScheduledPushInput,
    passed: readonly string[] = [],
  ): Promise<FoundFiles> {
    const { backend, workDir } = deps;
    if (/^(https?|env):/.test(from)) {
      await requireOrder(backend(name), 'source', [{ from }], 'to download from there');
      const path = await download(from, pushFolder(workDir), Context.current().cancellationSignal);
      return { type: 'download', files: [await found(path)], more: false, leftOut: 0 };
    }
    await requireFiles(deps, name, { fileQueue, path: from });
    const stats = await stat(from).catch((cause: unknown) => {
      throw new IntakeError('FILE_NOT_FOUND', `${from} does not exist`, { cause });
    });
    return stats.isDirectory()
      ? newFilesOf(backend(name), tenantId, from, passed)
      : { type: 'file', files: [await found(from)], more: false, leftOut: 0 };
  },

  async discardDownload({ path }: FoundFile): Promise<void> {
    await discardDownload(path, pushFolder(deps.workDir));
  },
});

async function newFilesOf(
  backend: Backend,
  tenantId: string,
  folder: string,
  passed: readonly string[],
): Promise<FoundFiles> {
  const files: (FoundFile & { readonly modifiedAt: string })[] = [];
  const unusable: NonNullable<FoundFiles['unusable']>[number][] = [];
  for (const path of await pushFilesOf(folder)) {
    try {
      files.push({ ...(await found(path)), modifiedAt: (await stat(path)).mtime.toISOString() });
    } catch (error) {
      if (!(error instanceof IntakeError)) throw error;
      const { code, message, remedy } = error;
      unusable.push({ filename: basename(path), error: { code, message, remedy } });
    }
  }
  const pushed = await backend.call('pushed_among', {
    tenant_id: tenantId,
    file_sha256s: files.map(({ fileHash }) => fileHash),
  });
  // The last file decides: one that is newer than the push of its content comes after what was pushed since.
  const isDone = ({ fileHash, modifiedAt }: (typeof files)[number]): boolean => {
    const until = pushed[fileHash];
    return until === null || (until !== undefined && Date.parse(modifiedAt) <= Date.parse(until));
  };
  const fresh = files.filter((file) => !isDone(file) && !passed.includes(file.fileHash));
  return {
    type: 'folder',
    files: fresh.slice(0, MOST_FILES),
    more: fresh.length > MOST_FILES,
    leftOut: files.filter(isDone).length,
    ...(unusable.length > 0 ? { unusable } : {}),
  };
}

const found = async (path: string): Promise<FoundFile> => ({
  path,
  filename: basename(path),
  fileHash: (await hashFile(path)).hash,
});

const PUSHED = /^[^.].*\.(csv|json)$/i;

/** CSV and JSON files, oldest modification first, then by name. */
async function pushFilesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && PUSHED.test(entry.name))
    .map(({ name }) => name);
  const files = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  return files.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1)).map(({ name }) => join(folder, name));
}

/** Remembers a file's content as pushed, so that a folder's schedule leaves it out from now on. */
export const rememberPushActivity = ({ backend }: Deps) => ({
  async rememberPush({ push, report }: { push: Push; report: Pick<PushReport, 'rows' | 'total'> }): Promise<void> {
    await backend(push.backend).call('remember_push', {
      tenant_id: push.tenantId,
      file_sha256: push.fileHash,
      correlation_id: push.correlationId,
      row_count: report.rows,
      batches: report.total,
      modified_at: push.modifiedAt ?? null,
    });
  },
});
