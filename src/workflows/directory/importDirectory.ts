/**
 * One import of a directory of JSON files and images: planning, sha256, upload, import (runbook 004).
 * A dry run stores and claims nothing; a verification compares with what an earlier run left.
 */
import {
  ApplicationFailure,
  continueAsNew,
  defineQuery,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { SliceAnswer } from '../../messages/directory.ts';
import { conclude, finalize, reconcile, runOf, workersOf } from '../promotion/conclusion.ts';
import {
  IMAGES_PATH,
  SHOWN_FAILURES,
  type DirectoryInput,
  type FailedItem,
  type TreePlan,
} from '../../messages/directory.ts';
import { begin, type DirectoryState, type Noted, type SlicePhase } from './directoryState.ts';
import { PROGRESS_QUERY, type Claim, type ImportReport, type PhaseState } from '../../messages/imports.ts';
import { BRIEF } from '../policies.ts';
import { phase, show } from '../promotion/progress.ts';
import { addPart, forgetCounts, noComparison, refuse } from '../promotion/report.ts';
import { documentOf } from '../failure.ts';
import { inWindow } from '../window.ts';

export async function importDirectory(input: DirectoryInput, carried?: DirectoryState): Promise<ImportReport> {
  const state = carried ?? begin(input);
  const { report } = state;
  setHandler(defineQuery<ImportReport>(PROGRESS_QUERY), () => report);

  const { onHost, overAll: overTree, anywhere } = workersOf(input);
  // A call or two to the database: not worth a way over the server.
  const brief = proxyLocalActivities<Activities>(BRIEF);

  return conclude(report, input.mode, steps, giveUp);

  async function steps(): Promise<ImportReport | void> {
    await planning();
    if (input.mode === 'commit' && !(await claim())) return refuse(report, state.claim as Claim);
    await sha256();
    if (input.mode === 'verify') {
      await verify();
    } else {
      if (input.mode === 'commit') await upload();
      await importFiles();
    }
    if (input.mode === 'commit') {
      if (report.phases.reconcile?.status !== 'completed') {
        await finalize(brief, runOf(input, state.claim), report, { directory: report.directory });
        await reconcile(brief, runOf(input, state.claim), report);
      }
      if (input.verifyWrites) await verifyWrites();
    } else if (input.mode === 'dry-run' && input.rejectsPath) {
      await onHost.writeFailedItems({ input, stageId: state.stageId });
    }
    await clearStage();
  }

  /** The tree as it is now: files, their images, duplicates; with --delta only what is new. A verification has its run's. */
  async function planning(): Promise<void> {
    const plan = (state.plan ??= await phase(report, 'planning', async () => {
      if (input.mode === 'verify') return brief.planOfRun(input);
      const planned = await overTree.planTree(input);
      note(planned);
      return planned.plan;
    }));
    state.partitions ||= Math.max(1, Math.ceil(plan.licences / input.tuning.partitionRows));
    report.directory.plan = plan;
    report.storagePath = IMAGES_PATH;
  }

  async function claim(): Promise<boolean> {
    const { plan, token, partitions } = state as Required<DirectoryState>;
    const { workflowId } = workflowInfo();
    const claim = (state.claim ??= await phase(report, 'claim', async () => {
      const opened = await brief.claimDirectory({ input, plan, partitions, workflowId, token });
      report.directory.datasetId = opened.datasetId;
      return opened.claim;
    }));
    if (claim.status !== 'claimed') return false;
    report.runId = claim.runId;
    state.partitions = claim.partitions;
    return true;
  }

  /** Content hashes of all images; those known from an earlier run are not read again, but for a verification. */
  function sha256(): Promise<void> {
    const { images } = report.directory;
    const plan = state.plan as TreePlan;
    return imagePhase(
      'sha256',
      plan.unhashed > 0 || input.mode === 'verify',
      overTree.hashSlice,
      (answer) => {
        images.hashed += answer.done;
        images.cached += answer.skipped;
        images.failed += answer.failed;
      },
      () => (images.cached = plan.images),
    );
  }

  /** Content-addressed: what storage has is not sent again. */
  function upload(): Promise<void> {
    const { images } = report.directory;
    const plan = state.plan as TreePlan;
    return imagePhase(
      'upload',
      plan.unhashed + plan.unstored > 0,
      overTree.uploadSlice,
      (answer) => {
        images.uploaded += answer.done;
        images.skipped += answer.skipped;
        images.failed += answer.failed;
      },
      () => (images.skipped = plan.images - images.failed),
    );
  }

  /** `work` on the images of every slice; when there is nothing to do, the phase is done at once. */
  async function imagePhase(
    name: 'sha256' | 'upload',
    needed: boolean,
    work: SliceWork,
    add: (answer: SliceAnswer) => void,
    skip: () => void,
  ): Promise<void> {
    if (report.phases[name]?.status === 'completed') return;
    // What could not be read is not uploaded either.
    const total = (state.plan as TreePlan).images - (name === 'upload' ? (report.phases.sha256?.failed ?? 0) : 0);
    await phase(
      report,
      name,
      async (p) => {
        if (needed) return eachSlice(name, p, work, add);
        Object.assign(p, { done: total, skipped: total });
        skip();
      },
      total,
    );
  }

  /** Every file into the stage, then every key partition into the tables; a dry run counts. */
  async function importFiles(): Promise<void> {
    const { files } = state.plan as TreePlan;
    if (files === 0 || report.phases.import?.status === 'completed') return;
    const { directory } = report;
    const noted = notedBefore('import');
    await phase(
      report,
      'import',
      async (p) => {
        for (;;) {
          await eachSlice('import', p, overTree.stageSlice, ({ batches, rows, errored, codes }) => {
            directory.batches.completed += batches;
            report.counts.fetched += rows;
            report.counts.errored += errored;
            for (const [code, n] of Object.entries(codes)) report.codes[code] = (report.codes[code] ?? 0) + n;
          });
          if (
            (await eachPartition('upsert', input.mode === 'commit' ? 'upsertPartition' : 'countPartition')) ===
            'settled'
          )
            return;
          startOver(p, { import: 0, upsert: 0 }, noted);
          directory.batches = { completed: 0, failed: 0 };
          forgetCounts(report);
        }
      },
      files,
    );
  }

  /** The files once more against what is in the database and in storage now. */
  async function verify(): Promise<void> {
    const { files } = state.plan as TreePlan;
    report.comparison ??= noComparison();
    if (files === 0) return;
    const noted = notedBefore('compare');
    await phase(
      report,
      'compare',
      async (p) => {
        for (;;) {
          await eachSlice('compare', p, overTree.verifySlice, () => undefined);
          if ((await eachPartition('match', 'comparePartition')) === 'settled') return;
          startOver(p, { compare: 0, match: 0 }, noted);
          report.comparison = noComparison();
        }
      },
      files,
    );
  }

  async function eachSlice(
    name: SlicePhase,
    p: PhaseState,
    work: SliceWork,
    add: (answer: SliceAnswer) => void,
  ): Promise<void> {
    const { plan } = state as Required<DirectoryState>;
    state.done[name] = await inWindow(state.done[name], plan.slices, input.tuning.window, async (slice) => {
      const answer = await work({
        ...runOf(input, state.claim),
        input,
        plan,
        stageId: state.stageId,
        partitions: state.partitions,
        slice,
      });
      p.done += answer.done + answer.skipped + answer.failed;
      p.skipped += answer.skipped;
      p.failed += answer.failed;
      add(answer);
      note(answer);
      show(report);
    });
    if (state.done[name] < plan.slices) await goOnAsNew();
  }

  async function eachPartition(
    name: 'upsert' | 'match',
    step: 'upsertPartition' | 'countPartition' | 'comparePartition',
  ): Promise<'settled' | 'stage-lost'> {
    const work = (state.partitions === 1 ? brief : anywhere)[step];
    const { batches } = state.plan as TreePlan;
    let lost = false;
    state.done[name] = await inWindow(state.done[name], state.partitions, input.tuning.window, async (part) => {
      if (lost) return;
      const answer = await work({ ...runOf(input, state.claim), input, stageId: state.stageId, chunks: batches, part });
      if (answer.stageLost) {
        lost = true;
        return;
      }
      addPart(report, answer);
      const { refused = 0 } = answer.effects ?? {};
      if (refused > 0) report.codes.REFUSED_ROW = (report.codes.REFUSED_ROW ?? 0) + refused;
      const { missing, different, items = [] } = answer.comparison ?? noComparison();
      note({ failures: refused + missing + different, failedItems: items.map(differs) });
      show(report);
    });
    if (lost) return 'stage-lost';
    if (state.done[name] < state.partitions) await goOnAsNew();
    return 'settled';
  }

  async function verifyWrites(): Promise<void> {
    if (!report.phases.compare) await clearStage();
    await verify();
    const { missing, different } = report.comparison ?? noComparison();
    const images = report.phases.compare?.failed ?? 0;
    if (missing + different + images === 0) return;
    const message = `${missing} records are missing, ${different} differ from the files, ${images} images are missing or damaged`;
    throw ApplicationFailure.nonRetryable(message, 'VERIFY_FAILED');
  }

  function note({ failures, failedItems }: Pick<SliceAnswer, 'failures' | 'failedItems'>): void {
    report.directory.failed += failures;
    report.directory.failedItems.push(...failedItems.slice(0, SHOWN_FAILURES - report.directory.failedItems.length));
  }

  function notedBefore(name: 'import' | 'compare'): Noted {
    const { failed, failedItems } = report.directory;
    return ((state.noted ??= {})[name] ??= { failed, shown: failedItems.length });
  }

  /** A database crash emptied the unlogged stage: the files are read again, what is in the ledger stays done. */
  function startOver(p: PhaseState, steps: Partial<DirectoryState['done']>, { failed, shown }: Noted): void {
    Object.assign(state.done, steps);
    Object.assign(p, { done: 0, failed: 0, skipped: 0 });
    report.directory.failed = failed;
    report.directory.failedItems.length = shown;
  }

  /** The run is told why it ended, and the stage is emptied. */
  async function giveUp(error: unknown): Promise<void> {
    report.error = documentOf(error);
    const { code, message } = report.error;
    if (report.phases.import?.status === 'failed' && code !== 'CANCELLED' && code !== 'LEASE_LOST')
      report.error = { ...report.error, message: `Batch import failed: ${message}` };
    if (
      state.claim?.status === 'claimed' &&
      report.error.code !== 'LEASE_LOST' &&
      report.error.code !== 'VERIFY_FAILED'
    ) {
      await anywhere.fail({ ...runOf(input, state.claim), error: report.error, counts: report.counts });
    }
    if (state.plan) await clearStage();
  }

  function clearStage(): Promise<void> {
    return brief.clearStage({ input, stageId: state.stageId });
  }

  async function goOnAsNew(): Promise<never> {
    return continueAsNew<typeof importDirectory>(input, state);
  }
}

type SliceWork = Activities['hashSlice'];

const differs = ({ item, line }: { item: string; line: number }): FailedItem => ({
  item,
  kind: 'licence',
  code: 'VERIFY_FAILED',
  message: `Licence ${line} of the file is missing in the database, or differs from it.`,
});
