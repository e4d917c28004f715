/**
 * `intake retention`: deletes old batches and anomalies of projects (runbook 003) and, where that is asked for, what old runs have
 * landed; says beforehand what would go, and what went.
 */
import { Option, type Command } from 'commander';
import type { RetentionInput, RetentionReport, RunDays } from '../../messages/schedules.ts';
import { storageTypeOf } from '../../database/backend.ts';
import { onInterrupt } from '../interrupt.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands } from '../subcommands.ts';
import { thousands } from '../display/importSummary.ts';
import { renderTable } from '../display/table.ts';
import { parseDays, parseRunDays } from '../requests/values.ts';

interface Flags extends CommonOptions {
  readonly importsDays: number;
  readonly anomaliesDays: number;
  readonly runsDays?: RunDays;
  readonly dryRun?: boolean;
  readonly limit: number;
}

/** Hours in which the same cleanup may be started again. */
const A_DAY = 24;
const COLUMNS = ['stat_date', 'staging_imports_count', 'import_anomalies_count'];

export function define(program: Command): void {
  const days = [
    new Option('--imports-days <n>', 'how long batches stay').argParser(parseDays).default(60),
    new Option('--anomalies-days <n>', 'how long anomalies stay').argParser(parseDays).default(90),
    new Option(
      '--runs-days <[kind=]n>',
      'how long ended runs keep landed rows, ledger and original (for ever unless given); they cannot be rolled back afterwards',
    ).argParser(parseRunDays),
  ];
  const summary = 'Delete old batches and anomalies of projects, and rows that old runs landed; preview, statistics';
  addSubcommands<Flags>(addCommand(program, 'retention', summary, 'intake retention\nintake retention run'), {
    preview: {
      summary: 'Say what would be deleted',
      options: days,
      example: 'intake retention preview --runs-days 365',
      body: preview,
      isDefault: true,
    },
    run: {
      summary: 'Delete it',
      options: [...days, new Option('--dry-run', 'the same as preview')],
      example:
        'intake retention run --imports-days 45 --anomalies-days 75\nintake retention run --runs-days 365 --runs-days search-results=90',
      body: (call) => (call.options.dryRun ? preview(call) : clean(call)),
    },
    stats: {
      summary: 'List what was deleted, by day',
      options: [new Option('--limit <n>', 'days at most').argParser(parseDays).default(14)],
      example: 'intake retention stats',
      body: stats,
      lists: true,
    },
  });
}

const jobsOf = (queued = 0): string => (queued > 0 ? `, ${thousands(queued)} queued jobs` : '');

async function preview({ options: { importsDays, anomaliesDays, runsDays }, out, open }: Call<Flags>): Promise<void> {
  const backend = await (await open()).backend();
  const days = await backend.call('preview_cleanup', { imports_days: importsDays, anomalies_days: anomaliesDays });
  const kinds = runsDays && (await backend.call('preview_run_retention', { days: runsDays }));
  const images =
    runsDays && (await backend.call('preview_images', { days: runsDays, storage_type: storageTypeOf(backend) }));
  const sum = (column: string): number => days.reduce((total, day) => total + Number(day[column]), 0);
  const [staging_imports, import_anomalies] = [sum('staging_imports_count'), sum('import_anomalies_count')];
  out.document({ dry_run: true, staging_imports, import_anomalies, days, ...(kinds ? { runs: kinds, images } : {}) });
  if (days.length > 0) for (const line of renderTable(days, COLUMNS)) out.detail(line);
  out.answer(
    `Would delete ${staging_imports} batches older than ${importsDays} days and ${import_anomalies} anomalies older than ${anomaliesDays} days`,
  );
  for (const { kind, runs, landed_rows, ledger_rows, queued_jobs, originals, held } of kinds ?? []) {
    out.answer(
      `Would delete ${thousands(landed_rows)} landed rows of ${runs} runs of ${kind}, ${ledger_rows} ledger rows${jobsOf(queued_jobs)} and ${originals} originals`,
    );
    if (held > 0)
      out.detail(`  ${held} more are old enough, and kept: the rollback of another run may need their rows`);
  }
  if (images) out.answer(`Would delete ${thousands(images)} stored images that nothing refers to any more`);
  if (kinds?.some(({ runs }) => runs > 0))
    out.detail('  These runs cannot be rolled back, compared or corrected afterwards; what is in production stays.');
}

async function clean({ options: { importsDays, anomaliesDays, runsDays }, out, open }: Call<Flags>): Promise<void> {
  const session = await open();
  const { config, temporal } = session;
  const [{ answerOf }, { startOrAttach }, { manualOptions }, { placeOf }, client] = await Promise.all([
    import('../../temporal/outcome.ts'),
    import('../../temporal/start.ts'),
    import('../../messages/startOptions.ts'),
    import('../../database/identity.ts'),
    temporal(),
  ]);
  const { taskQueue, backend } = config;
  const input: RetentionInput = {
    ...{ taskQueue, backend, importsDays, anomaliesDays, target: session.targetOf() },
    ...(await placeOf(await session.backend())),
    ...(runsDays ? { runDays: runsDays } : {}),
  };
  const { orderRetention } = await import('../../schedules/order.ts');
  await orderRetention(await session.backend(), input, A_DAY);
  onInterrupt({ workflowId: 'retention' }, { what: 'cleanup', watch: 'the same command again' });
  const handle = await startOrAttach(client, 'retention', input, manualOptions('retention', taskQueue));
  const report = await answerOf<RetentionReport>(handle, 'retention', 'The cleanup failed', () =>
    out.note('Temporal does not answer; waiting for it'),
  );
  out.document({ dry_run: false, ...report });
  out.answer(
    `Deleted ${report.staging_imports} batches older than ${importsDays} days and ${report.import_anomalies} anomalies older than ${anomaliesDays} days`,
  );
  if (report.retired) {
    const { runs, landed_rows, ledger_rows, queued_jobs, originals, images } = report.retired;
    out.answer(
      `Deleted ${thousands(landed_rows)} landed rows of ${runs} runs, ${ledger_rows} ledger rows${jobsOf(queued_jobs)} and ${originals} originals`,
    );
    if (images) out.answer(`Deleted ${thousands(images)} stored images that nothing refers to any more`);
  }
}

async function stats({ options, out, open }: Call<Flags>): Promise<void> {
  const days = await (await (await open()).backend()).call('retention_stats', { max_rows: options.limit });
  out.document(days);
  if (days.length === 0) out.detail('Nothing was deleted yet.');
  else for (const line of renderTable(days, [...COLUMNS, 'last_updated_at'])) out.answer(line);
}
