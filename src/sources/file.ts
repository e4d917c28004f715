/** sources/: How files become records. Reads files, writes none. */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { IntakeError } from '../errors.ts';

/**
 * Opens a regular file for reading. The kind of file is asked first: opening a pipe would wait for its writer.
 * @param name what messages call it: the path, where personal data cannot be in it.
 * @throws IntakeError FILE_NOT_FOUND, NOT_A_FILE, FILE_UNREADABLE.
 */
export async function openRegularFile(path: string, name = 'The file'): Promise<FileHandle> {
  try {
    const stats = await stat(path);
    if (!stats.isFile())
      throw new IntakeError('NOT_A_FILE', `${name} is ${stats.isDirectory() ? 'a directory' : 'no regular file'}`);
    return await open(path, 'r');
  } catch (cause) {
    if (cause instanceof IntakeError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new IntakeError('FILE_NOT_FOUND', `${name} does not exist`, { cause });
    throw new IntakeError('FILE_UNREADABLE', `${name} cannot be read (${code})`, { cause });
  }
}

/** SHA-256 of a regular file, hex. @throws IntakeError FILE_NOT_FOUND, NOT_A_FILE, FILE_UNREADABLE, EMPTY_FILE. */
export async function hashFile(path: string): Promise<{ hash: string; bytes: number }> {
  const file = await openRegularFile(path, path);
  try {
    const stats = await file.stat();
    if (stats.size === 0) throw new IntakeError('EMPTY_FILE', `${path} is empty`);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const block of file.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false })) {
      hash.update(block as Buffer);
      bytes += (block as Buffer).length;
    }
    return { hash: hash.digest('hex'), bytes };
  } finally {
    await file.close();
  }
}

/** The bytes of a range of the file, checked against their hash. @throws IntakeError CHANGED_FILE. */
export async function readRange(
  path: string,
  { offset, length, sha256 }: { offset: number; length: number; sha256?: string },
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const file = await openRegularFile(path);
  try {
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead < length) throw new IntakeError('CHANGED_FILE', 'The file became shorter while it was imported');
  } finally {
    await file.close();
  }
  if (sha256 && digest(bytes) !== sha256)
    throw new IntakeError('CHANGED_FILE', 'The file changed while it was imported');
  return bytes;
}

export const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
