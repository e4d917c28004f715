/** import: the files of a slice into the unlogged stage, a batch of files a call. */
import { hash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { readTreeFile } from '../../sources/tree/fileThreads.ts';
import type { Known } from '../../sources/tree/insideFile.ts';
import { LICENCE_COLUMNS, type LicenceRow, licencesOf, SEARCH_COLUMNS } from '../../sources/search/licences.ts';
import { openRoot } from '../../sources/tree/scanTree.ts';
import { MAX_JSON_BYTES, readSearchFile } from '../../sources/search/searchFile.ts';
import { IntakeError, ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import { kindNamed } from '../../kinds/index.ts';
import {
  type DirectoryInput,
  type FailedItem,
  SHOWN_FAILURES,
  type SliceAnswer,
  type SliceRequest,
} from '../../messages/directory.ts';
import type { Backend } from '../../database/backend.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { digest } from '../../sources/file.ts';
import { RowBuffer } from '../../staging/rowBuffer.ts';
import { copyCell, jsonCell } from '../../staging/stageFormat.ts';
import { closeArray, COMMON_COLUMNS, partitionOf } from '../../staging/stageRows.ts';
import { inLanes } from './lanes.ts';
import {
  batchesOf,
  loadImages,
  loadSlice,
  EMPTY_RESULT,
  imageStateKey,
  type ImageState,
  type ImageStates,
  type Slice,
  type SliceFile,
} from './slice.ts';
import { imagePath } from './uploadSlice.ts';
import { READ_ERRORS } from './facts.ts';

/** Calls to the database at a time. */
const WRITERS = 4;

const META = LICENCE_COLUMNS.indexOf('meta');

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

/** What may be fixed without a new size or time, so that --delta has to look again. */
const RETRYABLE_ON_DELTA: ReadonlySet<RowErrorCode> = new Set<RowErrorCode>([
  'CHANGED_FILE',
  'FILE_UNREADABLE',
  'IMAGE_MISSING',
  'IMAGE_OUTSIDE',
  'IMAGE_REFUSED',
]);

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
  const { table } = kindNamed(input.kind);
  const now = plan.plannedAt === undefined ? undefined : new Date(plan.plannedAt);
  const columns = [...COMMON_COLUMNS, ...SEARCH_COLUMNS];
  const answer = { ...EMPTY_RESULT, failedItems: [] as FailedItem[], codes: {} as Record<string, number> };
  let staged = 0;
  await inLanes(
    batchesOf(content, plan.batchSize),
    WRITERS,
    Context.current().cancellationSignal,
    async ({ batch, files }) => {
      const writer = new BatchWriter(target.format, input, partitions, stageId, batch, now);
      for (const file of files) await writer.add(root, file, states);
      await target.stage({
        stageId,
        kind: input.kind,
        table,
        chunk: batch,
        columns,
        ...writer.counts,
        payload: writer.payload(partitions),
      });
      answer.rows += writer.counts.rows;
      answer.errored += writer.counts.errored;
      answer.done += files.length - writer.failedFiles;
      answer.failed += writer.failedFiles;
      answer.failures += writer.failed.length;
      answer.batches++;
      for (const path of writer.unread) unread.add(path);
      answer.failedItems.push(...writer.failed.slice(0, SHOWN_FAILURES - answer.failedItems.length));
      for (const [code, n] of Object.entries(writer.codes)) answer.codes[code] = (answer.codes[code] ?? 0) + n;
      heartbeat({ done: (staged += files.length), total: content.files.length });
    },
  );
  return answer;
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

/** The rows of a batch, encoded as their backend wants them. */
class BatchWriter {
  readonly counts = { rows: 0, errored: 0 };
  readonly codes: Record<string, number> = {};
  readonly failed: FailedItem[] = [];
  readonly unread: string[] = [];
  failedFiles = 0;
  readonly #buffer = new RowBuffer(64 * 1024);
  readonly #copy: boolean;
  readonly #input: DirectoryInput;
  readonly #partitions: number;
  readonly #start: string;
  readonly #now: Date | undefined;

  constructor(
    format: 'copy' | 'json',
    input: DirectoryInput,
    partitions: number,
    stageId: string,
    batch: number,
    now: Date | undefined,
  ) {
    this.#now = now;
    this.#copy = format === 'copy';
    this.#input = input;
    this.#partitions = partitions;
    this.#start = this.#copy ? `${stageId}\t${batch}\t` : '';
  }

  async add(root: string, file: SliceFile, states: ImageStates): Promise<void> {
    const rows = await readRows(root, file, this.#input.mode === 'verify' ? undefined : file, this.#now);
    const known = file.error !== undefined;
    const shared = this.#shared(file, states);
    let bad = 0;
    rows.forEach((row, i) => {
      if (row.error) {
        bad++;
        this.counts.errored++;
        this.codes[row.error] = (this.codes[row.error] ?? 0) + 1;
        // Planning has told of files that it could not read.
        if (!known)
          this.failed.push({
            item: file.path,
            kind: row.line === 0 ? 'json' : 'licence',
            code: row.error,
            message: row.message ?? ROW_ERRORS[row.error],
          });
      }
      // An image fails once, whatever the number of licences on it.
      this.#write(row, file.firstRow + i, i === 0 ? shared : withoutImageError(shared));
    });
    if (bad > 0 && bad === rows.length) this.failedFiles++;
    const [first] = rows;
    if (first?.line === 0 && first.error && RETRYABLE_ON_DELTA.has(first.error)) this.unread.push(file.path);
    this.counts.rows += rows.length;
  }

  payload(partitions: number): Buffer {
    return this.#copy ? this.#buffer.sorted(partitions) : closeArray(this.#buffer.sorted(partitions, '['));
  }

  /** Of all rows of a file. */
  #shared(file: SliceFile, states: ImageStates): (string | null)[] {
    const { path, sha256, image, duplicate, imageMissing, imageError } = file;
    const state = image && states.get(image.path);
    const found = state && state.error === undefined ? state : undefined;
    const stored = found && (found.storagePath ?? imagePath(found.sha256, found.type, this.#input.compression));
    const error =
      state?.error !== undefined
        ? { code: state.error, message: state.message }
        : (imageError ??
          (imageMissing ? ({ code: 'IMAGE_MISSING', message: ROW_ERRORS.IMAGE_MISSING } as const) : undefined));
    return [
      this.#input.tag,
      path,
      sha256 || null,
      found?.sha256 ?? null,
      stored ?? null,
      found?.type ?? null,
      found && image ? String(image.size) : null,
      error?.code ?? null,
      error?.message ?? null,
      error ? (image?.path ?? path) : null,
      duplicate ? 'true' : 'false',
    ];
  }

  #write(
    { key, line, values, raw, error, message }: LicenceRow,
    rowIndex: number,
    shared: readonly (string | null)[],
  ): void {
    const cell = this.#copy ? copyCell : jsonCell;
    const json = this.#copy ? copyCell : exactJson;
    const separator = this.#copy ? '\t' : ',';
    const part = partitionOf(key, this.#partitions);
    const record = error ? `\\x${Buffer.from(raw).toString('hex')}` : null;
    const cells = [
      String(part),
      String(rowIndex),
      String(line),
      json(raw),
      cell(record),
      cell(error ?? null),
      cell(error ? (message ?? ROW_ERRORS[error]) : null),
      ...values.map((value, i) => (i === META ? json(value ?? '{}') : cell(value))),
      ...shared.map(cell),
    ];
    const text = cells.join(separator);
    this.#buffer.add(part, this.#copy ? `${this.#start}${text}\n` : `[${text}],`);
  }
}

/** Numbers that a double may change, as far as a look tells; what only looks so is none the worse. */
const LONG_NUMBER = /[\d.]{16}|\d[eE][+-]?\d|\.\d*0(?!\d)/;

/** JSON within JSON; as a text where the API may read numbers as doubles. */
const exactJson = (json: string): string => (LONG_NUMBER.test(json) ? JSON.stringify(json) : json);

const IMAGE_ERROR = ['image_error', 'image_message', 'image_item'].map(
  (name) => (SEARCH_COLUMNS as readonly string[]).indexOf(name) - LICENCE_COLUMNS.length,
);

const withoutImageError = (shared: readonly (string | null)[]): readonly (string | null)[] =>
  shared.map((cell, i) => (IMAGE_ERROR.includes(i) ? null : cell));

/** As many rows as planning counted: a file that is another by now is a failed one. A verification may read a copy of it. */
async function readRows(
  root: string,
  file: SliceFile,
  known: Known | undefined,
  now: Date | undefined,
): Promise<readonly LicenceRow[]> {
  if (file.error) return fileFailure(file, file.error);
  const read = await readTreeFile(root, file.path, MAX_JSON_BYTES, known);
  if (read.error !== undefined) return fileFailure(file, READ_ERRORS[read.error]);
  if (digest(read.bytes) !== file.sha256) return fileFailure(file, READ_ERRORS.changed);
  const search = readSearchFile(read.bytes);
  const rows = search.ok ? licencesOf(search.file, now) : [];
  return rows.length === file.rows ? rows : fileFailure(file, READ_ERRORS.changed);
}

function fileFailure(
  { path, rows }: SliceFile,
  { code, message }: { code: RowErrorCode; message: string },
): LicenceRow[] {
  const values = LICENCE_COLUMNS.map(() => null);
  return Array.from({ length: rows }, (_, i) => {
    const key = hash('sha256', `${path}/${i}`, 'hex');
    return { key, line: 0, values: [key, ...values.slice(1)], raw: '{}', error: code, message };
  });
}
