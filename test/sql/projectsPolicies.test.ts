import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { PERSONAS, TABLES, accessTo, addRowsOfTenants, tryAs } from '../support/projectsPersonas.ts';
import { withDatabase } from '../support/suite.ts';

const NOTHING = 'no | no | no | no';
const reads = (labels: string): string => `${labels} | no | no | no`;
const writes = (labels: string, tenants: string): string => `${labels} | ${tenants} | ${tenants} | ${tenants}`;

/** Read | add | change | remove, by table and persona; who is not named has nothing. */
const people = (
  viewerA: string,
  operatorA: string,
  adminA: string,
  viewer: string,
  operator: string,
  admin: string,
): Record<string, string> => ({ viewerA, operatorA, adminA, viewer, operator, admin });
const visible = people(reads('A'), reads('A'), reads('A'), reads('A B C'), reads('A B C'), reads('A B C'));
const directory = people(
  '- | no | - | -',
  '* A | no | - | -',
  writes('* A', 'A'),
  '- | no | - | -',
  '* A B | no | - | -',
  '* A B | A B * | * A B | * A B',
);
const EXPECTED: Readonly<Record<string, Record<string, string>>> = {
  projects: visible,
  project_membership: visible,
  // With the projects and labels that name them.
  partner_org: people(reads('A'), reads('* A'), reads('* A'), reads('* A B'), reads('* A B'), reads('* A B')),
  staging_imports: {},
  import_anomalies: people(reads('-'), reads('A'), reads('A'), reads('-'), reads('A B C'), reads('A B C')),
  import_retention_stats: {},
  partner_normalization: directory,
  ds_directory: directory,
  rm_directory: directory,
  user_roles: people(
    reads('viewerA'),
    reads('operatorA'),
    reads('adminA'),
    reads('viewer*'),
    reads('operator*'),
    reads('admin*'),
  ),
};
const CLOSED = ['staging_imports', 'import_retention_stats'];
const EDITABLE = ['partner_normalization', 'ds_directory', 'rm_directory'];
const EVERYBODYS = ['import_retention_stats'];

function expectedOf(table: string, persona: string): string {
  if (persona === 'anon') return NOTHING;
  if (persona === 'dragonfly_app' || persona === 'service_role') {
    if (table === 'partner_org') return '* A B | A B * | * A B | *';
    const all = EDITABLE.includes(table)
      ? '* A B'
      : EVERYBODYS.includes(table)
        ? '*'
        : table === 'user_roles'
          ? 'admin* adminA operator* operatorA viewer* viewerA'
          : 'A B C';
    // Who runs imports lets nobody in.
    if (table === 'user_roles' && persona === 'dragonfly_app') return reads(all);
    return `${all} | A B * | ${all} | ${all}`;
  }
  if (CLOSED.includes(table)) return NOTHING;
  return EXPECTED[table]![persona] ?? (EDITABLE.includes(table) ? '- | no | - | -' : reads('-'));
}

describe('who may do what with projects', function () {
  this.timeout(120_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  before(async () => {
    await addRowsOfTenants(sql);
  });

  const differences = async (tx: postgres.TransactionSql, table: string): Promise<string[]> => {
    const found: string[] = [];
    for (const persona of PERSONAS) {
      const access = await accessTo(tx, table, persona);
      if (access !== expectedOf(table, persona.name))
        found.push(`${persona.name}: ${access}, not ${expectedOf(table, persona.name)}`);
    }
    return found;
  };
  class Undo extends Error {}
  const undone = (work: (tx: postgres.TransactionSql) => Promise<void>): Promise<void> =>
    sql
      .begin(async (tx) => {
        await work(tx);
        throw new Undo();
      })
      .catch((error: unknown) => {
        if (!(error instanceof Undo)) throw error;
      }) as Promise<void>;

  for (const table of Object.keys(TABLES)) {
    it(`${table}: every role reads, adds, changes and removes what it may, and nothing of another tenant`, () =>
      undone(async (tx) => {
        assert.deepEqual(await differences(tx, table), []);
      }));
  }

  it('each policy is needed: without any one of them the above fails', () =>
    undone(async (tx) => {
      const policies = await tx<
        { table: string; policy: string }[]
      >`SELECT tablename AS table, policyname AS policy FROM pg_policies WHERE tablename = ANY (${Object.keys(TABLES)}) AND schemaname = 'public'`;
      assert.ok(policies.length >= 24);
      for (const { table, policy } of policies) {
        await tx
          .savepoint(async (point) => {
            await point.unsafe(`DROP POLICY ${policy} ON public.${table}`);
            assert.notDeepEqual(await differences(point, table), [], policy);
            throw new Undo();
          })
          .catch((error: unknown) => {
            if (!(error instanceof Undo)) throw error;
          });
      }
    }));

  it('an admin cannot move an entry to another tenant', () =>
    undone(async (tx) => {
      for (const table of EDITABLE) {
        await assert.rejects(
          tx.savepoint(async (point) => {
            await point`SELECT set_config('request.jwt.claims', ${JSON.stringify({ sub: PERSONAS.find(({ name }) => name === 'adminA')!.sub })}, true)`;
            await point.unsafe('SET LOCAL ROLE authenticated');
            await point.unsafe(`UPDATE public.${table} SET tenant_id = 'B' WHERE tenant_id = 'A'`);
          }),
          { code: '42501' },
        );
      }
    }));

  it('a statement that changes no row of a directory, such as one without the right to, leaves its version', () =>
    undone(async (tx) => {
      const version = async (): Promise<string> =>
        (await tx`SELECT ingest.directory_version() AS v`)[0]!['v'] as string;
      const before = await version();
      for (const table of EDITABLE) {
        const nobody =
          PERSONAS.find(({ name }) => name === 'nobody') ?? PERSONAS.find(({ name }) => name === 'viewerA')!;
        for (const statement of [`DELETE FROM public.${table}`, `UPDATE public.${table} SET created_at = now()`])
          assert.deepEqual(await tryAs(tx, nobody, `${statement} RETURNING 1`), []);
        await tx.unsafe(`DELETE FROM public.${table} WHERE false`);
        assert.equal(await version(), before, table);
      }
      await tx.unsafe(`UPDATE public.ds_directory SET created_at = created_at`);
      await tx.unsafe(`DELETE FROM public.ds_directory`);
      await tx.unsafe('TRUNCATE public.rm_directory');
      assert.equal(Number(await version()), Number(before) + 3);
    }));

  it('a change by an admin is resolved by the next merge, though schema ingest is closed to them', () =>
    undone(async (tx) => {
      const [before] = await tx`SELECT ingest.directory_version() AS version`;
      await tx.savepoint(async (point) => {
        await point`SELECT set_config('request.jwt.claims', ${JSON.stringify({ sub: PERSONAS.find(({ name }) => name === 'adminA')!.sub })}, true)`;
        await point.unsafe('SET LOCAL ROLE authenticated');
        await point`INSERT INTO public.ds_directory (tenant_id, preferred_username) VALUES ('A', ' New  ONE ')`;
        await point.unsafe('RESET ROLE');
      });
      assert.equal(
        (await tx`SELECT ingest.directory_version() AS version`)[0]!['version'],
        Number(before!['version']) + 1,
      );
      assert.equal(
        (
          await tx`SELECT normalized_username AS name FROM public.ds_directory WHERE preferred_username = ' New  ONE '`
        )[0]!['name'],
        'new one',
      );
    }));

  it('only the program may merge, backfill and clean up', async () => {
    const open = await sql`
      SELECT p.proname, r.rolname FROM pg_proc p, pg_roles r WHERE p.pronamespace = 'public'::regnamespace AND r.rolname IN ('anon', 'authenticated')
        AND p.proname LIKE 'fn\\_%' AND has_function_privilege(r.rolname, p.oid, 'EXECUTE') ORDER BY 1`;
    assert.deepEqual(
      open.map((row) => `${row['rolname']} ${row['proname']}`),
      [
        'authenticated fn_anomalies_for_operator',
        'authenticated fn_anomalies_page',
        'authenticated fn_anomalies_stats',
        'authenticated fn_current_user_id',
        'authenticated fn_dashboard_act',
        'authenticated fn_dashboard_anomalies',
        'authenticated fn_dashboard_batches',
        'authenticated fn_dashboard_me',
        'authenticated fn_dashboard_overview',
        'authenticated fn_dashboard_run',
        'authenticated fn_dashboard_runs',
        'authenticated fn_require_operator',
        'authenticated fn_tenants_for',
      ],
    );
    // Guarded: they show runs, which are in a closed schema, and pages of anomalies to those whose roles open them. See dashboard.test.ts.
    const definers = await sql`
      SELECT p.proname AS f FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND has_function_privilege('authenticated', p.oid, 'EXECUTE') ORDER BY 1`;
    assert.deepEqual(
      definers.map(({ f }) => f),
      [
        'fn_anomalies_page',
        'fn_dashboard_act',
        'fn_dashboard_batches',
        'fn_dashboard_overview',
        'fn_dashboard_run',
        'fn_dashboard_runs',
      ],
    );
    const loose =
      await sql`SELECT p.oid::regprocedure::text AS f FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'fn\\_%'
      AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%')`;
    assert.deepEqual([...loose], []);
  });
});
