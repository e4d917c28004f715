/** sources/: How files become records. Reads files, writes none. */
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
