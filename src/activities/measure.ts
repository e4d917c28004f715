/** What the answers of activities add to the metrics. */
import type { Metrics } from '../observability/metrics.ts';
import type { Activities } from './all.ts';

type Measures = {
  readonly [name in keyof Activities]?: (
    metrics: Metrics,
    answer: Awaited<ReturnType<Activities[name]>>,
    request: Parameters<Activities[name]>[0],
  ) => void;
};

const MEASURES: Measures = {
  parse: (metrics, { errored }, { input }) => input.mode === 'commit' && metrics.rows(input.kind, 'errored', errored),
  stageSlice: (metrics, { errored }, { input }) =>
    input.mode === 'commit' && metrics.rows(input.kind, 'errored', errored),
  upsertPartition(metrics, { inserted, updated, skipped }, { input }) {
    metrics.rows(input.kind, 'inserted', inserted);
    metrics.rows(input.kind, 'updated', updated);
    metrics.rows(input.kind, 'skipped', skipped);
  },
  planTree(metrics, { plan }, { mode }) {
    metrics.images('failed', plan.missingImages);
    // A phase that has nothing to do is left out by the workflow, and no slice will tell.
    if (plan.unhashed === 0 && mode !== 'verify') metrics.images('cached', plan.images);
    if (plan.unhashed + plan.unstored === 0 && mode === 'commit') metrics.images('skipped', plan.images);
  },
  hashSlice(metrics, { done, skipped, failed }) {
    metrics.images('hashed', done);
    metrics.images('cached', skipped);
    metrics.images('failed', failed);
  },
  uploadSlice(metrics, { done, skipped, failed, hashed }) {
    metrics.images('hashed', hashed?.done ?? 0);
    metrics.images('cached', hashed?.skipped ?? 0);
    metrics.images('failed', hashed?.failed ?? 0);
    metrics.images('uploaded', done);
    metrics.images('skipped', skipped);
    metrics.images('failed', failed);
  },
  reconcile: (metrics) => metrics.ended('completed'),
  fail: (metrics, _answer, { error }) => metrics.ended(error.code === 'CANCELLED' ? 'cancelled' : 'failed'),
};

/** @param args of the activity `name`, which answered `answer`. */
export function measure(metrics: Metrics, name: string, answer: unknown, args: readonly unknown[]): void {
  const add = (MEASURES as Readonly<Record<string, (metrics: Metrics, answer: unknown, request: unknown) => void>>)[
    name
  ];
  add?.(metrics, answer, args[0]);
}
