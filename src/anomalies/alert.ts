/** What an alert about anomalies tells: totals of a window, never a row, a value or an id. */
import type { Backend } from '../database/backend.ts';
import type { AlertsConfig } from '../config.ts';
import type { AnomalyCount } from '../database/rows.ts';
import { postWebhook, type WebhookOptions } from '../webhooks/post.ts';
import type { AlertDocument, AlertReason } from '../messages/alerts.ts';

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
  { until = new Date(), log }: { until?: Date; log?: WebhookOptions['log'] } = {},
): Promise<AlertOutcome> {
  if (webhook === undefined) return { outcome: 'no-webhook', document: undefined };
  const since = new Date(until.getTime() - windowHours * 3_600_000);
  const document = alertPayload(await anomalyStats(backend, since, until), { since, until });
  if (document.total < minCount) return { outcome: 'below-threshold', document };
  await sendAlert({ webhook, allowPrivate }, document, [], log);
  return { outcome: 'sent', document };
}

/** From `since` up to, not including, `until`; one entry for each tenant, type and severity, the largest first. @throws IntakeError of the backend. */
export function anomalyStats(backend: Backend, since: Date, until: Date): Promise<AnomalyCount[]> {
  return backend.call('count_anomalies', { since: since.toISOString(), until: until.toISOString() });
}

/** To the receiver of alerts. @throws IntakeError WEBHOOK_FAILED, WEBHOOK_REFUSED. */
export const sendAlert = (
  { webhook, allowPrivate }: Pick<AlertsConfig, 'allowPrivate'> & { readonly webhook: string },
  document: AlertDocument,
  reasons: readonly AlertReason[],
  log?: WebhookOptions['log'],
): Promise<void> =>
  postWebhook(
    webhook,
    { document, text: alertText(document, reasons) },
    { setting: 'ANOMALIES_ALERT_WEBHOOK', allowPrivate, ...(log ? { log } : {}) },
  );

/** Tenants that a message names. */
const NAMED = 10;

/** The totals for people. */
function alertText(
  { window, total, by_tenant, by_type }: AlertDocument,
  reasons: readonly Pick<AlertReason, 'text'>[],
): string {
  const largest = Object.entries(by_tenant).sort(([, a], [, b]) => b - a);
  const list = (entries: readonly [string, number][]): string => entries.map(([name, n]) => `${name} ${n}`).join(', ');
  const more = largest.length > NAMED ? ` and ${largest.length - NAMED} more` : '';
  return [
    `Intake: ${total} anomalies of projects from ${window.since} to ${window.until}.`,
    ...(total > 0
      ? [`By type: ${list(Object.entries(by_type))}. By tenant: ${list(largest.slice(0, NAMED))}${more}.`]
      : []),
    ...(reasons.length > 0 ? [`Why: ${reasons.map(({ text }) => text).join('; ')}.`] : []),
    'Next: intake anomalies list --severity error',
  ].join('\n');
}
