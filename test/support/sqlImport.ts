/** Imports made of SQL calls alone, step by step: what a worker would call, without a worker. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';
import { normalizeName } from '../../src/values/key.ts';

export interface SourceRow {
  readonly name: string;
  readonly email?: string;
  readonly phone?: string;
  /** Code of a rejected row. */
  readonly error?: string;
}

export interface Batch {
  readonly source?: string;
  /** Also the file's hash. */
  readonly batch?: string;
  readonly rows: readonly SourceRow[];
  readonly filename?: string;
  /** Claimed as another program does (runbook 002), without a workflow's token. */
  readonly byHand?: boolean;
}

export interface OpenImport {
  readonly runId: string;
  readonly lease: number;
  stageId: string;
}

const COLUMNS = [
  ...['part', 'row_index', 'line_number', 'raw_payload', 'raw_record', 'error_code', 'error_message'],
  ...['plaintiff_key', 'plaintiff_name', 'plaintiff_name_normalized', 'contact_email', 'contact_phone'],
];

/** A pool whose `bigint`s are numbers, so that counts compare plainly. */
export function connect(databaseUrl: string): postgres.Sql {
  const bigint = { to: 20, from: [20], serialize: String, parse: Number };
  return postgres(databaseUrl, { max: 30, onnotice: () => undefined, types: { bigint } }) as unknown as postgres.Sql;
}

/** Claims the batch and stages its rows as one chunk and one part. @throws Error when it is not claimed. */
export async function openImport(
  sql: postgres.Sql,
  { source = 'csv', batch = 'b', rows, filename = `${batch}.csv`, byHand = false }: Batch,
): Promise<OpenImport> {
  const [opened] = await sql<{ run: { run_id: string; lease: number; claim_status: string } }[]>`
    SELECT ingest.open_import_run(${source}, ${batch}, ${`hash-${batch}`}, ${filename}, 'plaintiffs', 'worker', ${byHand ? null : randomUUID()}) AS run`;
  const { run_id: runId, lease, claim_status: status } = opened!.run;
  if (status !== 'claimed') throw new Error(status);
  return { runId, lease, stageId: await stageRows(sql, source, rows) };
}

export async function stageRows(sql: postgres.Sql, source: string, rows: readonly SourceRow[]): Promise<string> {
  const stageId = randomUUID();
  const staged = rows.map(({ name, email = null, phone = null, error = null }, i) => {
    const record = error && `\\x${Buffer.from(`${name}\n`).toString('hex')}`;
    return [
      0,
      i,
      i + 2,
      { name, email },
      record,
      error,
      error && 'what to mend',
      plaintiffKey(source, name, email),
      name,
      normalizeName(name),
      email,
      phone,
    ];
  });
  const errored = rows.filter(({ error }) => error).length;
  await sql`SELECT ingest.stage_chunk(${stageId}, 'plaintiffs', 0, ${COLUMNS}, ${sql.json(staged as never)}::json, ${errored})`;
  return stageId;
}

export async function upsert(
  sql: postgres.Sql,
  { runId, lease, stageId }: OpenImport,
): Promise<Record<string, number>> {
  const [row] = await sql<{ result: Record<string, number> }[]>`
    SELECT ingest.upsert_partition(${runId}, ${lease}, ${stageId}, 1, 0) AS result`;
  return row!.result;
}

/** Counters and reconciliation. @returns whether it is valid. */
export async function settle(sql: postgres.Sql, { runId, lease }: OpenImport, fetched: number): Promise<boolean> {
  await sql`SELECT ingest.record_result(${runId}, ${lease}, ${fetched}, '{}')`;
  const [row] = await sql<{ valid: boolean }[]>`
    SELECT (ingest.settle_import_run(${runId}, ${lease}, ${fetched}) ->> 'is_valid')::boolean AS valid`;
  return row!.valid;
}

/** A whole import. @returns its run id. */
export async function importRows(sql: postgres.Sql, batch: Batch): Promise<string> {
  const open = await openImport(sql, batch);
  await upsert(sql, open);
  await settle(sql, open, batch.rows.length);
  return open.runId;
}
