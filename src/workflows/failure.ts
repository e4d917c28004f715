/** A failure as a document: code, message, remedy. */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { ErrorDocument } from '../messages/imports.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';

/** Code, message and remedy of what ended an import. */
export function documentOf(error: unknown): ErrorDocument {
  if (isCancellation(error))
    return { code: 'CANCELLED', message: 'The import was cancelled', remedy: ERRORS.CANCELLED.remedy };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const failure = cause instanceof ApplicationFailure ? cause : undefined;
  const code = (failure?.type && failure.type in ERRORS ? failure.type : 'INTERNAL') as ErrorCode;
  const [remedy] = (failure?.details ?? []) as unknown[];
  return {
    code,
    message: cause instanceof Error ? cause.message : 'failed',
    remedy: typeof remedy === 'string' ? remedy : ERRORS[code].remedy,
  };
}
