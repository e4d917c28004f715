/** What Temporal knows of a run: the report of its workflow, while it runs and after it. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { importProgress, importResult } from '../../imports/follow.ts';
import { standstillOf, type Standstill } from '../../temporal/standstill.ts';
import type { ImportReport } from '../../messages/imports.ts';
import type { RunDetails } from '../userRows.ts';

/** A page waits no longer; without a report it shows what the database has. */
const PATIENCE_MS = 1_500;

export interface WorkflowState {
  /** Whether the workflow runs; undefined when Temporal does not answer in time. */
  readonly running?: boolean;
  readonly report?: ImportReport;
  /** Why it cannot go on. */
  readonly standstill?: Standstill;
}

/** The execution that works or worked on the run: a later attempt at the same batch is another. */
export async function workflowState(
  client: Client,
  {
    id: runId,
    status,
    workflow_id: workflowId,
    execution,
  }: Pick<RunDetails, 'id' | 'status' | 'workflow_id' | 'execution'>,
): Promise<WorkflowState> {
  if (status === 'duplicate' || !workflowId?.startsWith('import/')) return {};
  const settled = status === 'completed' || status === 'rolled_back';
  const handle = client.workflow.getHandle(workflowId);
  let running: boolean | undefined;
  const ask = async (): Promise<WorkflowState> => {
    const latest = await handle.describe();
    const first = latest.raw.workflowExecutionInfo?.firstRunId || latest.runId;
    running = latest.status.name === 'RUNNING' && (!settled || first === execution);
    // First, since a workflow that stands still answers no query.
    const standstill = running ? await standstillOf(handle) : undefined;
    if (standstill) return { running, standstill };
    const report = running
      ? await importProgress(handle)
      : await importResult(client.workflow.getHandle(workflowId, execution ?? undefined));
    return report && (running || (report.runId === runId && report.status !== 'in_progress'))
      ? { running, report }
      : { running };
  };
  return withinTime(
    ask().catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) running ??= false;
      return running === undefined ? {} : { running };
    }),
    () => (running === undefined ? {} : { running }),
  );
}

/** The report of an import that is known to run. */
export const runningReport = (client: Client, workflowId: string | null): Promise<ImportReport | undefined> =>
  withinTime(
    workflowId?.startsWith('import/')
      ? importProgress(client.workflow.getHandle(workflowId))
      : Promise.resolve(undefined),
    () => undefined,
  );

async function withinTime<T>(answer: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), PATIENCE_MS);
  });
  return Promise.race([answer, waited]).finally(() => clearTimeout(timer));
}
