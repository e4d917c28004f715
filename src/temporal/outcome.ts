/** The end of any workflow, waited for through outages of Temporal, and what its failure says. */
import {
  isGrpcServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
} from '@temporalio/common';
import { ERRORS, IntakeError, type ErrorCode } from '../errors.ts';
import type { ErrorDocument } from '../messages/imports.ts';

/** gRPC's DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE and a broken stream: the server is unavailable or busy. */
const OUTAGE_CODES = new Set([1, 2, 4, 8, 13, 14]);

export interface FailedWorkflow {
  /** `terminated`: ended from outside, by an operator or by a limit of time. */
  readonly status: 'failed' | 'cancelled' | 'terminated';
  readonly error: ErrorDocument & { readonly code: ErrorCode };
  /** What the workflow reported with its failure: the report of its steps. */
  readonly report?: unknown;
  readonly cause: unknown;
}

export type Outcome<T> = { readonly status: 'completed'; readonly answer: T } | FailedWorkflow;

/**
 * @param what the workflow is, for messages: `import`, `push`.
 * @param onOutage called once when Temporal does not answer.
 * @throws IntakeError RUN_NOT_FOUND; what Temporal refuses.
 */
export async function outcomeOf<T>(handle: WorkflowHandle, what: string, onOutage?: () => void): Promise<Outcome<T>> {
  let unavailable = false;
  for (;;) {
    try {
      return { status: 'completed', answer: (await handle.result()) as T };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return failureOf(error, what);
      if (error instanceof WorkflowNotFoundError)
        throw new IntakeError('RUN_NOT_FOUND', 'Temporal knows no such import', { cause: error });
      if (!isOutage(error)) throw error;
      // Temporal is unavailable for a while; the workflow is not.
      if (!unavailable) onOutage?.();
      unavailable = true;
      await new Promise((wake) => setTimeout(wake, 1000));
    }
  }
}

/** The answer of a workflow that fails as its caller does. @throws IntakeError with the workflow's code; `failed` begins the message. */
export async function answerOf<T>(
  handle: WorkflowHandle,
  what: string,
  failed: string,
  onOutage?: () => void,
): Promise<T> {
  const outcome = await outcomeOf<T>(handle, what, onOutage);
  if (outcome.status === 'completed') return outcome.answer;
  const { code, message, remedy } = outcome.error;
  throw new IntakeError(code, `${failed}: ${message}`, { remedy, cause: outcome.cause });
}

/** What a workflow that failed said: the one reader of `runToEnd` in workflows/failure.ts. */
export function failureOf({ cause }: WorkflowFailedError, what: string): FailedWorkflow {
  if (cause instanceof CancelledFailure)
    return { status: 'cancelled', error: documentFor('CANCELLED', `The ${what} was cancelled`), cause };
  const failure = cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure ? cause.cause : cause;
  if (!(failure instanceof ApplicationFailure)) {
    const code = failure instanceof TerminatedFailure ? 'CANCELLED' : 'INTERNAL';
    return { status: 'terminated', error: documentFor(code, `The ${what} was ended from outside`), cause };
  }
  const [details] = (failure.details ?? []) as unknown[];
  const error = hasError(details) ? details.error : undefined;
  const code = (failure.type && failure.type in ERRORS ? failure.type : 'INTERNAL') as ErrorCode;
  // Before 0.4.0 some workflows gave their remedy alone.
  const remedy = error?.remedy ?? (typeof details === 'string' ? details : ERRORS[code].remedy);
  return { status: 'failed', error: { code, message: failure.message, remedy }, report: details, cause };
}

const documentFor = (code: ErrorCode, message: string): FailedWorkflow['error'] => ({
  code,
  message,
  remedy: ERRORS[code].remedy,
});

const hasError = (details: unknown): details is { error: ErrorDocument } =>
  typeof details === 'object' && details !== null && 'error' in details;

function isOutage(error: unknown): boolean {
  const cause = error instanceof Error && !isGrpcServiceError(error) ? error.cause : error;
  return isGrpcServiceError(cause) && OUTAGE_CODES.has(cause.code);
}
