/** Work on many items, so many at a time, with a bound on the bytes they hold. */
import { ByteBudget } from '../../sources/tree/byteBudget.ts';

/** Of images in flight: with the rest of a worker it stays under 300 MB. */
const BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/** One budget for all slices of this worker. */
export const imageBytes = new ByteBudget(BYTES_IN_FLIGHT);

/**
 * @param signal ends it between two items.
 * @throws what the first failed item threw, when no other is at work any more.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  width: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    for (let next = queue.next(); !next.done && !failed; next = queue.next()) {
      try {
        signal.throwIfAborted();
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: width }, lane);
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
}
