/** Where the image of a single search lies when it is neither beside its file nor below a directory that was named. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Folders above the file in which the recorded path may begin. */
const LEVELS = 6;
const DATE = /\b\d{4}-\d\d-\d\d\b/g;

/**
 * The folder of the image, by the recorded path: its longest end, of a folder and a name at least, that is there below a folder above
 * the file. Undefined when the image lies beside the file, or nowhere.
 */
export function imagesOfSingle(file: string): string | undefined {
  const own = dirname(resolve(file));
  const parts = recordedPath(file);
  const name = parts.at(-1);
  if (name === undefined || existsSync(join(own, name))) return undefined;
  const above = [own];
  while (above.length < LEVELS && dirname(above.at(-1)!) !== above.at(-1)) above.push(dirname(above.at(-1)!));
  for (let length = parts.length; length >= 2; length--) {
    const found = above.map((folder) => join(folder, ...parts.slice(-length))).find((path) => existsSync(path));
    if (found !== undefined && sameDays(parts.join('/'), found)) return relative(process.cwd(), dirname(found)) || '.';
  }
  return undefined;
}

/** The image of another day is another image. */
function sameDays(recorded: string, found: string): boolean {
  const [of, at] = [recorded, found].map((path) => path.match(DATE) ?? ([] as string[]));
  return !of?.length || !at?.length || of.some((day) => at.includes(day));
}

/** Folders and name; none of a file that is no search, which the import says. */
function recordedPath(file: string): string[] {
  try {
    const { metadata } = JSON.parse(readFileSync(file, 'utf8')) as { metadata?: { source_image_file?: unknown } };
    const recorded = metadata?.source_image_file;
    return typeof recorded === 'string'
      ? recorded.split(/[\\/]+/).filter((part) => !/^(?:\.{0,2}|[A-Za-z]:)$/.test(part))
      : [];
  } catch {
    return [];
  }
}
