/**
 * upload: the images of a slice into storage under their content's hash; what is there is not sent again. An image is read once: the
 * bytes that are hashed are those that are sent.
 */
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import { FileCache } from '../../sources/tree/fileCache.ts';
import { CONTENT_TYPES } from '../../sources/tree/imageType.ts';
import { readImages, type Image, type UnusableImage } from '../../sources/tree/readImage.ts';
import { IntakeError, ROW_ERRORS } from '../../errors.ts';
import { SHOWN_FAILURES, type DirectoryInput, type FailedItem } from '../../messages/directory.ts';
import type { Backend } from '../../database/backend.ts';
import type { Deps } from '../deps.ts';
import { heartbeat } from '../heartbeat.ts';
import { renewClaim } from '../renewClaim.ts';
import { grouped, imageBytes, inLanes, readingOf, TOGETHER, withMemory } from './lanes.ts';
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
import { placesOf, recordImages, storedImages } from './storedImages.ts';

const compress = promisify(gzip);

/** Images of one content, as far as that is known: one of them is enough, unless it is another by now. */
interface Wanted {
  readonly image: SliceImage;
  readonly others: readonly SliceImage[];
}

export const uploadSliceActivity = ({ backend, workDir, cacheDir }: Deps) => ({
  async uploadSlice(request: SliceRequest): Promise<SliceAnswer> {
    const { input, plan, runId, slice, hash } = request;
    const target = backend(input.backend);
    const root = await imageRootOf(input);
    const { files } = await loadSlice(workDir, target, plan.layout, slice);
    const states = await loadImages(workDir, imageStateKey(request), slice);
    // What could not be read is read again: the first try may have been cut off before it told.
    if (hash)
      for (const [path, state] of states)
        if (state.error !== undefined && state.phase === 'sha256') states.delete(path);
    await storedImages(target, states);
    const images = imagesOf(files).filter(({ path }) => {
      const state = states.get(path);
      return state?.error === undefined || state.phase === 'upload';
    });
    const unhashed = new Set(images.map(({ path }) => path).filter((path) => !states.has(path)));
    const hashed = { done: 0, skipped: images.length - unhashed.size, failed: 0 };
    const failedItems: FailedItem[] = [];
    let failed = 0;
    let done = 0;
    const fail = ({ path }: SliceImage, { error: code, message }: UnusableImage, phase: 'sha256' | 'upload') => {
      states.set(path, { error: code, message, phase });
      if (phase === 'sha256') hashed.failed++;
      else failed++;
      if (failed + hashed.failed <= SHOWN_FAILURES) failedItems.push({ item: path, kind: 'image', code, message });
    };
    const bySource = new Map<string, SliceImage[]>();
    for (const image of images) {
      const state = states.get(image.path);
      if (state?.error !== undefined)
        fail(image, state, 'upload'); // a try that was cut off has found out
      else if (!state?.storagePath) {
        const source = state?.sha256 ?? image.path;
        bySource.set(source, [...(bySource.get(source) ?? []), image]);
      }
    }
    const uploaded = new Map<string, string>();
    const fresh: Parameters<FileCache['putMany']>[0][number][] = [];
    const sending = new Map<string, Promise<UnusableImage | undefined>>();
    const limit = pLimit(input.maxConcurrentUploads);
    const signal = Context.current().cancellationSignal;
    const { lanes, parts } = readingOf(input.maxWorkers);
    const readAt = Date.now();
    let handled = 0;

    /** @returns the images of the group that are to be sent. */
    const read = async (
      group: readonly Wanted[],
      again: Wanted[],
      into: SharedArrayBuffer | undefined,
    ): Promise<Placed[]> => {
      const found: Found[] = [];
      let end = 0;
      const asked = group.map(({ image: { path, ...known } }) => {
        const at = end;
        end += known.size;
        return { path, known, ...(into ? { at } : {}) };
      });
      const unknown: ImageStates = new Map();
      await readImages(root, asked, { parts, signal, bytes: true, ...(into ? { into } : {}) }, (image, at) => {
        const wanted = group[at]!;
        const { path } = wanted.image;
        const state = states.get(path);
        const fault = faultOf(image, state);
        if (fault) {
          fail(wanted.image, fault, hash && unhashed.has(path) ? 'sha256' : 'upload');
          again.push(...nextOf(wanted));
          return;
        }
        const { sha256, type } = image as Image;
        if (unhashed.has(path)) {
          hashed.done++;
          fresh.push({ ...wanted.image, sha256, type });
          states.set(path, { sha256, type });
          unknown.set(path, { sha256, type });
        }
        found.push({ wanted, image: image as Image });
      });
      await storedImages(target, unknown);
      for (const [path, state] of unknown) states.set(path, state);
      const toSend = found.filter(({ wanted }) => !known(states, wanted.image)?.storagePath);
      const places = await placesOf(
        target,
        toSend.map(({ image }) => image),
        input.compression,
      );
      return toSend.map((one) => ({ ...one, place: places[one.image.sha256]! }));
    };

    const store = async ({ wanted, image, place }: Placed, again: Wanted[]): Promise<void> => {
      const { sha256 } = image;
      const first = sending.get(sha256);
      const sent = first ?? limit(() => send(target, image, place, input.compression));
      sending.set(sha256, sent);
      const fault = await sent;
      if (fault) {
        fail(wanted.image, fault, 'upload');
        again.push(...nextOf(wanted));
        return;
      }
      if (first) return;
      uploaded.set(sha256, place);
      done++;
    };

    const sendAll = async (): Promise<void> => {
      let round = [...bySource.values()].map(([image, ...others]): Wanted => ({ image: image!, others }));
      while (round.length > 0) {
        const again: Wanted[] = [];
        await inLanes(grouped(round, sizeOf, TOGETHER), lanes, signal, async (group) => {
          const bytes = group.reduce((sum, wanted) => sum + sizeOf(wanted), 0);
          const readAndStore = async (into?: SharedArrayBuffer) => {
            const found = await read(group, again, into);
            await inLanes(found, input.maxConcurrentUploads, signal, (one) => store(one, again));
          };
          // Files take their bytes from shared memory, requests do not.
          const shares = bytes <= TOGETHER.bytes && target.name === 'postgres';
          await imageBytes.run(shares ? TOGETHER.bytes : bytes, () =>
            shares ? withMemory(readAndStore) : readAndStore(),
          );
          await renewClaim(target, runId);
          heartbeat({ done: (handled += group.length), total: bySource.size });
        });
        round = again;
      }
    };
    // Also when one of them could not be sent: what is stored is not sent again.
    await sendAll().finally(() => recordImages(target, uploaded));
    if (fresh.length > 0) {
      const cache = new FileCache(cacheDir, root);
      cache.putMany(fresh, readAt);
      cache.close();
    }
    for (const image of images) {
      const state = known(states, image);
      const storagePath = state && uploaded.get(state.sha256);
      if (storagePath) states.set(image.path, { ...state, storagePath });
    }
    await saveImages(workDir, imageStateKey(request), slice, states);
    return {
      ...EMPTY_RESULT,
      done,
      skipped: images.length - hashed.failed - done - failed,
      failed,
      failures: failed + hashed.failed,
      failedItems,
      ...(hash ? { hashed } : {}),
    };
  },
});

interface Found {
  readonly wanted: Wanted;
  readonly image: Image;
}

interface Placed extends Found {
  readonly place: string;
}

const sizeOf = ({ image }: Wanted): number => image.size;

const nextOf = ({ others: [image, ...others] }: Wanted): Wanted[] => (image ? [{ image, others }] : []);

const known = (states: ImageStates, { path }: SliceImage): StoredImage | undefined => {
  const state = states.get(path);
  return state?.error === undefined ? state : undefined;
};

type StoredImage = Extract<ImageState, { sha256: string }>;

/** What was hashed must still be what is there. */
function faultOf(image: Image | UnusableImage, state: ImageState | undefined): UnusableImage | undefined {
  if (image.error !== undefined) return image;
  const changed = state?.error === undefined && state !== undefined && state.sha256 !== image.sha256;
  return changed ? { error: 'CHANGED_FILE', message: ROW_ERRORS.CHANGED_FILE } : undefined;
}

/** @returns why storage will not have it. */
async function send(
  target: Backend,
  { type, bytes: original }: Image,
  place: string,
  compression: DirectoryInput['compression'],
): Promise<UnusableImage | undefined> {
  const bytes = compression === 'gzip' ? await compress(original!) : original!;
  const contentType = compression === 'gzip' ? 'application/gzip' : CONTENT_TYPES[type];
  try {
    await target.objects.put(place, bytes, contentType);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof IntakeError)) throw cause;
    // By Storage, or by a gateway in front of it that takes no request of this size.
    if (cause.code === 'OBJECT_REFUSED' || cause.code === 'REQUEST_TOO_LARGE')
      return { error: 'IMAGE_REFUSED', message: ROW_ERRORS.IMAGE_REFUSED };
    const { code, message, remedy, retryAfterMs } = cause;
    throw new IntakeError(code, `Image upload failed: ${message}`, {
      cause,
      remedy,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
}
