/** Which images storage has: one question for many. */
import type { Backend } from '../../backends/backend.ts';
import type { ImageState, ImageStates } from './slice.ts';

/** Sets the storage path of those that are stored. @returns how many are not. */
export async function storedImages(target: Backend, states: ImageStates): Promise<number> {
  const asked = [...states].filter(([, state]) => state.error === undefined && !state.storagePath);
  if (asked.length === 0) return 0;
  const sha256s = [...new Set(asked.map(([, state]) => (state as { sha256: string }).sha256))];
  const stored = await target.call<Record<string, string>>('stored_images', { sha256s, storage_type: target.name === 'supabase' ? 'supabase' : 'local' });
  let missing = 0;
  for (const [path, state] of asked) {
    const storagePath = stored[(state as { sha256: string }).sha256];
    if (storagePath) states.set(path, { ...(state as Extract<ImageState, { sha256: string }>), storagePath });
    else missing++;
  }
  return missing;
}
