/** The first bytes of a file. */
import { IntakeError } from '../../errors.ts';
import { openRegularFile } from '../file.ts';
import { HEAD_BYTES } from './layout.ts';

/** @throws IntakeError EMPTY_FILE, and what `openRegularFile` throws. */
export async function readHead(path: string): Promise<{ head: Buffer; whole: boolean }> {
  const file = await openRegularFile(path);
  try {
    const { size } = await file.stat();
    if (size === 0) throw new IntakeError('EMPTY_FILE', 'The file is empty');
    const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return { head: head.subarray(0, bytesRead), whole: bytesRead === size };
  } finally {
    await file.close();
  }
}
