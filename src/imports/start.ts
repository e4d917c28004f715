/** Starting an import, or attaching to the one that is running. */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES, type AnyInput } from '../messages/imports.ts';
import { kindNamed } from '../kinds/index.ts';
import { isDirectory, workflowIdOf } from './request.ts';

/** Starts the import, or attaches to the one that is running; `starter` tells the two apart (see `attached`). */
export async function startImport(
  client: Client,
  input: AnyInput,
  starter: string = randomUUID(),
): Promise<WorkflowHandle> {
  const keyword = (name: string, value: string) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  });
  return client.workflow.start(isDirectory(input) ? 'importDirectory' : 'importFile', {
    workflowId: workflowIdOf(input),
    taskQueue: input.taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    memo: { starter },
    staticSummary: `${input.mode}: ${input.kind} from ${input.sourceSystem}, ${input.filename}`,
    typedSearchAttributes: [
      keyword(SEARCH_ATTRIBUTES.kind, input.kind),
      keyword(SEARCH_ATTRIBUTES.source, input.sourceSystem),
      ...(kindNamed(input.kind).sourceIsTenant ? [keyword(SEARCH_ATTRIBUTES.tenant, input.sourceSystem)] : []),
      keyword(SEARCH_ATTRIBUTES.status, 'running'),
    ],
  });
}

/** Whether an import was running already when `starter` asked for it. */
export async function attached(handle: WorkflowHandle, starter: string): Promise<boolean> {
  const { memo } = await handle.describe();
  return memo !== undefined && memo['starter'] !== starter;
}
