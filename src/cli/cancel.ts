/** `intake cancel`: stops a running import and waits until its run is failed. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import { IntakeError } from '../errors.ts';
import { importResult } from '../imports.ts';
import { addCommand, run, type Call, type CommonOptions } from './command.ts';
import { workflowOf, type Run } from './findRun.ts';
import type { Session } from './session.ts';

export function define(program: Command): void {
  addCommand(program, 'cancel', 'Stop a running import', 'intake cancel 1f0c9a2e')
    .argument('<id>', 'the run, or the first 8 digits of its id; or a workflow id')
    .action(run(cancelCommand));
}

async function cancelCommand({ args: [id], out, open }: Call<CommonOptions>): Promise<number> {
  const session = await open();
  const { workflowId, run: found } = await workflowOf(session, id);
  const title = found ? `Run ${found.id}` : workflowId;
  if (found && found.status !== 'processing' && found.status !== 'pending') {
    throw new IntakeError('USAGE', `${title} is ${found.status}, not running`, { remedy: 'Nothing to cancel.' });
  }
  const handle = (await session.temporal()).workflow.getHandle(workflowId);
  let status: string;
  try {
    if ((await handle.describe()).status.name === 'RUNNING') {
      await handle.cancel();
      out.note(`Cancelling ${title}; waiting until its running steps have ended`);
      status = (await importResult(handle, () => out.note('Temporal does not answer; waiting for it'))).status;
    } else {
      status = await release(session, found);
    }
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    status = await release(session, found);
  }
  out.document({ run_id: found?.id ?? null, workflow_id: workflowId, status });
  const cancelled = status === 'cancelled';
  out.answer(cancelled ? `${title} is cancelled` : `${title} ended as ${status} before it could be cancelled`);
  if (cancelled && found) out.detail(`  Go on with it: intake resume ${found.id} - withdraw it: intake rollback ${found.id} --reason TEXT`);
  return cancelled ? 0 : 1;
}

/** A run without a running workflow is only marked. */
async function release(session: Session, found: Run | undefined): Promise<string> {
  if (!found) throw new IntakeError('RUN_NOT_FOUND', 'That import is not running');
  const error = { type: 'cancelled', message: 'The import was cancelled', fatal: true };
  const done = await (await session.backend()).call<boolean>('fail_import_run', { run_id: found.id, lease: found.lease_generation, error });
  return done ? 'cancelled' : 'ended';
}
