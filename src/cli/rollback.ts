/** `intake rollback`: withdraws what a run imported; what was edited since stays and is listed. */
import type { Command } from 'commander';
import { IntakeError } from '../errors.ts';
import { kindNamed } from '../kinds/index.ts';
import { addCommand, run, type Call, type CommonOptions } from './command.ts';
import { findRun, type Rollback, type Run } from './findRun.ts';
import { thousands } from './importSummary.ts';
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

const noRollback: Rollback = { rows_affected: 0, removed: 0, inherited: 0, kept_edited: { count: 0 } };

function say(out: Call<Flags>['out'], { id, import_kind, status }: Run, rollback: Rollback): void {
  const { rows_affected, removed, restored, inherited, kept_edited: kept, effects } = rollback;
  out.document({ run_id: id, status: 'rolled_back', rows_affected, removed, ...(restored === undefined ? {} : { restored }), inherited, kept_edited: kept, effects: effects ?? {} });
  if (status === 'rolled_back') return out.answer(`Run ${id} was rolled back already.`);
  const kind = kindNamed(import_kind);
  const rows = kind.table.replaceAll('_', ' ');
  const brought = restored === undefined ? '' : `, ${thousands(restored)} brought back to what they were`;
  out.answer(`Rolled back run ${id}: ${thousands(rows_affected)} rows affected, ${thousands(removed)} ${rows} removed${brought}, ${thousands(inherited)} inherited by other runs, ${thousands(kept.count)} kept because edited`);
  const also = Object.entries(ALSO).flatMap(([name, words]) => (effects?.[name] ? [`${thousands(effects[name])} ${words}`] : []));
  if (also.length > 0) out.detail(`  Also removed: ${also.join(', ')}`);
  if (effects?.['jobs_read_already']) out.detail(`  ${thousands(effects['jobs_read_already'])} jobs stay in their queues: somebody has read them`);
  for (const [name, words] of Object.entries(KEPT)) {
    const ids = kept[name as keyof typeof KEPT] ?? [];
    if (ids.length > 0) out.detail(`  Kept ${words}: ${ids.slice(0, SHOWN_IDS).join(', ')}${ids.length > SHOWN_IDS ? `, ... (--json, or metadata.rollback of the run, has ${thousands(ids.length)})` : ''}`);
  }
  if (kind.reads === 'directory') out.detail('  Images stay in storage.');
  out.detail(`  The same ${kind.reads === 'directory' ? 'directory' : 'file'} may be imported again.`);
}

/** What goes with the rows of the production table, as rollback's `effects` name it. */
const ALSO = { plaintiffs: 'plaintiffs', contacts: 'contacts', tasks: 'tasks', history: 'status history entries', jobs: 'queued jobs' };
const KEPT = { judgment_ids: 'judgments', plaintiff_ids: 'plaintiffs', search_result_ids: 'search results' } as const;
const SHOWN_IDS = 20;

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
