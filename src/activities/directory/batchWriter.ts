/** The rows of a batch of JSON files, encoded for the stage. */
import { hash } from 'node:crypto';
import { ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import type { DirectoryInput, FailedItem } from '../../messages/directory.ts';
import { addRemarks, type Remark } from '../../messages/remarks.ts';
import { textCleaner, type TextCleaner } from '../../sources/cleanText.ts';
import { LICENCE_COLUMNS, type LicenceRow, licencesOf, SEARCH_COLUMNS } from '../../sources/search/licences.ts';
import { readSearchFile } from '../../sources/search/searchFile.ts';
import type { ReadFile } from '../../sources/tree/fileThreads.ts';
import { RowBuffer } from '../../staging/rowBuffer.ts';
import { closeArray, partitionOf } from '../../staging/stageRows.ts';
import { copyCell, jsonCell } from '../../staging/stageFormat.ts';
import { READ_ERRORS } from './facts.ts';
import type { ImageStates, SliceFile } from './slice.ts';
import { imagePath } from './storedImages.ts';

const META = LICENCE_COLUMNS.indexOf('meta');

/** What may be fixed without a new size or time, so that --delta has to look again. */
export const RETRYABLE_ON_DELTA: ReadonlySet<RowErrorCode> = new Set<RowErrorCode>([
  'CHANGED_FILE',
  'FILE_UNREADABLE',
  'IMAGE_MISSING',
  'IMAGE_OUTSIDE',
  'IMAGE_REFUSED',
]);

/** The rows of a batch, encoded as their backend wants them. */
export class BatchWriter {
  readonly counts = { rows: 0, errored: 0 };
  readonly codes: Record<string, number> = {};
  readonly failed: FailedItem[] = [];
  readonly unread: string[] = [];
  readonly remarks: Record<string, Remark> = {};
  failedFiles = 0;
  readonly #buffer = new RowBuffer(64 * 1024);
  readonly #copy: boolean;
  readonly #input: DirectoryInput;
  readonly #partitions: number;
  readonly #start: string;
  readonly #now: Date | undefined;
  readonly #clean: TextCleaner;

  constructor(
    format: 'copy' | 'json',
    input: DirectoryInput,
    partitions: number,
    stageId: string,
    batch: number,
    now: Date | undefined,
  ) {
    this.#now = now;
    this.#clean = textCleaner(input, (code, remark) => addRemarks(this.remarks, { [code]: remark }));
    this.#copy = format === 'copy';
    this.#input = input;
    this.#partitions = partitions;
    this.#start = this.#copy ? `${stageId}\t${batch}\t` : '';
  }

  /** @param read the file, unless planning has told that it cannot be read. */
  add(file: SliceFile, read: ReadFile | undefined, states: ImageStates): void {
    const rows = rowsOf(file, read, this.#now, this.#clean);
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
    const stored = found && (found.storagePath ?? imagePath(found, this.#input.compression));
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

/** JSON within JSON; as a text where the API may read numbers as doubles, or where it is a text itself. */
const exactJson = (json: string): string =>
  json.startsWith('"') || LONG_NUMBER.test(json) ? JSON.stringify(json) : json;

const IMAGE_ERROR = ['image_error', 'image_message', 'image_item'].map(
  (name) => (SEARCH_COLUMNS as readonly string[]).indexOf(name) - LICENCE_COLUMNS.length,
);

const withoutImageError = (shared: readonly (string | null)[]): readonly (string | null)[] =>
  shared.map((cell, i) => (IMAGE_ERROR.includes(i) ? null : cell));

/** As many rows as planning counted: a file that is another by now is a failed one. */
function rowsOf(
  file: SliceFile,
  read: ReadFile | undefined,
  now: Date | undefined,
  clean: TextCleaner,
): readonly LicenceRow[] {
  if (file.error || !read) return fileFailure(file, file.error ?? READ_ERRORS.missing);
  if (read.error !== undefined) return fileFailure(file, READ_ERRORS[read.error]);
  if (read.sha256 !== file.sha256) return fileFailure(file, READ_ERRORS.changed);
  const search = readSearchFile(read.bytes!, clean);
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
