/**
 * workflows/merge/: One posted batch of projects into the tables.
 *
 * The merge of one batch of projects that the gateway has stored (runbook 003); `merge/<tenant>/<checksum>`.
 */
import type { BatchAnswer } from '../../messages/merge.ts';
import { activityProxies } from '../policies.ts';
import { runToEnd } from '../failure.ts';
import type { MergeInput } from '../../messages/merge.ts';

/** @returns ids and counts. A batch that cannot be merged is taken away, so that it does not bar the way of the next. */
export async function mergeProjects({ taskQueue, ...batch }: MergeInput): Promise<BatchAnswer> {
  const { anyWorker } = activityProxies({ taskQueue });
  return runToEnd({}, () => anyWorker.mergeBatch(batch), { recordFailure: () => anyWorker.dropBatch(batch) });
}
