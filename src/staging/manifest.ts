/** The manifest of a file: its dialect, where its header is, and its chunks. Kept beside the worker that read the file, and with the stored parts. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '../database/backend.ts';
import type { Chunk } from '../sources/csv/chunks.ts';
import type { Dialect } from '../sources/csv/dialect.ts';
import type { Encoding } from '../sources/csv/encoding.ts';
import { parseHeader } from '../sources/csv/header.ts';
import { digest, readRange } from '../sources/file.ts';
import { IntakeError } from '../errors.ts';

/** As it is kept: without the header's texts, which are data. */
export interface StoredManifest extends Dialect {
  readonly version: 1;
  readonly filename: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly rows: number;
  readonly encoding: Encoding;
  /** Bytes before the header: a byte order mark, titles. */
  readonly headerOffset: number;
  /** Bytes up to the first record, with those before the header. */
  readonly headerLength: number;
  /** Of these bytes. */
  readonly headerSha256: string;
  readonly chunks: readonly Chunk[];
}

/** With the header, read from the file or from its stored part. */
export interface Manifest extends StoredManifest {
  readonly header: readonly string[];
}

/** Raised when a content is cut at other places: what is stored under one name is always one cut. */
const CUT_RULE = 'between whole records';

/** Names a cut of a content into chunks. @param headerLine physical line of the header, 1-based. */
export function layoutOf(
  sha256: string,
  dialect: Dialect & { encoding: string },
  chunkBytes: number,
  headerLine = 1,
): string {
  const cut = [CUT_RULE, sha256, dialect.encoding, dialect.delimiter, dialect.newline, chunkBytes];
  if (headerLine > 1) cut.push(headerLine);
  return createHash('sha256').update(cut.join('\n')).digest('hex').slice(0, 16);
}

/** Folder of the parts under the bucket; content-addressed, so that a copy of the file is stored once. */
export const partsFolder = (sha256: string, layout: string): string => `${sha256}/${layout}`;

/** Part 0 is the header, part n+1 is chunk n: in order they are the original file. */
export const partName = (part: number): string => `part-${String(part).padStart(5, '0')}`;

/** Imports of one content at a time have a manifest each, so that the end of one takes nothing from another. */
const ownName = (workflowId: string): string =>
  `${createHash('sha256').update(workflowId).digest('hex').slice(0, 16)}.json`;

export async function saveManifest(
  workDir: string,
  layout: string,
  workflowId: string,
  manifest: StoredManifest,
): Promise<void> {
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const file = join(workDir, `${layout}-${ownName(workflowId)}`);
  const draft = `${file}.${randomUUID()}.tmp`;
  await writeFile(draft, JSON.stringify(manifest), { mode: 0o600 });
  await rename(draft, file);
}

/** Removes the manifest of an import that has ended on this host, and drafts of it. */
export async function removeManifest(workDir: string, workflowId: string): Promise<void> {
  const name = `-${ownName(workflowId)}`;
  for (const entry of await readdir(workDir).catch(() => []))
    if (entry.includes(name)) await rm(join(workDir, entry), { force: true }).catch(() => undefined);
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

/** Reads a manifest, from storage or from the work directory, and the header that it speaks of. @throws IntakeError OBJECT_MISSING, OBJECT_CORRUPT. */
async function loadManifest(
  layout: string,
  read: () => Promise<Buffer>,
  readHead: (manifest: StoredManifest) => Promise<Buffer>,
): Promise<Manifest> {
  let manifest = cache.get(layout);
  if (!manifest) {
    const stored = parsedManifest(await read());
    // Versions before 0.4.0 kept the texts.
    manifest =
      'header' in stored
        ? stored
        : { ...stored, header: parseHeader(await readHead(stored), { ...stored, bomBytes: stored.headerOffset }) };
    if (cache.size > 20) cache.clear();
    cache.set(layout, manifest);
  }
  return manifest;
}

function parsedManifest(bytes: Buffer): StoredManifest | Manifest {
  try {
    return JSON.parse(bytes.toString('utf8')) as StoredManifest | Manifest;
  } catch (cause) {
    throw new IntakeError('OBJECT_CORRUPT', 'The manifest of the file is damaged', { cause });
  }
}

/** @param path of the file. */
export const localManifest = (workDir: string, layout: string, workflowId: string, path: string): Promise<Manifest> =>
  loadManifest(
    layout,
    () =>
      readFile(join(workDir, `${layout}-${ownName(workflowId)}`))
        // Earlier there was one for all imports of a content; one of these may be at work.
        .catch(() => readFile(join(workDir, `${layout}.json`)))
        .catch((cause) => {
          throw new IntakeError('OBJECT_MISSING', 'The manifest of the file is gone from this host', {
            cause,
            remedy: 'Start the import again; the file is read anew.',
          });
        }),
    ({ headerLength, headerSha256 }) => readRange(path, { offset: 0, length: headerLength, sha256: headerSha256 }),
  );

export const storedManifest = (backend: Backend, sha256: string, layout: string): Promise<Manifest> => {
  const folder = partsFolder(sha256, layout);
  return loadManifest(
    layout,
    () => backend.objects.get(`${folder}/manifest.json`),
    async ({ headerSha256 }) => {
      const head = await backend.objects.get(`${folder}/${partName(0)}`);
      if (digest(head) === headerSha256) return head;
      throw new IntakeError('OBJECT_CORRUPT', `The stored object ${folder}/${partName(0)} is not what was uploaded`);
    },
  );
};
