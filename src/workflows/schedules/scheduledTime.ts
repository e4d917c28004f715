/** The time a schedule meant, however late its workflow began; now for one that was started by hand. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

const scheduledStart = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

export const scheduledTime = (): Date => workflowInfo().typedSearchAttributes.get(scheduledStart) ?? new Date();
