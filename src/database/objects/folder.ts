/** Objects of the postgres backend: files in a folder. */
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { IntakeError } from '../../errors.ts';
import type { ObjectStore } from '../backend.ts';

async function write(file: string, bytes: Uint8Array): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  const handle = await open(draft, 'w', 0o600).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await mkdir(dirname(file), { recursive: true }); // its first object
    return open(draft, 'w', 0o600);
  });
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(draft, file); // whole or not at all
}

/** @param root absolute path; made when first written to. */
export function folderObjects(root: string): ObjectStore {
  return {
    async put(path, bytes) {
      try {
        await write(join(root, path), bytes);
      } catch (cause) {
        const { code = 'no code' } = cause as NodeJS.ErrnoException;
        throw new IntakeError('STORAGE_UNAVAILABLE', `The folder of stored objects cannot be written (${code})`, {
          cause,
          remedy: "Give the worker's user the permission to write there, or free disk space; it is retried.",
        });
      }
    },
    async get(path) {
      try {
        return await readFile(join(root, path));
      } catch (cause) {
        const { code = 'no code' } = cause as NodeJS.ErrnoException;
        if (code === 'ENOENT') throw new IntakeError('OBJECT_MISSING', `There is no stored object ${path}`, { cause });
        throw new IntakeError('STORAGE_UNAVAILABLE', `The folder of stored objects cannot be read (${code})`, {
          cause,
          remedy: "Give the worker's user the permission to read there; it is retried.",
        });
      }
    },
    async list(folder) {
      const names = await readdir(join(root, folder)).catch(() => []);
      const kept = names.filter((name) => !name.endsWith('.tmp'));
      const sizes = await Promise.all(kept.map(async (name) => (await stat(join(root, folder, name))).size));
      return new Map(kept.map((name, i) => [name, sizes[i] ?? 0]));
    },
  };
}
