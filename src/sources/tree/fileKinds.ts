/** Which files of a tree are read, by their names. */

export type FileKind = 'json' | 'image';

const JSON_FILE = /_parse\.json$/i;
const IMAGE_FILE = /\.(?:png|jpe?g|webp|gif)$/i;

/** Undefined for a file that is none of an import's business; hidden files are not either. */
export function kindOfFile(name: string): FileKind | undefined {
  if (name.startsWith('.')) return undefined;
  if (JSON_FILE.test(name)) return 'json';
  return IMAGE_FILE.test(name) ? 'image' : undefined;
}
