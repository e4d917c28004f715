import type { Client } from '@temporalio/client';

/** Whether a worker has asked a task queue for work lately. Temporal remembers pollers for some minutes. */
export async function isPolled(
  { workflowService, options: { namespace } }: Client,
  name: string,
  type: 'activity' | 'workflow' = 'activity',
): Promise<boolean> {
  const taskQueueType = type === 'workflow' ? 1 : 2;
  const { pollers } = await workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
  const recently = Date.now() - 70_000; // a poll lasts up to 60 s
  return pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > recently);
}
