/**
 * workflows/file/: The import of one file.
 *
 * One import of one file: plan, hash, claim, upload, parse, upsert, finalize, reconcile (runbooks 000 to 002). A dry
 * run takes the same way up to counting, claims nothing and leaves nothing.
 */
import { ApplicationFailure, continueAsNew, defineQuery, setHandler, workflowInfo } from '@temporalio/workflow';
import { addRemarks } from '../../messages/remarks.ts';
import {
  PROGRESS_QUERY,
  type Content,
  type ImportInput,
  type ImportReport,
  type Plan,
} from '../../messages/imports.ts';
import type { PartAnswer, PartRequest } from '../../messages/partitions.ts';
import { executionId } from '../execution.ts';
import { publishProgress, runPhase } from '../promotion/progress.ts';
import { promotionOf, type PromotionState } from '../promotion/promotion.ts';
import { addFileFacts, createReport, overErrorLimit, resetCounts } from '../promotion/report.ts';

/** What an execution hands to its successor when its history has grown long. */
export interface ImportState extends PromotionState {
  plan?: Plan;
  content?: Content;
  parsed: number;
  resolved?: boolean;
  /** Partitions that are done. */
  settled: number;
}

export async function importFile(input: ImportInput, previousState?: ImportState): Promise<ImportReport> {
  const state = previousState ?? initialState(input);
  const { report } = state;
  setHandler(defineQuery<ImportReport>(PROGRESS_QUERY), () => report);

  const promotion = promotionOf({
    input,
    state,
    database: () => anyWorker,
    continueExecution: () => continueAsNew<typeof importFile>(input, state),
    mayBeStaged: () => state.content !== undefined,
  });
  const { fileHost, anyWorker } = promotion.activities;

  return promotion.runToEnd(async () => {
    await readFile();
    if (input.mode === 'commit') {
      const refused = await promotion.claim(claim);
      if (refused) return refused;
      await upload();
    } else if (input.mode === 'dry-run') {
      report.duplicateOf = (await anyWorker.findRun(input)).completedRunId;
    }
    await promotion.promote({ stage: parse, partitions, startOver });
    if (input.mode === 'commit') await promotion.complete({ plan: report.plan });
    else await writeDryRunFiles();
    await promotion.clearStage();
  });

  /** Plan looks at the beginning, hash at every byte: from here on a file that changes is a clear failure. */
  async function readFile(): Promise<void> {
    const plan = (state.plan ??= await runPhase(report, 'plan', () => fileHost.plan(input)));
    const content = (state.content ??= await runPhase(report, 'hash', () => fileHost.hash({ input, plan })));
    state.partitions ||= Math.max(1, Math.ceil(content.rows / input.tuning.partitionRows));
    addFileFacts(report, plan, content);
  }

  /** The worker id is the workflow id, so that a retry claims again and another workflow does not. */
  function claim() {
    const { plan, content, token, partitions } = state as Required<ImportState>;
    const { workflowId } = workflowInfo();
    return anyWorker.claim({ input, plan, content, partitions, workflowId, token });
  }

  /** The parts in storage are the original, byte for byte; other hosts parse from there. */
  async function upload(): Promise<void> {
    if (report.phases.upload?.status === 'completed') return;
    const { content } = state as Required<ImportState>;
    await runPhase(
      report,
      'upload',
      async (p) => {
        const { parts, skipped } = await fileHost.upload({ ...promotion.run(), input, content });
        Object.assign(p, { done: parts, skipped });
      },
      content.chunks,
    );
  }

  /** Every chunk into the stage. */
  async function parse(): Promise<void> {
    const { plan, content, stageId, partitions } = state as Required<ImportState>;
    const runId = state.claim?.runId ?? null;
    const stored = input.mode === 'commit' && input.tuning.sharedObjects;
    const parser = stored ? anyWorker : fileHost;
    await runPhase(
      report,
      'parse',
      async (p) => {
        p.done = state.parsed;
        const parseChunk = async (chunk: number): Promise<void> => {
          const request = { input, plan, content, runId, stageId, chunk, partitions, stored };
          const { rows, errored, codes, remarks } = await parser.parse(request);
          p.done++;
          p.failed += errored;
          report.counts.fetched += rows;
          report.counts.errored += errored;
          for (const [code, n] of Object.entries(codes)) report.codes[code] = (report.codes[code] ?? 0) + n;
          addRemarks((report.remarks ??= {}), remarks);
          publishProgress(report);
        };
        await promotion.each(state.parsed, content.chunks, parseChunk, (next) => (state.parsed = next));
      },
      content.chunks,
    );
  }

  /** Every key partition into the tables; a dry run counts, a verification compares. */
  async function partitions(): Promise<'done' | 'stage-lost'> {
    if (overErrorLimit(input, report)) {
      if (!state.claim?.promoted) return abort();
      report.limitIgnored = true;
    }
    if (input.mode === 'verify') return eachPartition('compare', anyWorker.comparePartition);
    if (state.plan?.resolves && !(await resolve())) return 'stage-lost';
    return eachPartition('upsert', input.mode === 'commit' ? anyWorker.upsertPartition : anyWorker.countPartition);
  }

  function eachPartition(name: 'upsert' | 'compare', work: (part: PartRequest) => Promise<PartAnswer>) {
    const { chunks } = state.content as Content;
    return runPhase(
      report,
      name,
      async (p) => {
        p.done = state.settled;
        const keep = (next: number) => (state.settled = next);
        return promotion.eachPartition({ from: state.settled, chunks, work, keep, add: () => p.done++ });
      },
      state.partitions,
    );
  }

  /** Who is who, once for the whole run: the answer is the same in any order of work. False when the stage is lost. */
  async function resolve(): Promise<boolean> {
    const { stageId, partitions } = state;
    const { chunks } = state.content as Content;
    const runId = state.claim?.runId ?? null;
    const { lease } = promotion.run();
    state.resolved ||= await runPhase(
      report,
      'resolve',
      async (p) => {
        const { rows, stageLost, match, remarks } = await anyWorker.resolve({
          input,
          stageId,
          chunks,
          partitions,
          runId,
          lease,
        });
        p.done = rows;
        if (match) report.match = match;
        addRemarks((report.remarks ??= {}), remarks);
        return !stageLost;
      },
      report.counts.fetched,
    );
    return state.resolved;
  }

  /** Nothing reaches a production table; the rows of a commit land as they are, so that rejects exist. */
  async function abort(): Promise<'stage-lost'> {
    if (input.mode === 'commit' && (await eachPartition('upsert', anyWorker.stopPartition)) === 'stage-lost')
      return 'stage-lost';
    const { errored, fetched } = report.counts;
    throw ApplicationFailure.nonRetryable(
      `${errored} of ${fetched} rows are rejected, more than --max-errors allows`,
      'TOO_MANY_ERRORS',
    );
  }

  function startOver(): void {
    Object.assign(state, { parsed: 0, resolved: false, settled: 0 });
    resetCounts(report);
  }

  /** What a dry run leaves beside the source for the caller: the stage is gone afterwards. */
  async function writeDryRunFiles(): Promise<void> {
    const { content, stageId, plan } = state;
    if (input.rejectsPath && content) await fileHost.writeRejects({ input, plan, content });
    if (input.differencesPath && content)
      await fileHost.writeDifferences({ input, stageId, partitions: state.partitions });
    if (input.operationsPath && plan?.resolves)
      await fileHost.writeOperations({ input, stageId, rows: report.counts.fetched });
  }
}

const initialState = (input: ImportInput): ImportState => ({
  report: createReport(input),
  stageId: executionId(),
  token: workflowInfo().firstExecutionRunId,
  partitions: 0,
  parsed: 0,
  settled: 0,
});
