import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { currentFile, rightsFiles } from '../../scripts/rights.ts';
import { IDENTITIES, RIGHTS_QUERY, rightsFaults, type RightsRow } from '../../src/database/rights.ts';
import { FUNCTIONS } from '../../src/database/functions.ts';
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

/** Who lets people and tenants in is the owner of the database, has the service key or is the gateway. */
const OWNERS = [
  'add_tenant',
  'find_person',
  'grant_role',
  'lend_bearer',
  'revoke_roles',
  'rotate_bearer',
  'set_date_order',
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

  it('dragonfly_app lets nobody in, by no function and no table; dragonfly_gateway does, and all that the program may', async () => {
    const entries = [
      ...OWNERS.map((name) => `function ingest.${name}`),
      ...['public.user_roles', 'ingest.tenants', 'ingest.tenant_bearers'].map((name) => `relation ${name}`),
    ];
    const rows = (await sql.unsafe(RIGHTS_QUERY)) as unknown as RightsRow[];
    const rightsOf = (role: (typeof IDENTITIES)[number]) =>
      rows
        .filter(({ object }) => entries.some((name) => object === name || object.startsWith(`${name}(`)))
        .flatMap(({ rights }) => rights[IDENTITIES.indexOf(role)]!.replace('r', '') || []);
    assert.deepEqual(rightsOf('dragonfly_app'), []);
    assert.deepEqual(
      rightsOf('dragonfly_gateway'),
      OWNERS.map(() => 'X'),
    );
    const [app, gateway] = [IDENTITIES.indexOf('dragonfly_app'), IDENTITIES.indexOf('dragonfly_gateway')];
    for (const { object, rights } of rows)
      for (const right of rights[app]!) assert.ok(rights[gateway]!.includes(right), `${object}: ${right}`);
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

  it('functions look into the catalogue first and at temporary objects last', async () => {
    assert.deepEqual(
      await column(sql`
      SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE nspname IN ('ingest', 'public') AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))`),
      [],
    );
  });

  it('the program calls named functions only, and none that trusts a run or a description it is handed', async () => {
    const allowed = (role: string): Promise<unknown[]> =>
      column(sql`
        SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'ingest'::regnamespace AND has_function_privilege(${role}, oid, 'EXECUTE')`);
    const [service, app] = [await allowed('service_role'), await allowed('dragonfly_app')];
    const called = Object.keys(FUNCTIONS);
    assert.deepEqual(
      called.filter((name) => !service.includes(name)),
      [],
    );
    assert.deepEqual(called.filter((name) => !app.includes(name)).sort(), OWNERS);
    assert.deepEqual(
      await column(sql`
        SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace = 'ingest'::regnamespace AND has_function_privilege('dragonfly_app', oid, 'EXECUTE')
          AND (proargtypes::oid[] && ARRAY['ingest.import_runs', 'ingest.kind_models']::regtype[]::oid[] OR prorettype = 'trigger'::regtype)`),
      [],
    );
  });

  it('are those that docs/security.md and `intake doctor` have: `npm run audit:rights` writes both', async () => {
    for (const [file, text] of await rightsFiles(sql)) assert.equal(currentFile(file), text, String(file));
  });

  it('that somebody gave or took away are found, with what mends them; what others added is theirs', async () => {
    const faults = async (tx: postgres.Sql) => rightsFaults((await tx.unsafe(RIGHTS_QUERY)) as unknown as RightsRow[]);
    assert.deepEqual(await faults(sql), []);
    await sql
      .begin(async (tx) => {
        await tx.unsafe('CREATE TABLE public.of_others (id int); GRANT ALL ON public.of_others TO anon');
        await tx.unsafe('GRANT TRUNCATE ON public.projects TO anon; GRANT USAGE ON SCHEMA ingest TO authenticated');
        await tx.unsafe(
          'REVOKE SELECT ON public.plaintiffs FROM dragonfly_app; GRANT ALL ON public.projects TO service_role',
        );
        await tx.unsafe('GRANT EXECUTE ON FUNCTION ingest.lock_tenant(text) TO PUBLIC');
        const found = await faults(tx as unknown as postgres.Sql);
        assert.deepEqual(found.map(({ statement }) => statement).sort(), [
          'grant select on public.plaintiffs to dragonfly_app',
          'grant select on public.plaintiffs to dragonfly_gateway',
          'revoke execute on function ingest.lock_tenant(text) from anon',
          'revoke execute on function ingest.lock_tenant(text) from authenticated',
          'revoke execute on function ingest.lock_tenant(text) from dragonfly_app',
          'revoke execute on function ingest.lock_tenant(text) from dragonfly_gateway',
          'revoke truncate on public.projects from anon',
          'revoke usage on schema ingest from authenticated',
        ]);
        throw new Error('harmless');
      })
      .catch((error: Error) => assert.equal(error.message, 'harmless'));
  });

  it('no named function reads a temporary table that neither it nor what it calls has made', async () => {
    const rows = await sql<{ name: string; body: string; open: boolean }[]>`
      SELECT proname AS name, prosrc AS body, has_function_privilege('dragonfly_app', oid, 'EXECUTE') OR has_function_privilege('authenticated', oid, 'EXECUTE') AS open
      FROM pg_proc WHERE pronamespace IN ('ingest'::regnamespace, 'public'::regnamespace)`;
    const bodies = new Map<string, string>();
    for (const { name, body } of rows) bodies.set(name, `${bodies.get(name) ?? ''}${body.replace(/--.*/g, '')}`);
    const within = (name: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(name)) return seen;
      seen.add(name);
      for (const [, called = ''] of bodies.get(name)!.matchAll(/\b(?:ingest|public)\.(\w+)/g))
        if (bodies.has(called)) within(called, seen);
      return seen;
    };
    const faults = rows
      .filter(({ open }) => open)
      .flatMap(({ name }) => {
        const text = [...within(name)].map((each) => bodies.get(each)).join('\n');
        const made = new Set([...text.matchAll(/create temp table (intake_\w+)/g)].map(([, table]) => table));
        const read = new Set(
          [...text.matchAll(/\b(?:from|join|into|update) (?:pg_temp\.)?(intake_\w+)/g)].map(([, table]) => table),
        );
        return [...read].filter((table) => !made.has(table)).map((table) => `${name}: ${table}`);
      });
    assert.deepEqual(faults, []);
  });

  for (const role of ['dragonfly_app', 'dragonfly_gateway', 'service_role', 'authenticated', 'anon']) {
    /** Runs as the role, with a function that fails when anybody else runs it. */
    const attack = (...statements: readonly string[]): Promise<unknown> =>
      sql.begin(async (tx) => {
        await tx.unsafe(`SET LOCAL ROLE ${role}`);
        await tx.unsafe(`CREATE FUNCTION pg_temp.evil() RETURNS boolean LANGUAGE plpgsql AS $$
          BEGIN IF current_user <> '${role}' THEN RAISE EXCEPTION 'ran as %', current_user; END IF; RETURN true; END $$`);
        await tx.unsafe(
          `CREATE FUNCTION pg_temp.evil_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_temp.evil(); RETURN null; END $$`,
        );
        for (const statement of statements) await tx.unsafe(statement);
        throw new Error('harmless');
      });
    const refused = role === 'authenticated' || role === 'anon' ? { code: '42501' } : { message: 'harmless' };

    it(`${role} cannot have a check of its own run by the owner of a function, under the name of a type`, async () => {
      await assert.rejects(
        attack(
          'CREATE DOMAIN pg_temp.jsonb AS pg_catalog.jsonb CHECK (pg_temp.evil())',
          role === 'authenticated' || role === 'anon'
            ? 'SELECT public.fn_dashboard_runs()'
            : `SELECT ingest.open_import_run('a', 'b', 'c', 'd')`,
        ),
        refused,
      );
    });

    it(`${role} cannot have a trigger or a view of its own run by the owner, under the name of a temporary table`, async () => {
      await assert.rejects(
        attack(
          'CREATE TEMP TABLE intake_withdrawn (raw_id bigint, plaintiff_key text, plaintiff_id bigint, heir_id bigint, heir_run uuid)',
          'CREATE TRIGGER t BEFORE TRUNCATE OR INSERT ON intake_withdrawn EXECUTE FUNCTION pg_temp.evil_trigger()',
          `SELECT ingest.rollback_import_run((SELECT run_id FROM ingest.claim_import_run('a', 'b', 'c', 'd', 'plaintiffs')), 'test')`,
        ),
        (error: Error) => !error.message.startsWith('ran as'),
      );
      await assert.rejects(
        attack(
          'CREATE TEMP VIEW intake_resolved AS SELECT 1 AS row_index, 2 AS replaced_by, pg_temp.evil()::text AS stage_application',
          'SELECT * FROM ingest.row_anomalies()',
        ),
        { code: '42501' },
      );
    });
  }
});
