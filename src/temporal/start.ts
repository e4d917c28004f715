/** Starting a workflow, or attaching to the one that is running under its id. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { StartOptions } from '../messages/startOptions.ts';

export const startOrAttach = (
  { workflow }: Client,
  type: string,
  input: unknown,
  options: StartOptions,
): Promise<WorkflowHandle> =>
  workflow.start(type, {
    ...options,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });

/** The memo of a workflow that was running already when `starter` asked for it. */
export async function memoOfOther(
  handle: WorkflowHandle,
  starter: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { memo } = await handle.describe();
  return memo !== undefined && memo['starter'] !== starter ? memo : undefined;
}
