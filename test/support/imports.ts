/** Imports through Temporal: a database, its API, a worker in this process or in others, and what the tables hold at the end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type postgres from 'postgres';
import { loadConfig, type Config } from '../../src/config.ts';
import { importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import { importInput } from '../../src/imports/request.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import type { ImportRequest } from '../../src/messages/requests.ts';
import type { ImportInput, ImportReport } from '../../src/messages/imports.ts';
import type { Tuning } from '../../src/messages/run.ts';
import { connect } from './sqlImport.ts';
import { giveBundle } from './stack.ts';

export type Env = Record<string, string>;

export interface Place {
  readonly dir: string;
  readonly env: Env;
  readonly config: Config;
  readonly sql: postgres.Sql;
  readonly client: Client;
  /** Writes a file of this content and gives its path. */
  file(text: string | Buffer, name?: string): Promise<string>;
  input(request: Partial<ImportRequest> & { path: string }, tuning?: Partial<Tuning>): Promise<ImportInput>;
  run(input: ImportInput): Promise<ImportReport>;
  close(): Promise<void>;
}

export interface PlaceOptions {
  readonly temporal: string;
  readonly databaseUrl: string;
  readonly supabase?: { readonly url: string; readonly serviceRoleKey: string };
}

/** A folder, a task queue and connections of their own. */
export async function openPlace({ temporal, databaseUrl, supabase }: PlaceOptions): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'intake-place-'));
  await giveBundle(dir);
  const env: Env = {
    INTAKE_FILES: '/', // tests start workflows themselves; orders have tests of their own
    INTAKE_DIR: dir,
    INTAKE_HOST: 'here',
    INTAKE_TASK_QUEUE: `test-${randomUUID()}`,
    INTAKE_OBJECTS_DIR: join(dir, 'objects'),
    TEMPORAL_ADDRESS: temporal,
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'warn',
    INTAKE_BACKEND: supabase ? 'supabase' : 'postgres',
    ...(supabase ? { SUPABASE_URL: supabase.url, SUPABASE_SERVICE_ROLE_KEY: supabase.serviceRoleKey } : {}),
  };
  const config = loadConfig(env);
  const client = await connectTemporal(config);
  const sql = connect(databaseUrl);
  // What a file of projects without a tenant is imported for.
  await sql`INSERT INTO ingest.tenants (tenant_id) VALUES ('projects') ON CONFLICT DO NOTHING`;
  return {
    dir,
    env,
    config,
    sql,
    client,
    async file(text, name = `${randomUUID()}.csv`) {
      const path = join(dir, name);
      await writeFile(path, text);
      return path;
    },
    async input(request, tuning = {}) {
      const input = (await importInput(config, { kind: 'plaintiffs', mode: 'commit', ...request })) as ImportInput;
      return { ...input, tuning: { ...input.tuning, ...tuning } };
    },
    run: async (input) => importResult(await startImport(client, input)),
    async close() {
      await client.connection.close();
      await sql.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Resolves when it has ended, by itself or by us. */
  readonly ended: Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A worker in a process of its own; its log goes to `worker.log` of its directory. */
export function spawnWorker(env: Env, only?: 'files'): WorkerProcess {
  const cwd = env['INTAKE_DIR']!;
  const program = fileURLToPath(new URL('./worker.ts', import.meta.url));
  const child = spawn(process.execPath, [program, ...(only ? [only] : [])], {
    cwd,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.pipe(createWriteStream(join(env['INTAKE_DIR']!, 'worker.log'), { flags: 'a' }));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    process: child,
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}

/** The histories of a workflow, one for each execution that continued as new. */
export async function historiesOf(
  client: Client,
  { workflowId, firstExecutionRunId }: WorkflowHandle & { firstExecutionRunId?: string },
) {
  const found = [];
  for (let runId = firstExecutionRunId; runId;) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    found.push(history);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
  }
  return found;
}

/** Data of every payload in an event. */
export function payloadsOf(value: unknown): Buffer[] {
  if (typeof value !== 'object' || value === null) return [];
  const { data, metadata } = value as { data?: unknown; metadata?: unknown };
  if (metadata && data instanceof Uint8Array) return [Buffer.from(data)];
  return Object.values(value).flatMap(payloadsOf);
}

/** A file of distinct plaintiffs with duplicates across it, quoted newlines, odd cells and rejects. */
export function plaintiffsCsv(rows: number): string {
  const lines = ['Name,Email,Phone,Address,Note'];
  for (let i = 0; i < rows; i++) {
    const email = i % 23 === 5 ? 'not an address' : `p${i}@example.com`;
    if (i % 11 === 10) lines.push(`PERSON  ${i - 10},P${i - 10}@EXAMPLE.COM,555 010 ${1000 + i},again,`);
    else
      lines.push(
        `Person ${i},${email},555-010-${1000 + i},"${i} Main St${i % 7 ? '' : '\nSuite ""B"", \\N'}",tab\there`,
      );
  }
  return `${lines.join('\n')}\n`;
}

/** What an import leaves, without ids and times: landed rows, plaintiffs and counters. */
export async function contentOf(sql: postgres.Sql): Promise<unknown> {
  const raw = await sql`
    SELECT r.row_index, r.line_number, r.plaintiff_name, r.plaintiff_name_normalized, r.firm_name, r.contact_name, r.contact_email,
           r.contact_phone, r.contact_address, r.source_system, r.source_reference, r.raw_payload, encode(r.raw_record, 'hex') AS record,
           r.plaintiff_key, r.dedupe_key = r.plaintiff_key AS live, r.status, r.error_code, r.error_message, o.row_index AS duplicate_of,
           p.dedupe_key AS plaintiff
    FROM ingest.plaintiffs_raw r LEFT JOIN ingest.plaintiffs_raw o ON o.id = r.duplicate_of
    LEFT JOIN public.plaintiffs p ON p.id = r.promoted_plaintiff_id ORDER BY r.source_system, r.row_index, r.id`;
  const plaintiffs = await sql`
    SELECT dedupe_key, source_system, source_reference, name, firm_name, contact_name, email, phone, address, status
    FROM public.plaintiffs ORDER BY dedupe_key`;
  const runs = await sql`
    SELECT status, rows_fetched, rows_inserted, rows_updated, rows_skipped, rows_errored FROM ingest.import_runs ORDER BY created_at`;
  return { raw: plain(raw), plaintiffs: plain(plaintiffs), runs: plain(runs) };
}

const plain = (rows: readonly postgres.Row[]): unknown[] => rows.map((row) => ({ ...row }));

/** Empties what imports write, so that the next one starts from nothing. */
export async function forget(sql: postgres.Sql): Promise<void> {
  await sql`TRUNCATE ingest.import_runs, ingest.import_run_steps, ingest.plaintiffs_raw, public.plaintiffs,
    ingest_stage.chunks, ingest_stage.plaintiffs CASCADE`;
}
