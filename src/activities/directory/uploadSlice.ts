/** upload: the images of a slice into storage under their content's hash; what is there is not sent again. */
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { Context } from '@temporalio/activity';
import { CONTENT_TYPES, type ImageType } from '../../sources/tree/imageType.ts';
import { readImage } from '../../sources/tree/readImage.ts';
import { IntakeError, ROW_ERRORS, type RowErrorCode } from '../../errors.ts';
import { SHOWN_FAILURES, type DirectoryInput, type FailedItem } from '../../messages/directory.ts';
import type { Backend } from '../../database/backend.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { imageBytes, inLanes } from './lanes.ts';
import {
  imageRootOf,
  imagesOf,
  loadImages,
  loadSlice,
  EMPTY_RESULT,
  saveImages,
  imageStateKey,
  type ImageState,
  type ImageStates,
  type SliceImage,
} from './slice.ts';
import type { SliceAnswer, SliceRequest } from '../../messages/directory.ts';
import { recordImages, storedImages } from './storedImages.ts';

const compress = promisify(gzip);

/** Where an image lies in the bucket or folder: two digits first, so that no folder is too full; the hash is of the original. */
export const imagePath = (sha256: string, type: ImageType, compression: DirectoryInput['compression']): string =>
  `images/sha256/${sha256.slice(0, 2)}/${sha256}.${type}${compression === 'gzip' ? '.gz' : ''}`;

export const uploadSliceActivity = ({ backend, workDir }: Deps) => ({
  async uploadSlice(request: SliceRequest): Promise<SliceAnswer> {
    const { input, plan, runId, slice } = request;
    const target = backend(input.backend);
    const root = await imageRootOf(input);
    const { files } = await loadSlice(workDir, target, plan.layout, slice);
    const states = await loadImages(workDir, imageStateKey(request), slice);
    await storedImages(target, states);
    const images = imagesOf(files).filter(({ path }) => {
      const state = states.get(path);
      return state?.error === undefined || state.phase === 'upload';
    });
    const failedItems: FailedItem[] = [];
    let failed = 0;
    let done = 0;
    const fail = ({ path }: SliceImage, code: RowErrorCode) => {
      states.set(path, { error: code, message: ROW_ERRORS[code], phase: 'upload' });
      if (failed++ < SHOWN_FAILURES) failedItems.push({ item: path, kind: 'image', code, message: ROW_ERRORS[code] });
    };
    const wanted = new Map<string, SliceImage[]>();
    for (const image of images) {
      const state = states.get(image.path);
      if (state?.error !== undefined)
        fail(image, state.error); // a try that was cut off has found out
      else if (!state?.storagePath)
        wanted.set(state?.sha256 ?? image.path, [...(wanted.get(state?.sha256 ?? image.path) ?? []), image]);
    }
    const uploaded = new Map<string, string>();
    const sending = inLanes(
      wanted.values(),
      input.maxConcurrentUploads,
      Context.current().cancellationSignal,
      async (ofOneContent) => {
        // One of them is enough, unless it is another by now.
        for (const image of ofOneContent) {
          const sent = await imageBytes.run(image.size, () =>
            send(target, root, image, known(states, image)?.sha256, input.compression),
          );
          if (sent.error === undefined) {
            states.set(image.path, sent);
            uploaded.set(sent.sha256, sent.storagePath);
            done++;
            break;
          }
          fail(image, sent.error);
        }
        await renewClaim(target, runId);
        if ((done + failed) % 20 === 0) heartbeat({ done: done + failed, total: wanted.size });
      },
    );
    // Also when one of them could not be sent: what is stored is not sent again.
    await sending.finally(() => recordImages(target, uploaded));
    for (const image of images) {
      const state = known(states, image);
      const storagePath = state && uploaded.get(state.sha256);
      if (storagePath) states.set(image.path, { ...state, storagePath });
    }
    await saveImages(workDir, imageStateKey(request), slice, states);
    return { ...EMPTY_RESULT, done, skipped: images.length - done - failed, failed, failures: failed, failedItems };
  },
});

const known = (states: ImageStates, { path }: SliceImage): StoredImage | undefined => {
  const state = states.get(path);
  return state?.error === undefined ? state : undefined;
};

type StoredImage = Extract<ImageState, { sha256: string }>;

/** The file is read again and must still be what was hashed. */
async function send(
  target: Backend,
  root: string,
  image: SliceImage,
  expected: string | undefined,
  compression: DirectoryInput['compression'],
): Promise<(Required<Omit<StoredImage, 'error'>> & { error?: undefined }) | { error: RowErrorCode }> {
  const read = await readImage(root, image.path, image);
  if (read.error !== undefined) return { error: read.error };
  const { sha256, type } = read;
  if (expected !== undefined && sha256 !== expected) return { error: 'CHANGED_FILE' };
  const storagePath = imagePath(sha256, type, compression);
  const bytes = compression === 'gzip' ? await compress(read.bytes) : read.bytes;
  try {
    await target.objects.put(storagePath, bytes, compression === 'gzip' ? 'application/gzip' : CONTENT_TYPES[type]);
  } catch (cause) {
    if (!(cause instanceof IntakeError)) throw cause;
    if (cause.code === 'OBJECT_REFUSED') return { error: 'IMAGE_REFUSED' };
    const { code, message, remedy, retryAfterMs } = cause;
    throw new IntakeError(code, `Image upload failed: ${message}`, {
      cause,
      remedy,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  return { sha256, type, storagePath };
}
