/** `intake rollback`: withdraws what a run imported; what was edited since stays and is listed. */
import type { Command } from 'commander';
import { IntakeError } from '../errors.ts';
import { addCommand, run, type Call, type CommonOptions } from './command.ts';
import { findRun, type Rollback, type Run } from './findRun.ts';
import type { Session } from './session.ts';

interface Flags extends CommonOptions {
  readonly reason: string;
}

export function define(program: Command): void {
  addCommand(program, 'rollback', 'Withdraw what a run imported', 'intake rollback 1f0c9a2e --reason "Vendor sent test data, ticket 1234"')
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .requiredOption('--reason <text>', 'kept with the run')
    .action(run(rollbackCommand));
}

async function rollbackCommand({ args: [id], options, out, open }: Call<Flags>): Promise<void> {
  const session = await open();
  const found = await findRun(session, id);
  if (!options.reason.trim()) throw new IntakeError('USAGE', '--reason is empty');
  if (found.status === 'duplicate') {
    throw new IntakeError('ROLLBACK_REFUSED', `Run ${found.id} was a rejected duplicate and imported nothing`, {
      remedy: found.metadata.duplicate_of ? `Its batch is run ${found.metadata.duplicate_of}.` : 'Nothing to do.',
    });
  }
  if (await isRunning(session, found)) {
    throw new IntakeError('ROLLBACK_REFUSED', `Run ${found.id} is still running`, { remedy: `Cancel it first: intake cancel ${found.id}.` });
  }
  const backend = await session.backend();
  const { rows_affected } = await backend.call<{ rows_affected: number }>('rollback_import_run', { run_id: found.id, reason: options.reason });
  const { metadata } = await findRun(session, found.id);
  say(out, found, { ...noRollback, ...metadata.rollback, rows_affected });
}

const noRollback: Rollback = { rows_affected: 0, removed: 0, inherited: 0, kept_edited: { count: 0, plaintiff_ids: [] } };

function say(out: Call<Flags>['out'], { id, status }: Run, { rows_affected, removed, inherited, kept_edited: kept }: Rollback): void {
  out.document({ run_id: id, status: 'rolled_back', rows_affected, removed, inherited, kept_edited: kept });
  if (status === 'rolled_back') return out.answer(`Run ${id} was rolled back already.`);
  out.answer(`Rolled back run ${id}: ${rows_affected} rows affected, ${removed} plaintiffs removed, ${inherited} inherited by other runs, ${kept.count} kept because edited`);
  if (kept.count > 0) out.detail(`  Kept plaintiffs: ${kept.plaintiff_ids.join(', ')}${kept.count > kept.plaintiff_ids.length ? ', ...' : ''}`);
  out.detail('  The same file may be imported again.');
}

async function isRunning(session: Session, { status, worker_id: workflowId }: Run): Promise<boolean> {
  if (status !== 'processing' && status !== 'pending') return false;
  if (!workflowId) return false;
  const client = await session.temporal();
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
