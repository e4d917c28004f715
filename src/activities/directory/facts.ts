/** What planning wants to know of the JSON files: read on threads, and kept from try to try and from run to run. */
import { ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import { textCleaner, type Cleaning, type TextCleaner } from '../../sources/cleanText.ts';
import { rowsOf } from '../../sources/search/licences.ts';
import { MAX_JSON_BYTES, readSearchFile, searchKey, sourceImageOf } from '../../sources/search/searchFile.ts';
import type { CachedFile, FileCache } from '../../sources/tree/fileCache.ts';
import { readFiles, type ReadFile } from '../../sources/tree/fileThreads.ts';
import type { Unread } from '../../sources/tree/insideFile.ts';
import type { FoundImage } from '../../sources/tree/imageIndex.ts';
import { grouped, inLanes, readingOf } from './lanes.ts';

export interface Facts {
  readonly rows: number;
  readonly key?: string;
  readonly image?: string;
  readonly error?: { readonly code: RowErrorCode; readonly message: string };
}

interface KeptFacts extends Facts {
  readonly reading?: string;
}

export interface Listed {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** A link to a folder out of the tree, which is no file. */
  readonly isLink?: boolean;
}

export interface ReadFacts {
  readonly facts: Facts;
  /** Empty where the file was not read. */
  readonly sha256: string;
}

/** Files asked for at a time; the threads take as many of them as the file system is worth. */
const READING = readingOf(16);

/**
 * From the cache where the file is as it was, else from the file; in the order of the files.
 * @param signal ends it between two messages; what was read until then is kept.
 */
export async function readFacts(
  root: string,
  listed: readonly Listed[],
  cache: FileCache,
  signal: AbortSignal,
  cleaning: Cleaning = {},
): Promise<ReadFacts[]> {
  const clean = textCleaner(cleaning, () => undefined); // it is said when the file is staged
  const reading = wordsOf(cleaning);
  const known = cache.getMany(listed);
  const readAt = Date.now();
  const fresh: (Listed & CachedFile)[] = [];
  const answers: ReadFacts[] = [];
  const unknown: (readonly [number, Listed])[] = [];
  for (const [i, file] of listed.entries()) {
    const cached = known.get(file.path);
    const facts = cached?.facts as KeptFacts | undefined;
    if (cached && facts?.reading === reading) answers[i] = { facts, sha256: cached.sha256 };
    else if (file.isLink) answers[i] = { facts: { rows: 1, error: LINK_OUTSIDE }, sha256: '' };
    else unknown.push([i, file]);
  }
  const groups = grouped(unknown, ([, { size }]) => size);
  await inLanes(groups, READING.lanes, signal, async (group) => {
    const files = group.map(([, { path, size, mtimeMs }]) => ({ path, known: { size, mtimeMs } }));
    const job = { root, files, limit: MAX_JSON_BYTES, bytes: true };
    await readFiles(job, { parts: READING.parts, signal }, (read, at) => {
      const [i, file] = group[at]!;
      const { facts, sha256 } = (answers[i] = factsOf(read, clean));
      if (sha256) fresh.push({ ...file, sha256, type: 'json', facts: { ...facts, reading } });
    });
  }).finally(() => cache.putMany(fresh, readAt));
  return answers;
}

/** Other words for nothing make other facts of the same file. */
const wordsOf = ({ nullWords, decodeHtml = false }: Cleaning): string =>
  JSON.stringify([decodeHtml, nullWords ?? 'usual']);

function factsOf(read: ReadFile, clean: TextCleaner): ReadFacts {
  if (read.error !== undefined) return { facts: { rows: 1, error: READ_ERRORS[read.error] }, sha256: '' };
  const { sha256 } = read;
  const search = readSearchFile(read.bytes!, clean);
  if (!search.ok) return { facts: { rows: 1, error: { code: search.code, message: search.message } }, sha256 };
  const image = sourceImageOf(search.file);
  return {
    facts: {
      rows: rowsOf(search.file),
      key: searchKey(search.file).slice(0, 32),
      ...(image === null ? {} : { image }),
    },
    sha256,
  };
}

const LINK_OUTSIDE = {
  code: 'FILE_UNREADABLE',
  message: 'A link to a folder out of the directory, where nothing is read; put the folder itself in its place.',
} as const;

const readError = (code: RowErrorCode, message: string = ROW_ERRORS[code]) => ({ code, message });

/** Why a file of the tree could not be read, as the code and message of its failed item. */
export const READ_ERRORS: Readonly<Record<Unread, { readonly code: RowErrorCode; readonly message: string }>> = {
  missing: readError('CHANGED_FILE', 'The file was there when the directory was listed, and is gone.'),
  outside: readError('FILE_UNREADABLE', 'The name leads out of the directory, where nothing is read.'),
  unreadable: readError('FILE_UNREADABLE'),
  changed: readError('CHANGED_FILE'),
  'too-large': readError('JSON_TOO_LARGE'),
};

/** What is said of a search whose image is not there, or is one of several. */
export function noImage(found: Exclude<FoundImage, { image: unknown }>): { code: RowErrorCode; message: string } {
  if (found.error === 'IMAGE_AMBIGUOUS')
    return { code: found.error, message: `${ROW_ERRORS.IMAGE_AMBIGUOUS} Among them: ${found.paths.join(', ')}` };
  const nearest = found.nearest === undefined ? '' : ` The nearest is ${found.nearest}`;
  return { code: found.error, message: ROW_ERRORS.IMAGE_MISSING + nearest };
}
