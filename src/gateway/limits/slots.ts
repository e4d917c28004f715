/** So many at a time, the others one after the other in the order they came. */
export type Slots = <T>(use: () => Promise<T>) => Promise<T>;

export function createSlots(count: number): Slots {
  let free = count;
  const queue: (() => void)[] = [];
  return async (use) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await use();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free++;
    }
  };
}
