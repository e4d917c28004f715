/** What the gateway measures (runbook 003, "Metrics to capture"). Labels are routes, statuses, outcomes and types: never tenants, ids or data. */
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { BatchAnswer } from '../messages/merge.ts';
import type { AlertOutcome } from '../anomalies/alert.ts';

/** Only one of all who post a batch has `merged` it. */
export type MergeOutcome = 'merged' | 'joined' | 'replayed';

export interface GatewayMetrics {
  readonly registry: Registry;
  answered(route: string, status: number, seconds: number): void;
  /** A batch that was read and found good. */
  received(rows: number, bytes: number, parseSeconds: number): void;
  /** A request whose batch is merged. */
  merged(how: MergeOutcome, seconds: number): void;
  /** A batch, once. */
  counted(answer: BatchAnswer): void;
  alerted(outcome: AlertOutcome['outcome'] | 'failed'): void;
}

/** Seconds; the runbook's answers take from milliseconds to a minute. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 30, 60];

export function createGatewayMetrics(): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  const requests = counter('intake_gateway_requests_total', 'Requests, by route and status.', 'route', 'status');
  const durations = histogram(
    'intake_gateway_request_duration_seconds',
    'From the head of a request to its answer.',
    'route',
  );
  const rows = counter('intake_gateway_rows_received_total', 'Rows of good batches.');
  const bytes = counter('intake_gateway_bytes_received_total', 'Bytes of good batches, unpacked.');
  const parses = histogram('intake_gateway_parse_duration_seconds', 'From the whole body to a checked batch.');
  const merges = histogram('intake_gateway_merge_duration_seconds', 'From a checked batch to its metrics.', 'outcome');
  const projects = counter('intake_gateway_projects_total', 'Projects of merged batches.', 'outcome');
  const memberships = counter(
    'intake_gateway_memberships_upserted_total',
    'New memberships of merged batches.',
    'member',
  );
  const anomalies = counter('intake_gateway_anomalies_total', 'Anomalies of merged batches.', 'type');
  const cleared = counter('intake_gateway_values_cleared_total', 'Values that empty cells of merged batches cleared.');
  const removed = counter('intake_gateway_memberships_removed_total', 'Memberships that merged batches removed.');
  const alerts = counter('intake_gateway_alerts_total', 'Calls for an alert.', 'outcome');
  // From zero on, so that the first is an increase, too.
  for (const type of ['UNKNOWN_DELIVERY_PARTNER', 'UNKNOWN_DS', 'UNKNOWN_RM', 'UNREADABLE_VALUE', 'DUPLICATE_ROW'])
    anomalies.inc({ type }, 0);
  for (const outcome of ['inserted', 'updated']) projects.inc({ outcome }, 0);
  for (const member of ['organisation', 'user']) memberships.inc({ member }, 0);
  for (const outcome of ['merged', 'joined', 'replayed']) merges.zero({ outcome });
  return {
    registry,
    answered(route, status, seconds) {
      requests.inc({ route, status });
      durations.observe({ route }, seconds);
    },
    received(count, size, seconds) {
      rows.inc(count);
      bytes.inc(size);
      parses.observe(seconds);
    },
    merged: (how, seconds) => merges.observe({ outcome: how }, seconds),
    counted({ metrics, anomalies: types }) {
      projects.inc({ outcome: 'inserted' }, metrics.inserted_projects);
      projects.inc({ outcome: 'updated' }, metrics.updated_projects);
      memberships.inc({ member: 'organisation' }, metrics.org_memberships_upserted);
      memberships.inc({ member: 'user' }, metrics.user_memberships_upserted);
      cleared.inc(metrics.values_cleared);
      removed.inc(metrics.memberships_removed);
      for (const [type, count] of Object.entries(types)) anomalies.inc({ type }, count);
    },
    alerted: (outcome) => alerts.inc({ outcome }),
  };
}
