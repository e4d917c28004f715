import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { withDatabase } from '../support/suite.ts';

/** What operators and the two backends call. */
const RPCS = [
  ...['claim', 'heartbeat', 'finalize', 'reconcile', 'rollback', 'open', 'fail', 'settle'].map(
    (verb) => `${verb}_import_run`,
  ),
  ...[
    'compute_plaintiff_dedupe_key',
    'stage_chunk',
    'clear_stage',
    'upsert_partition',
    'count_partition',
    'stop_partition',
  ],
  ...['compare_partition', 'record_result', 'find_completed_run', 'read_rejects'],
];

/** What row level security opens to signed-in people, by their roles: see projectsPolicies.test.ts. */
const OPEN = [
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

describe('rights', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  const column = async (query: postgres.PendingQuery<postgres.Row[]>): Promise<unknown[]> =>
    (await query).map((row) => Object.values(row)[0]);

  for (const role of ['anon', 'authenticated']) {
    it(`${role} executes nothing and reads nothing of an import`, async () => {
      assert.deepEqual(
        await column(sql`
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE nspname IN ('ingest', 'ingest_stage') AND has_function_privilege(${role}, p.oid, 'EXECUTE')`),
        [],
      );
      assert.deepEqual(
        await column(sql`
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE nspname IN ('public', 'ingest', 'ingest_stage') AND relkind IN ('r', 'v', 'm', 'p')
          AND has_table_privilege(${role}, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
          AND NOT (${role} = 'authenticated' AND nspname = 'public' AND relname = ANY (${OPEN}))`),
        [],
      );
      assert.deepEqual(
        await column(sql`
        SELECT nspname FROM pg_namespace WHERE nspname IN ('ingest', 'ingest_stage') AND has_schema_privilege(${role}, oid, 'USAGE, CREATE')`),
        [],
      );
      await assert.rejects(
        sql.begin(async (tx) => {
          await tx.unsafe(`SET LOCAL ROLE ${role}`);
          await tx`SELECT ingest.claim_import_run('a', 'b', 'c', 'd')`;
        }),
        { code: '42501' },
      );
    });
  }

  for (const role of ['dragonfly_app', 'service_role']) {
    it(`${role} may execute every function of an import`, async () => {
      const allowed = await column(sql`
        SELECT DISTINCT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE nspname = 'ingest' AND has_function_privilege(${role}, p.oid, 'EXECUTE')`);
      assert.deepEqual(
        RPCS.filter((name) => !allowed.includes(name)),
        [],
      );
    });
  }

  it('dragonfly_app runs an import of its own and sees its rows, without being a superuser', async () => {
    await sql.begin(async (tx) => {
      await tx.unsafe('SET LOCAL ROLE dragonfly_app');
      const [claim] =
        await tx`SELECT * FROM ingest.claim_import_run('csv', 'app', 'hash', 'app.csv', 'plaintiff', 'w')`;
      assert.equal(claim!['claim_status'], 'claimed');
      await tx`SELECT ingest.finalize_import_run(${claim!['run_id']}, 0, 0, 0, 0, NULL, false)`;
      assert.equal(
        (await tx`SELECT is_valid FROM ingest.reconcile_import_run(${claim!['run_id']})`)[0]!['is_valid'],
        true,
      );
      assert.equal((await tx`SELECT * FROM ingest.v_latest_runs`).length, 1);
      assert.equal((await tx`SELECT * FROM public.import_runs`).length, 1);
      await tx`INSERT INTO public.plaintiffs (dedupe_key, source_system, name) VALUES ('k', 'csv', 'by hand')`;
      assert.equal((await tx`SELECT * FROM public.plaintiffs`).length, 1);
      await tx`SELECT * FROM ingest.rollback_import_run(${claim!['run_id']}, 'test')`;
    });
  });

  it('row level security is on in every table of public and ingest', async () => {
    assert.deepEqual(
      await column(sql`
      SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE nspname IN ('public', 'ingest') AND relkind IN ('r', 'p') AND NOT relrowsecurity`),
      [],
    );
  });

  it('views run with the rights of their caller', async () => {
    assert.deepEqual(
      await column(sql`
      SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE nspname IN ('public', 'ingest') AND relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)`),
      [],
    );
  });

  it('functions have a fixed search_path', async () => {
    assert.deepEqual(
      await column(sql`
      SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE nspname = 'ingest' AND NOT EXISTS (SELECT FROM unnest(proconfig) s WHERE s LIKE 'search_path=%')`),
      [],
    );
  });
});
