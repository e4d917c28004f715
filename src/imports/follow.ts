/** What a running import says, and how it ended. */
import type { WorkflowHandle } from '@temporalio/client';
import { emptyReport, PROGRESS_QUERY, type ImportReport } from '../messages/imports.ts';
import { outcomeOf, type FailedWorkflow } from '../temporal/outcome.ts';

/**
 * Waits for the end of an import, through outages of Temporal. An import that failed is no error: the report says so.
 * @param onOutage called once when Temporal does not answer.
 * @throws IntakeError RUN_NOT_FOUND; what Temporal refuses.
 */
export async function importResult(handle: WorkflowHandle, onOutage?: () => void): Promise<ImportReport> {
  const outcome = await outcomeOf<ImportReport>(handle, 'import', onOutage);
  return outcome.status === 'completed' ? outcome.answer : failedReport(handle, outcome);
}

/** The report of a running import, or undefined when no worker is responding now. */
export async function importProgress(handle: WorkflowHandle): Promise<ImportReport | undefined> {
  try {
    return await handle.query<ImportReport>(PROGRESS_QUERY);
  } catch {
    return undefined;
  }
}

async function failedReport(handle: WorkflowHandle, { status, error, report }: FailedWorkflow): Promise<ImportReport> {
  if (isReport(report)) return report;
  // A closed workflow still answers its query while a worker can replay it.
  const last = await importProgress(handle);
  return {
    ...(last ?? emptyReport(new Date().toISOString())),
    status: status === 'cancelled' ? 'cancelled' : 'failed',
    error: last?.error ?? error,
  };
}

const isReport = (report: unknown): report is ImportReport =>
  typeof report === 'object' && report !== null && 'phases' in report;
