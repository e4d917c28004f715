/**
 * workflows/directory/: The import of a directory of JSON files and images.
 *
 * One import of a directory of JSON files and images: planning, sha256, upload, import (runbook 004). A dry run stores
 * and claims nothing; a verification compares with what an earlier run left.
 */
import {
  ApplicationFailure,
  continueAsNew,
  defineQuery,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import {
  IMAGES_PATH,
  SHOWN_FAILURES,
  type DirectoryInput,
  type FailedItem,
  type SliceAnswer,
  type TreePlan,
} from '../../messages/directory.ts';
import { PROGRESS_QUERY, type ErrorDocument, type ImportReport, type PhaseState } from '../../messages/imports.ts';
import type { PartAnswer } from '../../messages/partitions.ts';
import { addRemarks } from '../../messages/remarks.ts';
import { publishProgress, runPhase } from '../promotion/progress.ts';
import { promotionOf } from '../promotion/promotion.ts';
import { emptyComparison, extraRows, resetCounts } from '../promotion/report.ts';
import {
  initialState,
  type AddSlice,
  type DirectoryState,
  type FailureCounts,
  type SlicePhase,
  type SliceWork,
} from './directoryState.ts';
import { imagePhases } from './imagePhases.ts';

export async function importDirectory(input: DirectoryInput, previousState?: DirectoryState): Promise<ImportReport> {
  const state = previousState ?? initialState(input);
  const { report } = state;
  const { directory } = report;
  setHandler(defineQuery<ImportReport>(PROGRESS_QUERY), () => report);

  const promotion = promotionOf({
    input,
    state,
    database,
    continueExecution: () => continueAsNew<typeof importDirectory>(input, state),
    mayBeStaged: () => state.plan !== undefined,
    explain,
  });
  const { fileHost, anyWorker, local } = promotion.activities;
  const images = imagePhases({ input, state, fileHost, eachSlice });

  return promotion.runToEnd(async () => {
    await planning();
    const refused = input.mode === 'commit' && (await promotion.claim(claim));
    if (refused) return refused;
    if (state.readsOnce) {
      await images.store();
    } else {
      await images.sha256();
      if (input.mode === 'commit') await images.upload();
    }
    await (input.mode === 'verify' ? verify() : importFiles());
    if (input.mode === 'commit') {
      await promotion.complete({ directory });
      if (input.verifyWrites) await verifyWrites();
    } else if (input.mode === 'dry-run' && input.rejectsPath) {
      await fileHost.writeFailedItems({ input, stageId: state.stageId });
    }
    await promotion.clearStage();
  });

  /** A call or two about one partition are not worth a server round trip; a count of many may take minutes, which a worker's end must not repeat. */
  function database(): Activities {
    return state.partitions > 1 && patched('many-partitions-by-activities') ? anyWorker : local;
  }

  /** The tree as it is now: files, their images, duplicates; with --delta only what is new. A verification has its run's. */
  async function planning(): Promise<void> {
    const plan = (state.plan ??= await runPhase(report, 'planning', async () => {
      if (input.mode === 'verify') return local.planOfRun(input);
      const planned = await fileHost.planTree(input);
      addFailures(planned);
      state.readsOnce = input.mode === 'commit' && planned.plan.unhashed > 0 && patched('images-are-read-once');
      return planned.plan;
    }));
    state.partitions ||= Math.max(1, Math.ceil(plan.licences / input.tuning.partitionRows));
    directory.plan = plan;
    report.storagePath = IMAGES_PATH;
  }

  async function claim() {
    const { plan, token, partitions } = state as Required<DirectoryState>;
    const { workflowId } = workflowInfo();
    const opened = await local.claimDirectory({ input, plan, partitions, workflowId, token });
    directory.datasetId = opened.datasetId;
    return opened.claim;
  }

  /** Every file into the stage, then every key partition into the tables; a dry run counts. */
  async function importFiles(): Promise<void> {
    if (report.phases.import?.status === 'completed') return;
    const step = input.mode === 'commit' ? 'upsertPartition' : 'countPartition';
    await promoteFiles('import', {
      work: fileHost.stageSlice,
      partitions: () => eachPartition('upsert', step),
      add({ batches, rows, errored, codes, remarks }) {
        directory.batches.completed += batches;
        report.counts.fetched += rows;
        report.counts.errored += errored;
        if (remarks) addRemarks((report.remarks ??= {}), remarks);
        for (const [code, n] of Object.entries(codes)) report.codes[code] = (report.codes[code] ?? 0) + n;
      },
      startOver() {
        Object.assign(state.done, { import: 0, upsert: 0 });
        directory.batches = { completed: 0, failed: 0 };
        resetCounts(report);
      },
    });
  }

  /** The files once more against what is in the database and in storage now. */
  async function verify(): Promise<void> {
    report.comparison ??= emptyComparison();
    await promoteFiles('compare', {
      work: fileHost.verifySlice,
      partitions: () => eachPartition('match', 'comparePartition'),
      add: () => undefined,
      startOver() {
        Object.assign(state.done, { compare: 0, match: 0 });
        report.comparison = emptyComparison();
      },
    });
  }

  async function promoteFiles(name: 'import' | 'compare', { work, partitions, add, startOver }: FilesPhase) {
    const { files } = state.plan as TreePlan;
    if (files === 0) return;
    const before = failuresBefore(name);
    await runPhase(
      report,
      name,
      (p) =>
        promotion.promote({
          stage: () => eachSlice(name, p, work, add),
          partitions,
          startOver() {
            startOver();
            Object.assign(p, { done: 0, failed: 0, skipped: 0 });
            directory.failed = before.failed;
            directory.failedItems.length = before.shown;
          },
        }),
      files,
    );
  }

  function eachSlice(name: SlicePhase, p: PhaseState, work: SliceWork, add: AddSlice): Promise<void> {
    const { plan, stageId, partitions } = state as Required<DirectoryState>;
    const oneSlice = async (slice: number): Promise<void> => {
      const answer = await work({ ...promotion.run(), input, plan, stageId, partitions, slice });
      p.done += answer.done + answer.skipped + answer.failed;
      p.skipped += answer.skipped;
      p.failed += answer.failed;
      add(answer);
      addFailures(answer);
      publishProgress(report);
    };
    return promotion.each(state.done[name], plan.slices, oneSlice, (next) => (state.done[name] = next));
  }

  function eachPartition(
    name: 'upsert' | 'match',
    step: 'upsertPartition' | 'countPartition' | 'comparePartition',
  ): Promise<'done' | 'stage-lost'> {
    const { batches, calls: chunks = batches } = state.plan as TreePlan;
    const work = (state.partitions === 1 ? local : anyWorker)[step];
    return promotion.eachPartition({
      from: state.done[name],
      chunks,
      work,
      keep: (next) => (state.done[name] = next),
      add: addPartition,
    });
  }

  function addPartition({ effects, comparison }: PartAnswer): void {
    const { refused = 0, conflicts = 0 } = effects ?? {};
    if (conflicts > 0) report.codes['CONFLICT_IN_RUN'] = (report.codes['CONFLICT_IN_RUN'] ?? 0) + conflicts;
    report.counts.errored += conflicts;
    const { missing, different, items = [] } = comparison ?? emptyComparison();
    addFailures({ failures: refused + conflicts + missing + different, failedItems: items.map(differs) });
  }

  async function verifyWrites(): Promise<void> {
    if (!report.phases.compare) await promotion.clearStage();
    await verify();
    const comparison = report.comparison ?? emptyComparison();
    const { missing, different } = comparison;
    const extra = extraRows(comparison);
    const images = report.phases.compare?.failed ?? 0;
    if (missing + different + extra + images === 0) return;
    const message =
      `${missing} records are missing, ${different} differ from the files, ${images} images are missing or damaged` +
      (extra > 0 ? `, ${extra} records are in no file` : '');
    throw ApplicationFailure.nonRetryable(message, 'VERIFY_FAILED');
  }

  function addFailures({ failures, failedItems }: Pick<SliceAnswer, 'failures' | 'failedItems'>): void {
    directory.failed += failures;
    directory.failedItems.push(...failedItems.slice(0, SHOWN_FAILURES - directory.failedItems.length));
  }

  function failuresBefore(name: 'import' | 'compare'): FailureCounts {
    const { failed, failedItems } = directory;
    return ((state.noted ??= {})[name] ??= { failed, shown: failedItems.length });
  }

  function explain(error: ErrorDocument): ErrorDocument {
    const inImport = report.phases.import?.status === 'failed';
    return inImport && error.code !== 'CANCELLED' && error.code !== 'LEASE_LOST'
      ? { ...error, message: `Batch import failed: ${error.message}` }
      : error;
  }
}

interface FilesPhase {
  readonly work: SliceWork;
  readonly add: AddSlice;
  partitions(): Promise<'done' | 'stage-lost'>;
  startOver(): void;
}

const differs = ({ item, line }: { item: string; line: number }): FailedItem => ({
  item,
  kind: 'licence',
  code: 'VERIFY_FAILED',
  message: `Licence ${line} of the file is missing in the database, or differs from it.`,
});
