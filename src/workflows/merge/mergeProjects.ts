/** The merge of one batch of projects that the gateway has put down (runbook 003); `merge/<tenant>/<checksum>`. */
import { ApplicationFailure, CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { BatchAnswer } from '../../messages/merge.ts';
import { STEP } from '../policies.ts';
import { documentOf } from '../failure.ts';
import type { MergeInput } from '../../messages/merge.ts';

/** @returns ids and counts. A batch that cannot be merged is taken away, so that it does not bar the way of the next. */
export async function mergeProjects({ taskQueue, heartbeatSeconds, ...batch }: MergeInput): Promise<BatchAnswer> {
  const activities = proxyActivities<Activities>({
    ...STEP,
    ...(heartbeatSeconds ? { heartbeatTimeout: heartbeatSeconds * 1000 } : {}),
    taskQueue,
  });
  try {
    return await activities.mergeBatch(batch);
  } catch (error) {
    await CancellationScope.nonCancellable(() => activities.dropBatch(batch));
    if (isCancellation(error)) throw error;
    const { code, message, remedy } = documentOf(error);
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [remedy] });
  }
}
