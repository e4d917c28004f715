/** What a worker measures. Labels are names of code, kinds and outcomes: never ids, file names or data. */
import type { Registry } from 'prom-client';

export type ActivityOutcome = 'completed' | 'failed' | 'cancelled';
const IMPORT_OUTCOMES = ['completed', 'failed', 'cancelled'] as const;
export type ImportOutcome = (typeof IMPORT_OUTCOMES)[number];
export type RowOutcome = 'inserted' | 'updated' | 'skipped' | 'errored';
export type ImageOutcome = 'hashed' | 'cached' | 'uploaded' | 'skipped' | 'failed';
/** `staged`: rows to the stage; `stored` and `fetched`: objects. */
export type Transfer = 'staged' | 'stored' | 'fetched';

/** `failed`: its last run did, or it cannot do its work; `missed`: nothing began at its last time. */
const SCHEDULE_STATES = ['active', 'paused', 'failed', 'missed'] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

export interface Metrics {
  activity(activity: string, outcome: ActivityOutcome, seconds: number): void;
  activityFailed(activity: string, code: string): void;
  /** A committed import that ended here. */
  ended(outcome: ImportOutcome): void;
  /** Rows of a commit. */
  rows(kind: string, outcome: RowOutcome, rows: number): void;
  images(outcome: ImageOutcome, images: number): void;
  bytes(transfer: Transfer, bytes: number): void;
  /** All schedules: what each starts, and how it is. */
  schedules(states: readonly (readonly [workflow: string, state: ScheduleState])[]): void;
}

/** For a worker that nobody watches. */
export const noMetrics: Metrics = {
  activity: () => undefined,
  activityFailed: () => undefined,
  ended: () => undefined,
  rows: () => undefined,
  images: () => undefined,
  bytes: () => undefined,
  schedules: () => undefined,
};

/** From one call to the database to a pass over a large file; seconds. */
const DURATIONS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600];

/**
 * Metrics in a registry of their own, with those of the process.
 * @param imports asked at each scrape: imports that run on the task queue and those of them that wait for their host, in all workers
 * together; undefined when nobody can say.
 */
export async function createMetrics(
  imports: (state: 'running' | 'waiting') => Promise<number | undefined>,
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
  const ended = counter('intake_imports_total', 'Committed imports that ended.', 'outcome');
  // From zero on, so that the first failure is an increase, too.
  for (const outcome of IMPORT_OUTCOMES) ended.inc({ outcome }, 0);
  const rows = counter('intake_rows_total', 'Rows of committed imports.', 'kind', 'outcome');
  const images = counter('intake_images_total', 'Images of directories.', 'outcome');
  const bytes = counter('intake_bytes_total', 'Bytes to the stage, and to and from object storage.', 'transfer');
  for (const [state, help] of [
    ['running', 'Imports running on the task queue, in all workers together.'],
    ['waiting', 'Imports that wait for a worker of the host of their file.'],
  ] as const)
    new Gauge({
      name: `intake_imports_${state}`,
      help,
      registers,
      async collect() {
        const now = await imports(state);
        // Unknown is no sample, not the last one.
        if (now === undefined) this.remove();
        else this.set(now);
      },
    });
  const schedules = new Gauge({
    name: 'intake_schedules',
    help: 'Schedules by what they start and how they are.',
    labelNames: ['workflow', 'state'],
    registers,
  });
  return {
    registry,
    activity: (activity, outcome, seconds) => durations.observe({ activity, outcome }, seconds),
    activityFailed: (activity, code) => failures.inc({ activity, code }),
    ended: (outcome) => ended.inc({ outcome }),
    rows: (kind, outcome, n) => rows.inc({ kind, outcome }, n),
    images: (outcome, n) => images.inc({ outcome }, n),
    bytes: (transfer, n) => bytes.inc({ transfer }, n),
    schedules(states) {
      schedules.reset();
      for (const workflow of new Set(states.map(([name]) => name)))
        for (const state of SCHEDULE_STATES)
          schedules.set({ workflow, state }, states.filter((it) => it[0] === workflow && it[1] === state).length);
    },
  };
}
