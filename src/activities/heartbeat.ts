/** What a running activity says of its progress. */
import { Context } from '@temporalio/activity';

/** What an activity last said of its progress, repeated by the pulse. */
export const said = new WeakMap<Context, unknown>();

/** Reports progress of the running activity; Temporal UI and the CLI show it. */
export function heartbeat(details: { readonly done: number; readonly total: number }): void {
  const context = Context.current();
  said.set(context, details);
  context.heartbeat(details);
}
