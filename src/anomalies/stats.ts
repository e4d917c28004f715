/** How many anomalies there were in a stretch of time: counts, no values. */
import type { Backend } from '../database/backend.ts';

export interface AnomalyCount {
  readonly tenant_id: string;
  readonly anomaly_type: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly count: number;
  /** ISO time of the newest of them. */
  readonly most_recent: string;
}

/** From `since` up to, not including, `until`; one entry for each tenant, type and severity, the largest first. @throws IntakeError of the backend. */
export function anomalyStats(backend: Backend, since: Date, until: Date): Promise<AnomalyCount[]> {
  return backend.call('count_anomalies', { since: since.toISOString(), until: until.toISOString() });
}
