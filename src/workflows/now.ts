/** The time, as a workflow may know it: the same at every replay. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

export const now = (): string => new Date().toISOString();

const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** The time a schedule meant, however late its workflow began; now for one that was started by hand. */
export const scheduledTime = (): Date => workflowInfo().typedSearchAttributes.get(scheduledStart) ?? new Date();
