/** What travels for the merge of a batch of projects: references and counts, never a row. */
import type { BackendName } from '../config.ts';
import type { Place } from './place.ts';

export interface BatchReference extends Pick<Place, 'target' | 'databaseId'> {
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
  readonly values_cleared: number;
  readonly memberships_removed: number;
  readonly staging_id: string;
}

export interface BatchAnswer {
  readonly batch_id: string;
  readonly metrics: MergeMetrics;
  /** How many of each type. */
  readonly anomalies: Readonly<Record<string, number>>;
}

export interface MergeInput extends BatchReference {
  readonly taskQueue: string;
}
