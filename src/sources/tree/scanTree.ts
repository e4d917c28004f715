/**
 * sources/tree/: Directories: listing, safe reading, images.
 *
 * The files of a directory and of all below it, in path order. Knows names, sizes and times; reads no file.
 */
import { lstatSync, opendirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { IntakeError } from '../../errors.ts';
import { isInside } from './insideFile.ts';

export interface TreeFile {
  /** Below the root, with `/`. */
  readonly path: string;
  /** Bytes; 0 with `mtimeMs` 0 where the file cannot be asked, which reading it then explains. */
  readonly size: number;
  /** Whole milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly kind: FileKind;
}

interface Folder {
  /** Names in path order, those of folders with their `/`. */
  readonly names: readonly string[];
  readonly links: ReadonlySet<string>;
}

/** After so many files the event loop has its turn: local calls are too short to be worth a thread's. */
const TURN = 256;

/**
 * Every `*_parse.json` and every image below the root, in the order of their paths' UTF-8 bytes; holds the names of one branch.
 * Hidden names are left out, and so is a link to a folder: what it shows inside the root is found at its own place. A link to
 * a file is given as a file; one that leads out of the root is refused when it is read.
 * @param root absolute path without links (see `openRoot`).
 * @throws IntakeError FILE_UNREADABLE naming the folder; a lost state must not look like an import that is complete.
 */
export async function* scanTree(root: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<TreeFile> {
  let seen = 0;
  const pending: { below: string; folder: Folder; next: number }[] = [
    { below: '', folder: readFolder(root, ''), next: 0 },
  ];
  for (let branch = pending.at(-1); branch; branch = pending.at(-1)) {
    const name = branch.folder.names[branch.next++];
    if (name === undefined) {
      pending.pop();
      continue;
    }
    const path = branch.below + name;
    if (name.endsWith('/')) {
      pending.push({ below: path, folder: readFolder(root, path), next: 0 });
      continue;
    }
    const file = branch.folder.links.has(name) ? linkedFile(root, path) : fileAt(root, path);
    if (file) yield file;
    if (++seen % TURN !== 0) continue;
    await setImmediate();
    signal?.throwIfAborted();
  }
}

/**
 * A directory as everything below expects it: absolute, without links.
 * @throws IntakeError FILE_NOT_FOUND, NOT_A_FILE, FILE_UNREADABLE.
 */
export function openRoot(path: string): string {
  try {
    const root = realpathSync.native(path);
    if (statSync(root).isDirectory()) return root;
    throw new IntakeError('NOT_A_FILE', 'The path is no directory', {
      remedy: 'Give the directory that holds the files.',
    });
  } catch (cause) {
    if (cause instanceof IntakeError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new IntakeError('FILE_NOT_FOUND', 'The directory does not exist', { cause });
    throw new IntakeError('FILE_UNREADABLE', `The directory cannot be read (${code})`, { cause });
  }
}

function readFolder(root: string, below: string): Folder {
  const names: string[] = [];
  const links = new Set<string>();
  try {
    const folder = opendirSync(join(root, below), { bufferSize: 1024 });
    try {
      for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
        const { name } = entry;
        if (entry.isDirectory()) {
          if (!name.startsWith('.')) names.push(`${name}/`);
        } else if (kindOfFile(name) && (entry.isFile() || entry.isSymbolicLink())) {
          names.push(name);
          if (entry.isSymbolicLink()) links.add(name);
        }
      }
    } finally {
      folder.closeSync();
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new IntakeError('FILE_UNREADABLE', `The directory '${below || '.'}' cannot be read (${code})`, { cause });
  }
  return { names: sortByBytes(names), links };
}

/** UTF-16, by which JavaScript sorts, and UTF-8 differ in order where a name has characters beyond 16 bits. */
function sortByBytes(names: string[]): string[] {
  const wide = names.some((name) => /[\ud800-\udfff]/.test(name));
  return wide ? names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) : names.sort();
}

function fileAt(root: string, path: string): TreeFile | undefined {
  return treeFile(path, statSync(`${root}/${path}`, { throwIfNoEntry: false }));
}

/** Undefined for a link to a folder. */
function linkedFile(root: string, path: string): TreeFile | undefined {
  const link = `${root}/${path}`;
  try {
    const real = realpathSync.native(link);
    if (real === root || isInside(root, real)) return statSync(real).isDirectory() ? undefined : fileAt(root, path);
  } catch {
    // It leads nowhere: reading it says so.
  }
  return treeFile(path, lstatSync(link, { throwIfNoEntry: false }));
}

function treeFile(path: string, stats: Stats | undefined): TreeFile {
  const kind = kindOfFile(path.slice(path.lastIndexOf('/') + 1)) as FileKind;
  return { path, size: stats?.size ?? 0, mtimeMs: Math.trunc(stats?.mtimeMs ?? 0), kind };
}

export type FileKind = 'json' | 'image';

const JSON_FILE = /_parse\.json$/i;
const IMAGE_FILE = /\.(?:png|jpe?g|webp|gif)$/i;

/** Undefined for a file that is none of an import's business; hidden files are not either. */
export function kindOfFile(name: string): FileKind | undefined {
  if (name.startsWith('.')) return undefined;
  if (JSON_FILE.test(name)) return 'json';
  return IMAGE_FILE.test(name) ? 'image' : undefined;
}
