/** What a running import says, and how it ended. */
import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { PROGRESS_QUERY, type ImportReport } from '../messages/imports.ts';
import { ERRORS } from '../errors.ts';
import { resultOf } from '../temporal/outcome.ts';

/**
 * Waits for the end of an import, through outages of Temporal. An import that failed is no error: the report says so.
 * @param onOutage called once when Temporal does not answer.
 * @throws IntakeError RUN_NOT_FOUND; what Temporal refuses.
 */
export function importResult(handle: WorkflowHandle, onOutage?: () => void): Promise<ImportReport> {
  return resultOf(handle, (error) => failedReport(handle, error), onOutage);
}

/** The report of a running import, or undefined when no worker answers now. */
export async function importProgress(handle: WorkflowHandle): Promise<ImportReport | undefined> {
  try {
    return await handle.query<ImportReport>(PROGRESS_QUERY);
  } catch {
    return undefined;
  }
}

async function failedReport(handle: WorkflowHandle, { cause }: WorkflowFailedError): Promise<ImportReport> {
  const [details] = cause instanceof ApplicationFailure ? ((cause.details ?? []) as ImportReport[]) : [];
  if (details?.phases) return details;
  const cancelled = cause instanceof CancelledFailure;
  // A closed workflow still answers its query while a worker can replay it.
  const last = await importProgress(handle);
  const code = cancelled ? 'CANCELLED' : cause instanceof TerminatedFailure ? 'CANCELLED' : 'INTERNAL';
  return {
    ...(last ?? emptyReport()),
    status: cancelled ? 'cancelled' : 'failed',
    error: last?.error ?? {
      code,
      message: cancelled ? 'The import was cancelled' : 'The import was ended from outside',
      remedy: ERRORS[code].remedy,
    },
  };
}

/** The report of an import that has not begun. */
export const emptyReport = (): ImportReport => ({
  status: 'failed',
  runId: null,
  duplicateOf: null,
  parentRunId: null,
  storagePath: null,
  startedAt: new Date().toISOString(),
  counts: { fetched: 0, inserted: 0, updated: 0, skipped: 0, errored: 0 },
  codes: {},
  phases: {},
});
