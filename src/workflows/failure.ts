/** How a workflow fails: with a code of the table, and a report that carries code, message and remedy. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  ContinueAsNew,
  isCancellation,
  log,
} from '@temporalio/workflow';
import type { ErrorDocument } from '../messages/imports.ts';
import type { LeftOut, PushReport } from '../messages/push.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';

/** What travels with a failure; temporal/outcome.ts reads it. */
export interface FailureReport {
  error?: ErrorDocument;
}

export interface Epilogue {
  /** Tells others of the failure and tidies up, also when the workflow was cancelled; that it fails itself is noted, no more. */
  recordFailure?(error: unknown): Promise<unknown>;
  /** Ends the report. */
  end?(status: 'failed' | 'cancelled'): void;
}

/** Runs a workflow's steps to their answer. When they fail, the report gets their error and goes with the workflow's failure. */
export async function runToEnd<T>(
  report: FailureReport,
  steps: () => Promise<T>,
  { recordFailure = async () => undefined, end = () => undefined }: Epilogue = {},
): Promise<T> {
  try {
    return await steps();
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    report.error = documentOf(error);
    try {
      await CancellationScope.nonCancellable(() => recordFailure(error));
    } catch (second) {
      log.warn('The failure could not be recorded', { code: documentOf(second).code });
    }
    end(isCancellation(error) ? 'cancelled' : 'failed');
    if (isCancellation(error)) throw error;
    const { code, message } = report.error;
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [report] });
  }
}

/** Code, message and remedy of what ended a workflow's steps. */
export function documentOf(error: unknown): ErrorDocument {
  if (isCancellation(error))
    return { code: 'CANCELLED', message: 'The import was cancelled', remedy: ERRORS.CANCELLED.remedy };
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  const failure = cause instanceof ApplicationFailure ? cause : undefined;
  const code = (failure?.type && failure.type in ERRORS ? failure.type : 'INTERNAL') as ErrorCode;
  const [details] = (failure?.details ?? []) as (string | FailureReport | undefined)[];
  const remedy = typeof details === 'string' ? details : details?.error?.remedy;
  return { code, message: cause instanceof Error ? cause.message : 'failed', remedy: remedy ?? ERRORS[code].remedy };
}

/** A push that posted the other rows. */
export const leftOutError = ({ leftOut = 0, firstLeftOut = [] }: PushReport): ErrorDocument => ({
  code: 'ROWS_LEFT_OUT',
  message: `${leftOut} ${leftOut === 1 ? 'row is' : 'rows are'} left out: ${firstLeftOut.slice(0, 3).map(placed).join('; ')}${leftOut > 3 ? '; ...' : ''}`,
  remedy: ERRORS.ROWS_LEFT_OUT.remedy,
});

const placed = ({ row, line, code, column }: LeftOut): string =>
  `${line === undefined ? `row ${row}` : `line ${line}`} ${code}${column ? ` in ${column}` : ''}`;
