/**
 * workflows/push/: A file of projects to the gateway, now and by schedule.
 *
 * A file of projects to the gateway, batch after batch (runbook 003); `push/<tenant>`, so that a tenant has one push
 * at a time.
 */
import { continueAsNew, defineQuery, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import { PROGRESS_QUERY } from '../../messages/imports.ts';
import { activityProxies, EVENTS_PER_EXECUTION } from '../policies.ts';
import { executionId, now } from '../execution.ts';
import { noMetrics, type PushedBatch, type PushInput, type PushReport } from '../../messages/push.ts';
import { leftOutError, runToEnd } from '../failure.ts';

/** Runbook 003: one request a second. */
const PACE_MS = 1000;
/** Batches that the report names; the sums are of all. */
const SHOWN_BATCHES = 100;

export async function pushProjects(input: PushInput, previousReport?: PushReport): Promise<PushReport> {
  const report = previousReport ?? initialReport(input);
  setHandler(defineQuery<PushReport>(PROGRESS_QUERY), () => report);
  const { correlationId, startedAt } = report;
  const push = { ...input, correlationId, startedAt };
  const proxies = { ...input, hostPatience: 'schedule' } as const;
  const { anyWorker, fileHost } = activityProxies(proxies);

  return runToEnd(report, steps, { recordFailure: clear, end: (status) => finishReport(report, status) });

  async function steps(): Promise<PushReport> {
    if (report.total === 0) {
      const { rows, batches, leftOut, firstLeftOut, remarks } = await fileHost.splitPush(push);
      Object.assign(
        report,
        { rows, total: batches },
        leftOut ? { leftOut, firstLeftOut } : {},
        remarks ? { remarks } : {},
      );
    }
    while (report.done < report.total) {
      publishProgress(report);
      const summary = `batch ${report.done + 1} of ${report.total}`;
      const batch = await activityProxies({ ...proxies, summary }).fileHost.postBatch({ push, index: report.done });
      add(report, batch);
      if (report.done < report.total && batch.ms < PACE_MS)
        await sleep(PACE_MS - batch.ms, { summary: 'one request a second' });
      if (report.done < report.total && workflowInfo().historyLength > EVENTS_PER_EXECUTION)
        await continueAsNew<typeof pushProjects>(input, report);
    }
    if (input.remember) await anyWorker.rememberPush({ push, report: { rows: report.rows, total: report.total } });
    await clear();
    if (report.leftOut) report.error = leftOutError(report);
    return finishReport(report, 'completed');
  }

  /** What a host that is gone keeps is swept by its next push. */
  async function clear(): Promise<void> {
    await fileHost.clearPush(push).catch(() => undefined);
  }
}

function initialReport({ tenantId, filename, fileHash }: PushInput): PushReport {
  return {
    status: 'running',
    tenantId,
    filename,
    fileHash,
    correlationId: executionId(),
    startedAt: now(),
    rows: 0,
    posted: 0,
    total: 0,
    done: 0,
    batches: [],
    metrics: noMetrics(),
  };
}

function add(report: PushReport, batch: PushedBatch): void {
  report.done++;
  report.posted += batch.rows;
  report.batches = [...report.batches, batch].slice(-SHOWN_BATCHES);
  for (const name of Object.keys(report.metrics) as (keyof PushReport['metrics'])[])
    report.metrics[name] += batch.metrics[name] ?? 0; // recorded histories lack the newer ones
}

function finishReport(report: PushReport, status: PushReport['status']): PushReport {
  report.status = status;
  report.finishedAt = now();
  publishProgress(report);
  return report;
}

function publishProgress({
  status,
  filename,
  tenantId,
  done,
  total,
  rows,
  posted,
  metrics,
  correlationId,
  error,
}: PushReport): void {
  const sums = Object.entries(metrics).map(([name, n]) => `- ${name}: ${n}`);
  setCurrentDetails(
    [
      `**${status}** · ${filename} for ${tenantId}: ${done} of ${total} batches, ${posted} of ${rows} rows · correlation \`${correlationId}\``,
      '',
      ...sums,
      ...(error ? ['', `**${error.code}** ${error.message}`] : []),
    ].join('\n'),
  );
}
