/** What an alert about anomalies tells: totals of a window, never a row, a value or an id. */
import type { Backend } from '../database/backend.ts';
import type { AlertsConfig } from '../config.ts';
import type { AnomalyCount } from '../database/rows.ts';
import { postWebhook } from './webhook.ts';
import type { AlertDocument } from '../messages/alerts.ts';

export interface AlertWindow {
  readonly since: Date;
  readonly until: Date;
}

export function alertPayload(counts: readonly AnomalyCount[], { since, until }: AlertWindow): AlertDocument {
  return {
    window: { since: since.toISOString(), until: until.toISOString() },
    total: counts.reduce((sum, { count }) => sum + count, 0),
    by_tenant: totals(counts, 'tenant_id'),
    by_type: totals(counts, 'anomaly_type'),
    by_severity: totals(counts, 'severity'),
  };
}

function totals(
  counts: readonly AnomalyCount[],
  key: 'tenant_id' | 'anomaly_type' | 'severity',
): Record<string, number> {
  const sums = new Map<string, number>();
  for (const entry of counts) sums.set(entry[key], (sums.get(entry[key]) ?? 0) + entry.count);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface AlertOutcome {
  readonly outcome: 'sent' | 'no-webhook' | 'below-threshold';
  /** Undefined when nobody would receive it: nothing is counted then. */
  readonly document: AlertDocument | undefined;
}

/**
 * Posts the totals of the last `windowHours` when there are at least `minCount` (POST /anomalies/alerts).
 * @throws IntakeError WEBHOOK_FAILED, WEBHOOK_REFUSED, those of the backend.
 */
export async function alertOnCount(
  backend: Backend,
  { webhook, windowHours, minCount, allowPrivate }: AlertsConfig,
  until = new Date(),
): Promise<AlertOutcome> {
  if (webhook === undefined) return { outcome: 'no-webhook', document: undefined };
  const since = new Date(until.getTime() - windowHours * 3_600_000);
  const document = alertPayload(await anomalyStats(backend, since, until), { since, until });
  if (document.total < minCount) return { outcome: 'below-threshold', document };
  await postWebhook(webhook, document, { allowPrivate });
  return { outcome: 'sent', document };
}

/** From `since` up to, not including, `until`; one entry for each tenant, type and severity, the largest first. @throws IntakeError of the backend. */
export function anomalyStats(backend: Backend, since: Date, until: Date): Promise<AnomalyCount[]> {
  return backend.call('count_anomalies', { since: since.toISOString(), until: until.toISOString() });
}
