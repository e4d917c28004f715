/** `intake smoke`: whether those who shall see the rows of a run do, and nobody else (runbook 000, after an import). */
import type { Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { kindNamed, KINDS } from '../../kinds/index.ts';
import type { ExpectedRows } from '../../kinds/kind.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import type { Run } from '../../database/rows.ts';
import { findRun } from '../../runs/findRun.ts';
import type { Session } from '../session.ts';
import { apiVisibility, sqlVisibility, type Seen, type Visibility } from '../checks/visibility.ts';

export interface SmokeCheck {
  /** The table that was looked at. */
  readonly name: string;
  readonly role: string;
  readonly via: Visibility['via'];
  readonly expected: number;
  readonly found: Seen;
  readonly ok: boolean;
}

/** Roles that work with the rows; all others see none. */
const READERS = ['service_role', 'dragonfly_app'];
/** What only readers see: tables with personal data, and the runs. Projects are not among them: row level security opens them to people's roles. */
const PERSONAL = ['ingest.import_runs', ...new Set(KINDS.flatMap(({ personalTables }) => personalTables))];

export function define(program: Command): void {
  addCommand(program, 'smoke', 'Check who sees the rows of a run', 'intake smoke\nintake smoke 1f0c9a2e --env prod')
    .argument('[id]', 'the run, or the first 8 digits of its id (the latest completed one)')
    .action(run(smokeCommand));
}

async function smokeCommand({ args: [id], out, open }: Call<CommonOptions>): Promise<number> {
  const session = await open();
  const found = id === undefined ? await latestRun(session) : await findRun(session, id);
  if (found.status !== 'completed')
    throw new IntakeError('USAGE', `Run ${found.id} is ${found.status}, not completed`, {
      remedy: 'Give a completed run; `intake runs --status completed` lists them.',
    });
  const { databaseUrl, supabase } = session.config;
  const checks: SmokeCheck[] = [];
  for (const look of [supabase && (() => apiVisibility(supabase)), databaseUrl && (() => sqlVisibility(databaseUrl))]) {
    if (!look) continue;
    const visibility = await look();
    try {
      for (const role of visibility.roles) checks.push(...(await checkRole(visibility, role, found)));
    } finally {
      await visibility.close();
    }
  }
  const passed = checks.every(({ ok }) => ok);
  const verdict = passed ? 'PASS' : 'FAIL';
  out.document({ run_id: found.id, kind: found.import_kind, result: verdict, checks });
  out.detail(`Run ${found.id} (${found.import_kind}, ${found.filename})`);
  for (const view of Object.values(Object.groupBy(checks, ({ via, role }) => `${via} ${role}`)))
    sayView(out, view ?? []);
  out.answer(out.style(passed ? 'green' : 'red', verdict));
  return passed ? 0 : 1;
}

/** One line of what a role sees as it should, and one for each table where it does not. */
function sayView(out: Call<CommonOptions>['out'], view: readonly SmokeCheck[]): void {
  const say = ({ via, role }: SmokeCheck, ok: boolean, words: string) =>
    `${out.style(ok ? 'green' : 'red', ok ? 'ok  ' : 'FAIL')}  ${via}  ${role.padEnd(13)}  ${words}`;
  const right = view.filter(({ ok }) => ok);
  const seen = right.filter(({ expected }) => expected > 0).map(({ name, found }) => `${name} ${found}`);
  if (right[0])
    out.detail(say(right[0], true, seen.length > 0 ? seen.join(', ') : `nothing in ${right.length} tables`));
  for (const check of view)
    if (!check.ok) out.answer(say(check, false, `${check.name}: expected ${check.expected}, found ${check.found}`));
}

async function latestRun(session: Session): Promise<Run> {
  const [latest] = await (
    await session.backend()
  ).call('report', { name: 'list', filters: { status: 'completed' }, max_rows: 1 });
  if (!latest)
    throw new IntakeError('RUN_NOT_FOUND', 'There is no completed run', {
      remedy: 'Import a file with --commit first.',
    });
  return findRun(session, String(latest['id']));
}

async function checkRole({ via, count }: Visibility, role: string, found: Run): Promise<SmokeCheck[]> {
  const reads = READERS.includes(role);
  const checks: SmokeCheck[] = [];
  for (const { expected, ...question } of reads ? rowsOf(found) : PERSONAL.map((table) => ({ table, expected: 0 }))) {
    const seen = await count(role, question);
    const ok = reads ? seen === expected || seen === 'granted' : seen === 'denied' || seen === 0;
    checks.push({ name: question.table, role, via, expected, found: seen, ok });
  }
  return checks;
}

/** The run itself and what it put into its production tables. */
function rowsOf({
  id,
  import_kind,
  rows_inserted,
  rows_updated,
  metadata: { dataset_id: datasetId, summary },
}: Run): readonly ExpectedRows[] {
  const kind = kindNamed(import_kind);
  const { table, runColumn = 'import_run_id' } = kind;
  return [
    { table: 'ingest.import_runs', where: ['id', id], expected: 1 },
    { table: `public.${table}`, where: [runColumn, id], expected: rows_inserted + rows_updated },
    ...(kind.reads === 'directory' ? kind.alsoWritten({ id, datasetId, effects: summary?.effects ?? {} }) : []),
  ];
}
