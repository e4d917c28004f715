/** `intake reconcile`: the tables against what a run reported; a mismatch fails the run. */
import type { Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { findRun } from '../../runs/findRun.ts';

export function define(program: Command): void {
  addCommand(program, 'reconcile', 'Count the tables against what a run reported', 'intake reconcile 1f0c9a2e')
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .action(run(reconcileCommand));
}

async function reconcileCommand({ args: [id], out, open }: Call<CommonOptions>): Promise<number> {
  const session = await open();
  const found = await findRun(session, id);
  if (found.status === 'pending' || found.status === 'processing') {
    throw new IntakeError('IN_PROGRESS', `Run ${found.id} is still running; it reconciles itself at its end`, {
      remedy: `Watch it: intake runs watch ${found.id}.`,
    });
  }
  if (found.status === 'rolled_back' || found.status === 'duplicate') {
    throw new IntakeError('USAGE', `Run ${found.id} is ${found.status}: it counts no rows`, {
      remedy: 'See `intake runs rollbacks` and `intake runs duplicates`.',
    });
  }
  const result = await (await session.backend()).call('reconcile_import_run', { run_id: found.id });
  const { is_valid, expected_count, actual_count, delta, reported_inserted, inserted_discrepancy } = result;
  const actualInserted = reported_inserted - inserted_discrepancy;
  // Beside rows and inserted ones: other counters, and rows that name the run without being its own.
  const details = is_valid ? null : (await findRun(session, found.id)).error_details;
  const others = details?.['reconciliation_failed'] ? String(details['message']).split('; ').slice(2) : [];
  out.document({ run_id: found.id, target: session.targetOf(), ...result });
  out.answer(
    is_valid
      ? `Reconciled: ${actual_count} rows as expected, ${actualInserted} inserted as reported`
      : `Reconciliation failed: ${expected_count} rows expected, ${actual_count} found (${delta}); ${reported_inserted} inserted reported, ${actualInserted} found${others.map((one) => `; ${one}`).join('')}`,
  );
  out.detail(`  In:       ${session.targetOf()}`);
  if (!is_valid) out.detail(`  Compare with the file: intake verify ${found.id}`);
  return is_valid ? 0 : 1;
}
