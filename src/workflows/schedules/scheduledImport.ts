/**
 * workflows/schedules/: What else a schedule starts: an import, retention, alerts.
 *
 * An import whose time has come: its file is read now, and its workflow is the one that `intake import` would start.
 */
import { executeChild, ParentClosePolicy, setCurrentDetails } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { importDirectory } from '../directory/importDirectory.ts';
import type { importFile } from '../file/importFile.ts';
import type { ImportReport } from '../../messages/imports.ts';
import { importOptions } from '../../messages/startOptions.ts';
import { activityProxies } from '../policies.ts';
import { runToEnd } from '../failure.ts';
import type { ScheduledImportInput } from '../../messages/schedules.ts';

export interface ScheduledImportReport {
  readonly workflowId: string;
  readonly status: ImportReport['status'];
  readonly runId: string | null;
  readonly counts?: ImportReport['counts'];
}

export async function scheduledImport({
  request,
  taskQueue,
  fileQueue,
  ...place
}: ScheduledImportInput): Promise<ScheduledImportReport> {
  const { fileHost } = activityProxies({ taskQueue, fileQueue, hostPatience: 'schedule' });
  return runToEnd({}, async () => {
    const { workflow, workflowId, input, tenant } = await fileHost.prepareImport({ ...place, ...request });
    setCurrentDetails(`Import \`${workflowId}\``);
    const options = {
      ...importOptions({ workflowId, input, starter: 'schedule', tenant }),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL, // a run that was terminated would stay unfinished
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
