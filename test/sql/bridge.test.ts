/** 0.3.0.sql.gz is a pg_dump of a project on 0.3.0 with some runs of each kind, one of them at work. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type postgres from 'postgres';
import { migrate } from '../../src/database/migrate.ts';
import { listMigrations } from '../../src/database/migrations.ts';
import { catalogOf } from '../support/catalog.ts';
import { connect, importRows, settle, upsert, type OpenImport } from '../support/sqlImport.ts';
import { sharedStack } from '../support/stack.ts';
import { createProject, type Project } from '../support/supabaseProject.ts';

const DUMP = gunzipSync(readFileSync(new URL('0.3.0.sql.gz', import.meta.url))).toString();
const TEAMS = `CREATE OR REPLACE FUNCTION public.queue_job(payload jsonb) RETURNS bigint LANGUAGE sql AS 'SELECT 42::bigint'`;

type Tables = Record<string, Record<string, unknown>[]>;

/** All rows of our tables, by table. */
async function contentOf(sql: postgres.Sql): Promise<Tables> {
  const tables = await sql<{ name: string }[]>`
    SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE relkind = 'r' AND relnamespace = ANY ('{public,ingest,ingest_stage}'::regnamespace[]) ORDER BY 1`;
  const content: Tables = {};
  for (const { name } of tables) {
    content[name] = (await sql.unsafe(`SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY to_jsonb(t)::text`)).map(
      ({ row }) => row as Record<string, unknown>,
    );
  }
  return content;
}

/** What of `rows` stands in the columns that `like` has. */
const within = (rows: readonly Record<string, unknown>[], like: Record<string, unknown>): Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(Object.keys(like).map((name) => [name, row[name]])));

const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

describe('a database of 0.3.0', () => {
  let adminUrl: string;
  let old: Project;
  let fresh: Project;
  let sql: postgres.Sql;
  let before_: Tables;

  /** A project with the dump in it. */
  async function restored(): Promise<Project> {
    const project = await createProject(adminUrl);
    const connection = connect(project.databaseUrl);
    try {
      await connection.unsafe(`
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM anon, authenticated, service_role;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM anon, authenticated, service_role;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM anon, authenticated, service_role`);
      await connection.unsafe(DUMP);
    } finally {
      await connection.end();
    }
    return project;
  }

  before(async () => {
    adminUrl = (await sharedStack()).adminUrl;
    [old, fresh] = [await restored(), await createProject(adminUrl)];
    sql = connect(old.databaseUrl);
    before_ = await contentOf(sql);
    await migrate(fresh.databaseUrl);
  });
  after(async () => {
    await sql?.end();
    await old?.drop();
    await fresh?.drop();
  });

  it('is carried over by migrate, and then has what a new one has', async () => {
    const wanted = listMigrations();
    assert.deepEqual(await migrate(old.databaseUrl, { check: true }), wanted);
    const [one, two] = await Promise.all([migrate(old.databaseUrl), migrate(old.databaseUrl)]);
    assert.deepEqual([...one, ...two], wanted);
    const other = connect(fresh.databaseUrl);
    try {
      const [carried, made] = [await catalogOf(sql), await catalogOf(other)];
      const missing = made.filter((item) => !carried.includes(item));
      const extra = carried.filter((item) => !made.includes(item));
      assert.deepEqual({ missing, extra }, { missing: [], extra: [] }, 'supabase/bridge/0.3.0.sql forgets something');
    } finally {
      await other.end();
    }
    assert.deepEqual(
      (await sql`SELECT version FROM supabase_migrations.schema_migrations ORDER BY 1`).map(({ version }) => version),
      wanted.map(({ version }) => version),
    );
  });

  it('keeps every row', async () => {
    const now = await contentOf(sql);
    for (const [table, rows] of Object.entries(before_)) {
      if (rows.length === 0 || table === 'ingest.tenant_turns') continue; // whose turn it was, nobody needs to know
      if (table === 'ingest.people_turn') {
        const { run_id, epoch } = rows[0]!;
        assert.deepEqual(now['ingest.turns'], [{ name: 'people', run_id, epoch }]);
        continue;
      }
      // All count as asked for now.
      const kept = table === 'ingest.stored_images' ? rows.map(({ stored_at: _, ...row }) => row) : rows;
      assert.deepEqual(sorted(within(now[table] ?? [], kept[0]!)), sorted(kept), table);
    }
  });

  it('goes on with a run that was at work, and compares and rolls back those that were done', async () => {
    const [staged] = await sql<OpenImport[]>`
      SELECT r.id AS "runId", r.lease_generation AS lease, (SELECT s.stage_id FROM ingest_stage.plaintiffs s LIMIT 1) AS "stageId"
      FROM ingest.import_runs r WHERE r.source_batch_id = 'staged'`;
    await upsert(sql, staged!);
    assert.equal(await settle(sql, staged!, 2), true);
    const runs = await sql<{ id: string; name: string }[]>`
      SELECT id, source_batch_id AS name FROM ingest.import_runs WHERE status = 'completed' ORDER BY created_at DESC`;
    assert.ok(runs.length >= 8);
    for (const { id, name } of runs) {
      const [answer] = await sql`SELECT is_valid FROM ingest.reconcile_import_run(${id})`;
      assert.deepEqual({ ...answer }, { is_valid: true }, name);
    }
    for (const { id, name } of runs) {
      const [answer] = await sql`SELECT success FROM ingest.rollback_import_run(${id}, 'test')`;
      assert.deepEqual({ ...answer }, { success: true }, name);
    }
    await importRows(sql, { batch: 'a', rows: [{ name: 'Ann' }] });
  });

  it('is carried over again from a state between 0.3.0 and this one', async () => {
    await sql`UPDATE supabase_migrations.schema_migrations SET statements = ARRAY['-- Generated from another text'] WHERE name = 'core'`;
    await sql.unsafe('DROP FUNCTION ingest.find_run(text)');
    assert.deepEqual(await migrate(old.databaseUrl), listMigrations());
    await sql`SELECT ingest.find_run('')`;
    assert.deepEqual(await migrate(old.databaseUrl), []);
  });

  it('keeps the functions that a team put in the place of those of runbook 000', async () => {
    const project = await restored();
    const connection = connect(project.databaseUrl);
    try {
      await connection.unsafe(TEAMS);
      await migrate(project.databaseUrl);
      assert.deepEqual([...(await connection`SELECT public.queue_job('{}') AS id`)], [{ id: 42 }]);
      assert.deepEqual(
        [...(await connection`SELECT ingest.is_own('public.queue_job(jsonb)') AS own`)],
        [{ own: false }],
      );
    } finally {
      await connection.end();
      await project.drop();
    }
  });

  it('is refused while it is only partly of 0.3.0', async () => {
    const project = await restored();
    const connection = connect(project.databaseUrl);
    try {
      await connection`DELETE FROM supabase_migrations.schema_migrations WHERE version = '20261121063100'`;
      await assert.rejects(migrate(project.databaseUrl), { code: 'DATABASE_SCHEMA' });
    } finally {
      await connection.end();
      await project.drop();
    }
  });
});
