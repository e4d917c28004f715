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

/** Whether a workflow was running already when `starter` asked for it. */
export async function attached(handle: WorkflowHandle, starter: string): Promise<boolean> {
  const { memo } = await handle.describe();
  return memo !== undefined && memo['starter'] !== starter;
}
