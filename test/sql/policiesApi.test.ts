import { strict as assert } from 'node:assert';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type postgres from 'postgres';
import { importProjects } from '../support/projectsImport.ts';
import { makePerson } from '../support/people.ts';
import { addDirectories, merge } from '../support/projectsBatch.ts';
import { startApi, type TestApi } from '../support/stack.ts';
import { withDatabase } from '../support/suite.ts';

const OF_TENANTS = [
  'projects',
  'import_anomalies',
  'partner_normalization',
  'ds_directory',
  'rm_directory',
  'vw_import_anomalies_recent',
  'vw_import_anomalies_stats_24h',
];

describe("people who signed up, over Supabase's API", function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let api: TestApi;
  let database: string;
  withDatabase((opened, { databaseUrl }) => {
    sql = opened;
    database = databaseUrl;
  });

  before(async () => {
    api = await startApi(database);
    await addDirectories(sql);
    for (const tenant of ['A', 'B']) {
      const row = { stage_application: `S-${tenant}`, delivery_partner: 'Nobody', deployment_specialist: 'DS_A' };
      await merge(sql, [row], { tenant });
      await importProjects(sql, { tenant, rows: [{ ...row, stage_application: `F-${tenant}` }] });
      await sql`INSERT INTO public.ds_directory (tenant_id, preferred_username) VALUES (${tenant}, 'OWN')`;
      await sql`INSERT INTO public.rm_directory (tenant_id, display_name) VALUES (${tenant}, 'Own')`;
      await sql`INSERT INTO public.partner_normalization (tenant_id, source_label, partner_org_id) SELECT ${tenant}, 'Own', id FROM public.partner_org LIMIT 1`;
    }
  });
  after(() => api?.stop());

  /** Signs somebody up and gives them a role. */
  async function signUp(name: string, role?: string, tenant?: string): Promise<SupabaseClient> {
    const { client, id } = await makePerson(api, `${name}@example.com`, `correct horse ${name}`);
    if (role)
      await sql`INSERT INTO public.user_roles (user_id, role, tenant_id) VALUES (${id}, ${role}, ${tenant ?? null})`;
    return client;
  }
  /** Rows of an answer, none where the right is missing: which of the two it is depends on what the API grants beside row level security. */
  const rowsOf = ({ data, error }: { data: unknown; error: { code: string } | null }): unknown =>
    error?.code === '42501' ? [] : data;
  const tenantsIn = async (client: SupabaseClient, table: string): Promise<(string | null)[]> => {
    const { data, error } = await client.from(table).select('tenant_id');
    assert.equal(error, null, `${table}: ${error?.message}`);
    return [...new Set((data as { tenant_id: string | null }[]).map(({ tenant_id }) => tenant_id))].sort();
  };

  it('never see a row of another tenant, however they ask', async () => {
    for (const role of ['viewer', 'operator', 'admin']) {
      const client = await signUp(`${role}-a`, role, 'A');
      for (const table of OF_TENANTS) {
        const seen = await tenantsIn(client, table);
        assert.deepEqual(
          seen.filter((tenant) => tenant !== null && tenant !== 'A'),
          [],
          `${role} ${table}`,
        );
        if (role !== 'viewer' || table === 'projects') assert.ok(seen.includes('A'), `${role} ${table}`);
        for (const filter of ['tenant_id.eq.B', 'tenant_id.neq.A']) {
          assert.deepEqual((await client.from(table).select().or(filter)).data, [], `${role} ${table} ${filter}`);
        }
      }
      const members = await client.from('project_membership').select('project_id, projects(tenant_id)');
      assert.deepEqual(
        members.data?.map(({ projects: project }) => (project as unknown as { tenant_id: string }).tenant_id),
        ['A', 'A'],
        JSON.stringify(members.error),
      );
      assert.deepEqual((await client.from('user_roles').select('role, tenant_id')).data, [{ role, tenant_id: 'A' }]);
    }
    const everywhere = await signUp('operator', 'operator');
    assert.deepEqual(await tenantsIn(everywhere, 'projects'), ['A', 'B']);
  });

  it('ask for anomalies of another tenant in vain, also through the functions; viewers may not ask', async () => {
    const operator = await signUp('asks', 'operator', 'A');
    const all = await operator.rpc('fn_anomalies_for_operator', { p_window_hours: 24 });
    assert.deepEqual(
      [all.error, new Set((all.data as { tenant_id: string }[]).map(({ tenant_id }) => tenant_id))],
      [null, new Set(['A'])],
    );
    assert.deepEqual((await operator.rpc('fn_anomalies_for_operator', { p_window_hours: 24, p_tenant: 'B' })).data, []);
    assert.deepEqual(
      new Set(
        ((await operator.rpc('fn_anomalies_stats', {})).data as { tenant_id: string }[]).map(
          ({ tenant_id }) => tenant_id,
        ),
      ),
      new Set(['A']),
    );
    for (const client of [await signUp('views', 'viewer', 'A'), await signUp('nobody')]) {
      assert.equal((await client.rpc('fn_anomalies_for_operator', {})).error?.code, '42501');
    }
  });

  it('change nothing of another tenant, nor what their role does not open', async () => {
    const before = await sql`SELECT * FROM public.ds_directory ORDER BY id`;
    const admin = await signUp('changes', 'admin', 'A');
    assert.deepEqual(
      (await admin.from('ds_directory').update({ preferred_username: 'X' }).eq('tenant_id', 'B').select()).data,
      [],
    );
    assert.deepEqual((await admin.from('ds_directory').delete().neq('tenant_id', 'A').select()).data, []);
    for (const tenant_id of ['B', null])
      assert.equal(
        (await admin.from('ds_directory').insert({ tenant_id, preferred_username: 'new' })).error?.code,
        '42501',
      );
    for (const [table, change] of [
      ['projects', { address: 'x' }],
      ['import_anomalies', { reason: 'x' }],
      ['user_roles', { role: 'operator' }],
    ] as const) {
      assert.deepEqual(rowsOf(await admin.from(table).update(change).eq('tenant_id', 'A').select()), [], table);
    }
    assert.equal(
      (await admin.from('user_roles').insert({ user_id: '00000000-0000-4000-8000-000000000000', role: 'admin' })).error
        ?.code,
      '42501',
    );
    assert.deepEqual([...(await sql`SELECT * FROM public.ds_directory ORDER BY id`)], [...before]);
    const { data } = await admin
      .from('ds_directory')
      .update({ preferred_username: 'Mended' })
      .eq('tenant_id', 'A')
      .select('preferred_username');
    assert.deepEqual(data, [{ preferred_username: 'Mended' }]);
  });

  it('without a role, or without signing in, have nothing', async () => {
    const nobody = await signUp('without-role');
    for (const table of OF_TENANTS) assert.deepEqual(await tenantsIn(nobody, table), []);
    const anon = createClient(api.url, api.anonKey, { auth: { persistSession: false } });
    for (const table of [...OF_TENANTS, 'staging_imports', 'plaintiffs', 'judgments']) {
      assert.deepEqual(rowsOf(await anon.from(table).select()), [], table);
    }
    for (const table of ['staging_imports', 'plaintiffs', 'judgments', 'import_runs'])
      assert.deepEqual(rowsOf(await nobody.from(table).select()), [], table);
    const forged = createClient(api.url, api.anonKey, {
      global: { headers: { Authorization: `Bearer ${forgedToken()}` } },
      auth: { persistSession: false },
    });
    const { data } = await forged.from('projects').select();
    assert.ok(data === null || data.length === 0);
  });

  /** Of an admin, but signed by nobody. */
  function forgedToken(): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: '00000000-0000-4000-8000-000000000001', role: 'service_role', exp: 4102444800 })}.${Buffer.from('forged').toString('base64url')}`;
  }
});
