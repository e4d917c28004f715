/** How many anomalies there were in a stretch of time: counts, no values. */
import type { Backend } from '../database/backend.ts';
import type { AnomalyCount } from '../database/rows.ts';

/** From `since` up to, not including, `until`; one entry for each tenant, type and severity, the largest first. @throws IntakeError of the backend. */
export function anomalyStats(backend: Backend, since: Date, until: Date): Promise<AnomalyCount[]> {
  return backend.call('count_anomalies', { since: since.toISOString(), until: until.toISOString() });
}
