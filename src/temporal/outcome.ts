/** The end of any workflow, waited for through outages of Temporal. */
import {
  isGrpcServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowHandle,
} from '@temporalio/client';
import { IntakeError } from '../errors.ts';

/** gRPC's DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE and a broken stream: the server is away or busy. */
const OUTAGE = new Set([1, 2, 4, 8, 13, 14]);

/** The same of any workflow; `failed` says what its failure stands for. */
export async function resultOf<T>(
  handle: WorkflowHandle,
  failed: (error: WorkflowFailedError) => T | Promise<T>,
  onOutage?: () => void,
): Promise<T> {
  let away = false;
  for (;;) {
    try {
      return (await handle.result()) as T;
    } catch (error) {
      if (error instanceof WorkflowFailedError) return await failed(error);
      if (error instanceof WorkflowNotFoundError)
        throw new IntakeError('RUN_NOT_FOUND', 'Temporal knows no such import', { cause: error });
      if (!isOutage(error)) throw error;
      // Temporal is away for a while; the import is not.
      if (!away) onOutage?.();
      away = true;
      await new Promise((wake) => setTimeout(wake, 1000));
    }
  }
}

function isOutage(error: unknown): boolean {
  const cause = error instanceof Error && !isGrpcServiceError(error) ? error.cause : error;
  return isGrpcServiceError(cause) && OUTAGE.has(cause.code);
}
