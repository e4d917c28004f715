/** What a worker measures. Labels are names of code, kinds and outcomes: never ids, file names or data. */
import type { Registry } from 'prom-client';

export type ActivityOutcome = 'completed' | 'failed' | 'cancelled';
const IMPORT_OUTCOMES = ['completed', 'failed', 'cancelled'] as const;
export type ImportOutcome = (typeof IMPORT_OUTCOMES)[number];
export type RowOutcome = 'inserted' | 'updated' | 'skipped' | 'errored';
export type ImageOutcome = 'hashed' | 'cached' | 'uploaded' | 'skipped' | 'failed';
/** `staged`: rows to the stage; `stored` and `fetched`: objects. */
export type Transfer = 'staged' | 'stored' | 'fetched';

export interface Metrics {
  activity(activity: string, outcome: ActivityOutcome, seconds: number): void;
  activityFailed(activity: string, code: string): void;
  /** A committed import that ended here. */
  ended(outcome: ImportOutcome): void;
  /** Rows of a commit. */
  rows(kind: string, outcome: RowOutcome, rows: number): void;
  images(outcome: ImageOutcome, images: number): void;
  bytes(transfer: Transfer, bytes: number): void;
}

/** For a worker that nobody watches. */
export const noMetrics: Metrics = {
  activity: () => undefined,
  activityFailed: () => undefined,
  ended: () => undefined,
  rows: () => undefined,
  images: () => undefined,
  bytes: () => undefined,
};

/** From one call to the database to a pass over a large file; seconds. */
const DURATIONS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

/**
 * Metrics in a registry of their own, with those of the process.
 * @param running asked at each scrape: imports that run on the task queue, in all workers together; undefined when nobody can say.
 */
export async function createMetrics(
  running: () => Promise<number | undefined>,
): Promise<Metrics & { readonly registry: Registry }> {
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const durations = new Histogram({
    name: 'intake_activity_duration_seconds',
    help: 'Duration of attempts at activities.',
    labelNames: ['activity', 'outcome'],
    buckets: DURATIONS,
    registers,
  });
  const failures = counter(
    'intake_activity_failures_total',
    'Attempts at activities that failed, by error code.',
    'activity',
    'code',
  );
  const imports = counter('intake_imports_total', 'Committed imports that ended.', 'outcome');
  // From zero on, so that the first failure is an increase, too.
  for (const outcome of IMPORT_OUTCOMES) imports.inc({ outcome }, 0);
  const rows = counter('intake_rows_total', 'Rows of committed imports.', 'kind', 'outcome');
  const images = counter('intake_images_total', 'Images of directories.', 'outcome');
  const bytes = counter('intake_bytes_total', 'Bytes to the stage, and to and from object storage.', 'transfer');
  new Gauge({
    name: 'intake_imports_running',
    help: 'Imports running on the task queue, in all workers together.',
    registers,
    async collect() {
      const now = await running();
      // Unknown is no sample, not the last one.
      if (now === undefined) this.remove();
      else this.set(now);
    },
  });
  return {
    registry,
    activity: (activity, outcome, seconds) => durations.observe({ activity, outcome }, seconds),
    activityFailed: (activity, code) => failures.inc({ activity, code }),
    ended: (outcome) => imports.inc({ outcome }),
    rows: (kind, outcome, n) => rows.inc({ kind, outcome }, n),
    images: (outcome, n) => images.inc({ outcome }, n),
    bytes: (transfer, n) => bytes.inc({ transfer }, n),
  };
}
