/** `intake runs`: lists, shows and watches runs; the operator queries of runbook 002. */
import { Option, type Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import { kindNamed } from '../../kinds/index.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands, type Subcommand } from '../subcommands.ts';
import type { Row, Run } from '../../database/rows.ts';
import { conditionCounts, conditionOf, openConditions, orphanedError } from '../../runs/condition.ts';
import type { Session } from '../session.ts';
import { findRun, workflowOf } from '../../runs/findRun.ts';
import { refuseOverwrite } from '../requests/outputFile.ts';
import { readDifferences, writeDifferences } from '../../runs/differenceFile.ts';
import { summaryLine } from '../display/importSummary.ts';
import { nextLines, runLines } from '../display/runLines.ts';
import { reportLines } from '../display/runReports.ts';
import { didYouMean } from '../../values/nearest.ts';
import type { Backend } from '../../database/backend.ts';

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'rolled_back', 'duplicate'];

interface Flags extends CommonOptions {
  readonly status?: string;
  readonly kind?: string;
  readonly source?: string;
  readonly since?: string;
  readonly limit?: number;
  readonly output?: string;
  readonly force?: boolean;
}

export function define(program: Command): void {
  const filters = [
    new Option('--status <status>', 'only runs of this status').choices(STATUSES),
    new Option('--kind <kind>', 'only this kind'),
    new Option('--source <name>', 'only this source system'),
    new Option('--since <time>', 'a date, or an age like 90m, 12h, 7d').argParser(parseSince),
    new Option('--limit <n>', 'at most so many (20)').argParser(parseCount),
  ];
  const report = (summary: string, example: string): Subcommand<Flags> => ({
    summary,
    options: filters,
    example: `intake runs ${example}`,
    body: listRuns,
    lists: true,
  });
  const one = (summary: string, name: string, body: Subcommand<Flags>['body']): Subcommand<Flags> => ({
    summary,
    args: [['[id]', 'the run, or the first 8 digits of its id']],
    example: `intake runs ${name} 1f0c9a2e`,
    body,
  });
  const example = 'intake runs --status failed --since 7d\nintake runs show 1f0c9a2e\nintake runs watch 1f0c9a2e';
  addSubcommands<Flags>(addCommand(program, 'runs', 'List, show and watch runs; the operator queries', example), {
    list: { ...report('List runs, newest first', 'list --status failed --since 7d'), isDefault: true },
    show: one('Show a run and what can be done with it', 'show', (call) => showRun(call, call.args[1])),
    watch: one('Watch a run to its end', 'watch', (call) => watchRun(call, call.args[1])),
    differences: {
      ...one('Write what known rows say otherwise than the tables', 'differences', (call) =>
        showDifferences(call, call.args[1]),
      ),
      options: [
        new Option('-o, --output <file>', 'write there instead of stdout'),
        new Option('--force', 'overwrite that file'),
      ],
    },
    latest: report('The latest runs', 'latest --kind plaintiffs'),
    'in-progress': report('Runs that are not over, and how they really are', 'in-progress'),
    failed: report('Failed runs with their errors', 'failed --since 24h'),
    duplicates: report('Attempts that were refused as duplicates', 'duplicates'),
    rollbacks: report('Runs that were rolled back, and what is left of them', 'rollbacks'),
    'reconcile-failures': report('Runs whose tables differ from their counts', 'reconcile-failures'),
    stats: report('Counts by source and kind', 'stats --since 30d'),
  });
}

async function listRuns(call: Call<Flags>): Promise<void> {
  const [what = 'list'] = call.args;
  const { options, out } = call;
  const kind = options.kind === undefined ? undefined : kindNamed(options.kind);
  const filters = {
    status: options.status,
    kinds: kind && [kind.name, ...kind.aliases],
    source: options.source,
    since: options.since,
  };
  const session = await call.open();
  const backend = await session.backend();
  if (what === 'reconcile-failures') await countUnreconciled(backend, out.note);
  const found = await backend.call('report', { name: what, filters, max_rows: options.limit ?? 20 });
  if (found.length === 0 && options.source !== undefined) await requireSource(backend, options.source);
  const rows = await withConditions(session, found);
  out.document(rows);
  if (rows.length === 0) {
    const any = Object.values(filters).every((filter) => filter === undefined);
    out.detail(any && (what === 'list' || what === 'latest') ? 'No runs yet.' : 'None.');
  } else for (const line of reportLines(what, rows)) out.answer(line);
  for (const { id, condition_message: message, condition_remedy: remedy } of rows)
    if (message) out.detail(`  ${id}: ${message}. ${remedy}`);
  // Also of those beyond the listed ones.
  if (what === 'list' || what === 'latest' || what === 'in-progress') {
    const open = await openConditions(session).catch(() => []);
    if (open.some(({ name }) => name !== 'running')) out.detail(`In progress: ${conditionCounts(open)}.`);
  }
}

/** Runs of other programs that nobody reconciled, once and for all. */
async function countUnreconciled(backend: Backend, note: (line: string) => void): Promise<void> {
  let told = false;
  for (let left: number; (left = await backend.call('count_unreconciled', {})) > 0; told = true)
    if (!told) note(`Counting the rows of ${left} runs that nobody reconciled`);
}

/** @throws IntakeError USAGE for a source system that no run ever had. */
async function requireSource(backend: Backend, source: string): Promise<void> {
  const stats = await backend.call('report', { name: 'stats', filters: {}, max_rows: 1000 });
  const known = [...new Set(stats.map((row) => String(row['source_system'])))].sort();
  if (known.includes(source)) return;
  throw new IntakeError('USAGE', `No run has the source system '${source}'${didYouMean(source, known)}`, {
    remedy: known.length > 0 ? `Known ones: ${known.slice(0, 20).join(', ')}.` : 'There are no runs yet.',
  });
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

async function showRun({ out, open }: Call<Flags>, id: string | undefined): Promise<void> {
  const found = await findRun(await open(), id);
  out.document(found);
  for (const line of runLines(found)) out.answer(line);
  for (const line of nextLines(found)) out.detail(line);
}

/** What skipped rows of a run say otherwise than the tables, and what updated rows changed: a line for each field. */
async function showDifferences({ options, out, open }: Call<Flags>, id: string | undefined): Promise<void> {
  const session = await open();
  const found = await findRun(session, id);
  const backend = await session.backend();
  const { output, force = false } = options;
  if (output) refuseOverwrite(output, { force, source: found.metadata.input?.path });
  if (out.json && !output) return out.stream({ run_id: found.id, differences: readDifferences(backend, found.id) });
  const fields = await writeDifferences(backend, found.id, output ?? process.stdout);
  const total = Object.values(fields).reduce((sum, n) => sum + n, 0);
  if (output) out.answer(`${total} differences of run ${found.id} written to ${output}`);
  out.document({ run_id: found.id, file: output, differences: total, fields });
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
