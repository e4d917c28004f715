/** sha256: content hashes and types of the images of a slice; what is known from an earlier run is not read again. */
import { Context } from '@temporalio/activity';
import { FileCache } from '../../sources/tree/fileCache.ts';
import { readImages } from '../../sources/tree/readImage.ts';
import { SHOWN_FAILURES, type FailedItem } from '../../messages/directory.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { grouped, imageBytes, inLanes, readingOf } from './lanes.ts';
import {
  imageRootOf,
  imagesOf,
  loadImages,
  loadSlice,
  EMPTY_RESULT,
  saveImages,
  imageStateKey,
  type SliceImage,
} from './slice.ts';
import type { SliceAnswer, SliceRequest } from '../../messages/directory.ts';

const sizeOf = ({ size }: SliceImage): number => size;

/** Each is held by its thread alone, and forgotten when its hash is known. */
const heldAtATime = (group: readonly SliceImage[], threads: number): number =>
  group
    .map(sizeOf)
    .sort((a, b) => b - a)
    .slice(0, threads)
    .reduce((sum, size) => sum + size, 0);

export const hashSliceActivity = ({ backend, workDir, cacheDir }: Deps) => ({
  async hashSlice(request: SliceRequest): Promise<SliceAnswer> {
    const { input, plan, runId, slice } = request;
    const target = backend(input.backend);
    await renewClaim(target, runId || null);
    const root = await imageRootOf(input);
    const { files } = await loadSlice(workDir, target, plan.layout, slice);
    const states = await loadImages(workDir, imageStateKey(request), slice);
    const images = imagesOf(files);
    // What failed is read again: the first try may have been cut off before it told.
    const unknown = images.filter(({ path }) => states.get(path)?.error !== undefined || !states.has(path));
    const fresh: Parameters<FileCache['putMany']>[0][number][] = [];
    const failedItems: FailedItem[] = [];
    let failed = 0;
    let done = 0;
    const readAt = Date.now();
    const signal = Context.current().cancellationSignal;
    const { lanes, parts } = readingOf(input.maxWorkers);
    await inLanes(grouped(unknown, sizeOf), lanes, signal, async (group) => {
      const files = group.map(({ path, ...known }) => (input.mode === 'verify' ? { path } : { path, known }));
      await imageBytes.run(heldAtATime(group, parts), () =>
        readImages(root, files, { parts, signal, bytes: false }, (read, at) => {
          const image = group[at]!;
          if (read.error !== undefined) {
            const item = { item: image.path, kind: 'image', code: read.error, message: read.message } as const;
            states.set(image.path, { error: read.error, message: item.message, phase: 'sha256' });
            if (failed++ < SHOWN_FAILURES) failedItems.push(item);
          } else {
            const { sha256, type } = read;
            states.set(image.path, { sha256, type });
            fresh.push({ ...image, sha256, type });
            done++;
          }
        }),
      );
      heartbeat({ done: done + failed, total: unknown.length });
    });
    if (fresh.length > 0 && input.mode !== 'verify') {
      const cache = new FileCache(cacheDir, root);
      cache.putMany(fresh, readAt);
      cache.close();
    }
    await saveImages(workDir, imageStateKey(request), slice, states);
    return { ...EMPTY_RESULT, done, skipped: images.length - unknown.length, failed, failures: failed, failedItems };
  },
});
