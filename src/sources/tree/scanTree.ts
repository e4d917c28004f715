/**
 * sources/tree/: Directories: listing, safe reading, images.
 *
 * The files of a directory and of all below it, in path order. Knows names, sizes and times; reads no file.
 */
import { realpath, stat } from 'node:fs/promises';
import { IntakeError } from '../../errors.ts';
import { fileThreads } from './fileThreads.ts';
import type { Entry, FileKind } from './listFolder.ts';

export interface TreeFile {
  /** Below the root, with `/`; see `names.ts` for what is no UTF-8. */
  readonly path: string;
  /** Bytes; 0 with `mtimeMs` 0 where the file cannot be asked, which reading it then explains. */
  readonly size: number;
  /** Whole milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly kind: FileKind;
}

/** Folders and groups of files that are asked for before their turn: on a slow file system each takes a while. */
const AHEAD = 48;

/** Of a folder, the files whose sizes and times are asked for in one call. */
export const GROUP = 256;

interface Branch {
  readonly below: string;
  readonly entries: readonly Entry[];
  next: number;
  /** Entries before this one have been asked for. */
  asked: number;
  /** By the index of their entry: subfolders, and groups of files. */
  readonly answers: Map<number, Promise<readonly Entry[]>>;
  /** Subfolders that have been listed before their turn. */
  readonly ahead: Map<number, Branch>;
}

/**
 * Every `*_parse.json` and every image below the root, in the order of their paths' UTF-8 bytes; holds the names of one branch
 * and of a few folders after it. Hidden names are left out, and so is a link to a folder inside the root: what it shows is found
 * at its own place. A link to a file is given as a file; one that leads out of the root is refused when it is read.
 * @param root absolute path without links (see `openRoot`).
 * @throws IntakeError FILE_UNREADABLE naming the folder; a lost state must not look like an import that is complete.
 */
export async function* scanTree(root: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<TreeFile> {
  let open = 0;
  const ask = (branch: Branch, at: number): Promise<readonly Entry[]> => {
    const known = branch.answers.get(at);
    if (known) return known;
    const entry = branch.entries[at] as Entry;
    const answer =
      entry.kind === 'folder'
        ? listFolder(root, `${branch.below}${entry.name}/`)
        : fileThreads.run({ do: 'facts', root, below: branch.below, entries: filesFrom(branch.entries, at) });
    answer.catch(() => undefined); // whoever waits for it hears of it
    branch.answers.set(at, answer);
    open++;
    return answer;
  };
  /** Of a folder before its turn, what comes first below it is asked for, too: many hold but one folder, or few files. */
  const askBelow = (branch: Branch, at: number): void => {
    const entry = branch.entries[at] as Entry;
    void ask(branch, at).then(
      (entries) => {
        if (branch.next > at) return;
        const below = branchOf(`${branch.below}${entry.name}/`, entries);
        branch.ahead.set(at, below);
        if (entries[0]?.kind === 'folder') askBelow(below, 0);
        else if (entries[0] && entries[0].size === undefined) void ask(below, 0);
      },
      () => undefined,
    );
  };
  const askAhead = (branch: Branch): void => {
    branch.asked = Math.max(branch.asked, branch.next);
    for (; open < AHEAD && branch.asked < branch.entries.length; branch.asked++) {
      const { kind, size } = branch.entries[branch.asked] as Entry;
      if (kind === 'folder') askBelow(branch, branch.asked);
      else if (size === undefined) {
        void ask(branch, branch.asked);
        branch.asked += filesFrom(branch.entries, branch.asked).length - 1;
      }
    }
  };
  const answerOf = async (branch: Branch, at: number): Promise<readonly Entry[]> => {
    const answer = await ask(branch, at);
    branch.answers.delete(at);
    open--;
    signal?.throwIfAborted();
    return answer;
  };
  const pending = [branchOf('', await listFolder(root, ''))];
  for (let branch = pending.at(-1); branch; branch = pending.at(-1)) {
    const at = branch.next;
    const entry = branch.entries[at];
    if (entry === undefined) {
      pending.pop();
      continue;
    }
    askAhead(branch);
    if (entry.kind === 'folder') {
      const entries = await answerOf(branch, at);
      branch.next++;
      pending.push(branch.ahead.get(at) ?? branchOf(`${branch.below}${entry.name}/`, entries));
      branch.ahead.delete(at);
      continue;
    }
    const group = entry.size === undefined ? await answerOf(branch, at) : [entry];
    branch.next += group.length;
    for (const { name, kind, size = 0, mtimeMs = 0 } of group)
      if (kind !== 'folder' && kind !== 'none') yield { path: branch.below + name, size, mtimeMs, kind };
  }
}

const branchOf = (below: string, entries: readonly Entry[]): Branch => ({
  below,
  entries,
  next: 0,
  asked: 0,
  answers: new Map(),
  ahead: new Map(),
});

/** The files from here on that are asked for together. */
function filesFrom(entries: readonly Entry[], at: number): readonly Entry[] {
  let end = at + 1;
  while (end < entries.length && end - at < GROUP && entries[end]?.kind !== 'folder') end++;
  return entries.slice(at, end);
}

async function listFolder(root: string, below: string): Promise<readonly Entry[]> {
  const listed = await fileThreads.run({ do: 'list', root, below, group: GROUP });
  if (!('error' in listed)) return listed;
  throw new IntakeError('FILE_UNREADABLE', `The directory '${below || '.'}' cannot be read (${listed.error})`);
}

/**
 * A directory as everything below expects it: absolute, without links.
 * @throws IntakeError FILE_NOT_FOUND, NOT_A_FILE, FILE_UNREADABLE.
 */
export async function openRoot(path: string): Promise<string> {
  try {
    const root = await realpath(path);
    if ((await stat(root)).isDirectory()) return root;
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
