/** import: the files of a slice into the unlogged stage, a batch of files a call. */
import { setImmediate } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { SEARCH_COLUMNS } from '../../sources/search/licences.ts';
import { MAX_JSON_BYTES } from '../../sources/search/searchFile.ts';
import { readFiles, type ReadFile } from '../../sources/tree/fileThreads.ts';
import { openRoot } from '../../sources/tree/scanTree.ts';
import { IntakeError } from '../../errors.ts';
import { kindNamed } from '../../kinds/index.ts';
import {
  type DirectoryInput,
  type FailedItem,
  SHOWN_FAILURES,
  type SliceAnswer,
  type SliceRequest,
} from '../../messages/directory.ts';
import { addRemarks, piecesRemark, type Remark } from '../../messages/remarks.ts';
import type { Backend } from '../../database/backend.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { COMMON_COLUMNS } from '../../staging/stageRows.ts';
import { BatchWriter, RETRYABLE_ON_DELTA } from './batchWriter.ts';
import { inLanes } from './lanes.ts';
import {
  filesByCall,
  loadImages,
  loadSlice,
  EMPTY_RESULT,
  imageStateKey,
  type ImageState,
  type ImageStates,
  type Slice,
  type SliceFile,
} from './slice.ts';

/** Calls to the database at a time: while one is answered, the files of the next are read. Each more would be a connection. */
const WRITERS = 2;

/** Parts of a call's files where the file system is slow. */
const PARTS = 8;

/** Files that are encoded in one go. */
const AT_ONCE = 16;

export const stageSliceActivity = (deps: Deps) => ({
  async stageSlice(request: SliceRequest): Promise<SliceAnswer> {
    const { input, plan, runId, lease, slice } = request;
    const target = deps.backend(input.backend);
    await renewClaim(target, runId || null);
    const content = await loadSlice(deps.workDir, target, plan.layout, slice);
    const states = await loadImages(deps.workDir, imageStateKey(request), slice);
    const unread = new Set<string>();
    const answer = await stageFiles(target, request, content, states, unread);
    if (input.mode === 'commit') {
      const taken = content.files.filter(
        ({ path, image }) => !unread.has(path) && !shouldRetry(image && states.get(image.path)),
      );
      await recordFiles(taken, states, (files) => target.call('record_files', { run_id: runId, lease, files }));
    }
    return answer;
  },
});

const shouldRetry = (state: ImageState | undefined): boolean =>
  state?.error !== undefined && RETRYABLE_ON_DELTA.has(state.error);

/** Stages the files of a slice; adds those that could not be read to `unread`. @throws IntakeError OBJECT_MISSING when an image of theirs has not been looked at. */
export async function stageFiles(
  target: Backend,
  { input, plan, stageId, partitions }: SliceRequest,
  content: Slice,
  states: ImageStates,
  unread = new Set<string>(),
): Promise<SliceAnswer> {
  if (content.files.some(({ image }) => image && !states.has(image.path))) {
    throw new IntakeError('OBJECT_MISSING', 'What was found out about the images is gone from this host', {
      remedy: 'Run `intake resume ID`, or start the import again; the files are read anew.',
    });
  }
  const root = await openRoot(input.path);
  const signal = Context.current().cancellationSignal;
  const { table } = kindNamed(input.kind);
  const now = plan.plannedAt === undefined ? undefined : new Date(plan.plannedAt);
  const columns = [...COMMON_COLUMNS, ...SEARCH_COLUMNS];
  const answer = { ...EMPTY_RESULT, failedItems: [] as FailedItem[], codes: {} as Record<string, number> };
  const remarks: Record<string, Remark> = {};
  let staged = 0;
  await inLanes(filesByCall(content, plan.batchSize), WRITERS, signal, async ({ batch, batches, files }) => {
    const writer = new BatchWriter(target.format, input, partitions, stageId, batch, now);
    const read = await readListed(root, files, input, signal);
    for (const [i, file] of files.entries()) {
      writer.add(file, read[i], states);
      if (i % AT_ONCE === AT_ONCE - 1) await setImmediate(); // others of this worker have their turn
    }
    const pieces = await target.stage({
      stageId,
      kind: input.kind,
      table,
      chunk: batch,
      columns,
      ...writer.counts,
      payload: writer.payload(partitions),
    });
    addRemarks(remarks, piecesRemark(pieces));
    answer.rows += writer.counts.rows;
    answer.errored += writer.counts.errored;
    answer.done += files.length - writer.failedFiles;
    answer.failed += writer.failedFiles;
    answer.failures += writer.failed.length;
    answer.batches += batches;
    addRemarks(remarks, writer.remarks);
    for (const path of writer.unread) unread.add(path);
    answer.failedItems.push(...writer.failed.slice(0, SHOWN_FAILURES - answer.failedItems.length));
    for (const [code, n] of Object.entries(writer.codes)) answer.codes[code] = (answer.codes[code] ?? 0) + n;
    heartbeat({ done: (staged += files.length), total: content.files.length });
  });
  return Object.keys(remarks).length > 0 ? { ...answer, remarks } : answer;
}

/** In the order of the files; none of those that planning could not read. A verification may read a copy of them, of another time. */
async function readListed(
  root: string,
  files: readonly SliceFile[],
  { mode }: DirectoryInput,
  signal: AbortSignal,
): Promise<ReadFile[]> {
  const all: ReadFile[] = [];
  const there = [...files.entries()].filter(([, { error }]) => !error);
  const asked = there.map(([, { path, size, mtimeMs }]) =>
    mode === 'verify' ? { path } : { path, known: { size, mtimeMs } },
  );
  const job = { root, files: asked, limit: MAX_JSON_BYTES, bytes: true };
  await readFiles(job, { parts: PARTS, signal }, (read, at) => (all[there[at]![0]] = read));
  return all;
}

/** What --delta compares with; it counts when the run is completed. */
async function recordFiles(
  files: readonly SliceFile[],
  states: ImageStates,
  record: (files: object[]) => Promise<unknown>,
): Promise<void> {
  await record(
    files.map(({ path, size, mtimeMs, sha256, image }) => {
      const state = image && states.get(image.path);
      return {
        path,
        size,
        mtime_ms: mtimeMs,
        json_sha256: sha256 || null,
        image_path: image?.path ?? null,
        image_size: image?.size ?? null,
        image_mtime_ms: image?.mtimeMs ?? null,
        image_sha256: state && state.error === undefined ? state.sha256 : null,
      };
    }),
  );
}
