/** The daily push of a tenant (runbook 003): finds its files when the time has come and pushes them one after the other. */
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  continueAsNew,
  defineQuery,
  executeChild,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { attributeKey } from '../../messages/attributes.ts';
import { PROGRESS_QUERY } from '../../messages/imports.ts';
import { activityProxies, EVENTS_PER_EXECUTION } from '../policies.ts';
import { placeIn } from '../../messages/place.ts';
import { noMetrics, pushSettings, type PushReport } from '../../messages/push.ts';
import { pushOptions } from '../../messages/startOptions.ts';
import { pushProjects } from './pushProjects.ts';
import { documentOf, runToEnd } from '../failure.ts';
import type { ErrorCode } from '../../errors.ts';
import type { ErrorDocument } from '../../messages/imports.ts';
import type { FoundFile, FoundFiles, ScheduledPushInput, ScheduledPushReport } from '../../messages/schedules.ts';

/** A file that nobody can push, wherever to. */
const OF_THE_FILE: ReadonlySet<string> = new Set([
  'EMPTY_FILE',
  'FILE_NOT_FOUND',
  'FILE_UNREADABLE',
  'NOT_A_FILE',
  'CHANGED_FILE',
  'INVALID_ROW',
  'MISSING_COLUMNS',
  'DUPLICATE_HEADER',
  'HEADER_UNREADABLE',
] satisfies ErrorCode[]);

export async function scheduledPush(
  input: ScheduledPushInput,
  previousReport?: ScheduledPushReport,
): Promise<ScheduledPushReport> {
  const report: ScheduledPushReport = previousReport ?? {
    status: 'running',
    tenantId: input.tenantId,
    files: 0,
    leftOut: 0,
    rows: 0,
    batches: 0,
    metrics: noMetrics(),
  };
  setHandler(defineQuery<ScheduledPushReport>(PROGRESS_QUERY), () => report);
  const { fileHost } = activityProxies({ ...input, hostPatience: 'schedule' });

  return runToEnd(report, steps, { recordFailure: nameFile, end });

  async function steps(): Promise<ScheduledPushReport> {
    for (let more = true; more;) {
      if (workflowInfo().historyLength > EVENTS_PER_EXECUTION) await continueAsNew<typeof scheduledPush>(input, report);
      const found = report.failed?.length
        ? await fileHost.findPushFiles(input, report.failed)
        : await fileHost.findPushFiles(input);
      if (report.files === 0) report.leftOut = found.leftOut;
      for (const { filename, error } of found.unusable ?? []) note(filename, error);
      for (const file of found.files) await pushFound(file, found.type);
      more = found.more;
    }
    if (report.fault) {
      const { code, message } = report.fault;
      throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [{ error: report.fault }] });
    }
    if (report.files === 0)
      report.note =
        report.leftOut > 0 ? 'The folder has nothing that was not pushed before' : 'The folder has no CSV or JSON file';
    return end('completed');
  }

  /** Says at which file it failed. */
  async function nameFile(): Promise<void> {
    if (report.current && report.error)
      report.error = { ...report.error, message: `${report.current}: ${report.error.message}` };
  }

  /** What is wrong with a file; the run says the first at its end. */
  function note(filename: string, error: ErrorDocument): void {
    report.fault ??= { ...error, message: `${filename}: ${error.message}` };
  }

  async function pushFound(file: FoundFile, type: FoundFiles['type']): Promise<void> {
    report.current = file.filename;
    publishProgress();
    try {
      add(await pushWhenIdle(file, type === 'folder'));
    } catch (error) {
      const fault = error instanceof ChildWorkflowFailure ? documentOf(error) : undefined;
      // The other files of a folder are as good as before; what is wrong with the gateway is wrong for them, too.
      if (type !== 'folder' || !fault || !OF_THE_FILE.has(fault.code)) throw error;
      note(file.filename, fault);
      report.failed = [...(report.failed ?? []), file.fileHash];
      delete report.current;
    } finally {
      if (type === 'download')
        await CancellationScope.nonCancellable(() => fileHost.discardDownload(file).catch(() => undefined));
    }
  }

  /** A push that somebody started by hand ends first. */
  async function pushWhenIdle(
    { path, filename, fileHash, modifiedAt }: FoundFile,
    remember: boolean,
  ): Promise<PushReport> {
    const { backend, taskQueue, fileQueue, tenantId, timeZone, batchRows } = input;
    const args = {
      ...placeIn(input),
      backend,
      taskQueue,
      fileQueue,
      tenantId,
      timeZone,
      path,
      filename,
      fileHash,
      remember,
      ...pushSettings(input),
      batchRows,
      ...(modifiedAt ? { modifiedAt } : {}),
    };
    // It is found under the same word as the schedule that started this workflow.
    const kind = workflowInfo().typedSearchAttributes.get(attributeKey('kind'));
    for (let wait = 2; ; wait = Math.min(60, 2 * wait)) {
      try {
        return await executeChild(pushProjects, { ...pushOptions(args, { starter: 'schedule', kind }), args: [args] });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        await sleep(`${wait} s`, { summary: 'another push of this tenant is running' });
      }
    }
  }

  function add({ filename, rows, total, metrics, leftOut = 0, error: left }: PushReport): void {
    if (leftOut > 0) report.rowsLeftOut = (report.rowsLeftOut ?? 0) + leftOut;
    if (left) note(filename, left);
    report.files++;
    report.rows += rows;
    report.batches += total;
    for (const name of Object.keys(metrics) as (keyof PushReport['metrics'])[])
      report.metrics[name] += metrics[name] ?? 0;
    delete report.current;
    publishProgress();
  }

  function end(status: ScheduledPushReport['status']): ScheduledPushReport {
    report.status = status;
    publishProgress();
    return report;
  }

  function publishProgress(): void {
    const { status, tenantId, files, leftOut, rows, batches, metrics, current, note, error } = report;
    setCurrentDetails(
      [
        `**${status}** · ${tenantId}: ${files} files pushed, ${leftOut} left out · ${rows} rows in ${batches} batches`,
        `${metrics.inserted_projects} inserted, ${metrics.updated_projects} updated, ${metrics.anomalies_count} anomalies`,
        ...[current && `Now: ${current}`, note, error && `**${error.code}** ${error.message}`].filter(
          (line) => line !== undefined,
        ),
      ].join('\n\n'),
    );
  }
}
