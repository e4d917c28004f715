/** A part whose statement the database ends at its time limit is done in slices, which are made smaller until they fit. */
import { Context } from '@temporalio/activity';
import type { PartCounts } from '../../database/rows.ts';
import { isTimeLimit } from '../../database/sqlError.ts';
import { lastProgress } from '../heartbeat.ts';

/** How much smaller the next slice is: each try that is too large costs the whole limit. */
const SMALLER = 4;

export interface Slice {
  /** Keys at most. */
  readonly keys?: number;
  /** The key after which it begins. */
  readonly after?: string;
}

export interface InSlices<A> {
  readonly answer: A;
  /** Keys of the slices that fitted, where the part did not. */
  readonly slices?: number;
}

/**
 * @param rows a part has about so many.
 * @param sum of the answers to slices, where a call does not answer for all before it.
 */
export async function inSlices<A extends PartCounts>(
  rows: number,
  call: (slice: Slice) => Promise<A>,
  sum: (former: A | undefined, next: A) => A = (_, next) => next,
): Promise<InSlices<A>> {
  const context = Context.current();
  let { keys } = (context.info.heartbeatDetails ?? {}) as { keys?: number };
  let after: string | undefined;
  let answer: A | undefined;
  for (;;) {
    try {
      const next = await call({ ...(keys ? { keys } : {}), ...(after === undefined ? {} : { after }) });
      answer = sum(answer, next);
      if (next.more === undefined) return { answer, ...(keys ? { slices: keys } : {}) };
      after = typeof next.more === 'string' ? next.more : undefined;
    } catch (error) {
      if (!isTimeLimit(error) || keys === 1 || context.cancellationSignal.aborted) throw error;
      keys = Math.max(1, Math.floor((keys ?? rows) / SMALLER));
      lastProgress.set(context, { keys }); // for an attempt after this one
    }
  }
}
