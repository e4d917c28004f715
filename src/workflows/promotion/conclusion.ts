/** What all imports share, whatever they read: their workers, their run, and how they end. */
import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Claim, ImportReport } from '../../messages/imports.ts';
import type { ImportMode, RunInput } from '../../messages/run.ts';
import { FULL_PASS, STEP } from '../policies.ts';
import { phase } from './progress.ts';
import { end } from './report.ts';

/** Activities on the host of the file, over all of it there, and on any worker. */
export function workersOf({ tuning: { heartbeatSeconds }, fileQueue, taskQueue }: RunInput) {
  const believed = heartbeatSeconds ? { heartbeatTimeout: heartbeatSeconds * 1000 } : {};
  return {
    onHost: proxyActivities<Activities>({ ...STEP, ...believed, taskQueue: fileQueue }),
    overAll: proxyActivities<Activities>({ ...FULL_PASS, ...believed, taskQueue: fileQueue }),
    anywhere: proxyActivities<Activities>({ ...STEP, ...believed, taskQueue }),
  };
}

export interface RunReference {
  readonly runId: string;
  readonly lease: number;
  readonly backend: RunInput['backend'];
}

export function runOf({ backend, relatedRunId }: RunInput, claim: Claim | undefined): RunReference {
  return { backend, runId: claim?.runId ?? relatedRunId ?? '', lease: claim?.lease ?? 0 };
}

/** Counters and summary from the ledger; the run is still processing. */
export async function finalize(
  work: Pick<Activities, 'finalize'>,
  run: RunReference,
  report: ImportReport,
  seen: object,
): Promise<void> {
  const { codes, phases, counts } = report;
  const { effects, ...summed } = await phase(report, 'finalize', () =>
    work.finalize({ ...run, fetched: counts.fetched, summary: { codes, phases, ...seen } }),
  );
  report.counts = summed;
  if (effects) report.effects = effects;
}

/** Counts the final tables, not what steps reported, and completes the run. */
export async function reconcile(
  work: Pick<Activities, 'reconcile'>,
  run: RunReference,
  report: ImportReport,
): Promise<void> {
  const { fetched } = report.counts;
  report.finishedAt = (
    await phase(report, 'reconcile', () => work.reconcile({ ...run, expected: fetched }))
  ).completedAt;
}

const SUCCESS = { commit: 'completed', 'dry-run': 'dry_run', verify: 'verified' } as const;

/**
 * Goes through the steps of an import to its report, which is their own when they were refused. When they fail, `giveUp` is heard out, also by a cancelled import, and the
 * failure carries the report.
 */
export async function conclude(
  report: ImportReport,
  mode: ImportMode,
  steps: () => Promise<ImportReport | void>,
  giveUp: (error: unknown) => Promise<void>,
): Promise<ImportReport> {
  try {
    return (await steps()) ?? end(report, SUCCESS[mode]);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    await CancellationScope.nonCancellable(async () => {
      await giveUp(error);
      end(report, isCancellation(error) ? 'cancelled' : 'failed');
    });
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.create({
      type: report.error?.code ?? 'INTERNAL',
      message: report.error?.message ?? '',
      nonRetryable: true,
      details: [report],
    });
  }
}
