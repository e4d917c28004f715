/** Imports of judgments made of SQL calls alone, step by step, in any order of parts. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import type { StagedRow } from '../../src/kinds/kind.ts';
import { simplicity } from '../../src/kinds/simplicity.ts';
import type { OpenImport } from './sqlImport.ts';

/** One row of a Simplicity file. */
export interface Lead {
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly address?: string;
  readonly number?: string;
  readonly case?: string;
  readonly amount?: string;
}

export interface JudgmentsBatch {
  readonly source?: string;
  /** Also the file's hash. */
  readonly batch?: string;
  readonly rows: readonly Lead[];
  readonly chunkRows?: number;
  readonly parts?: number;
  readonly skipJobs?: boolean;
  readonly match?: 'names' | 'contact';
}

export interface OpenJudgments extends OpenImport {
  readonly batch: JudgmentsBatch;
  readonly chunks: number;
  readonly parts: number;
}

export interface PartCounts {
  readonly stage_lost?: true;
  readonly inserted: number;
  readonly skipped: number;
  readonly errored: number;
  readonly effects: Readonly<Record<string, number>>;
}

const COLUMNS = [
  'part',
  'row_index',
  'line_number',
  'raw_payload',
  'raw_record',
  'error_code',
  'error_message',
  ...simplicity.stageColumns,
];

export function leadRow(lead: Lead, source = 'simplicity'): StagedRow {
  const cells: Record<string, string | undefined> = {
    plaintiff_name: lead.name,
    email: lead.email,
    phone: lead.phone,
    plaintiff_address: lead.address,
    judgment_number: lead.number,
    case_number: lead.case,
    judgment_amount: lead.amount ?? '10.00',
  };
  return simplicity.row((column) => cells[column], { sourceSystem: source, dateOrder: 'mdy' });
}

/** Stages the rows, some to a chunk. */
export async function stageLeads(
  sql: postgres.Sql,
  { source, rows, chunkRows = 1000 }: JudgmentsBatch,
): Promise<{ stageId: string; chunks: number }> {
  const stageId = randomUUID();
  const chunks = Math.max(1, Math.ceil(rows.length / chunkRows));
  for (let chunk = 0; chunk < chunks; chunk++) {
    const staged = rows.slice(chunk * chunkRows, (chunk + 1) * chunkRows).map((lead, i) => {
      const { values, error = null } = leadRow(lead, source);
      const index = chunk * chunkRows + i;
      const record = error && `\\x${Buffer.from(`${lead.name ?? ''}\n`).toString('hex')}`;
      return [
        index % 7,
        index,
        index + 2,
        { name: lead.name ?? '' },
        record,
        error,
        error && 'what to mend',
        ...values,
      ];
    });
    const errored = staged.filter((row) => row[5] !== null).length;
    await sql`SELECT ingest.stage_chunk(${stageId}, 'simplicity', ${chunk}, ${COLUMNS}, ${sql.json(staged as never)}::json, ${errored})`;
  }
  return { stageId, chunks };
}

/** Claims the batch, a failed one again, and stages its rows. @throws Error when it is not claimed. */
export async function openJudgments(sql: postgres.Sql, batch: JudgmentsBatch): Promise<OpenJudgments> {
  const { source = 'simplicity', batch: id = 'b', parts = 3 } = batch;
  const [opened] = await sql<{ run: { run_id: string; lease: number; claim_status: string } }[]>`
    SELECT ingest.open_import_run(${source}, ${id}, ${`hash-${id}`}, ${`${id}.csv`}, 'simplicity', 'worker', ${randomUUID()}) AS run`;
  const { run_id: runId, lease, claim_status: status } = opened!.run;
  if (status !== 'claimed') throw new Error(status);
  return { runId, lease, batch, parts, ...(await stageLeads(sql, batch)) };
}

/** Calls again what failed by what a worker repeats: a conflict, a deadlock, a lock that was not to be had. */
export async function untilDone<T>(work: () => Promise<T>, attempts = 8): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts || !['40001', '40P01', '55P03'].includes((error as { code: string }).code)) throw error;
    }
  }
}

export async function resolve(
  sql: postgres.Sql,
  { runId, lease, stageId, chunks, parts, batch }: OpenJudgments,
): Promise<Record<string, unknown>> {
  const options = { skip_jobs: batch.skipJobs ?? false, match: batch.match ?? 'names' };
  const [row] = await untilDone(
    () => sql<{ result: Record<string, unknown> }[]>`
    SELECT ingest.resolve_stage(${runId}, ${lease}, 'simplicity', ${stageId}, ${chunks}, ${parts}, ${sql.json(options)}) AS result`,
  );
  return row!.result;
}

export async function upsertPart(
  sql: postgres.Sql,
  { runId, lease, stageId, chunks }: OpenJudgments,
  part: number,
): Promise<PartCounts> {
  const [row] = await untilDone(
    () => sql<{ result: PartCounts }[]>`
    SELECT ingest.upsert_partition(${runId}, ${lease}, ${stageId}, ${chunks}, ${part}) AS result`,
  );
  return row!.result;
}

/** Resolves and lands all parts, `atOnce` of them at a time. */
export async function promote(
  sql: postgres.Sql,
  open: OpenJudgments,
  order = [...Array(open.parts).keys()],
  atOnce = 2,
): Promise<PartCounts> {
  await resolve(sql, open);
  const results: PartCounts[] = [];
  for (let i = 0; i < order.length; i += atOnce) {
    results.push(...(await Promise.all(order.slice(i, i + atOnce).map((part) => upsertPart(sql, open, part)))));
  }
  return sumOf(results);
}

/** What a dry run of the rows counts. */
export async function dryRun(sql: postgres.Sql, batch: JudgmentsBatch): Promise<PartCounts> {
  const { source = 'simplicity', parts = 3, skipJobs = false, match = 'names' } = batch;
  const { stageId, chunks } = await stageLeads(sql, batch);
  await sql`SELECT ingest.resolve_stage(null, 0, 'simplicity', ${stageId}, ${chunks}, ${parts}, ${sql.json({ skip_jobs: skipJobs, match })})`;
  const results = await Promise.all(
    [...Array(parts).keys()].map(
      async (part) =>
        (
          await sql<{ result: PartCounts }[]>`
    SELECT ingest.count_partition('simplicity', ${source}, ${stageId}, ${chunks}, ${part}) AS result`
        )[0]!.result,
    ),
  );
  await sql`SELECT ingest.clear_stage(${stageId}, 'simplicity')`;
  return sumOf(results);
}

/** A whole import, settled. @returns its run id. @throws Error when it does not reconcile. */
export async function importLeads(sql: postgres.Sql, batch: JudgmentsBatch): Promise<string> {
  const open = await openJudgments(sql, batch);
  await promote(sql, open);
  await settleJudgments(sql, open);
  return open.runId;
}

export async function settleJudgments(
  sql: postgres.Sql,
  { runId, lease, batch, stageId }: OpenJudgments,
): Promise<void> {
  const fetched = batch.rows.length;
  await sql`SELECT ingest.record_result(${runId}, ${lease}, ${fetched}, '{}')`;
  const [row] = await sql<
    { answer: { is_valid: boolean } }[]
  >`SELECT ingest.settle_import_run(${runId}, ${lease}, ${fetched}) AS answer`;
  if (!row!.answer.is_valid) throw new Error(`not reconciled: ${JSON.stringify(row!.answer)}`);
  await sql`SELECT ingest.clear_stage(${stageId}, 'simplicity')`;
}

export function sumOf(results: readonly PartCounts[]): PartCounts {
  const effects: Record<string, number> = {};
  for (const result of results)
    for (const [name, n] of Object.entries(result.effects)) effects[name] = (effects[name] ?? 0) + n;
  const sum = (name: 'inserted' | 'skipped' | 'errored') => results.reduce((total, result) => total + result[name], 0);
  return { inserted: sum('inserted'), skipped: sum('skipped'), errored: sum('errored'), effects };
}
