/** The manifest of a file: its dialect, header and chunks. Kept beside the worker that read the file, and with the stored parts. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '../database/backend.ts';
import type { Chunk } from '../sources/csv/chunks.ts';
import type { Dialect } from '../sources/csv/dialect.ts';
import type { Encoding } from '../sources/csv/encoding.ts';
import { IntakeError } from '../errors.ts';

export interface Manifest extends Dialect {
  readonly version: 1;
  readonly filename: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
  readonly encoding: Encoding;
  readonly header: readonly string[];
  /** Bytes up to the first record, byte order mark included. */
  readonly headerLength: number;
  readonly chunks: readonly Chunk[];
}

/** Names a cut of a content into chunks. */
export function layoutOf(sha256: string, dialect: Dialect & { encoding: string }, chunkBytes: number): string {
  const cut = [sha256, dialect.encoding, dialect.delimiter, dialect.newline, chunkBytes].join('\n');
  return createHash('sha256').update(cut).digest('hex').slice(0, 16);
}

/** Folder of the parts under the bucket; content-addressed, so that a copy of the file is stored once. */
export const partsFolder = (sha256: string, layout: string): string => `${sha256}/${layout}`;

/** Part 0 is the header, part n+1 is chunk n: in order they are the original file. */
export const partName = (part: number): string => `part-${String(part).padStart(5, '0')}`;

export async function saveManifest(workDir: string, layout: string, manifest: Manifest): Promise<void> {
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const file = join(workDir, `${layout}.json`);
  const draft = `${file}.${randomUUID()}.tmp`;
  await writeFile(draft, JSON.stringify(manifest), { mode: 0o600 });
  await rename(draft, file);
}

const KEPT_MS = 7 * 86_400_000;

/** Removes what imports left in this host's work directory more than a week ago: manifests, lists of files, drafts of both. */
export async function deleteOldWork(workDir: string): Promise<void> {
  for (const folder of [workDir, join(workDir, 'trees')]) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (folder === workDir && entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
      if (mtimeMs < Date.now() - KEPT_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

const cache = new Map<string, Manifest>();

/** Reads a manifest, from storage or from the work directory. @throws IntakeError OBJECT_MISSING. */
async function loadManifest(layout: string, read: () => Promise<Buffer>): Promise<Manifest> {
  let manifest = cache.get(layout);
  if (!manifest) {
    manifest = JSON.parse((await read()).toString('utf8')) as Manifest;
    if (cache.size > 20) cache.clear();
    cache.set(layout, manifest);
  }
  return manifest;
}

export const localManifest = (workDir: string, layout: string): Promise<Manifest> =>
  loadManifest(layout, () =>
    readFile(join(workDir, `${layout}.json`)).catch((cause) => {
      throw new IntakeError('OBJECT_MISSING', 'The manifest of the file is gone from this host', {
        cause,
        remedy: 'Start the import again; the file is read anew.',
      });
    }),
  );

export const storedManifest = (backend: Backend, sha256: string, layout: string): Promise<Manifest> =>
  loadManifest(layout, () => backend.objects.get(`${partsFolder(sha256, layout)}/manifest.json`));
