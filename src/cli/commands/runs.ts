/** `intake runs`: lists, shows and watches runs; the operator queries of runbook 002. */
import { Argument, Option, type Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { kindNamed } from '../../kinds/index.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import type { Row, Run } from '../../database/rows.ts';
import { conditionCounts, conditionOf, openConditions, orphanedError } from '../../runs/condition.ts';
import type { Session } from '../session.ts';
import { findRun, workflowOf } from '../../runs/findRun.ts';
import { summaryLine } from '../display/importSummary.ts';
import { renderTable } from '../display/table.ts';

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'rolled_back', 'duplicate'];
const COUNTS = ['rows_fetched', 'rows_inserted', 'rows_skipped', 'rows_errored'];
/** Columns on a terminal; --json has all. */
const REPORTS: Record<string, readonly string[]> = {
  list: ['id', 'import_kind', 'source_system', 'filename', 'status', ...COUNTS, 'duration_seconds', 'created_at'],
  latest: ['id', 'import_kind', 'source_system', 'filename', 'status', ...COUNTS, 'duration_seconds', 'created_at'],
  duplicates: [
    'id',
    'source_system',
    'filename',
    'created_at',
    'original_id',
    'original_filename',
    'original_completed_at',
  ],
  'reconcile-failures': [
    'id',
    'filename',
    'status',
    'rows_fetched',
    'actual_total',
    'delta',
    'reported_inserted',
    'actual_inserted',
    'inserted_discrepancy',
  ],
  rollbacks: [
    'id',
    'source_system',
    'filename',
    'rolled_back_at',
    'rollback_reason',
    'rolled_back_rows',
    'remaining_rows',
    'is_complete',
  ],
  'in-progress': ['id', 'source_system', 'filename', 'claimed_at', 'seconds_since_heartbeat', 'is_stale'],
  failed: ['id', 'source_system', 'filename', 'error_type', 'error_message', 'updated_at'],
  stats: [
    'source_system',
    'import_kind',
    'runs',
    'completed',
    'failed',
    'rolled_back',
    'duplicates',
    ...COUNTS,
    'average_seconds',
    'last_run_at',
  ],
};

interface Flags extends CommonOptions {
  readonly status?: string;
  readonly kind?: string;
  readonly source?: string;
  readonly since?: string;
  readonly limit?: number;
}

export function define(program: Command): void {
  const example = [
    'intake runs --status failed --since 7d',
    'intake runs show 1f0c9a2e',
    'intake runs watch 1f0c9a2e',
    'intake runs stats',
  ].join('\n');
  addCommand(program, 'runs', 'List, show and watch runs; the operator queries', example)
    .addArgument(
      new Argument('[what]', 'what to see').choices([...Object.keys(REPORTS), 'show', 'watch']).default('list'),
    )
    .argument('[id]', 'the run to show or watch')
    .addOption(new Option('--status <status>', 'only runs of this status').choices(STATUSES))
    .option('--kind <kind>', 'only this kind')
    .option('--source <name>', 'only this source system')
    .option('--since <time>', 'a date, or an age like 90m, 12h, 7d', parseSince)
    .option('--limit <n>', 'at most so many (20)', parseCount)
    .action(run(runsCommand));
}

async function runsCommand(call: Call<Flags>): Promise<number | void> {
  const [what = 'list', id] = call.args;
  if (what === 'show') return showRun(call, id);
  if (what === 'watch') return watchRun(call, id);
  const { options, out } = call;
  const kind = options.kind === undefined ? undefined : kindNamed(options.kind);
  const filters = {
    status: options.status,
    kinds: kind && [kind.name, ...kind.aliases],
    source: options.source,
    since: options.since,
  };
  const session = await call.open();
  const found = await (await session.backend()).call('report', { name: what, filters, max_rows: options.limit ?? 20 });
  const rows = await withConditions(session, found);
  out.document(rows);
  if (rows.length === 0) out.detail(what === 'list' || what === 'latest' ? 'No runs yet.' : 'None.');
  else for (const line of renderTable(rows, columnsOf(what, rows))) out.answer(line);
  for (const { id, condition_message: message, condition_remedy: remedy } of rows)
    if (message) out.detail(`  ${id}: ${message}. ${remedy}`);
  // Also of those beyond the listed ones.
  if (what === 'list' || what === 'latest' || what === 'in-progress') {
    const open = await openConditions(session).catch(() => []);
    if (open.some(({ name }) => name !== 'running')) out.detail(`In progress: ${conditionCounts(open)}.`);
  }
}

/** Beside what the database says of runs that are not over, what Temporal says of their workflows; nothing where it does not answer. */
async function withConditions(session: Session, rows: readonly Row[]): Promise<Row[]> {
  const states = await Promise.all(
    rows.map(async (row) =>
      row['status'] === 'processing' || row['status'] === 'pending'
        ? conditionOf(session, row as never).catch(() => undefined)
        : undefined,
    ),
  );
  return rows.map((row, i) => {
    const state = states[i];
    return state
      ? { ...row, condition: state.name, condition_message: state.message, condition_remedy: state.remedy }
      : row;
  });
}

const columnsOf = (what: string, rows: readonly Row[]): readonly string[] => {
  const columns = REPORTS[what] ?? [];
  if (!rows.some(({ condition }) => condition)) return columns;
  const at = columns.includes('status') ? columns.indexOf('status') + 1 : columns.length;
  return columns.toSpliced(at, 0, 'condition');
};

async function showRun({ out, open }: Call<Flags>, id: string | undefined): Promise<void> {
  const found = await findRun(await open(), id);
  out.document(found);
  for (const [name, value] of Object.entries(found)) {
    if (value === null || name === 'claim_token' || name === 'lease_generation') continue;
    out.answer(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  }
}

/** Shows a run to its end, or how it ended. */
async function watchRun({ out, open }: Call<Flags>, id: string | undefined): Promise<number> {
  const session = await open();
  const { workflowId, run: found } = await workflowOf(session, id);
  if (found && found.status !== 'processing' && found.status !== 'pending') return sayEnded(out, found);
  if (found && (await conditionOf(session, found))?.name === 'ORPHANED') throw orphanedError(found.id);
  const { watchWorkflow } = await import('../display/watchWorkflow.ts');
  return watchWorkflow(out, session, workflowId, found?.id);
}

/** The latest workflow of an ended run may be an attempt that was refused as a duplicate: the row knows better. */
function sayEnded(out: Call<Flags>['out'], found: Run): number {
  out.document(found);
  const {
    rows_fetched: fetched,
    rows_inserted: inserted,
    rows_updated: updated,
    rows_skipped: skipped,
    rows_errored: errored,
  } = found;
  const counts = summaryLine(found.status === 'completed' ? 'completed' : 'failed', {
    fetched,
    inserted,
    updated,
    skipped,
    errored,
  });
  out.answer(found.status === 'completed' || found.status === 'failed' ? counts : `Run ${found.id} is ${found.status}`);
  return found.status === 'failed' ? 1 : 0;
}

function parseSince(text: string): string {
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const milliseconds = { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''];
  const time = milliseconds ? Date.now() - Number(amount) * milliseconds : Date.parse(text);
  if (Number.isNaN(time))
    throw new IntakeError('USAGE', '--since is a date or an age', {
      remedy: 'Write --since 2026-01-31 or --since 7d.',
    });
  return new Date(time).toISOString();
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new IntakeError('USAGE', '--limit is a positive number');
  return count;
}
