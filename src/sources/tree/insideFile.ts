/** Reads files of a tree, and nothing that is not inside its root, whatever became of links and names since it was scanned. */
import { closeSync, constants, fstatSync, openSync, read, readSync, realpathSync, statSync, type Stats } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { promisify } from 'node:util';

/** What a file was when it was scanned. */
export interface Known {
  /** Bytes. */
  readonly size: number;
  /** Whole milliseconds since 1970. */
  readonly mtimeMs: number;
}

export type Unread =
  /** It is not there. */
  | 'missing'
  /** It leads out of the root. */
  | 'outside'
  /** It is no regular file, or may not be read. */
  | 'unreadable'
  /** It is, or became while it was read, another than it was. */
  | 'changed'
  | 'too-large';

export type InsideBytes = { readonly bytes: Buffer; readonly error?: undefined } | { readonly error: Unread };

/** Up to this size a call that blocks costs less than a thread's turn. */
const SMALL_BYTES = 256 * 1024;

const readLater = promisify(read);

export const isInside = (root: string, path: string): boolean => {
  const below = relative(root, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
};

/**
 * The bytes of a file below the root, read once; never throws.
 * @param root absolute, without links (see `openRoot`).
 * @param limit bytes; a larger file is not read.
 * @param known where given, the file is refused as changed unless it has this size and time before and after reading.
 */
export async function readInside(root: string, path: string, limit: number, known?: Known): Promise<InsideBytes> {
  let fd: number | undefined;
  try {
    const full = `${root}/${path}`;
    // A pipe that took the file's place must not be waited for.
    fd = openSync(full, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = fstatSync(fd);
    const error = refusal(root, full, before, limit, known);
    if (error) return { error };
    const bytes = before.size <= SMALL_BYTES ? readNow(fd, before.size) : await readChunks(fd, before.size);
    const after = fstatSync(fd);
    const same = bytes.length === before.size && after.size === before.size && after.mtimeMs === before.mtimeMs;
    return same ? { bytes } : { error: 'changed' };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return { error: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable' };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function refusal(
  root: string,
  full: string,
  opened: Stats,
  limit: number,
  known: Known | undefined,
): Unread | undefined {
  const real = realpathSync.native(full);
  if (!isInside(root, real)) return 'outside';
  // What was opened must be what has this name inside the root: then no link led elsewhere in between.
  const named = statSync(real);
  if (named.ino !== opened.ino || named.dev !== opened.dev) return 'changed';
  if (!opened.isFile()) return 'unreadable';
  if (known && (opened.size !== known.size || Math.trunc(opened.mtimeMs) !== known.mtimeMs)) return 'changed';
  return opened.size > limit ? 'too-large' : undefined;
}

function readNow(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  let done = 0;
  for (let got = -1; got !== 0 && done < size; done += got) got = readSync(fd, bytes, done, size - done, done);
  return bytes.subarray(0, done);
}

async function readChunks(fd: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let done = 0;
  for (let got = -1; got !== 0 && done < size; done += got)
    got = (await readLater(fd, bytes, done, size - done, done)).bytesRead;
  return bytes.subarray(0, done);
}
