/**
 * anomalies/: Counts of anomalies, the thresholds of alerts and their words.
 *
 * When anomalies are worth somebody's attention: the thresholds of runbook 003. Pure.
 */
import type { AnomalyCount } from '../database/rows.ts';
import type { AlertReason, Assessment } from '../messages/alerts.ts';

export interface AnomalyWindows {
  /** The window itself, then those before it, newest first. */
  readonly windows: readonly (readonly AnomalyCount[])[];
  /** The 24 hours up to the window's end. */
  readonly day: readonly AnomalyCount[];
}

/** Alert: so many in a window. */
const ANOMALIES = 5;
const MAPPING_ERRORS = 2;
/** Escalation: alerts in so many windows in a row; more than so many of a tenant in 24 hours, told by windows that add to them. */
export const CONSECUTIVE_WINDOWS = 3;
const TENANT_MAPPING_ERRORS = 10;

export function assess({ windows, day }: AnomalyWindows): Assessment {
  const reasons = [...reasonsOf(windows[0] ?? [])];
  const alert = reasons.length > 0;
  const streak = windows.findIndex((counts) => reasonsOf(counts).length === 0);
  const consecutive = streak < 0 ? windows.length : streak;
  if (consecutive >= CONSECUTIVE_WINDOWS) {
    reasons.push({
      rule: 'CONSECUTIVE_WINDOWS',
      count: consecutive,
      limit: CONSECUTIVE_WINDOWS,
      text: `alerts in ${consecutive} windows in a row`,
    });
  }
  for (const tenant_id of new Set(day.map((entry) => entry.tenant_id))) {
    const count = mappingErrors(day.filter((entry) => entry.tenant_id === tenant_id));
    const added = mappingErrors((windows[0] ?? []).filter((entry) => entry.tenant_id === tenant_id));
    if (count <= TENANT_MAPPING_ERRORS || added === 0) continue;
    const text = `${count} failures of UNKNOWN_DS and UNKNOWN_RM of ${tenant_id} in 24 hours (more than ${TENANT_MAPPING_ERRORS})`;
    reasons.push({ rule: 'TENANT_MAPPING_ERRORS', tenant_id, count, limit: TENANT_MAPPING_ERRORS, text });
  }
  const escalated = reasons.some(({ rule }) => rule === 'CONSECUTIVE_WINDOWS' || rule === 'TENANT_MAPPING_ERRORS');
  return { level: escalated ? 'escalation' : alert ? 'alert' : 'none', reasons };
}

function reasonsOf(counts: readonly AnomalyCount[]): AlertReason[] {
  const total = sum(counts);
  const errors = mappingErrors(counts);
  return [
    ...(total >= ANOMALIES
      ? [
          {
            rule: 'ANOMALIES',
            count: total,
            limit: ANOMALIES,
            text: `${total} anomalies (${ANOMALIES} or more)`,
          } as const,
        ]
      : []),
    ...(errors >= MAPPING_ERRORS
      ? [
          {
            rule: 'MAPPING_ERRORS',
            count: errors,
            limit: MAPPING_ERRORS,
            text: `${errors} errors UNKNOWN_DS or UNKNOWN_RM (${MAPPING_ERRORS} or more)`,
          } as const,
        ]
      : []),
  ];
}

const mappingErrors = (counts: readonly AnomalyCount[]): number =>
  sum(counts.filter(({ anomaly_type }) => anomaly_type === 'UNKNOWN_DS' || anomaly_type === 'UNKNOWN_RM'));
const sum = (counts: readonly AnomalyCount[]): number => counts.reduce((total, { count }) => total + count, 0);
