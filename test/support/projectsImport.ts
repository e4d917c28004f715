/** Imports of project files made of SQL calls alone, step by step, in any order of parts. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { COMMON_COLUMNS, partitionOf } from '../../src/staging/stageRows.ts';
import { ALL_ROW_ERRORS } from '../../src/kinds/index.ts';
import { projects } from '../../src/kinds/projects.ts';
import { addDirectories, forgetProjects, type Directories } from './projectsBatch.ts';
import type { OpenImport } from './sqlImport.ts';
import { withDatabase } from './suite.ts';

/** Cells under our names. */
export type Cells = Readonly<Record<string, string>>;

export interface ProjectsFile {
  readonly tenant?: string;
  /** Also the file's hash. */
  readonly batch?: string;
  readonly rows: readonly Cells[];
  readonly parts?: number;
}

export interface OpenProjects extends OpenImport {
  readonly file: ProjectsFile;
  readonly parts: number;
}

export interface Counts {
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  readonly errored: number;
  readonly effects: Readonly<Record<string, number>>;
}

/** Stages the rows as one chunk, as the parse step would. */
export async function stageProjects(
  sql: postgres.Sql,
  { tenant = 'TELCO', rows, parts = 3 }: ProjectsFile,
): Promise<string> {
  const stageId = randomUUID();
  let errored = 0;
  const staged = rows.map((cells, i) => {
    const {
      key,
      values,
      error = null,
    } = projects.row((column) => cells[column], { sourceSystem: tenant, dateOrder: projects.dateOrder });
    if (error) errored++;
    const record = error && `\\x${Buffer.from(`${Object.values(cells).join(',')}\r\n`).toString('hex')}`;
    return [partitionOf(key, parts), i, i + 2, cells, record, error, error && ALL_ROW_ERRORS[error], ...values];
  });
  await sql`SELECT ingest.stage_chunk(${stageId}, 'projects', 0, ${[...COMMON_COLUMNS, ...projects.stageColumns]}, ${sql.json(staged as never)}::json, ${errored})`;
  return stageId;
}

/** Claims the batch and stages its rows. @throws Error when it is not claimed. */
export async function openProjects(sql: postgres.Sql, file: ProjectsFile): Promise<OpenProjects> {
  const { tenant = 'TELCO', batch = randomUUID(), parts = 3 } = file;
  const [opened] = await sql<{ run: { run_id: string; lease: number; claim_status: string } }[]>`
    SELECT ingest.open_import_run(${tenant}, ${batch}, ${`hash-${batch}`}, ${`${batch}.csv`}, 'projects', 'worker', ${randomUUID()}) AS run`;
  const { run_id: runId, lease, claim_status: status } = opened!.run;
  if (status !== 'claimed') throw new Error(status);
  return { runId, lease, file, parts, stageId: await stageProjects(sql, file) };
}

export async function upsertPart(
  sql: postgres.Sql,
  { runId, lease, stageId }: OpenProjects,
  part: number,
): Promise<Counts> {
  const [row] = await sql<
    { result: Counts }[]
  >`SELECT ingest.upsert_partition(${runId}, ${lease}, ${stageId}, 1, ${part}) AS result`;
  return row!.result;
}

/** Lands all parts, all at once. */
export const upsertAll = async (sql: postgres.Sql, open: OpenProjects): Promise<Counts> =>
  sumOf(await Promise.all([...Array(open.parts).keys()].map((part) => upsertPart(sql, open, part))));

/** Counters and reconciliation. @throws Error when it is not valid. */
export async function settleProjects(sql: postgres.Sql, { runId, lease, file }: OpenProjects): Promise<void> {
  await sql`SELECT ingest.record_result(${runId}, ${lease}, ${file.rows.length}, '{}')`;
  const [row] = await sql<
    { answer: { is_valid: boolean } }[]
  >`SELECT ingest.settle_import_run(${runId}, ${lease}, ${file.rows.length}) AS answer`;
  if (!row!.answer.is_valid) throw new Error(`not reconciled: ${JSON.stringify(row!.answer)}`);
}

/** A whole import, settled. @returns its run id and what its parts counted. */
export async function importProjects(
  sql: postgres.Sql,
  file: ProjectsFile,
): Promise<{ runId: string; counts: Counts }> {
  const open = await openProjects(sql, file);
  const counts = await upsertAll(sql, open);
  await settleProjects(sql, open);
  return { runId: open.runId, counts };
}

/** What a dry run of the rows counts. */
export async function countProjects(sql: postgres.Sql, file: ProjectsFile): Promise<Counts> {
  const stageId = await stageProjects(sql, file);
  const parts = await Promise.all(
    [...Array(file.parts ?? 3).keys()].map(
      async (part) =>
        (
          await sql<{ result: Counts }[]>`
    SELECT ingest.count_partition('projects', ${file.tenant ?? 'TELCO'}, ${stageId}, 1, ${part}) AS result`
        )[0]!.result,
    ),
  );
  return sumOf(parts);
}

function sumOf(results: readonly Counts[]): Counts {
  const effects: Record<string, number> = {};
  for (const [name, n] of results.flatMap((result) => Object.entries(result.effects)))
    effects[name] = (effects[name] ?? 0) + n;
  const sum = (of: (counts: Counts) => number): number => results.reduce((total, counts) => total + of(counts), 0);
  return {
    inserted: sum((c) => c.inserted),
    updated: sum((c) => c.updated),
    skipped: sum((c) => c.skipped),
    errored: sum((c) => c.errored),
    effects,
  };
}

/** Withdraws a run. @returns what it did. */
export async function rollbackProjects(sql: postgres.Sql, runId: string): Promise<Record<string, unknown>> {
  await sql`SELECT ingest.rollback_import_run(${runId}, 'test')`;
  return (await sql`SELECT metadata -> 'rollback' AS result FROM ingest.import_runs WHERE id = ${runId}`)[0]![
    'result'
  ] as Record<string, unknown>;
}

/** Projects with their members and anomalies, without ids and times. */
export async function contentOfProjects(sql: postgres.Sql): Promise<Record<string, unknown[]>> {
  const projectRows = await sql`
    SELECT to_jsonb(p) - '{id,staging_id,created_at,updated_at}'::text[] AS project, (
      SELECT jsonb_agg(jsonb_build_array(m.member_partner_org_id, m.member_user_id, m.origin) ORDER BY m.member_partner_org_id, m.member_user_id)
      FROM public.project_membership m WHERE m.project_id = p.id) AS members
    FROM public.projects p ORDER BY p.tenant_id, p.stage_application`;
  const anomalies = await sql`
    SELECT tenant_id, batch_id, row_index, anomaly_type, field, input_value, reason, match_type, project_key, payload_excerpt, staging_id IS NULL AS of_run
    FROM public.import_anomalies ORDER BY tenant_id, batch_id, row_index, anomaly_type`;
  const plain = (rows: readonly postgres.Row[]): unknown[] => rows.map((row) => ({ ...row }));
  return { projects: plain(projectRows), anomalies: plain(anomalies) };
}

/** The same with the landed rows and the counters of runs. */
export async function contentOfRuns(sql: postgres.Sql): Promise<Record<string, unknown[]>> {
  const raw = await sql`
    SELECT to_jsonb(r) - '{id,import_run_id,project_id,former,created_at,updated_at}'::text[] AS row, p.stage_application AS project,
           r.former - '{id,staging_id,created_at,updated_at}'::text[] AS former
    FROM ingest.projects_raw r JOIN ingest.import_runs i ON i.id = r.import_run_id LEFT JOIN public.projects p ON p.id = r.project_id
    ORDER BY i.created_at, r.row_index`;
  const runs =
    await sql`SELECT status, rows_fetched, rows_inserted, rows_updated, rows_skipped, rows_errored FROM ingest.import_runs ORDER BY created_at`;
  return {
    ...(await contentOfProjects(sql)),
    raw: raw.map((row) => ({ ...row })),
    runs: runs.map((row) => ({ ...row })),
  };
}

/** Empties what imports of projects write, but not the directories. */
export async function forgetRuns(sql: postgres.Sql): Promise<void> {
  await sql`TRUNCATE ingest.import_runs, ingest.import_run_steps, ingest.projects_raw, public.projects, public.project_membership,
    public.staging_imports, public.import_anomalies, ingest_stage.chunks, ingest_stage.projects CASCADE`;
}

/** A database of the suite's own, whose runs and projects are forgotten before each test, with directories that know somebody. */
export function withProjects(opened: (sql: postgres.Sql, who: Directories) => void): void {
  let sql: postgres.Sql;
  withDatabase((connection) => (sql = connection));
  beforeEach(async () => {
    await forgetRuns(sql);
    await forgetProjects(sql);
    opened(sql, await addDirectories(sql));
  });
}
