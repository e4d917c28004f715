/**
 * workflows/schedules/: What else a schedule starts: an import, retention, alerts.
 *
 * An import whose time has come: its file is read now, and its workflow is the one that `intake import` would start.
 */
import { executeChild, ParentClosePolicy, setCurrentDetails } from '@temporalio/workflow';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { importDirectory } from '../directory/importDirectory.ts';
import type { importFile } from '../file/importFile.ts';
import { SEARCH_ATTRIBUTES, type ImportReport } from '../../messages/imports.ts';
import { activityProxies } from '../policies.ts';
import { runToEnd } from '../failure.ts';
import type { ScheduledImportInput } from '../../messages/schedules.ts';

export interface ScheduledImportReport {
  readonly workflowId: string;
  readonly status: ImportReport['status'];
  readonly runId: string | null;
  readonly counts?: ImportReport['counts'];
}

const keyword = (name: string, value: string) => ({
  key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
  value,
});

export async function scheduledImport({
  request,
  taskQueue,
  fileQueue,
}: ScheduledImportInput): Promise<ScheduledImportReport> {
  const { fileHost } = activityProxies({ taskQueue, fileQueue, hostPatience: 'schedule' });
  return runToEnd({}, async () => {
    const { workflow, workflowId, input } = await fileHost.prepareImport(request);
    setCurrentDetails(`Import \`${workflowId}\``);
    const options = {
      workflowId,
      taskQueue,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL, // a run that was terminated would stay unfinished
      memo: { starter: 'schedule' },
      staticSummary: `${input.mode}: ${input.kind} from ${input.sourceSystem}, ${input.filename}`,
      typedSearchAttributes: [
        keyword(SEARCH_ATTRIBUTES.kind, input.kind),
        keyword(SEARCH_ATTRIBUTES.source, input.sourceSystem),
        keyword(SEARCH_ATTRIBUTES.status, 'running'),
      ],
    };
    try {
      const start =
        workflow === 'importDirectory'
          ? executeChild<typeof importDirectory>('importDirectory', {
              ...options,
              args: [input as Parameters<typeof importDirectory>[0]],
            })
          : executeChild<typeof importFile>('importFile', {
              ...options,
              args: [input as Parameters<typeof importFile>[0]],
            });
      const { status, runId, counts } = await start;
      return { workflowId, status, runId, counts };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError)
        return { workflowId, status: 'in_progress', runId: null };
      throw error;
    }
  });
}
