/** Work on many items, so many at a time, with a bound on the bytes they hold. */
import { ByteBudget } from '../../sources/tree/byteBudget.ts';

/** Of images in flight: with the rest of a worker it stays under 300 MB. */
const BYTES_IN_FLIGHT = 24 * 1024 * 1024;

/** One budget for all slices of this worker. */
export const imageBytes = new ByteBudget(BYTES_IN_FLIGHT);

/** Images that are read together, of which the next ones take the memory. */
export const TOGETHER = { items: 64, bytes: 4 * 1024 * 1024 };

const memory: SharedArrayBuffer[] = [];

/** As many as the budget of bytes lets be lent at a time: what is thrown away stays until the garbage collector comes. */
const KEPT = 6;

/** Lends memory for images that are read together: what comes and goes by the megabyte keeps the garbage collector at work. */
export async function withMemory<T>(work: (memory: SharedArrayBuffer) => Promise<T>): Promise<T> {
  const lent = memory.pop() ?? new SharedArrayBuffer(TOGETHER.bytes);
  try {
    return await work(lent);
  } finally {
    if (memory.length < KEPT) memory.push(lent);
  }
}

/** Files that go over a thread together: a message a file costs more than the file. */
const [MANY_FILES, MANY_BYTES] = [32, 2 * 1024 * 1024] as const;

/** The same items in their order, in groups; one that is large is a group of its own. */
export function grouped<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  most: { readonly items: number; readonly bytes: number } = { items: MANY_FILES, bytes: MANY_BYTES },
): T[][] {
  const groups: T[][] = [];
  let bytes = Infinity;
  for (const item of items) {
    const last = groups.at(-1);
    bytes += sizeOf(item);
    if (last && last.length < most.items && bytes <= most.bytes) {
      last.push(item);
    } else {
      groups.push([item]);
      bytes = sizeOf(item);
    }
  }
  return groups;
}

/** Groups at a time, and parts of each where the file system is slow: together no more files than `width`. */
export function readingOf(width: number): { readonly lanes: number; readonly parts: number } {
  const lanes = Math.min(4, width);
  return { lanes, parts: Math.floor(width / lanes) };
}

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
