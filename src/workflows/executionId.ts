/** What an execution and those that continue it name their things by. */
import { patched, uuid4, workflowInfo } from '@temporalio/workflow';

/**
 * The same at every replay, also when traces were switched on or off meanwhile: their interceptors draw from the random numbers that
 * `uuid4()` draws from.
 */
export const executionId = (): string => (patched('ids-of-executions') ? workflowInfo().firstExecutionRunId : uuid4());
