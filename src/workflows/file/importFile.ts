/**
 * One import of one file: plan, hash, claim, upload, parse, upsert, finalize, reconcile (runbooks 000 to 002).
 * A dry run takes the same way up to counting, claims nothing and leaves nothing.
 */
import { ApplicationFailure, continueAsNew, defineQuery, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { PartRequest, PartAnswer } from '../../messages/partitions.ts';
import { conclude, finalize, reconcile, runOf, workersOf } from '../promotion/conclusion.ts';
import {
  PROGRESS_QUERY,
  type Claim,
  type Content,
  type ImportInput,
  type ImportReport,
  type Plan,
} from '../../messages/imports.ts';
import { phase, show } from '../promotion/progress.ts';
import { addPart, describe, exceeds, forgetCounts, newReport, refuse } from '../promotion/report.ts';
import { documentOf } from '../failure.ts';
import { inWindow } from '../window.ts';

/** What an execution hands to its successor when its history has grown long. */
export interface ImportState {
  readonly report: ImportReport;
  readonly stageId: string;
  /** Names the claim across executions. */
  readonly token: string;
  plan?: Plan;
  content?: Content;
  claim?: Claim;
  partitions: number;
  parsed: number;
  resolved?: boolean;
  settled: number;
}

export async function importFile(input: ImportInput, carried?: ImportState): Promise<ImportReport> {
  const state = carried ?? begin(input);
  const { report } = state;
  setHandler(defineQuery<ImportReport>(PROGRESS_QUERY), () => report);

  const { onHost, overAll: overFile, anywhere } = workersOf(input);

  return conclude(report, input.mode, steps, giveUp);

  async function steps(): Promise<ImportReport | void> {
    await readFile();
    if (input.mode === 'commit') {
      if (!(await claim())) return refuse(report, state.claim as Claim);
      await upload();
    } else if (input.mode === 'dry-run') {
      report.duplicateOf = (await anywhere.findRun(input)).completedRunId;
    }

    // A database crash empties the unlogged stage: the chunks are parsed again, what is in the ledger stays done.
    do await parse();
    while ((await (exceeds(input, report) ? stopAtThreshold() : settle())) === 'stage-lost');

    if (input.mode === 'commit') {
      await finalize(anywhere, runOf(input, state.claim), report, { plan: report.plan });
      await reconcile(anywhere, runOf(input, state.claim), report);
    } else {
      await leaveFiles();
    }
    await clearStage();
  }

  /** Plan looks at the beginning, hash at every byte: from here on a file that changes is a clear failure. */
  async function readFile(): Promise<void> {
    const plan = (state.plan ??= await phase(report, 'plan', () => onHost.plan(input)));
    const content = (state.content ??= await phase(report, 'hash', () => overFile.hash({ input, plan })));
    state.partitions ||= Math.max(1, Math.ceil(content.rows / input.tuning.partitionRows));
    describe(report, plan, content);
  }

  /** The worker id is the workflow id, so that a retry claims again and a stranger does not. */
  async function claim(): Promise<boolean> {
    const { plan, content, token, partitions } = state as Required<ImportState>;
    const { workflowId } = workflowInfo();
    state.claim ??= await phase(report, 'claim', () =>
      anywhere.claim({ input, plan, content, partitions, workflowId, token }),
    );
    if (state.claim.status !== 'claimed') return false;
    report.runId = state.claim.runId;
    state.partitions = state.claim.partitions;
    return true;
  }

  /** The parts in storage are the original, byte for byte; other hosts parse from there. */
  async function upload(): Promise<void> {
    if (report.phases.upload?.status === 'completed') return;
    await phase(
      report,
      'upload',
      async (p) => {
        const { parts, skipped } = await overFile.upload({
          ...runOf(input, state.claim),
          input,
          content: state.content as Content,
        });
        Object.assign(p, { done: parts, skipped });
      },
      (state.content as Content).chunks,
    );
  }

  /** Every chunk into the stage. */
  async function parse(): Promise<void> {
    const { plan, content, stageId, partitions } = state as Required<ImportState>;
    const stored = input.mode === 'commit' && input.tuning.sharedObjects;
    const parser = stored ? anywhere : onHost;
    await phase(
      report,
      'parse',
      async (p) => {
        p.done = state.parsed;
        state.parsed = await inWindow(state.parsed, content.chunks, input.tuning.window, async (chunk) => {
          const { rows, errored, codes } = await parser.parse({
            input,
            plan,
            content,
            runId: state.claim?.runId ?? null,
            stageId,
            chunk,
            partitions,
            stored,
          });
          p.done++;
          p.failed += errored;
          report.counts.fetched += rows;
          report.counts.errored += errored;
          for (const [code, n] of Object.entries(codes)) report.codes[code] = (report.codes[code] ?? 0) + n;
          show(report);
        });
        if (state.parsed < content.chunks) await goOnAsNew();
      },
      content.chunks,
    );
  }

  /** Every key partition into the tables; a dry run counts, a verification compares. */
  async function settle(): Promise<'settled' | 'stage-lost'> {
    const { mode } = input;
    if (mode === 'verify') return eachPartition('compare', anywhere.comparePartition);
    if (state.plan?.resolves && !(await resolve())) return startOver();
    return eachPartition('upsert', mode === 'commit' ? anywhere.upsertPartition : anywhere.countPartition);
  }

  /** Who is who, once for the whole run: the answer is the same in any order of work. False when the stage is lost. */
  async function resolve(): Promise<boolean> {
    const { stageId, partitions } = state;
    const { chunks } = state.content as Content;
    state.resolved ||= await phase(
      report,
      'resolve',
      async (p) => {
        const { rows, stageLost } = await anywhere.resolve({
          input,
          stageId,
          chunks,
          partitions,
          runId: state.claim?.runId ?? null,
          lease: runOf(input, state.claim).lease,
        });
        p.done = rows;
        return !stageLost;
      },
      report.counts.fetched,
    );
    return state.resolved;
  }

  /** Nothing reaches a production table; the rows of a commit land as they are, so that rejects exist. */
  async function stopAtThreshold(): Promise<'stage-lost'> {
    if (input.mode === 'commit' && (await eachPartition('upsert', anywhere.stopPartition)) === 'stage-lost')
      return 'stage-lost';
    const { errored, fetched } = report.counts;
    throw ApplicationFailure.nonRetryable(
      `${errored} of ${fetched} rows are rejected, more than --max-errors allows`,
      'TOO_MANY_ERRORS',
    );
  }

  async function eachPartition(
    name: 'upsert' | 'compare',
    work: (part: PartRequest) => Promise<PartAnswer>,
  ): Promise<'settled' | 'stage-lost'> {
    let lost = false;
    await phase(
      report,
      name,
      async (p) => {
        p.done = state.settled;
        state.settled = await inWindow(state.settled, state.partitions, input.tuning.window, async (part) => {
          if (lost) return;
          const answer = await work({
            ...runOf(input, state.claim),
            input,
            stageId: state.stageId,
            chunks: (state.content as Content).chunks,
            part,
          });
          if (answer.stageLost) {
            lost = true;
            return;
          }
          p.done++;
          addPart(report, answer);
          show(report);
        });
        if (!lost && state.settled < state.partitions) await goOnAsNew();
      },
      state.partitions,
    );
    return lost ? startOver() : 'settled';
  }

  function startOver(): 'stage-lost' {
    Object.assign(state, { parsed: 0, resolved: false, settled: 0 });
    forgetCounts(report);
    return 'stage-lost';
  }

  /** What a dry run leaves beside the source for who asked: the stage is gone afterwards. */
  async function leaveFiles(): Promise<void> {
    const { content, stageId, plan } = state;
    if (input.rejectsPath && content) await onHost.writeRejects({ input, content });
    if (input.operationsPath && plan?.resolves)
      await onHost.writeOperations({ input, stageId, rows: report.counts.fetched });
  }

  /** The run is told why it ended, and the stage is emptied. */
  async function giveUp(error: unknown): Promise<void> {
    report.error = documentOf(error);
    if (state.claim?.status === 'claimed' && report.error.code !== 'LEASE_LOST') {
      await anywhere.fail({ ...runOf(input, state.claim), error: report.error, counts: report.counts });
    }
    if (state.content) await clearStage();
  }

  function clearStage(): Promise<void> {
    return anywhere.clearStage({ input, stageId: state.stageId });
  }

  async function goOnAsNew(): Promise<never> {
    return continueAsNew<typeof importFile>(input, state);
  }
}

function begin(input: ImportInput): ImportState {
  return {
    report: newReport(input),
    stageId: uuid4(),
    token: workflowInfo().firstExecutionRunId,
    partitions: 0,
    parsed: 0,
    settled: 0,
  };
}
