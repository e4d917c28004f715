/** The files of a folder that are worth a push, in the order of their making. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const PUSHED = /^[^.].*\.(csv|json)$/i;

/** CSV and JSON files, oldest modification first, then by name. */
export async function pushFilesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && PUSHED.test(entry.name))
    .map(({ name }) => name);
  const files = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  return files.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1)).map(({ name }) => join(folder, name));
}
