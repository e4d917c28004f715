/** Why a workflow failed, as its command says it. */
import type { WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { ERRORS, IntakeError, type ErrorCode } from '../errors.ts';

export function workflowError({ cause }: WorkflowFailedError, what: string): IntakeError {
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  if (!(failure instanceof ApplicationFailure) || !failure.type || !(failure.type in ERRORS))
    return new IntakeError('INTERNAL', what, { cause });
  const [remedy] = (failure.details ?? []) as unknown[];
  return new IntakeError(failure.type as ErrorCode, `${what}: ${failure.message}`, {
    cause,
    ...(typeof remedy === 'string' ? { remedy } : {}),
  });
}
