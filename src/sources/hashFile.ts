import { createHash } from 'node:crypto';
import { IntakeError } from '../errors.ts';
import { openRegularFile } from './openFile.ts';

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
