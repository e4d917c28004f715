/** Where a command finds its settings and its stack: upwards from the current directory, as git and npm look, then beside the installation. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the installation: of a clone its root. */
export const INSTALLATION = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '');

/** The nearest file or folder of this name. @param onStep hears of one that somebody else put there, which does not count. */
export function findUpwards(name: string, onStep: (line: string) => void = () => undefined): string | undefined {
  const here = process.cwd();
  for (const folder of [...ancestors(here), INSTALLATION]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    if (folder === here || isTrusted(path)) return path;
    onStep(`${path} belongs to another user: it is not used`);
  }
  return undefined;
}

/** The folder of the embedded stack: the nearest one; where there is none, that of a new one. */
export function stackFolder(onStep?: (line: string) => void): string {
  const found = findUpwards('.intake', onStep);
  if (found !== undefined) return found;
  const ours = !INSTALLATION.split(sep).includes('node_modules') && isWritable(INSTALLATION);
  return join(ours ? INSTALLATION : process.cwd(), '.intake');
}

function* ancestors(path: string): Generator<string> {
  yield path;
  if (dirname(path) !== path) yield* ancestors(dirname(path));
}

/** Anybody can put a file into a folder like /tmp, above those of others. */
function isTrusted(path: string): boolean {
  const self = process.getuid?.();
  const { uid } = statSync(path);
  return self === undefined || uid === self || uid === 0;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
