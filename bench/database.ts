/** The database between two runs: emptied, so that every contender starts from the same; and what it says of a run. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Stack } from '../src/local/stack.ts';

/** Where contenders that are not Intake keep their tables. */
export const PLAIN = 'bench_plain';

/** What imports of any kind write to, and their stages. */
const TABLES = [
  'ingest.import_runs',
  'ingest.import_run_steps',
  'ingest.plaintiffs_raw',
  'public.plaintiffs',
  'public.judgments',
  'public.plaintiff_contacts',
  'public.plaintiff_tasks',
  'public.plaintiff_status_history',
  'public.raw_simplicity_imports',
  'public.queue_messages',
  'public.datasets',
  'public.search_results',
  'public.images',
  'ingest.search_results_raw',
  'ingest.imported_files',
  'ingest.stored_images',
  'public.projects',
  'public.staging_imports',
  'public.import_anomalies',
  'public.partner_org',
  'public.ds_directory',
  'public.rm_directory',
  'ingest.project_batches',
  'ingest_stage.plaintiffs',
  'ingest_stage.judgments',
  'ingest_stage.judgments_plan',
  'ingest_stage.resolved',
  'ingest_stage.search_results',
  'ingest_stage.chunks',
];
/** What Intake knows of the files of a directory from run to run. */
const FILE_CACHE = ['files.db', 'files.db-wal', 'files.db-shm'].map((name) => join('cache', name));

/** Empties the tables and, of a stack, the object folders and the cache of files; then writes everything to disk. */
export async function startAfresh(database: Client, stack?: Stack): Promise<void> {
  await database.query(`drop schema if exists ${PLAIN} cascade`);
  await database.query(
    'drop schema if exists bench_dlt, bench_dlt_staging, bench_loaders, bench_loaders_staging cascade',
  );
  await database.query(`truncate ${TABLES.join(', ')} restart identity cascade`); // and what other kinds hang on them
  await database.query('truncate storage.objects');
  const kept = stack
    ? [stack.objectsDir, ...['storage', 'work', ...FILE_CACHE].map((name) => join(stack.dir, name))]
    : [];
  for (const path of kept) {
    await rm(path, { recursive: true, force: true });
  }
  await database.query(`vacuum analyze ${TABLES.join(', ')}`);
  await database.query('checkpoint');
}

/** Plaintiffs that nobody imports, beside whom imports are measured. Indexes are made when the rows are there: in a minute instead of ten. */
export async function fillPlaintiffs(database: Client, count: number): Promise<void> {
  const { rows } = await database.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
     where indrelid = 'public.plaintiffs'::regclass and not indisprimary and not indisunique`,
  );
  for (const { name } of rows) await database.query(`drop index ${name}`);
  await database.query('alter table public.plaintiffs disable trigger user');
  await database.query(
    `insert into public.plaintiffs (dedupe_key, source_system, name, email, phone, address, name_hash)
     select md5('k' || i) || md5('l' || i), 'csv', 'Neighbour Holdings ' || i, 'office' || i || '@neighbour.example.com',
            '555' || lpad(i::text, 8, '0'), i || ' Main Street', hashtextextended('neighbour holdings ' || i, 0)
     from generate_series(1, $1::int) i`,
    [count],
  );
  await database.query('alter table public.plaintiffs enable trigger user');
  for (const { definition } of rows) await database.query(definition);
  await database.query('vacuum analyze public.plaintiffs');
  await database.query('checkpoint');
}

/** Bytes of write-ahead log since the cluster was made. */
export async function walPosition(database: Client): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>(`select pg_current_wal_insert_lsn() - '0/0' as bytes`);
  return Number(rows[0]?.bytes);
}

export async function countRows(database: Client, table: string): Promise<number> {
  const { rows } = await database.query<{ n: string }>(`select count(*) as n from ${table}`);
  return Number(rows[0]?.n);
}

/** Server version and the settings on which durability and speed depend. */
export async function serverSettings(database: Client): Promise<string> {
  const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'wal_level', 'max_wal_size'];
  const { rows } = await database.query<{ line: string }>(
    `select 'PostgreSQL ' || current_setting('server_version') || ', ' ||
            string_agg(name || ' ' || current_setting(name), ', ' order by n) as line
     from unnest($1::text[]) with ordinality as s (name, n)`,
    [names],
  );
  return rows[0]?.line ?? '';
}
