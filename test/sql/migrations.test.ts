import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { migrate } from '../../src/database/migrate.ts';
import { listMigrations } from '../../src/database/migrations.ts';
import { domains, outdated, schemaOf } from '../../scripts/migrations.ts';
import { catalogOf } from '../support/catalog.ts';
import { findPostgres15, startPostgres15, type Server } from '../support/postgres15.ts';
import { sharedStack } from '../support/stack.ts';
import { connect, importRows } from '../support/sqlImport.ts';
import { createProject, type Project } from '../support/supabaseProject.ts';
import { describeSkipped } from '../support/skip.ts';
import { RIGHTS_QUERY, rightsFaults, type RightsRow } from '../../src/database/rights.ts';

/** Opened to signed-in people by their roles: see projectsPolicies.test.ts. */
const GUARDED = [
  ...[
    'user_roles',
    'partner_org',
    'projects',
    'project_membership',
    'import_anomalies',
    'partner_normalization',
    'ds_directory',
    'rm_directory',
  ],
  ...['vw_import_anomalies_recent', 'vw_import_anomalies_stats_24h'],
];

function promises(startServer: () => Promise<Server>): void {
  let server: Server;
  let project: Project;
  let sql: postgres.Sql;

  before(async () => {
    server = await startServer();
    project = await createProject(server.adminUrl);
    sql = connect(project.databaseUrl);
  });
  after(async () => {
    await sql?.end();
    await project?.drop();
    await server?.stop();
  });

  it('apply as a role that is no superuser', async () => {
    const [role] = await sql`SELECT rolsuper FROM pg_roles WHERE rolname = current_user`;
    assert.equal(role!['rolsuper'], false);
    assert.equal((await migrate(project.databaseUrl)).length, listMigrations().length);
    assert.deepEqual(await migrate(project.databaseUrl), []);
  });

  it('refuse a public bucket, leave nothing, and apply once it is private', async () => {
    const other = await createProject(server.adminUrl);
    const storage = connect(other.databaseUrl);
    try {
      await storage.unsafe(`CREATE SCHEMA storage; CREATE TABLE storage.buckets (id text PRIMARY KEY, name text, public boolean);
                            INSERT INTO storage.buckets VALUES ('imports', 'imports', true)`);
      await assert.rejects(migrate(other.databaseUrl), /the Storage bucket imports is public/);
      assert.equal((await storage`SELECT to_regclass('ingest.import_runs') AS found`)[0]!['found'], null);
      await storage`UPDATE storage.buckets SET public = false`;
      assert.equal((await migrate(other.databaseUrl)).length, listMigrations().length);
    } finally {
      await storage.end();
      await other.drop();
    }
  });

  it('apply a second time without an error or a difference', async () => {
    const before = await catalogOf(sql);
    assert.ok(before.length > 100);
    for (const { path } of listMigrations()) await sql.unsafe(await readFile(path, 'utf8'));
    assert.deepEqual(await catalogOf(sql), before);
  });

  it('give exactly what supabase/schemas says', async () => {
    const declared = await createProject(server.adminUrl);
    const other = connect(declared.databaseUrl);
    try {
      for (const domain of domains()) await other.unsafe(schemaOf(domain));
      assert.deepEqual(await catalogOf(sql), await catalogOf(other));
    } finally {
      await other.end();
      await declared.drop();
    }
  });

  it('leave nothing to the roles of the API but what policies guard, whatever the project grants by default', async () => {
    assert.deepEqual(
      [
        ...(await sql`
      SELECT c.oid::regclass::text AS name, r.rolname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace, pg_roles r
      WHERE nspname IN ('public', 'ingest', 'ingest_stage') AND rolname IN ('anon', 'authenticated') AND CASE
        WHEN relkind IN ('r', 'v', 'p') THEN has_table_privilege(rolname, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        WHEN relkind = 'S' THEN has_sequence_privilege(rolname, c.oid, 'USAGE, SELECT, UPDATE') END
        AND NOT (rolname = 'authenticated' AND nspname = 'public' AND relname = ANY (${GUARDED}))`),
      ],
      [],
    );
    assert.deepEqual(
      [
        ...(await sql`
      SELECT p.oid::regprocedure::text AS name, r.rolname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace, pg_roles r
      WHERE nspname = 'ingest' AND rolname IN ('anon', 'authenticated') AND has_function_privilege(rolname, p.oid, 'EXECUTE')`),
      ],
      [],
    );
  });

  it('give the rights that `intake doctor` expects, whatever the project grants by default', async () => {
    assert.deepEqual(rightsFaults((await sql.unsafe(RIGHTS_QUERY)) as unknown as RightsRow[]), []);
  });

  it('give functions that import, refuse a duplicate, roll back and import again', async () => {
    const batch = {
      batch: 'b',
      rows: [{ name: 'Élodie İ' }, { name: 'élodie  i' }, { name: 'C', error: 'BAD_EMAIL' }],
    };
    const first = await importRows(sql, batch);
    await assert.rejects(importRows(sql, batch), /duplicate/);
    assert.equal((await sql`SELECT success FROM ingest.rollback_import_run(${first}, 'test')`)[0]!['success'], true);
    const second = await importRows(sql, batch);
    const [run] =
      await sql`SELECT status, rows_inserted, rows_skipped, rows_errored, parent_run_id FROM ingest.import_runs WHERE id = ${second}`;
    assert.deepEqual(
      { ...run },
      { status: 'completed', rows_inserted: 1, rows_skipped: 1, rows_errored: 1, parent_run_id: first },
    );
    assert.deepEqual(
      [...(await sql`SELECT is_valid FROM ingest.reconcile_import_run(${second})`)],
      [{ is_valid: true }],
    );
  });
}

describe('supabase/migrations', () => {
  it('are what `npm run migrations` makes of supabase/schemas', () => {
    assert.deepEqual(outdated(), []);
  });
});

describe('the migrations on a project on PostgreSQL 17', () => {
  promises(async () => ({ adminUrl: (await sharedStack()).adminUrl, stop: async () => undefined }));
});

const postgres15 = findPostgres15();
const suite = postgres15 ? describe : describeSkipped('no PostgreSQL 15 on this machine');
suite('the migrations on a project on PostgreSQL 15', () => {
  promises(() => startPostgres15(postgres15!));
});
