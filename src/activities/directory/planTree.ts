/** planning: the tree as it is now - files, their images, duplicates; the manifest of all later phases. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Backend } from '../../database/backend.ts';
import { directoryKindNamed } from '../../kinds/index.ts';
import { FileCache, type CachedFile } from '../../sources/tree/fileCache.ts';
import { ImageIndex } from '../../sources/tree/imageIndex.ts';
import type { ImageType } from '../../sources/tree/imageType.ts';
import { isInside, readInside } from '../../sources/tree/insideFile.ts';
import { PathList } from '../../sources/tree/pathList.ts';
import { openRoot, scanTree } from '../../sources/tree/scanTree.ts';
import { rowsOf } from '../../sources/search/licences.ts';
import { MAX_JSON_BYTES, readSearchFile, searchKey, sourceImageOf } from '../../sources/search/searchFile.ts';
import { IntakeError, ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import { SHOWN_FAILURES, type DirectoryInput, type FailedItem, type TreePlan } from '../../messages/directory.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { READ_ERRORS } from './unread.ts';
import { knownFiles } from './knownFiles.ts';
import { storedImages } from './storedImages.ts';
import {
  imagesOf,
  saveImages,
  saveSlice,
  SLICE_FILES,
  storeSlice,
  deleteOldTrees,
  type ImageStates,
  type SliceFile,
  type SliceImage,
} from './slice.ts';

/** What planning wants to know of a JSON file, kept from run to run. */
interface Facts {
  readonly rows: number;
  readonly key?: string;
  readonly image?: string;
  readonly error?: { readonly code: RowErrorCode; readonly message: string };
}

interface Listed {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export interface PlannedTree {
  readonly plan: TreePlan;
  readonly failures: number;
  readonly failedItems: readonly FailedItem[];
}

export const planTreeActivity = (deps: Deps) => ({
  /** What the run of a verification planned: its files are compared, whatever came to the directory since. @throws IntakeError RUN_NOT_FOUND. */
  async planOfRun({ backend: name, relatedRunId: id = '' }: DirectoryInput): Promise<TreePlan> {
    const [run] = await deps.backend(name).call('find_run', { id });
    if (run?.metadata.tree) return run.metadata.tree;
    throw new IntakeError('RUN_NOT_FOUND', `There is no run ${id} that imported a directory`);
  },

  /** @throws IntakeError FILE_NOT_FOUND, FILE_UNREADABLE, EMPTY_DIRECTORY. */
  async planTree(input: DirectoryInput): Promise<PlannedTree> {
    const root = openRoot(input.path);
    const { files, images } = await listTree(root, input.singleFile);
    if (files.count === 0) {
      throw new IntakeError(
        'EMPTY_DIRECTORY',
        input.singleFile ? `No JSON files found: ${input.singleFile} is not there` : 'No JSON files found',
      );
    }
    const { workDir, cacheDir, sliceFiles } = deps;
    await deleteOldTrees(workDir);
    const cache = new FileCache(cacheDir, root);
    try {
      const target = deps.backend(input.backend);
      return await planFiles({ input, root, files, images, cache, workDir, target, sliceFiles });
    } finally {
      cache.close();
    }
  },
});

async function listTree(root: string, only: string | undefined): Promise<{ files: PathList; images: ImageIndex }> {
  const files = new PathList();
  const images = new ImageIndex(root);
  if (only !== undefined) addNamed(files, root, only);
  const signal = Context.current().cancellationSignal;
  for await (const { kind, path, size, mtimeMs } of scanTree(root, { signal })) {
    if (kind === 'image') images.add({ path, size, mtimeMs });
    else if (only === undefined) files.add(path, size, mtimeMs);
  }
  return { files, images };
}

/** The one file of --single-file, whatever its name; a link is looked at when it is read. */
function addNamed(files: PathList, root: string, path: string): void {
  const found = isInside(root, join(root, path)) ? statSync(join(root, path), { throwIfNoEntry: false }) : undefined;
  if (found) files.add(path, found.size, Math.floor(found.mtimeMs));
}

interface Tree {
  readonly input: DirectoryInput;
  readonly root: string;
  readonly files: PathList;
  readonly images: ImageIndex;
  readonly cache: FileCache;
  readonly workDir: string;
  readonly target: Backend;
  readonly sliceFiles: number;
}

async function planFiles({
  input,
  root,
  files,
  images,
  cache,
  workDir,
  target,
  sliceFiles,
}: Tree): Promise<PlannedTree> {
  const seen = new Set<string>();
  const sum = {
    files: 0,
    licences: 0,
    images: 0,
    slices: 0,
    batches: 0,
    unhashed: 0,
    unstored: 0,
    duplicates: 0,
    missingImages: 0,
    unchanged: 0,
  };
  const failedItems: FailedItem[] = [];
  let failures = 0;
  const fail = (item: FailedItem) => {
    if (failures++ < SHOWN_FAILURES) failedItems.push(item);
  };
  const tree = createHash('sha256');
  // Named after what asked for it. Each try has its own: one that was given up may still write while the next plans another tree.
  const { workflowExecution, attempt } = Context.current().info;
  const layout = createHash('sha256')
    .update(JSON.stringify([workflowExecution?.runId, attempt, input.batchId]))
    .digest('hex')
    .slice(0, 24);
  const unchanged = input.delta ? knownFiles(target, directoryKindNamed(input.kind).dataset, input.tag) : undefined;
  let pending: SliceFile[] = [];

  const flush = async () => {
    if (pending.length === 0) return;
    const slice = { firstBatch: sum.batches, files: pending };
    const bytes = await saveSlice(workDir, layout, sum.slices, slice);
    if (input.mode === 'commit') await storeSlice(target, layout, sum.slices, bytes);
    const referred = imagesOf(pending);
    const states = statesFromCache(referred, cache);
    sum.images += referred.length;
    sum.unhashed += referred.filter(({ path }) => !states.has(path)).length;
    if (input.mode === 'commit') sum.unstored += await storedImages(target, states);
    await saveImages(workDir, layout, sum.slices, states);
    sum.slices++;
    sum.batches += Math.ceil(pending.length / input.batchSize);
    pending = [];
  };

  for (let from = 0; from < files.count; from += SLICE_FILES) {
    const listed = Array.from({ length: Math.min(SLICE_FILES, files.count - from) }, (_, i): Listed => ({
      path: files.pathAt(from + i),
      ...files.factsAt(from + i),
    }));
    for (const [i, read] of (await readFacts(root, listed, cache)).entries()) {
      const { facts, sha256 } = read;
      const file = listed[i] as Listed;
      const image = facts.image === undefined ? undefined : images.resolve(facts.image, file.path);
      const duplicate = facts.key !== undefined && seen.size === seen.add(facts.key).size;
      if (await unchanged?.holds(file, sha256, image)) {
        sum.unchanged++;
        continue;
      }
      tree.update(JSON.stringify([file, sha256, image]));
      if (duplicate) sum.duplicates++;
      if (facts.error) fail({ item: file.path, kind: 'json', ...facts.error });
      const missing = facts.image !== undefined && !image;
      if (missing) fail({ item: file.path, kind: 'image', code: 'IMAGE_MISSING', message: ROW_ERRORS.IMAGE_MISSING });
      pending.push({
        ...file,
        sha256,
        rows: facts.rows,
        firstRow: sum.licences,
        ...(duplicate ? { duplicate } : {}),
        ...(facts.error ? { error: facts.error } : {}),
        ...(image ? { image } : {}),
        ...(missing ? { imageMissing: true as const } : {}),
      });
      sum.files++;
      sum.licences += facts.rows;
      sum.missingImages += missing ? 1 : 0;
      // A whole number of batches: the next slice's begin where these end.
      if (pending.length >= Math.ceil(sliceFiles / input.batchSize) * input.batchSize) await flush();
    }
    heartbeat({ done: Math.min(files.count, from + SLICE_FILES), total: files.count });
  }
  await flush();
  return {
    plan: { ...sum, layout, batchSize: input.batchSize, treeHash: tree.digest('hex'), orphanImages: images.orphans },
    failures,
    failedItems,
  };
}

/** From the cache where the file is as it was, else from the file. */
async function readFacts(
  root: string,
  listed: readonly Listed[],
  cache: FileCache,
): Promise<{ facts: Facts; sha256: string }[]> {
  const known = cache.getMany(listed);
  const readAt = Date.now();
  const fresh: (Listed & CachedFile)[] = [];
  const answers = [];
  for (const file of listed) {
    const cached = known.get(file.path);
    if (cached?.facts) {
      answers.push({ facts: cached.facts as Facts, sha256: cached.sha256 });
      continue;
    }
    const { facts, sha256 } = await readFact(root, file);
    answers.push({ facts, sha256 });
    if (sha256) fresh.push({ ...file, sha256, type: 'json', facts });
  }
  if (fresh.length > 0) cache.putMany(fresh, readAt);
  return answers;
}

async function readFact(root: string, file: Listed): Promise<{ facts: Facts; sha256: string }> {
  const read = await readInside(root, file.path, MAX_JSON_BYTES, file);
  if (read.error !== undefined) return { facts: { rows: 1, error: READ_ERRORS[read.error] }, sha256: '' };
  const sha256 = createHash('sha256').update(read.bytes).digest('hex');
  const search = readSearchFile(read.bytes);
  if (!search.ok) return { facts: { rows: 1, error: { code: search.code, message: search.message } }, sha256 };
  const image = sourceImageOf(search.file);
  return {
    facts: {
      rows: rowsOf(search.file),
      key: searchKey(search.file).slice(0, 32),
      ...(image === null ? {} : { image }),
    },
    sha256,
  };
}

function statesFromCache(images: readonly SliceImage[], cache: FileCache): ImageStates {
  return new Map(
    [...cache.getMany(images)].map(([path, { sha256, type }]) => [path, { sha256, type: type as ImageType }]),
  );
}
