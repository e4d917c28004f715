/** `intake retention`: deletes old batches and anomalies of projects, says beforehand what would go, and what went (runbook 003). */
import { Argument, Option, type Command } from 'commander';
import type { RetentionInput, RetentionReport } from '../../messages/schedules.ts';
import { addCommand, run, type Call, type CommonOptions } from '../command.ts';
import { renderTable } from '../display/table.ts';
import { parseDays } from '../requests/values.ts';

interface Flags extends CommonOptions {
  readonly importsDays: number;
  readonly anomaliesDays: number;
  readonly dryRun?: boolean;
  readonly limit: number;
}

const COLUMNS = ['stat_date', 'staging_imports_count', 'import_anomalies_count'];

export function define(program: Command): void {
  addCommand(
    program,
    'retention',
    'Delete old batches and anomalies of projects; preview, statistics',
    'intake retention preview\nintake retention run --imports-days 45 --anomalies-days 75\nintake retention stats',
  )
    .addArgument(new Argument('[what]', 'what to do').choices(['run', 'preview', 'stats']).default('preview'))
    .addOption(new Option('--imports-days <n>', 'how long batches stay').argParser(parseDays).default(60))
    .addOption(new Option('--anomalies-days <n>', 'how long anomalies stay').argParser(parseDays).default(90))
    .option('--dry-run', 'run: the same as preview')
    .addOption(new Option('--limit <n>', 'stats: days at most').argParser(parseDays).default(14))
    .action(
      run((call: Call<Flags>) =>
        call.args[0] === 'stats'
          ? stats(call)
          : call.args[0] === 'run' && !call.options.dryRun
            ? clean(call)
            : preview(call),
      ),
    );
}

async function preview({ options: { importsDays, anomaliesDays }, out, open }: Call<Flags>): Promise<void> {
  const days = await (
    await (await open()).backend()
  ).call('preview_cleanup', { imports_days: importsDays, anomalies_days: anomaliesDays });
  const sum = (column: string): number => days.reduce((total, day) => total + Number(day[column]), 0);
  const [staging_imports, import_anomalies] = [sum('staging_imports_count'), sum('import_anomalies_count')];
  out.document({ dry_run: true, staging_imports, import_anomalies, days });
  if (days.length > 0) for (const line of renderTable(days, COLUMNS)) out.detail(line);
  out.answer(
    `Would delete ${staging_imports} batches older than ${importsDays} days and ${import_anomalies} anomalies older than ${anomaliesDays} days`,
  );
}

async function clean({ options: { importsDays, anomaliesDays }, out, open }: Call<Flags>): Promise<void> {
  const { config, temporal } = await open();
  const [{ answerOf }, { startOrAttach }, { manualOptions }, client] = await Promise.all([
    import('../../temporal/outcome.ts'),
    import('../../temporal/start.ts'),
    import('../../messages/startOptions.ts'),
    temporal(),
  ]);
  const input: RetentionInput = { taskQueue: config.taskQueue, backend: config.backend, importsDays, anomaliesDays };
  const handle = await startOrAttach(client, 'retention', input, manualOptions('retention', config.taskQueue));
  const report = await answerOf<RetentionReport>(handle, 'retention', 'The cleanup failed', () =>
    out.note('Temporal does not answer; waiting for it'),
  );
  out.document({ dry_run: false, ...report });
  out.answer(
    `Deleted ${report.staging_imports} batches older than ${importsDays} days and ${report.import_anomalies} anomalies older than ${anomaliesDays} days`,
  );
}

async function stats({ options, out, open }: Call<Flags>): Promise<void> {
  const days = await (await (await open()).backend()).call('retention_stats', { max_rows: options.limit });
  out.document(days);
  if (days.length === 0) out.detail('Nothing was deleted yet.');
  else for (const line of renderTable(days, [...COLUMNS, 'last_updated_at'])) out.answer(line);
}
