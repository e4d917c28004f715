import { Context } from '@temporalio/activity';

/** Of the workflow that the activity at work belongs to; a continued execution has it, too. */
export const workflowId = (): string => Context.current().info.workflowExecution?.workflowId ?? '';
