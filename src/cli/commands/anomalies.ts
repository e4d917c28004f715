/** `intake anomalies`: what was unknown in batches of projects, and the alert about it (runbook 003). */
import { Option, type Command } from 'commander';
import { IntakeError } from '../../errors.ts';
import type { AlertReport, AlertsInput } from '../../messages/schedules.ts';
import { onInterrupt } from '../interrupt.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands } from '../subcommands.ts';
import { renderTable } from '../display/table.ts';

interface Flags extends CommonOptions {
  readonly windowHours?: number;
  readonly tenant?: string;
  readonly severity?: readonly string[];
  readonly type?: string;
  readonly find?: string;
  readonly limit: number;
  readonly after?: string;
  readonly showValues?: boolean;
}

const SEVERITIES = ['error', 'warning', 'info'];
const COLUMNS = [
  'created_at',
  'tenant_id',
  'severity',
  'anomaly_type',
  'field',
  'batch_id',
  'row_index',
  'project_key',
  'correlation_id',
  'reason',
];
/** Cells of the file. */
const VALUES = ['input_value', 'payload_excerpt'];
const A_DAY = 24;

export function define(program: Command): void {
  const hours = new Option('--window-hours <n>', 'how far back (24; alert: 1)').argParser(parseHours);
  const tenant = new Option('--tenant <name>', 'only this tenant');
  const severity = new Option('--severity <list>', 'only error, warning, info').argParser(parseSeverities);
  const type = new Option('--type <type>', 'only this type, as UNKNOWN_DS');
  const find = new Option('--find <id>', 'only of this batch, correlation id or project');
  const limit = new Option('--limit <n>', 'at most so many').argParser(parseHours).default(100);
  const after = new Option('--after <next>', 'the page after this one');
  const values = new Option('--show-values', 'what stood in the file, too');
  const summary = 'List and count anomalies of projects; alert about them';
  addSubcommands<Flags>(addCommand(program, 'anomalies', summary, 'intake anomalies\nintake anomalies stats'), {
    list: {
      summary: 'List anomalies, the worst first',
      options: [hours, tenant, severity, type, find, limit, after, values],
      example: 'intake anomalies list --tenant TELCO --severity error,warning',
      body: list,
      lists: true,
      isDefault: true,
    },
    stats: {
      summary: 'Count anomalies by tenant and type',
      options: [hours, tenant, severity],
      example: 'intake anomalies stats --window-hours 48',
      body: stats,
      lists: true,
    },
    alert: {
      summary: 'Assess a window and tell the webhook, as the schedule does',
      options: [hours],
      example: 'intake anomalies alert',
      body: alert,
    },
  });
}

async function list({
  options: { windowHours = A_DAY, tenant, severity, type, find, limit, after, showValues },
  out,
  open,
}: Call<Flags>): Promise<void> {
  const {
    anomalies: rows,
    next,
    total,
  } = await (
    await (await open()).backend()
  ).call('list_anomalies', {
    window_hours: windowHours,
    tenant: tenant ?? null,
    severities: severity ?? null,
    max_rows: limit,
    after: after ?? null,
    type: type?.toUpperCase() ?? null,
    find: find ?? null,
  });
  const shown = showValues
    ? rows
    : rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !VALUES.includes(column))));
  out.document(shown);
  if (rows.length === 0) out.detail(`No anomalies in ${windowHours} hours.`);
  else for (const line of renderTable(shown, showValues ? [...COLUMNS, 'input_value'] : COLUMNS)) out.answer(line);
  if (next) out.detail(`  ${rows.length} of ${total}, the worst first; the next page: --after ${next}`);
}

async function stats({ options: { windowHours = A_DAY, tenant, severity }, out, open }: Call<Flags>): Promise<void> {
  const { anomalyStats } = await import('../../anomalies/alert.ts');
  const now = Date.now();
  const counts = (
    await anomalyStats(await (await open()).backend(), new Date(now - windowHours * 3_600_000), new Date(now))
  ).filter(
    (entry) =>
      (tenant === undefined || entry.tenant_id === tenant) &&
      (severity === undefined || severity.includes(entry.severity)),
  );
  out.document(counts);
  if (counts.length === 0) out.detail(`No anomalies in ${windowHours} hours.`);
  else
    for (const line of renderTable(
      counts.map((entry) => ({ ...entry })),
      ['tenant_id', 'anomaly_type', 'severity', 'count', 'most_recent'],
    ))
      out.answer(line);
}

/** What the schedule does, now: the worker assesses the window and tells the webhook. */
async function alert({ options: { windowHours = 1 }, out, open }: Call<Flags>): Promise<void> {
  const { config, temporal, backend, targetOf } = await open();
  const [{ answerOf }, { startOrAttach }, { manualOptions }, { placeOf }, client] = await Promise.all([
    import('../../temporal/outcome.ts'),
    import('../../temporal/start.ts'),
    import('../../messages/startOptions.ts'),
    import('../../database/identity.ts'),
    temporal(),
  ]);
  const input: AlertsInput = {
    ...{ taskQueue: config.taskQueue, backend: config.backend, windowHours, byHand: true, target: targetOf() },
    ...(await placeOf(await backend())),
  };
  onInterrupt({ workflowId: 'alert' }, { what: 'alert', watch: 'the same command again' });
  const handle = await startOrAttach(client, 'alertAnomalies', input, manualOptions('alert', config.taskQueue));
  const { alert: found, outcome } = await answerOf<AlertReport>(handle, 'alert', 'The alert failed', () =>
    out.note('Temporal does not answer; waiting for it'),
  );
  out.document({ ...found, outcome });
  const said = {
    sent: 'sent to the webhook',
    'no-webhook': 'no webhook is configured (ANOMALIES_ALERT_WEBHOOK)',
    'below-threshold': 'nothing to tell',
  }[outcome];
  out.answer(
    `Level ${found.level}: ${found.total} anomalies from ${found.window.since} to ${found.window.until}; ${said}`,
  );
  for (const { text } of found.reasons) out.detail(`  ${text}`);
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (!Number.isInteger(hours) || hours < 1 || hours > 100_000)
    throw new IntakeError('USAGE', `'${text}' is not a positive number`);
  return hours;
}

function parseSeverities(text: string): string[] {
  const wanted = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  if (wanted.length > 0 && wanted.every((word) => SEVERITIES.includes(word))) return wanted;
  throw new IntakeError('USAGE', '--severity is a list of error, warning, info');
}
