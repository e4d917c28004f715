/** An image of a tree: its bytes, their hash, and what they are. */
import { hash, webcrypto } from 'node:crypto';
import { ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import { readTreeFile } from './fileThreads.ts';
import { inspectImage, type ImageType } from './imageType.ts';
import type { Known, Unread } from './insideFile.ts';

export interface Image {
  readonly bytes: Buffer;
  /** Hex. */
  readonly sha256: string;
  readonly type: ImageType;
  readonly error?: undefined;
}

export interface UnusableImage {
  readonly error: RowErrorCode;
  readonly message: string;
}

const unusable = (error: RowErrorCode): UnusableImage => ({ error, message: ROW_ERRORS[error] });

export const MAX_IMAGE_BYTES = 50 * 1024 * 1024;

/** Hashed at once up to this size: a call in a thread costs as much. Larger ones would stop the event loop. */
const HASH_NOW_BYTES = 256 * 1024;

const CODES: Readonly<Record<Unread, RowErrorCode>> = {
  missing: 'IMAGE_MISSING',
  outside: 'IMAGE_OUTSIDE',
  unreadable: 'FILE_UNREADABLE',
  changed: 'CHANGED_FILE',
  'too-large': 'IMAGE_TOO_LARGE',
};

/**
 * Reads an image once. It holds the whole file: take its size from a `ByteBudget` first where several are read at a time.
 * @param root absolute, without links (see `openRoot`).
 * @param known size and time from the scan; a file that differs, before or after reading, is CHANGED_FILE.
 */
export async function readImage(root: string, path: string, known?: Known): Promise<Image | UnusableImage> {
  const read = await readTreeFile(root, path, MAX_IMAGE_BYTES, known);
  if (read.error !== undefined) return unusable(CODES[read.error]);
  const inspected = inspectImage(read.bytes);
  if (inspected.error === 'IMAGE_UNSUPPORTED')
    return {
      error: inspected.error,
      message: `The image is ${inspected.format}, which is not stored; save it as PNG.`,
    };
  if (inspected.error !== undefined) return unusable(inspected.error);
  return { bytes: read.bytes, sha256: await sha256(read.bytes), type: inspected.type };
}

async function sha256(bytes: Buffer): Promise<string> {
  if (bytes.length <= HASH_NOW_BYTES) return hash('sha256', bytes, 'hex');
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Buffer<ArrayBuffer>)).toString('hex');
}
