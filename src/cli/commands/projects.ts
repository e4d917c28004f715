/** `intake projects`: posts a file of projects to the gateway in batches, and makes memberships good after directories were mended. */
import { Option, type Command } from 'commander';
import { IntakeError, ERRORS, type ErrorCode } from '../../errors.ts';
import { projects } from '../../kinds/projects.ts';
import { spelledDocument } from '../../imports/headers.ts';
import type { Spell } from '../../sources/csv/headerNames.ts';
import { pushIdOf, pushSettings, type PushReport } from '../../messages/push.ts';
import { addCommand, type Call, type CommonOptions } from '../command.ts';
import { addSubcommands } from '../subcommands.ts';
import { onInterrupt } from '../interrupt.ts';
import { remarkDocuments } from '../../messages/remarks.ts';
import { shellWord } from '../../values/text.ts';
import { serveFile } from '../serveFile.ts';
import { textOptions, type TextFlags } from '../requests/textOptions.ts';
import { gatewayAddress, parseBatchSize, tenantNamed } from '../requests/values.ts';

interface Flags extends CommonOptions, TextFlags {
  readonly tenant?: string;
  readonly url?: string;
  readonly batchSize?: number;
  readonly dateOrder?: 'mdy' | 'dmy';
  readonly detach?: boolean;
  readonly restore?: boolean;
}

export function define(program: Command): void {
  const summary = 'Push a file of projects to the gateway in batches; backfill memberships';
  const example = 'intake projects push projects.csv --tenant TELCO\nintake projects backfill';
  addSubcommands<Flags>(addCommand(program, projects.name, summary, example), {
    push: {
      summary: 'Push a file to the gateway in batches',
      args: [['[file]', 'CSV, or JSON: an array of rows, an object with rows, or one row a line']],
      options: [
        new Option('--tenant <name>', 'whose projects they are'),
        new Option('--url <url>', 'the gateway (INTAKE_GATEWAY_URL)'),
        new Option('--batch-size <n>', 'rows of a batch, at most 5000').argParser(parseBatchSize),
        new Option('--date-order <order>', 'of numeric dates (dmy)').choices(['dmy', 'mdy']),
        ...textOptions(),
        new Option('--detach', 'start it and return'),
      ],
      example:
        'intake projects push projects.csv --tenant TELCO\nintake projects push projects.json --tenant TELCO --url https://gateway.example.com --detach',
      body: push,
    },
    backfill: {
      summary: 'Resolve the fields of all projects again, and bring their memberships in line',
      options: [new Option('--restore', 'also members whom somebody removed')],
      example: 'intake projects backfill --restore',
      body: backfill,
    },
  });
}

/** What decides how the file is read, and where it goes. */
const againWords = ({ dateOrder, batchSize, url, nullWords, decodeHtml }: Flags): string =>
  [
    ...(nullWords ? [` --null-words ${shellWord(nullWords.join(','))}`] : []),
    ...(decodeHtml ? [' --decode-html'] : []),
    ...(dateOrder ? [` --date-order ${dateOrder}`] : []),
    ...(batchSize ? [` --batch-size ${batchSize}`] : []),
    ...(url ? [` --url ${shellWord(url)}`] : []),
  ].join('');

async function push(call: Call<Flags>): Promise<number> {
  const {
    args: [, path],
    options,
    out,
    open,
  } = call;
  if (!path)
    throw new IntakeError('USAGE', 'Which file?', { remedy: 'Write intake projects push FILE --tenant TENANT.' });
  const tenantId = tenantNamed(options.tenant, 'Give it: --tenant TENANT.');
  const gatewayUrl = gatewayAddress(options.url);
  const session = await open({ creates: true });
  const { pushInput, startPush } = await import('../../push/push.ts');
  const input = await pushInput(session.config, {
    tenantId,
    path,
    ...pushSettings({ ...options, gatewayUrl, batchRows: options.batchSize }),
  });
  const files = await serveFile(call, session, input);
  try {
    const client = await session.temporal();
    const workflowId = pushIdOf(tenantId);
    const goOn = options.detach
      ? undefined
      : onInterrupt({ workflowId }, { what: 'push', watch: 'the same command again', servesFiles: files.own });
    const { handle, attached } = await startPush(client, input, await session.backend(input.backend)).catch(
      (error: unknown) => {
        goOn?.();
        throw error;
      },
    );
    if (attached) out.note('Attached to the running push');
    if (options.detach) {
      out.document({
        workflow_id: handle.workflowId,
        tenant_id: tenantId,
        file_hash: input.fileHash,
        status: 'running',
      });
      out.answer(`Started ${handle.workflowId}`);
      out.detail(
        `  Watch it:  intake projects push ${shellWord(path)} --tenant ${shellWord(tenantId)}${againWords(options)}`,
      );
      out.detail(`  Cancel it: intake cancel ${shellWord(handle.workflowId)}`);
      return 0;
    }
    const { watchPush } = await import('../display/pushWatch.ts');
    const { spellerOf } = await import('../../imports/headers.ts');
    const report = await watchPush(handle, out).finally(() => goOn?.());
    const spell = await spellerOf({ kind: projects.name, path });
    return tell(call, handle.workflowId, spelledPush(report, spell), gatewayUrl ?? session.config.gatewayUrl);
  } finally {
    await files.stop();
  }
}

/** With the texts of the file's headers. */
const spelledPush = (report: PushReport, spell: Spell): PushReport =>
  report.error ? { ...report, error: spelledDocument(report.error, spell) } : report;

function tell({ out }: Call<Flags>, workflowId: string, report: PushReport, gateway: string): number {
  const target = `gateway at ${gateway}`;
  const {
    status,
    tenantId,
    filename,
    fileHash,
    correlationId,
    startedAt,
    finishedAt,
    rows,
    posted,
    total,
    done,
    batches,
    metrics,
    error,
    leftOut = 0,
    firstLeftOut = [],
    remarks = {},
  } = report;
  out.document({
    workflow_id: workflowId,
    target,
    tenant_id: tenantId,
    filename,
    file_hash: fileHash,
    correlation_id: correlationId,
    status,
    rows,
    rows_posted: posted,
    rows_left_out: leftOut,
    left_out: firstLeftOut,
    remarks: remarkDocuments(remarks),
    batches_total: total,
    batches_posted: done,
    batches,
    metrics,
    started_at: startedAt,
    finished_at: finishedAt ?? null,
    error: error ?? null,
  });
  const m = metrics;
  out.answer(
    `Push ${status.toUpperCase()}: ${done} of ${total} batches, ${posted} of ${rows} rows; ${m.inserted_projects} inserted, ${m.updated_projects} updated, ` +
      `${m.org_memberships_upserted} org and ${m.user_memberships_upserted} user memberships, ${m.anomalies_count} anomalies`,
  );
  out.detail(`  Into:     ${target}`);
  if (m.values_cleared + m.memberships_removed > 0)
    out.answer(`  ${m.values_cleared} values cleared, ${m.memberships_removed} memberships removed`);
  out.detail(`  Correlation id ${correlationId}`);
  if (leftOut > 0) out.answer(`  ${leftOut} ${leftOut === 1 ? 'row' : 'rows'} left out:`);
  for (const { row, line, code, column, message } of firstLeftOut)
    out.answer(
      `    ${line === undefined ? `row ${row}` : `line ${line}`}: ${code}, ${column ? `${column} is ` : ''}${message}`,
    );
  for (const { message } of remarkDocuments(remarks)) out.answer(`  Note: ${message}`);
  if (!error) return 0;
  out.error(error);
  return error.code in ERRORS ? ERRORS[error.code as ErrorCode].exit : 1;
}

async function backfill({ args: [, file], options, out, open }: Call<Flags>): Promise<void> {
  if (file) throw new IntakeError('USAGE', 'backfill takes no file');
  const memberships = await (
    await (await open()).backend()
  ).call('backfill_memberships', {
    restore: options.restore === true,
  });
  out.document({ memberships });
  out.answer(`Backfill made ${memberships} memberships`);
}
