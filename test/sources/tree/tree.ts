/** Small trees in a directory of their own, removed after the test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Known } from '../../../src/sources/tree/insideFile.ts';
import { readImages, type Image, type UnusableImage } from '../../../src/sources/tree/readImage.ts';

/** Hooks of the calling suite; gives the path of a new, empty directory without links in it. */
export function useDirectory(): () => string {
  let dir = '';
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'intake-tree-')));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  return () => dir;
}

export function write(root: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** One image, with its bytes. */
export async function readImage(root: string, path: string, known?: Known): Promise<Image | UnusableImage> {
  const read: (Image | UnusableImage)[] = [];
  const options = { parts: 1, signal: new AbortController().signal, bytes: true };
  await readImages(root, [{ path, ...(known ? { known } : {}) }], options, (image) => read.push(image));
  return read[0]!;
}
