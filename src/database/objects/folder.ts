/**
 * database/objects/: Where objects are kept: a folder, or a bucket.
 *
 * Objects of the postgres backend: files in a folder.
 */
import {
  constants,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { IntakeError } from '../../errors.ts';
import type { ObjectStore } from '../backend.ts';

/** Beside the objects, so that a rename is enough; what a killed worker left there is a day old at most. */
const DRAFTS = '.drafts';
const DRAFT_MS = 86_400_000;
/** Its text tells this folder from others. */
const MARK = '.store';

async function write(root: string, path: string, bytes: Uint8Array): Promise<void> {
  const draft = join(root, DRAFTS, randomUUID());
  const handle = await open(draft, 'w', 0o600).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    await mkdir(dirname(draft), { recursive: true });
    return open(draft, 'w', 0o600);
  });
  try {
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    const file = join(root, path);
    await rename(draft, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await mkdir(dirname(file), { recursive: true }); // its first object
      await rename(draft, file); // whole or not at all
    });
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function sweepDrafts(root: string): Promise<void> {
  for (const name of await readdir(join(root, DRAFTS)).catch(() => [])) {
    const draft = join(root, DRAFTS, name);
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Date.now() }));
    if (mtimeMs < Date.now() - DRAFT_MS) await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** The mark of a folder, made where there is none: of several that make it at once one wins. Nothing where that cannot be. */
async function markOf(root: string): Promise<string | undefined> {
  const mark = join(root, MARK);
  const read = async (): Promise<string | undefined> => (await readFile(mark, 'utf8')).trim() || undefined;
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
  }
  const draft = join(root, DRAFTS, randomUUID());
  try {
    await mkdir(dirname(draft), { recursive: true });
    await writeFile(draft, `${randomUUID()}\n`, { mode: 0o644, flush: true });
    // A file system without hard links has it whole a moment later.
    const taken = await link(draft, mark).catch((error: NodeJS.ErrnoException) => error.code);
    if (taken !== undefined && taken !== 'EEXIST')
      await copyFile(draft, mark, constants.COPYFILE_EXCL).catch(() => undefined);
    return await read();
  } catch {
    return undefined;
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

function unavailable(what: 'read' | 'written', cause: unknown): IntakeError {
  const { code = 'no code' } = cause as NodeJS.ErrnoException;
  const [right, or] = what === 'read' ? ['read', ''] : ['write', ', or free disk space'];
  return new IntakeError('STORAGE_UNAVAILABLE', `The folder of stored objects cannot be ${what} (${code})`, {
    cause,
    remedy: `Give the worker's user the permission to ${right} there${or}; it is retried.`,
  });
}

/**
 * @param root absolute path; made when first written to.
 * @param shared whether other hosts and programs see it, too.
 */
export function folderObjects(root: string, shared = false): ObjectStore {
  let begun: Promise<unknown> | undefined;
  return {
    shared,
    async identity() {
      const id = await markOf(root); // read each time: a folder may be mounted, emptied, brought back
      return id === undefined ? undefined : { id, name: root };
    },
    async put(path, bytes) {
      try {
        await (begun ??= Promise.all([sweepDrafts(root), markOf(root)]));
        await write(root, path, bytes);
      } catch (cause) {
        throw unavailable('written', cause);
      }
    },
    async get(path) {
      try {
        return await readFile(join(root, path));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
          throw new IntakeError('OBJECT_MISSING', `There is no stored object ${path} in ${root}`, { cause });
        throw unavailable('read', cause);
      }
    },
    async remove(path) {
      try {
        await rm(join(root, path), { force: true });
      } catch (cause) {
        throw unavailable('written', cause);
      }
    },
    async list(folder) {
      const names = await readdir(join(root, folder)).catch(() => []);
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(root, folder, name))).size));
      return new Map(names.map((name, i) => [name, sizes[i] ?? 0]));
    },
  };
}
