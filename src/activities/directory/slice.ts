/** The manifest of a directory, in slices: what planning found, and what later phases read. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '../../database/backend.ts';
import type { ImageType } from '../../sources/tree/imageType.ts';
import { openRoot } from '../../sources/tree/scanTree.ts';
import { IntakeError, type RowErrorCode } from '../../errors.ts';
import type { DirectoryInput, SliceRequest, SliceAnswer } from '../../messages/directory.ts';

/** Files of a slice: the unit of an activity. */
export const SLICE_FILES = 500;

export interface SliceImage {
  /** Below the root. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export interface SliceFile {
  /** Below the root. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
  /** Rows it becomes, and the index of the first among all rows. */
  readonly rows: number;
  readonly firstRow: number;
  /** Another file before it holds the same search. */
  readonly duplicate?: true;
  readonly error?: { readonly code: RowErrorCode; readonly message: string };
  readonly image?: SliceImage;
  /** The file names an image that is not there, or one of several. */
  readonly imageError?: { readonly code: RowErrorCode; readonly message: string };
  /** The same in manifests of 0.3.0. */
  readonly imageMissing?: true;
}

/** What is known of the image of a file: more with each phase. */
export type ImageState =
  | { readonly sha256: string; readonly type: ImageType; readonly storagePath?: string; readonly error?: undefined }
  | { readonly error: RowErrorCode; readonly message: string; readonly phase: 'sha256' | 'upload' };

export interface Slice {
  /** Number of its first batch among all. */
  readonly firstBatch: number;
  readonly files: readonly SliceFile[];
  /** Batches of each call to the database. Older manifests lack it: a call each. */
  readonly calls?: readonly number[];
}

export const EMPTY_RESULT: SliceAnswer = {
  done: 0,
  skipped: 0,
  failed: 0,
  failures: 0,
  failedItems: [],
  rows: 0,
  errored: 0,
  codes: {},
  batches: 0,
};

const sliceName = (slice: number): string => `slice-${String(slice).padStart(5, '0')}.json`;
const imagesName = (slice: number): string => `images-${String(slice).padStart(5, '0')}.json`;
const folderOf = (layout: string): string => `trees/${layout}`;

async function save(workDir: string, layout: string, name: string, content: unknown): Promise<Buffer> {
  const folder = join(workDir, folderOf(layout));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const bytes = Buffer.from(JSON.stringify(content));
  const draft = join(folder, `${randomUUID()}.tmp`);
  await writeFile(draft, bytes, { mode: 0o600 });
  await rename(draft, join(folder, name)); // whole or not at all
  return bytes;
}

export const saveSlice = (workDir: string, layout: string, slice: number, content: Slice): Promise<Buffer> =>
  save(workDir, layout, sliceName(slice), content);

/**
 * Where the states of a request's images are kept: with its manifest; of a verification, which looks at all of them again, by
 * themselves.
 */
export const imageStateKey = ({ input, plan, stageId }: SliceRequest): string =>
  input.mode === 'verify' ? `verify-${stageId}` : plan.layout;

/** By path of the image. */
export type ImageStates = Map<string, ImageState>;

export async function saveImages(workDir: string, layout: string, slice: number, states: ImageStates): Promise<void> {
  await save(workDir, layout, imagesName(slice), [...states]);
}

/** What a file of the work directory says; undefined where it is lost, or was cut off by a crash of its host. */
async function readKept<T>(workDir: string, layout: string, name: string): Promise<T | undefined> {
  const bytes = await readFile(join(workDir, folderOf(layout), name)).catch(() => undefined);
  return bytes && parsed<T>(bytes);
}

function parsed<T>(bytes: Buffer): T | undefined {
  try {
    return JSON.parse(bytes.toString('utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Empty when this host's work directory was lost: then the images are read again. */
export const loadImages = async (workDir: string, layout: string, slice: number): Promise<ImageStates> =>
  new Map(await readKept<[string, ImageState][]>(workDir, layout, imagesName(slice)));

/** From this host's work directory, where that was lost from storage. @throws IntakeError OBJECT_MISSING, OBJECT_CORRUPT. */
export async function loadSlice(workDir: string, backend: Backend, layout: string, slice: number): Promise<Slice> {
  const kept = await readKept<Slice>(workDir, layout, sliceName(slice));
  if (kept) return kept;
  const path = `${folderOf(layout)}/${sliceName(slice)}`;
  const stored = parsed<Slice>(await backend.objects.get(path));
  if (stored) return stored;
  throw new IntakeError('OBJECT_CORRUPT', `The stored object ${path} is not what was uploaded`, {
    remedy: 'Run `intake resume ID`, or start the import again; the directory is listed anew.',
  });
}

/** So that a commit can be finished after this host's work directory was lost. */
export const storeSlice = (backend: Backend, layout: string, slice: number, bytes: Buffer): Promise<void> =>
  backend.objects.put(`${folderOf(layout)}/${sliceName(slice)}`, bytes);

/** So many files and bytes of them make a call large enough: its round trip no longer counts. */
const FILES_OF_CALL = 125;
const BYTES_OF_CALL = 1024 * 1024;

/** How many batches share each call to the database. */
export function callsOf(files: readonly SliceFile[], batchSize: number): number[] {
  const calls: number[] = [];
  let held = { files: Infinity, bytes: Infinity };
  for (let from = 0; from < files.length; from += batchSize) {
    const batch = files.slice(from, from + batchSize);
    const bytes = batch.reduce((sum, { size }) => sum + size, 0);
    if (held.files + batch.length <= FILES_OF_CALL && held.bytes + bytes <= BYTES_OF_CALL) {
      calls[calls.length - 1]!++;
      held = { files: held.files + batch.length, bytes: held.bytes + bytes };
    } else {
      calls.push(1);
      held = { files: batch.length, bytes };
    }
  }
  return calls;
}

export interface Call {
  /** Number of its first batch, which names what is staged. */
  readonly batch: number;
  readonly batches: number;
  readonly files: readonly SliceFile[];
}

/** Files that share a call to the database. */
export function filesByCall({ files, firstBatch, calls }: Slice, batchSize: number): Call[] {
  const single = () => Array.from({ length: Math.ceil(files.length / batchSize) }, () => 1);
  let before = 0;
  return (calls ?? single()).map((batches) => {
    const from = before;
    before += batches;
    return { batch: firstBatch + from, batches, files: files.slice(from * batchSize, before * batchSize) };
  });
}

/** Where the images of a tree lie. */
export const imageRootOf = ({ path, imagesDir = path }: DirectoryInput): Promise<string> => openRoot(imagesDir);

/** The images of a slice, each once. */
export const imagesOf = (files: readonly SliceFile[]): SliceImage[] => [
  ...new Map(files.flatMap(({ image }) => (image ? [[image.path, image] as const] : []))).values(),
];
