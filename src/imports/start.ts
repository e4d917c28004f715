/** Starting an import, or attaching to the one that is running. */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { AnyInput } from '../messages/imports.ts';
import { importOptions } from '../messages/startOptions.ts';
import { startOrAttach } from '../temporal/start.ts';
import { isDirectory, tenantOf, workflowIdOf } from './request.ts';

/** Starts the import, or attaches to the one that is running; `starter` tells the two apart (see `attached`). */
export function startImport(client: Client, input: AnyInput, starter: string = randomUUID()): Promise<WorkflowHandle> {
  const options = importOptions({ workflowId: workflowIdOf(input), input, starter, tenant: tenantOf(input) });
  return startOrAttach(client, isDirectory(input) ? 'importDirectory' : 'importFile', input, options);
}
