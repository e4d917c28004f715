/** Images of a tree: their hashes, what they are, and their bytes. */
import { ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import { readFiles, type FileToRead, type ReadFile, type ReadJob, type ReadOptions } from './fileThreads.ts';
import type { ImageType } from './imageType.ts';
import type { Unread } from './insideFile.ts';

export interface Image {
  /** Hex. */
  readonly sha256: string;
  readonly type: ImageType;
  /** Where they were asked for. */
  readonly bytes?: Buffer;
  readonly error?: undefined;
}

export interface UnusableImage {
  readonly error: RowErrorCode;
  readonly message: string;
}

const unusable = (error: RowErrorCode): UnusableImage => ({ error, message: ROW_ERRORS[error] });

export const MAX_IMAGE_BYTES = 50 * 1024 * 1024;

const CODES: Readonly<Record<Unread, RowErrorCode>> = {
  missing: 'IMAGE_MISSING',
  outside: 'IMAGE_OUTSIDE',
  unreadable: 'FILE_UNREADABLE',
  changed: 'CHANGED_FILE',
  'too-large': 'IMAGE_TOO_LARGE',
};

/**
 * Reads images once. Bytes that are asked for are all held: take their sizes from a `ByteBudget` first.
 * @param root absolute, without links (see `openRoot`).
 * @param images with size and time from the scan where they count; a file that differs, before or after reading, is CHANGED_FILE.
 * @param each is told of every image, by its place among them, in any order.
 */
export const readImages = (
  root: string,
  images: readonly FileToRead[],
  { bytes, into, ...options }: ReadOptions & Pick<ReadJob, 'bytes' | 'into'>,
  each: (image: Image | UnusableImage, at: number) => void,
): Promise<void> =>
  readFiles(
    { root, files: images, limit: MAX_IMAGE_BYTES, images: true, bytes, ...(into ? { into } : {}) },
    options,
    (read, at) => each(imageOf(read), at),
  );

function imageOf(read: ReadFile): Image | UnusableImage {
  if (read.error !== undefined) return unusable(CODES[read.error]);
  const { sha256, image, bytes } = read;
  if (image?.error === 'IMAGE_UNSUPPORTED')
    return { error: image.error, message: `The image is ${image.format}, which is not stored; save it as PNG.` };
  if (image?.error !== undefined) return unusable(image.error);
  return { sha256, type: image!.type, ...(bytes ? { bytes } : {}) };
}
