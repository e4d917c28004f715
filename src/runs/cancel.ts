/** Stopping an import: its workflow is asked to end; a run that no workflow holds is only marked. */
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { IntakeError } from '../errors.ts';
import { standstillOf, type Standstill } from '../temporal/standstill.ts';
import type { Connections } from './connections.ts';
import type { Run } from '../database/rows.ts';

/** `asked`: the workflow ends when its running steps have. `ended`: it was over already. */
export interface Cancellation {
  readonly status: 'asked' | 'cancelled' | 'ended';
  readonly handle: WorkflowHandle;
}

/** @throws IntakeError USAGE for a run that is over, RUN_NOT_FOUND for a workflow id without a run that is not running. */
export async function cancelImport(
  connections: Connections,
  { workflowId, run }: { readonly workflowId: string; readonly run?: Run },
): Promise<Cancellation> {
  if (run && run.status !== 'processing' && run.status !== 'pending') {
    throw new IntakeError('USAGE', `Run ${run.id} is ${run.status}, not running`, { remedy: 'Nothing to cancel.' });
  }
  const handle = (await connections.temporal()).workflow.getHandle(workflowId);
  try {
    if ((await handle.describe()).status.name === 'RUNNING') {
      await handle.cancel();
      const stands = await standstillOf(handle);
      return stands
        ? { status: await endStanding(connections, handle, run, stands), handle }
        : { status: 'asked', handle };
    }
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  return { status: await release(connections, run), handle };
}

/** Ends a workflow that cannot hear, and marks its run. What still runs of it is refused by its lease. */
export async function endStanding(
  connections: Connections,
  handle: WorkflowHandle,
  run: Run | undefined,
  { message }: Standstill,
): Promise<'cancelled' | 'ended'> {
  await handle.terminate(`Cancelled. ${message}`);
  return run ? release(connections, run) : 'cancelled';
}

async function release(connections: Connections, run: Run | undefined): Promise<'cancelled' | 'ended'> {
  if (!run) throw new IntakeError('RUN_NOT_FOUND', 'That import is not running');
  const error = { type: 'cancelled', message: 'The import was cancelled', fatal: true };
  const done = await (
    await connections.backend()
  ).call('fail_import_run', { run_id: run.id, lease: run.lease_generation, error });
  return done ? 'cancelled' : 'ended';
}
