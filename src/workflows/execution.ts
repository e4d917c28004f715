/** What an execution knows of itself: the same at every replay. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { patched, uuid4, workflowInfo } from '@temporalio/workflow';

export const now = (): string => new Date().toISOString();

const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** The time a schedule meant, however late its workflow began; now for one that was started by hand. */
export const scheduledTime = (): Date => workflowInfo().typedSearchAttributes.get(scheduledStart) ?? new Date();

/**
 * The same at every replay, also when traces were switched on or off meanwhile: their interceptors draw from the random numbers that
 * `uuid4()` draws from.
 */
export const executionId = (): string => (patched('ids-of-executions') ? workflowInfo().firstExecutionRunId : uuid4());
