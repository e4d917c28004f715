/** `intake rollback`: withdraws what a run imported; what was edited since stays and is listed. */
import type { Command } from 'commander';
import { kindNamed } from '../../kinds/index.ts';
import type { Rollback, Run } from '../../database/rows.ts';
import { findRun } from '../../runs/findRun.ts';
import { IntakeError } from '../../errors.ts';
import { previewRollback, rollBackRun } from '../../runs/rollback.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { thousands } from '../display/importSummary.ts';
import { sayWhenInterrupted } from '../interrupt.ts';
import { shellWord } from '../../values/text.ts';
import type { Session } from '../session.ts';

interface Flags extends CommonOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function define(program: Command): void {
  addCommand(
    program,
    'rollback',
    'Roll back what a run imported',
    'intake rollback 1f0c9a2e --dry-run\nintake rollback 1f0c9a2e --reason "Vendor sent test data, ticket 1234"',
  )
    .argument('<id>', 'the run, or the first 8 digits of its id')
    .option('--reason <text>', 'kept with the run')
    .option('--dry-run', 'say what would go, stay or pass on, and change nothing')
    .action(run(rollbackCommand));
}

async function rollbackCommand({ args: [id], options, out, open }: Call<Flags>): Promise<void> {
  const session = await open();
  const found = await findRun(session, id);
  if (options.dryRun) return say(out, session, found, await previewRollback(session, found), true);
  if (options.reason === undefined)
    throw new IntakeError('USAGE', 'Why is it rolled back?', { remedy: 'Give --reason TEXT; --dry-run needs none.' });
  const goOn = sayWhenInterrupted(
    `what is withdrawn stays so, and the run is no longer whole. Finish it: intake rollback ${found.id} --reason ${shellWord(options.reason)}`,
  );
  const rollback = await rollBackRun(session, found, options.reason, ({ rows_affected, rows_total }) =>
    out.note(
      `Rolling back: ${thousands(rows_affected)} of ${thousands(rows_total)} rows; interrupted, the same command goes on`,
    ),
  ).finally(goOn);
  say(out, session, found, rollback, false);
}

function say(
  out: Call<Flags>['out'],
  session: Session,
  { id, import_kind, status }: Run,
  rollback: Rollback,
  dryRun: boolean,
): void {
  const {
    rows_affected,
    removed,
    restored,
    inherited,
    given_back: givenBack = 0,
    kept_edited: kept,
    effects,
  } = rollback;
  out.document({
    run_id: id,
    target: session.targetOf(),
    dry_run: dryRun,
    status: dryRun ? status : 'rolled_back',
    rows_affected,
    removed,
    ...(restored === undefined ? {} : { restored }),
    inherited,
    given_back: givenBack,
    kept_edited: kept,
    effects: effects ?? {},
  });
  if (status === 'rolled_back') return out.answer(`Run ${id} was rolled back already.`);
  const kind = kindNamed(import_kind);
  const rows = kind.table.replaceAll('_', ' ');
  const brought = restored === undefined ? '' : `, ${thousands(restored)} brought back to what they were`;
  out.answer(
    `${dryRun ? 'Would roll back' : 'Rolled back'} run ${id}: ${thousands(rows_affected)} rows affected, ${thousands(removed)} ${rows} removed${brought}, ${thousands(inherited)} inherited by other runs, ${thousands(kept.count)} kept because edited or in use`,
  );
  out.detail(`  In:       ${session.targetOf()}`);
  if (givenBack > 0) out.detail(`  ${thousands(givenBack)} were there before the run: they stay, as whose they were`);
  const also = Object.entries(kind.effects.removed).flatMap(([name, words]) =>
    effects?.[name] ? [`${thousands(effects[name])} ${words}`] : [],
  );
  if (also.length > 0) out.detail(`  Also removed: ${also.join(', ')}`);
  for (const [name, words] of Object.entries(kind.effects.left ?? {}))
    if (effects?.[name]) out.detail(`  ${thousands(effects[name])} ${words}`);
  for (const [name, words] of Object.entries(kind.effects.keptIds)) {
    const ids = kept[name];
    if (Array.isArray(ids) && ids.length > 0)
      out.detail(
        `  Kept ${words}: ${ids.slice(0, SHOWN_IDS).join(', ')}${ids.length > SHOWN_IDS ? `, ... (--json, or metadata.rollback of the run, has ${thousands(ids.length)})` : ''}`,
      );
  }
  if (kind.reads === 'directory') out.detail('  Images stay in storage.');
  if (dryRun) return out.detail('  Nothing was changed.');
  out.detail(`  The same ${kind.reads === 'directory' ? 'directory' : 'file'} may be imported again.`);
}

const SHOWN_IDS = 20;
