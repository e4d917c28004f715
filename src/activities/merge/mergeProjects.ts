/**
 * activities/merge/: A posted batch, merged by reference.
 *
 * The merge of a batch of projects by reference: its rows are in the database already.
 */
import { IntakeError } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import type { BatchReference, BatchAnswer } from '../../messages/merge.ts';

export const mergeProjectsActivities = ({ backend }: Deps) => ({
  /** Merges the batch once, however often it is called. */
  async mergeBatch({ backend: name, tenantId, checksum }: BatchReference): Promise<BatchAnswer> {
    const answer = await backend(name).call('merge_project_batch', {
      tenant_id: tenantId,
      batch_checksum: checksum,
    });
    if (!answer)
      throw new IntakeError('RUN_NOT_FOUND', 'The batch is gone: an earlier merge of it failed', {
        remedy: 'Post the batch again.',
      });
    return answer;
  },

  /** Takes away a batch that cannot be merged. */
  async dropBatch({ backend: name, tenantId, checksum }: BatchReference): Promise<void> {
    await backend(name).call('drop_project_batch', { tenant_id: tenantId, batch_checksum: checksum });
  },
});
