/** What a running activity says of its progress. */
import { Context } from '@temporalio/activity';
import { IntakeError } from '../errors.ts';

/** So many attempts in a row that took their worker with them are no accident any more. */
const DEADLY = 3;

/** What an activity last said of its progress, repeated while it runs. */
export const lastProgress = new WeakMap<Context, unknown>();

/** Reports progress of the running activity; Temporal UI and the CLI show it. */
export function heartbeat(details: { readonly done: number; readonly total: number }): void {
  const context = Context.current();
  lastProgress.set(context, details);
  context.heartbeat(details);
}

/**
 * Counts the attempts that ended with their worker: an attempt that ends otherwise takes its count back.
 * @throws IntakeError WORKER_LOST after three in a row.
 */
export function countAttempt(of: string): void {
  const context = Context.current();
  const { begun = 0 } = (context.info.heartbeatDetails ?? {}) as { begun?: number };
  if (begun >= DEADLY) throw new IntakeError('WORKER_LOST', `${of} has ended its worker ${begun} times`);
  lastProgress.set(context, { begun: begun + 1 });
  context.heartbeat({ begun: begun + 1 });
}

/** The attempt ends, and its worker goes on. */
export function takeBackAttempt(context: Context): void {
  if (lastProgress.has(context)) context.heartbeat({ begun: 0 });
}
