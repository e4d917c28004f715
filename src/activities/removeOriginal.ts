import type { ObjectStore } from '../database/backend.ts';

/** What is stored of a file, or the list of a directory's files. @param path `imports/HASH/LAYOUT`: its objects lie under `HASH/LAYOUT`. */
export async function removeOriginal(objects: ObjectStore, path: string): Promise<void> {
  const [, hash = '', layout = ''] = path.split('/');
  if (!hash || !layout) return;
  const folder = `${hash}/${layout}`;
  for (const object of (await objects.list(folder)).keys()) await objects.remove(`${folder}/${object}`);
}
