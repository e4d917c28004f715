/** One folder of a tree, with calls that wait: for a thread of its own. */
import { lstatSync, opendirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { isInside } from './insideFile.ts';
import { shownName, systemPath } from './names.ts';

/**
 * `other-json`: a JSON file whose name says that it is no search. `link`: one to a folder that is not below the root, so that
 * what it shows is found nowhere.
 */
export type FileKind = 'json' | 'image' | 'other-json' | 'link';

export interface Entry {
  /** As `names.ts` shows it, of a folder without its slash. */
  readonly name: string;
  readonly kind: FileKind | 'folder' | 'none';
  readonly isLink: boolean;
  /** With `mtimeMs`, where they have been asked for. */
  readonly size?: number;
  readonly mtimeMs?: number;
}

/**
 * What counts of a folder, in path order.
 * @param below its path below the root, with a slash at its end; empty for the root.
 * @param group where there are no more files than this, their sizes and times are asked for at once.
 */
export function listFolder(root: string, below: string, group: number): Entry[] | { error: string } {
  const entries: Entry[] = [];
  try {
    // @types/node knows no Buffer as encoding of an open directory.
    const folder = opendirSync(systemPath(root, below), { bufferSize: 1024, encoding: 'buffer' as BufferEncoding });
    try {
      for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
        const name = shownName(entry.name as unknown as Buffer);
        if (name.startsWith('.')) continue;
        const isLink = entry.isSymbolicLink();
        const kind = entry.isDirectory() ? 'folder' : entry.isFile() || isLink ? kindOfFile(name) : undefined;
        if (kind !== undefined || isLink) entries.push({ name, kind: kind ?? 'link', isLink });
      }
    } finally {
      folder.closeSync();
    }
  } catch (cause) {
    return { error: (cause as NodeJS.ErrnoException).code ?? 'unknown' };
  }
  const sorted = sortByBytes(entries);
  return sorted.filter(({ kind }) => kind !== 'folder').length <= group ? factsOf(root, below, sorted) : sorted;
}

/** The same entries with what a listing says of each; `none` is a link that shows nothing new. */
export const factsOf = (root: string, below: string, entries: readonly Entry[]): Entry[] =>
  entries.map((entry) => {
    if (entry.kind === 'folder') return entry;
    const path = systemPath(root, below + entry.name);
    if (entry.isLink) return linked(root, path, entry);
    if (entry.kind === 'other-json') return { ...entry, size: 0, mtimeMs: 0 };
    return withFacts(entry, statSync(path, { throwIfNoEntry: false }));
  });

function linked(root: string, path: string | Buffer, entry: Entry): Entry {
  let kind = entry.kind;
  try {
    const real = realpathSync.native(path, 'buffer');
    const stats = statSync(real);
    const inside = real.equals(Buffer.from(root)) || isInside(root, shownName(real));
    if (stats.isDirectory()) kind = inside ? 'none' : 'link';
    else if (kind === 'link') kind = 'none';
    if (inside) return withFacts({ ...entry, kind }, stats);
  } catch {
    // It leads nowhere: reading it says so, if its name is that of a file.
    if (kind === 'link') kind = 'none';
  }
  return withFacts({ ...entry, kind }, lstatSync(path, { throwIfNoEntry: false }));
}

const withFacts = (entry: Entry, stats: Stats | undefined): Entry => ({
  ...entry,
  size: stats?.size ?? 0,
  mtimeMs: Math.trunc(stats?.mtimeMs ?? 0),
});

/** UTF-16, by which JavaScript sorts, and UTF-8 differ in order where a name has characters beyond 16 bits. */
function sortByBytes(entries: Entry[]): Entry[] {
  const wide = entries.some(({ name }) => /[\ud800-\udfff]/.test(name));
  const keyed = entries.map((entry) => [entry.kind === 'folder' ? `${entry.name}/` : entry.name, entry] as const);
  keyed.sort(([a], [b]) => (wide ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1));
  return keyed.map(([, entry]) => entry);
}

const SEARCH_FILE = /_parse\.json$/i;
const JSON_FILE = /\.json$/i;
/** Also what is no image that a page shows: a file that names one hears what it is. */
const IMAGE_FILE = /\.(?:png|jpe?g|jfif|webp|gif|bmp|tiff?|avif|heic)$/i;

/** Undefined for a file that is none of an import's business; hidden files are not either. */
function kindOfFile(name: string): FileKind | undefined {
  if (name.startsWith('.')) return undefined;
  if (JSON_FILE.test(name)) return SEARCH_FILE.test(name) ? 'json' : 'other-json';
  return IMAGE_FILE.test(name) ? 'image' : undefined;
}
