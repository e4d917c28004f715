/** Which images storage has, by the database's list: one question for many. */
import { storageTypeOf, type Backend } from '../../database/backend.ts';
import type { DirectoryInput } from '../../messages/directory.ts';
import type { ImageType } from '../../sources/tree/imageType.ts';
import type { ImageState, ImageStates } from './slice.ts';

/** Sets the storage path of those that are stored. @returns how many are not. */
export async function storedImages(target: Backend, states: ImageStates): Promise<number> {
  const asked = [...states].filter(([, state]) => state.error === undefined && !state.storagePath);
  if (asked.length === 0) return 0;
  const sha256s = [...new Set(asked.map(([, state]) => (state as { sha256: string }).sha256))];
  const stored = await target.call('find_images', { sha256s, storage_type: storageTypeOf(target) });
  let missing = 0;
  for (const [path, state] of asked) {
    const storagePath = stored[(state as { sha256: string }).sha256];
    if (storagePath) states.set(path, { ...(state as Extract<ImageState, { sha256: string }>), storagePath });
    else missing++;
  }
  return missing;
}

export interface HashedImage {
  readonly sha256: string;
  readonly type: ImageType;
}

/** Where an image usually lies in the bucket or folder: two digits first, so that no folder is too full; the hash is of the original. */
export const imagePath = ({ sha256, type }: HashedImage, compression: DirectoryInput['compression']): string =>
  `images/sha256/${sha256.slice(0, 2)}/${sha256}.${type}${compression === 'gzip' ? '.gz' : ''}`;

/** Where images that are not stored belong, by hash. */
export async function placesOf(
  target: Backend,
  asked: readonly HashedImage[],
  compression: DirectoryInput['compression'],
): Promise<Readonly<Record<string, string>>> {
  if (asked.length === 0) return {};
  const images = Object.fromEntries(asked.map((image) => [image.sha256, imagePath(image, compression)]));
  return target.call('place_images', { images, storage_type: storageTypeOf(target) });
}

/** After they were stored. @param images storage path by hash. */
export async function recordImages(target: Backend, images: ReadonlyMap<string, string>): Promise<void> {
  if (images.size > 0)
    await target.call('record_images', { images: Object.fromEntries(images), storage_type: storageTypeOf(target) });
}

/** Images that storage does not have whole, whatever the list says: the next import stores them again. */
export async function forgetImages(target: Backend, sha256s: readonly string[]): Promise<void> {
  if (sha256s.length > 0) await target.call('forget_images', { sha256s, storage_type: storageTypeOf(target) });
}
