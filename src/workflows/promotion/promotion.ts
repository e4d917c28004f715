/**
 * workflows/promotion/: What both imports do with staged rows: claim, partitions, finalize, reconcile, and their
 * report.
 *
 * What every import does with its rows, whatever they were read from: claim, key partitions into the tables, finalize,
 * reconcile; again from the stage when the database lost it, in a new execution when the history is long, and to its
 * end when a step fails.
 */
import { CancellationScope, patched, upsertSearchAttributes } from '@temporalio/workflow';
import { attributePairs } from '../../messages/attributes.ts';
import type { Activities } from '../../activities/index.ts';
import type { Claim, ErrorDocument, ImportReport } from '../../messages/imports.ts';
import type { PartAnswer, PartRequest } from '../../messages/partitions.ts';
import type { ImportMode, RunInput } from '../../messages/run.ts';
import { ERRORS, type ErrorCode, type ErrorRule } from '../../errors.ts';
import { runToEnd } from '../failure.ts';
import { activityProxies, END_TOGETHER, type ActivityProxies } from '../policies.ts';
import { forEachConcurrently } from '../window.ts';
import { publishProgress, runPhase } from './progress.ts';
import { addPartitionCounts, finishReport, reportNotClaimed, reportWaiting } from './report.ts';

/** What the promotion of an import knows, from one execution to the next. */
export interface PromotionState {
  readonly report: ImportReport;
  readonly stageId: string;
  /** Names the claim across executions. */
  readonly token: string;
  claim?: Claim;
  partitions: number;
}

export interface PromotionOptions {
  readonly input: RunInput;
  readonly state: PromotionState;
  /** Where short calls to the database are made. */
  readonly database: () => Pick<Activities, 'finalize' | 'reconcile' | 'clearStage'>;
  /** Goes on in a new execution with what is known now. */
  readonly continueExecution: () => Promise<never>;
  /** Whether anything may be staged. */
  readonly mayBeStaged: () => boolean;
  /** Says more of a failure than its activity could. */
  readonly explain?: (error: ErrorDocument) => ErrorDocument;
}

export interface RunReference {
  readonly runId: string;
  readonly lease: number;
  readonly backend: RunInput['backend'];
}

export interface Promotion {
  readonly activities: ActivityProxies;
  /** Goes through the steps of an import to its report, or to their own; a failure is recorded first, and carries the report. */
  runToEnd(steps: () => Promise<ImportReport | void>): Promise<ImportReport>;
  run(): RunReference;
  /** One owner for the batch. @returns the report when it has another, or is imported already. */
  claim(open: () => Promise<Claim>): Promise<ImportReport | undefined>;
  /** Numbered units of work in the import's window; `keep` is told how far they are before another execution goes on. */
  each(from: number, to: number, work: (index: number) => Promise<void>, keep: (next: number) => void): Promise<void>;
  /** Stages the rows and promotes them, from the beginning while the database loses its unlogged stage: what is in the ledger stays done. */
  promote(steps: PromoteSteps): Promise<void>;
  /** Every key partition into the tables, or what `work` does with it. */
  eachPartition(partitions: EachPartition): Promise<'done' | 'stage-lost'>;
  /** Counters and summary from the ledger, then the final tables are counted, which completes the run. */
  complete(summary: object): Promise<void>;
  clearStage(): Promise<void>;
}

export interface PromoteSteps {
  stage(): Promise<void>;
  partitions(): Promise<'done' | 'stage-lost'>;
  startOver(): void;
}

export interface EachPartition {
  readonly from: number;
  /** Chunks that must be staged. */
  readonly chunks: number;
  work(part: PartRequest): Promise<PartAnswer>;
  keep(next: number): void;
  /** What an answer adds beside the counts. */
  add?(answer: PartAnswer): void;
}

const SUCCESS = { commit: 'completed', 'dry-run': 'dry_run', verify: 'verified' } as const satisfies Record<
  ImportMode,
  string
>;

export function promotionOf(options: PromotionOptions): Promotion {
  const { input, state, database, continueExecution } = options;
  const { report } = state;
  const { taskQueue, fileQueue, tuning } = input;
  const onWaiting = (waiting: ImportReport['waiting']): void => {
    if (reportWaiting(report, waiting)) void label(activities.local, waiting ? 'waiting' : 'running');
  };
  const activities: ActivityProxies = activityProxies({
    taskQueue,
    fileQueue,
    onWaiting,
    awaitCancelled: patched(END_TOGETHER),
  });

  const run = (): RunReference => ({
    backend: input.backend,
    runId: state.claim?.runId ?? input.relatedRunId ?? '',
    lease: state.claim?.lease ?? 0,
  });
  const clearStage = (): Promise<void> => database().clearStage({ input, stageId: state.stageId });

  /** The run is told why it ended, and the stage is emptied, also when the run cannot be told. */
  async function recordFailure(): Promise<void> {
    const error = (report.error = options.explain?.(report.error!) ?? report.error!);
    try {
      // Who took the run over decides about it; a verification that fails leaves a completed run.
      if (state.claim?.status === 'claimed' && error.code !== 'LEASE_LOST' && error.code !== 'VERIFY_FAILED')
        await activities.anyWorker.fail({ ...run(), error, counts: report.counts });
    } finally {
      if (options.mayBeStaged()) await clearStage();
    }
  }

  return {
    activities,
    run,
    clearStage,

    async runToEnd(steps) {
      try {
        return await runToEnd(report, async () => (await steps()) ?? finishReport(report, SUCCESS[input.mode]), {
          recordFailure,
          end: (status) => finishReport(report, status),
        });
      } catch (error) {
        if (refusesFile(input, report) && patched('refused-dry-runs-are-answered')) return report;
        throw error;
      } finally {
        if (report.status !== 'running')
          await CancellationScope.nonCancellable(() => label(activities.local, report.status));
      }
    },

    async claim(open) {
      state.claim ??= await runPhase(report, 'claim', open);
      if (state.claim.status !== 'claimed') return reportNotClaimed(report, state.claim);
      report.runId = state.claim.runId;
      if (state.claim.parentGone) report.parentGone = true;
      state.partitions = state.claim.partitions;
      return undefined;
    },

    async each(from, to, work, keep) {
      const next = await forEachConcurrently(from, to, tuning.window, work);
      keep(next);
      if (next < to) await continueExecution();
    },

    async promote({ stage, partitions, startOver }) {
      for (;;) {
        await stage();
        if ((await partitions()) === 'done') return;
        startOver();
      }
    },

    async eachPartition({ from, chunks, work, keep, add = () => undefined }) {
      let lost = false;
      const next = await forEachConcurrently(from, state.partitions, tuning.window, async (part) => {
        if (lost) return;
        const answer = await work({
          ...run(),
          input,
          stageId: state.stageId,
          chunks,
          part,
          parts: state.partitions,
        });
        if (answer.stageLost) {
          lost = true;
          return;
        }
        addPartitionCounts(report, answer);
        add(answer);
        publishProgress(report);
      });
      keep(next);
      if (lost) return 'stage-lost';
      if (next < state.partitions) await continueExecution();
      return 'done';
    },

    async complete(summary) {
      if (report.phases.reconcile?.status === 'completed') return; // before a verification that takes another execution
      const { codes, phases, counts } = report;
      const seen = { codes, phases, remarks: report.remarks ?? {}, ...summary };
      const { effects, ...counted } = await runPhase(report, 'finalize', () =>
        database().finalize({ ...run(), fetched: counts.fetched, summary: seen }),
      );
      report.counts = counted;
      if (effects) report.effects = effects;
      const { fetched } = report.counts;
      const { completedAt } = await runPhase(report, 'reconcile', () =>
        database().reconcile({ ...run(), expected: fetched }),
      );
      report.finishedAt = completedAt;
    },
  };
}

/** A dry run that finds a file unusable has done its work: the report says so, and Temporal's failed workflows are those to look at. */
function refusesFile({ mode }: RunInput, { status, error }: ImportReport): boolean {
  const rule: ErrorRule | undefined = ERRORS[error?.code as ErrorCode];
  const ofTheFile = rule?.kind === 'fatal' && (rule.exit === 2 || error?.code === 'TOO_MANY_ERRORS');
  return mode === 'dry-run' && status === 'failed' && ofTheFile;
}

/**
 * Tells Temporal's filters the status. The server refuses a whole workflow task for an attribute that was removed meanwhile, and
 * would do so for ever: whether it is there is asked anew by each try of the task.
 */
async function label(local: Activities, status: string): Promise<void> {
  if (patched('asks-for-attributes') && !(await local.hasAttributes())) return;
  upsertSearchAttributes(attributePairs({ status }));
}
