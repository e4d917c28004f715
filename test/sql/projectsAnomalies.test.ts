import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { rowsInVain } from '../support/plans.ts';
import { forgetProjects, merge } from '../support/projectsBatch.ts';
import { tryAs, type Persona } from '../support/projectsPersonas.ts';
import type { TestDatabase } from '../support/stack.ts';
import { withDatabase } from '../support/suite.ts';

const ROWS = [
  {
    stage_application: 'S1',
    delivery_partner: 'Nobody',
    deployment_specialist: 'nobody',
    relationship_manager: 'Nobody',
  },
  { stage_application: 'S2', deployment_specialist: 'nobody' },
  { stage_application: 'S2' },
];

describe('anomalies for operators', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let database: TestDatabase;
  withDatabase((opened, made) => ([sql, database] = [opened, made]));
  const people: Record<string, Persona> = {};
  before(async () => {
    await forgetProjects(sql);
    for (const tenant of ['A', 'B']) await merge(sql, ROWS, { tenant, batch: `batch of ${tenant}` });
    await sql`UPDATE public.import_anomalies SET created_at = now() - interval '30 hours' WHERE tenant_id = 'B' AND anomaly_type = 'UNKNOWN_DS'`;
    await sql`UPDATE public.import_anomalies SET created_at = now() - interval '15 days' WHERE tenant_id = 'B' AND anomaly_type = 'UNKNOWN_RM'`;
    for (const [name, role, tenant] of [
      ['operatorA', 'operator', 'A'],
      ['adminB', 'admin', 'B'],
      ['operator', 'operator', null],
      ['viewer', 'viewer', null],
    ] as const) {
      people[name] = { name, role: 'authenticated', sub: randomUUID() };
      await sql`INSERT INTO public.user_roles (user_id, role, tenant_id) VALUES (${people[name].sub!}, ${role}, ${tenant})`;
    }
    people['nobody'] = { name: 'nobody', role: 'authenticated', sub: randomUUID() };
    people['anon'] = { name: 'anon', role: 'anon' };
    people['service'] = { name: 'service', role: 'service_role' };
  });

  const ask = (who: string, query: string): Promise<Record<string, unknown>[] | 'no'> =>
    sql.begin((tx) => tryAs(tx, people[who]!, query)) as Promise<Record<string, unknown>[] | 'no'>;
  const types = async (who: string, call: string): Promise<string> => {
    const rows = await ask(who, `SELECT tenant_id, anomaly_type FROM ${call}`);
    return rows === 'no'
      ? 'no'
      : rows
          .map((row) => `${row['tenant_id']} ${row['anomaly_type']}`)
          .sort()
          .join(', ');
  };
  const A = 'A DUPLICATE_ROW, A UNKNOWN_DELIVERY_PARTNER, A UNKNOWN_DS, A UNKNOWN_RM';
  const RECENT_B = 'B DUPLICATE_ROW, B UNKNOWN_DELIVERY_PARTNER';

  it('come from the functions to operators and admins, of their tenants, and to nobody else', async () => {
    for (const [who, expected] of [
      ['operatorA', A],
      ['adminB', RECENT_B],
      ['operator', `${A}, ${RECENT_B}`],
      ['service', `${A}, ${RECENT_B}`],
    ] as const) {
      assert.equal(await types(who, 'public.fn_anomalies_for_operator()'), expected, who);
      const stats = (await ask(who, 'SELECT tenant_id, category, count FROM public.fn_anomalies_stats()')) as Record<
        string,
        unknown
      >[];
      assert.equal(
        stats
          .map((row) => `${row['tenant_id']} ${row['category']}`)
          .sort()
          .join(', '),
        expected,
        who,
      );
    }
    for (const who of ['viewer', 'nobody', 'anon']) {
      assert.equal(await types(who, 'public.fn_anomalies_for_operator()'), 'no', who);
      assert.equal(await ask(who, 'SELECT * FROM public.fn_anomalies_stats()'), 'no', who);
    }
  });

  it('are guarded for the owner of the tables, too: the token decides, in either setting that carries it', async () => {
    await assert.rejects(sql`SELECT * FROM public.fn_anomalies_for_operator(24, NULL, NULL)`, {
      code: '42501',
      message: /insufficient_privilege/,
    });
    for (const [setting, value] of [
      ['request.jwt.claim.sub', people['operatorA']!.sub!],
      ['request.jwt.claims', JSON.stringify({ sub: people['operatorA']!.sub })],
    ]) {
      await sql.begin(async (tx) => {
        await tx`SELECT set_config(${setting!}, ${value!}, true)`;
        assert.deepEqual(
          [...(await tx`SELECT DISTINCT tenant_id FROM public.fn_anomalies_for_operator()`)],
          [{ tenant_id: 'A' }],
        );
      });
    }
    await sql.begin(async (tx) => {
      await tx`SELECT set_config('request.jwt.claims', '{"sub": "no uuid"}', true)`;
      await assert.rejects(
        tx.savepoint((point) => point`SELECT * FROM public.fn_anomalies_stats()`),
        { code: '42501' },
      );
    });
  });

  it('are chosen by window, tenant and severity, the worst first', async () => {
    assert.equal(await types('operator', "public.fn_anomalies_for_operator(24, 'B')"), RECENT_B);
    assert.equal(await types('operator', "public.fn_anomalies_for_operator(31, 'B', '{error}')"), 'B UNKNOWN_DS');
    assert.equal(
      await types(
        'operator',
        "public.fn_anomalies_for_operator(p_window_hours => 9999, p_severity => '{error,warning}')",
      ),
      'A UNKNOWN_DELIVERY_PARTNER, A UNKNOWN_DS, A UNKNOWN_RM, B UNKNOWN_DELIVERY_PARTNER, B UNKNOWN_DS, B UNKNOWN_RM',
    );
    assert.equal(await types('operator', 'public.fn_anomalies_for_operator(0)'), '');
    assert.equal(await types('operatorA', "public.fn_anomalies_for_operator(24, 'B')"), '');
    const ranks = ['error', 'warning', 'info'];
    const rows = (await ask('operator', 'SELECT created_at, severity FROM public.fn_anomalies_for_operator(9999)')) as {
      created_at: Date;
      severity: string;
    }[];
    assert.deepEqual(
      rows,
      rows.toSorted((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity) || +b.created_at - +a.created_at),
    );
  });

  it('come in pages whose next leads to all of them, once each, with an exact total', async () => {
    const page = async (who: string, after: string | null) => {
      const [row] = (await ask(
        who,
        `SELECT public.fn_anomalies_page(9999, NULL, NULL, 2, ${after === null ? 'NULL' : `'${after}'`}) AS page`,
      )) as {
        page: { anomalies: { id: string; severity: string; created_at: string }[]; next: string | null; total: number };
      }[];
      return row!.page;
    };
    for (const [who, total] of [
      ['operator', 8],
      ['operatorA', 4],
    ] as const) {
      const found = [];
      for (let after: string | null = null; ;) {
        const { anomalies, next, total: counted } = await page(who, after);
        assert.equal(counted, total);
        found.push(...anomalies);
        if (next === null) break;
        after = next;
      }
      assert.equal(new Set(found.map(({ id }) => id)).size, total);
      assert.deepEqual(
        found.map(({ severity }) => severity),
        found
          .map(({ severity }) => severity)
          .toSorted((a, b) => ['error', 'warning', 'info'].indexOf(a) - ['error', 'warning', 'info'].indexOf(b)),
      );
      assert.match(found[0]!.created_at, /^\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d$/);
    }
    assert.equal(await ask('viewer', 'SELECT public.fn_anomalies_page()'), 'no');
  });

  it('carry severity and excerpt, and counts by category', async () => {
    const [row] = (await ask(
      'operatorA',
      "SELECT * FROM public.fn_anomalies_for_operator(24, 'A', '{warning}')",
    )) as Record<string, unknown>[];
    const { id, created_at, staging_id, correlation_id, ...rest } = row!;
    assert.ok(id && created_at && staging_id && correlation_id);
    assert.deepEqual(rest, {
      tenant_id: 'A',
      batch_id: 'batch of A',
      row_index: 1,
      anomaly_type: 'UNKNOWN_DELIVERY_PARTNER',
      severity: 'warning',
      field: 'delivery_partner',
      input_value: 'Nobody',
      reason: 'partner_normalization has no such label',
      match_type: 'none',
      project_key: 'S1',
      payload_excerpt:
        '{"delivery_partner": "Nobody", "stage_application": "S1", "relationship_manager": "Nobody", "deployment_specialist": "nobody"}',
    });
    const stats = (await ask(
      'operator',
      'SELECT tenant_id, category, severity, count FROM public.fn_anomalies_stats(48) LIMIT 3',
    )) as Record<string, unknown>[];
    assert.deepEqual(
      stats.map((s) => Object.values(s)),
      [
        ['A', 'DUPLICATE_ROW', 'info', 1],
        ['A', 'UNKNOWN_DELIVERY_PARTNER', 'warning', 1],
        ['A', 'UNKNOWN_DS', 'error', 1],
      ],
    );
  });

  it('stand in the views for the last 14 days and 24 hours, with the rights of who looks', async () => {
    assert.equal(await types('operator', 'public.vw_import_anomalies_recent'), `${A}, ${RECENT_B}, B UNKNOWN_DS`);
    assert.equal(await types('operatorA', 'public.vw_import_anomalies_recent'), A);
    assert.equal(await types('viewer', 'public.vw_import_anomalies_recent'), '');
    assert.equal(await types('anon', 'public.vw_import_anomalies_recent'), 'no');
    const stats = (await ask(
      'adminB',
      'SELECT tenant_id, category, severity, count FROM public.vw_import_anomalies_stats_24h ORDER BY 2',
    )) as Record<string, unknown>[];
    assert.deepEqual(
      stats.map((s) => Object.values(s)),
      [
        ['B', 'DUPLICATE_ROW', 'info', 1],
        ['B', 'UNKNOWN_DELIVERY_PARTNER', 'warning', 1],
      ],
    );
  });

  it('are counted for alerts in any stretch of time', async () => {
    const counts =
      await sql`SELECT tenant_id, category, count FROM ingest.anomaly_stats(now() - interval '31 hours', now() - interval '29 hours')`;
    assert.deepEqual(
      counts.map((row) => Object.values(row)),
      [['B', 'UNKNOWN_DS', 1]],
    );
  });

  it('of a project are looked up by themselves for a tenant whom statistics do not know yet', async () => {
    const odd = (batch: string) =>
      Array.from({ length: 300 }, (_, i) => ({ stage_application: `${batch}${i}`, delivery_partner: 'Nobody' }));
    await sql`ANALYZE public.import_anomalies`;
    await sql`ALTER TABLE public.import_anomalies SET (autovacuum_enabled = off)`;
    await merge(sql, odd('first'), { tenant: 'NEW', batch: 'first' });
    const rows = await rowsInVain(
      database,
      `SELECT public.fn_projects_import_merge('NEW', 'projects-import', 'next', '${JSON.stringify(odd('next'))}')`,
      'import_anomalies x',
    ).finally(() => sql`ALTER TABLE public.import_anomalies RESET (autovacuum_enabled)`);
    assert.ok(rows < 10, `${rows} anomalies read for each project`);
  });
});
