/** A window of activities over numbered units of work. */
import { CancellationScope, patched, workflowInfo } from '@temporalio/workflow';
import { END_TOGETHER, EVENTS_PER_EXECUTION } from './policies.ts';

/**
 * Runs `work` for each number from `from` to `to` (exclusive), at most `width` at a time, and begins no further one when
 * the history has grown long. When one fails, the others are cancelled and awaited: nothing works on beside what cleans up.
 * @returns the first number not begun: `to` when all are done.
 */
export async function forEachConcurrently(
  from: number,
  to: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<number> {
  let next = from;
  let failed = false;
  const runner = async () => {
    while (next < to && !failed && workflowInfo().historyLength < EVENTS_PER_EXECUTION) {
      try {
        await work(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const scope = new CancellationScope();
  await scope.run(async () => {
    const runners = Array.from({ length: Math.min(width, to - from) }, runner);
    try {
      await Promise.all(runners);
    } catch (error) {
      if (patched(END_TOGETHER)) {
        scope.cancel();
        await Promise.allSettled(runners);
      }
      throw error;
    }
  });
  return next;
}
