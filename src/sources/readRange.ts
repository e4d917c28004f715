import { createHash } from 'node:crypto';
import { IntakeError } from '../errors.ts';
import { openRegularFile } from './openFile.ts';

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
