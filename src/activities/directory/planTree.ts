/** planning: the tree as it is now - files, their images, duplicates; the manifest of all later phases. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Backend } from '../../database/backend.ts';
import { directoryKindNamed } from '../../kinds/index.ts';
import { FileCache } from '../../sources/tree/fileCache.ts';
import { ImageIndex } from '../../sources/tree/imageIndex.ts';
import type { ImageType } from '../../sources/tree/imageType.ts';
import { isInside } from '../../sources/tree/insideFile.ts';
import { escapeName } from '../../sources/tree/names.ts';
import { PathList } from '../../sources/tree/pathList.ts';
import { openRoot, scanTree } from '../../sources/tree/scanTree.ts';
import { IntakeError } from '../../errors.ts';
import { SHOWN_FAILURES, type DirectoryInput, type FailedItem, type TreePlan } from '../../messages/directory.ts';
import type { Deps } from '../deps.ts';
import { deleteOldWork } from '../../staging/manifest.ts';
import { heartbeat } from '../heartbeat.ts';
import { noImage, readFacts, type Listed } from './facts.ts';
import { knownFiles } from './knownFiles.ts';
import { storedImages } from './storedImages.ts';
import {
  callsOf,
  imageRootOf,
  imagesOf,
  saveImages,
  saveSlice,
  storeSlice,
  type ImageStates,
  type SliceFile,
  type SliceImage,
} from './slice.ts';

/** Files read between two words about the progress; what is known of them is kept then, should the worker end. */
const READ_FILES = 200;

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
    const root = await openRoot(input.path);
    const imageRoot = await imageRootOf(input);
    const listing = await listTree(root, imageRoot, input.singleFile);
    if (listing.files.count === 0) throw emptyDirectory(input, listing.leftOut);
    const { workDir, cacheDir, sliceFiles } = deps;
    await deleteOldWork(workDir);
    const cache = new FileCache(cacheDir, root);
    const imageCache = imageRoot === root ? cache : new FileCache(cacheDir, imageRoot);
    try {
      const target = deps.backend(input.backend);
      return await planFiles({ ...listing, input, root, cache, imageCache, workDir, target, sliceFiles });
    } finally {
      cache.close();
      imageCache.close();
    }
  },
});

function emptyDirectory({ singleFile }: DirectoryInput, leftOut: LeftOut): IntakeError {
  const { count, first } = leftOut;
  if (singleFile) return new IntakeError('EMPTY_DIRECTORY', `No JSON files found: ${singleFile} is not there`);
  const others = count > 0 ? `: the name of none of ${count} ends in _parse.json (${first.join(', ')})` : '';
  return new IntakeError('EMPTY_DIRECTORY', `No JSON files found${others}`);
}

/** JSON files whose names say that they are no searches: how many, and the first of them. */
interface LeftOut {
  count: number;
  readonly first: string[];
}

/** As many names of files that were left out as a report carries. */
const SHOWN_LEFT_OUT = 5;

interface Listing {
  readonly files: PathList;
  readonly images: ImageIndex;
  /** Of `files`, by number: links that lead to folders out of the tree. */
  readonly links: ReadonlySet<number>;
  readonly leftOut: LeftOut;
}

async function listTree(root: string, imageRoot: string, only: string | undefined): Promise<Listing> {
  const files = new PathList();
  const images = new ImageIndex(imageRoot);
  const links = new Set<number>();
  const leftOut: LeftOut = { count: 0, first: [] };
  if (only !== undefined) await addNamed(files, root, only);
  const signal = Context.current().cancellationSignal;
  for await (const { kind, path, size, mtimeMs } of scanTree(root, { signal })) {
    if (kind === 'image') {
      if (imageRoot === root) images.add({ path, size, mtimeMs });
    } else if (only === undefined && kind === 'other-json') {
      if (leftOut.count++ < SHOWN_LEFT_OUT) leftOut.first.push(path);
    } else if (only === undefined) {
      if (kind === 'link') links.add(files.count);
      files.add(path, size, mtimeMs);
    }
  }
  if (imageRoot === root) return { files, images, links, leftOut };
  for await (const { kind, ...image } of scanTree(imageRoot, { signal })) if (kind === 'image') images.add(image);
  return { files, images, links, leftOut };
}

/** The one file of --single-file, whatever its name; a link is looked at when it is read. */
async function addNamed(files: PathList, root: string, path: string): Promise<void> {
  const found = isInside(root, join(root, path)) ? await stat(join(root, path)).catch(() => undefined) : undefined;
  if (found) files.add(escapeName(path), found.size, Math.floor(found.mtimeMs));
}

interface Tree extends Listing {
  readonly input: DirectoryInput;
  readonly root: string;
  readonly cache: FileCache;
  readonly imageCache: FileCache;
  readonly workDir: string;
  readonly target: Backend;
  readonly sliceFiles: number;
}

async function planFiles(planned: Tree): Promise<PlannedTree> {
  const { input, root, files, images, links, leftOut, cache, imageCache, workDir, target, sliceFiles } = planned;
  const seen = new Set<string>();
  const sum = {
    files: 0,
    licences: 0,
    images: 0,
    slices: 0,
    batches: 0,
    calls: 0,
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
  const { info, cancellationSignal } = Context.current();
  const { workflowExecution, attempt } = info;
  const layout = createHash('sha256')
    .update(JSON.stringify([workflowExecution?.runId, attempt, input.batchId]))
    .digest('hex')
    .slice(0, 24);
  const unchanged = input.delta ? knownFiles(target, directoryKindNamed(input.kind).dataset, input.tag) : undefined;
  let pending: SliceFile[] = [];

  const flush = async () => {
    if (pending.length === 0) return;
    const calls = callsOf(pending, input.batchSize);
    const slice = { firstBatch: sum.batches, files: pending, calls };
    const bytes = await saveSlice(workDir, layout, sum.slices, slice);
    if (input.mode === 'commit') await storeSlice(target, layout, sum.slices, bytes);
    const referred = imagesOf(pending);
    const states = statesFromCache(referred, imageCache);
    sum.images += referred.length;
    sum.unhashed += referred.filter(({ path }) => !states.has(path)).length;
    if (input.mode === 'commit') sum.unstored += await storedImages(target, states);
    await saveImages(workDir, layout, sum.slices, states);
    sum.slices++;
    sum.batches += Math.ceil(pending.length / input.batchSize);
    sum.calls += calls.length;
    pending = [];
  };

  for (let from = 0; from < files.count; from += READ_FILES) {
    const listed = Array.from({ length: Math.min(READ_FILES, files.count - from) }, (_, i): Listed => ({
      path: files.pathAt(from + i),
      ...files.factsAt(from + i),
      isLink: links.has(from + i),
    }));
    for (const [i, read] of (await readFacts(root, listed, cache, cancellationSignal, input)).entries()) {
      const { facts, sha256 } = read;
      const file = listed[i] as Listed;
      const found =
        facts.image === undefined ? undefined : images.resolve(facts.image, input.imagesDir ? undefined : file.path);
      const image = found?.error === undefined ? found?.image : undefined;
      const duplicate = facts.key !== undefined && seen.size === seen.add(facts.key).size;
      if (await unchanged?.holds(file, sha256, image)) {
        sum.unchanged++;
        continue;
      }
      const { path, size, mtimeMs } = file;
      tree.update(JSON.stringify([{ path, size, mtimeMs }, sha256, image]));
      if (duplicate) sum.duplicates++;
      if (facts.error) fail({ item: file.path, kind: 'json', ...facts.error });
      const imageError = found?.error === undefined ? undefined : noImage(found);
      if (imageError) fail({ item: file.path, kind: 'image', ...imageError });
      pending.push({
        path,
        size,
        mtimeMs,
        sha256,
        rows: facts.rows,
        firstRow: sum.licences,
        ...(duplicate ? { duplicate } : {}),
        ...(facts.error ? { error: facts.error } : {}),
        ...(image ? { image } : {}),
        ...(imageError ? { imageError } : {}),
      });
      sum.files++;
      sum.licences += facts.rows;
      sum.missingImages += imageError ? 1 : 0;
      // A whole number of batches: the next slice's begin where these end.
      if (pending.length >= Math.ceil(sliceFiles / input.batchSize) * input.batchSize) await flush();
    }
    heartbeat({ done: Math.min(files.count, from + READ_FILES), total: files.count });
  }
  await flush();
  return {
    plan: {
      ...sum,
      layout,
      batchSize: input.batchSize,
      treeHash: tree.digest('hex'),
      orphanImages: images.orphans,
      plannedAt: new Date().toISOString(),
      ...(leftOut.count > 0 ? { leftOut } : {}),
    },
    failures,
    failedItems,
  };
}

function statesFromCache(images: readonly SliceImage[], cache: FileCache): ImageStates {
  return new Map(
    [...cache.getMany(images)].map(([path, { sha256, type }]) => [path, { sha256, type: type as ImageType }]),
  );
}
