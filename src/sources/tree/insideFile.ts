/**
 * Reads files of a tree, and nothing that is not inside its root, whatever became of links and names since it was scanned. Its
 * calls wait: it is for a thread of its own.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync, type Stats } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { shownName, systemPath } from './names.ts';

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

export const isInside = (root: string, path: string): boolean => {
  const below = relative(root, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
};

/**
 * The bytes of a file below the root, read once; never throws.
 * @param root absolute, without links (see `openRoot`).
 * @param limit bytes; a larger file is not read.
 * @param known where given, the file is refused as changed unless it has this size and time before and after reading.
 * @param space where the bytes go if they fit; otherwise they have memory of their own.
 */
export function readInside(root: string, path: string, limit: number, known?: Known, space?: Buffer): InsideBytes {
  let fd: number | undefined;
  try {
    const full = systemPath(root, path);
    // A pipe that took the file's place must not be waited for.
    fd = openSync(full, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = fstatSync(fd);
    const error = refusal(root, full, before, limit, known);
    if (error) return { error };
    const room = space && space.length >= before.size ? space : Buffer.allocUnsafeSlow(before.size);
    const bytes = readAll(fd, before.size, room);
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
  full: string | Buffer,
  opened: Stats,
  limit: number,
  known: Known | undefined,
): Unread | undefined {
  // A name may be no UTF-8.
  const real = realpathSync.native(full, 'buffer');
  if (!isInside(root, shownName(real))) return 'outside';
  // What was opened must be what has this name inside the root: then no link led elsewhere in between.
  const named = statSync(real);
  if (named.ino !== opened.ino || named.dev !== opened.dev) return 'changed';
  if (!opened.isFile()) return 'unreadable';
  if (known && (opened.size !== known.size || Math.trunc(opened.mtimeMs) !== known.mtimeMs)) return 'changed';
  return opened.size > limit ? 'too-large' : undefined;
}

function readAll(fd: number, size: number, bytes: Buffer): Buffer {
  let done = 0;
  for (let got = -1; got !== 0 && done < size; done += got) got = readSync(fd, bytes, done, size - done, done);
  return bytes.subarray(0, done);
}
