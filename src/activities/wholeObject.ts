/** An object as storage has it, told from one that was cut off on its way. */
import type { ObjectStore } from '../database/backend.ts';
import { digest } from '../sources/file.ts';

/**
 * Reads an object whose content is known by its hash.
 * @param unpack of what is stored packed; what it throws means that the bytes are not whole.
 * @returns undefined when two downloads were both something else.
 */
export async function wholeObject(
  objects: ObjectStore,
  path: string,
  sha256: string,
  unpack: (bytes: Buffer) => Buffer | Promise<Buffer> = (bytes) => bytes,
): Promise<Buffer | undefined> {
  for (let download = 0; download < 2; download++) {
    const stored = await objects.get(path);
    const bytes = await Promise.resolve(stored)
      .then(unpack)
      .catch(() => undefined);
    if (bytes && digest(bytes) === sha256) return bytes;
  }
  return undefined;
}
