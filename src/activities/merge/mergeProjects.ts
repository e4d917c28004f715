/** The merge of a batch of projects by reference: its rows are in the database already. */
import type { BackendName } from '../../config.ts';
import { IntakeError } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import { failpoint, failpointSoon } from '../failpoints.ts';

export interface BatchReference {
  readonly backend: BackendName;
  readonly tenantId: string;
  readonly checksum: string;
}

/** The runbook's metrics. */
export interface MergeMetrics {
  readonly inserted_projects: number;
  readonly updated_projects: number;
  readonly org_memberships_upserted: number;
  readonly user_memberships_upserted: number;
  readonly anomalies_count: number;
  readonly staging_id: string;
}

export interface BatchAnswer {
  readonly batch_id: string;
  readonly metrics: MergeMetrics;
  /** How many of each type. */
  readonly anomalies: Readonly<Record<string, number>>;
}

export const mergeProjectsActivities = ({ backend }: Deps) => ({
  /** Merges the batch once, however often it is called. */
  async mergeBatch({ backend: name, tenantId, checksum }: BatchReference): Promise<BatchAnswer> {
    failpoint('merge.before');
    failpointSoon('merge.within');
    const answer = await backend(name).call<BatchAnswer | null>('merge_project_batch', { tenant_id: tenantId, batch_checksum: checksum });
    failpoint('merge.after');
    if (!answer) throw new IntakeError('RUN_NOT_FOUND', 'The batch is gone: an earlier merge of it failed', { remedy: 'Post the batch again.' });
    return answer;
  },

  /** Takes away a batch that cannot be merged. */
  async dropBatch({ backend: name, tenantId, checksum }: BatchReference): Promise<void> {
    await backend(name).call('drop_project_batch', { tenant_id: tenantId, batch_checksum: checksum });
  },
});
