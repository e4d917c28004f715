/** A window of activities over numbered units of work. */
import { workflowInfo } from '@temporalio/workflow';
import { EVENTS_PER_EXECUTION } from './policies.ts';

/**
 * Runs `work` for each number from `from` to `to` (exclusive), at most `width` at a time, and begins no further one when
 * the history has grown long.
 * @returns the first number not begun: `to` when all are done.
 */
export async function inWindow(
  from: number,
  to: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<number> {
  let next = from;
  let failed = false;
  const lane = async () => {
    while (next < to && !failed && workflowInfo().historyLength < EVENTS_PER_EXECUTION) {
      try {
        await work(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, to - from) }, lane));
  return next;
}
