/** compare: the files of a slice staged once more, and their images as storage has them - there, with the hash of their content. */
import { gunzip } from 'node:zlib';
import { promisify } from 'node:util';
import { Context } from '@temporalio/activity';
import { IntakeError, ROW_ERRORS } from '../../errors.ts';
import type { Backend } from '../../database/backend.ts';
import { SHOWN_FAILURES, type DirectoryInput, type FailedItem } from '../../messages/directory.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { wholeObject } from '../wholeObject.ts';
import { imageBytes, inLanes } from './lanes.ts';
import { imagesOf, loadImages, loadSlice, EMPTY_RESULT, imageStateKey, type ImageStates } from './slice.ts';
import type { SliceAnswer, SliceRequest } from '../../messages/directory.ts';
import { stageFiles } from './stageSlice.ts';
import { forgetImages, placesOf, storedImages, type HashedImage } from './storedImages.ts';

const decompress = promisify(gunzip);

export const verifySliceActivity = ({ backend, workDir }: Deps) => ({
  /** Failed are images that are missing or damaged. */
  async verifySlice(request: SliceRequest): Promise<SliceAnswer> {
    const { input, plan, slice } = request;
    const target = backend(input.backend);
    const content = await loadSlice(workDir, target, plan.layout, slice);
    const states = await loadImages(workDir, imageStateKey(request), slice);
    await storedImages(target, states);
    await placeImages(target, states, input.compression);
    const { rows } = await stageFiles(target, request, content, states);
    const failedItems: FailedItem[] = [];
    let failed = 0;
    let done = 0;
    const gone = new Set<string>();
    const images = imagesOf(content.files);
    await inLanes(images, input.maxConcurrentUploads, Context.current().cancellationSignal, async ({ path, size }) => {
      const state = states.get(path);
      // An image that could not be imported is in the list of failed items already.
      if (!state || state.error !== undefined) return;
      const fault = await imageBytes.run(size, async () => {
        const storagePath = state.storagePath!;
        try {
          const unpack = storagePath.endsWith('.gz') ? decompress : undefined;
          const bytes = await wholeObject(target.objects, storagePath, state.sha256, unpack);
          return bytes ? undefined : ('IMAGE_CORRUPT' as const);
        } catch (error) {
          if (error instanceof IntakeError && error.code === 'OBJECT_MISSING') return 'OBJECT_MISSING' as const;
          throw error;
        }
      });
      if (fault) {
        gone.add(state.sha256);
        const message =
          fault === 'OBJECT_MISSING' ? 'Storage does not have the image' : `In storage: ${ROW_ERRORS.IMAGE_CORRUPT}`;
        if (failed++ < SHOWN_FAILURES) failedItems.push({ item: path, kind: 'image', code: fault, message });
      } else {
        done++;
      }
      if ((done + failed) % 50 === 0) heartbeat({ done: done + failed, total: images.length });
    });
    await forgetImages(target, [...gone]);
    return { ...EMPTY_RESULT, rows, done: content.files.length - failed, failed, failures: failed, failedItems };
  },
});

/** Images that are not in the list of stored ones are looked for where they belong. */
async function placeImages(
  target: Backend,
  states: ImageStates,
  compression: DirectoryInput['compression'],
): Promise<void> {
  const unlisted = [...states].filter(([, state]) => state.error === undefined && !state.storagePath) as [
    string,
    HashedImage,
  ][];
  const places = await placesOf(
    target,
    unlisted.map(([, image]) => image),
    compression,
  );
  for (const [path, { sha256, type }] of unlisted) states.set(path, { sha256, type, storagePath: places[sha256]! });
}
