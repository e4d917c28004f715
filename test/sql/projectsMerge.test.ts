import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { addDirectories, forgetProjects, merge, numbersOf, type Directories } from '../support/projectsBatch.ts';
import { withDatabase } from '../support/suite.ts';

const KNOWN = { delivery_partner: 'Acme', deployment_specialist: 'DS_A', relationship_manager: 'First Last' };

describe('a merge of projects', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  let who: Directories;
  beforeEach(async () => {
    await forgetProjects(sql);
    who = await addDirectories(sql);
  });

  const members = async (key: string): Promise<string[]> =>
    (
      await sql`
    SELECT coalesce(member_partner_org_id, member_user_id)::text AS id FROM public.project_membership m
    JOIN public.projects p ON p.id = m.project_id WHERE p.stage_application = ${key}`
    )
      .map(({ id }) => String(id))
      .sort();
  const anomalies = async (): Promise<unknown[][]> =>
    (
      await sql`
    SELECT row_index, anomaly_type, severity, field, input_value, match_type, project_key FROM public.import_anomalies ORDER BY 1, 2`
    ).map((row) => Object.values(row));

  it('inserts new projects, counts those that exist as updated, and new members once', async () => {
    const first = await merge(sql, [{ stage_application: 'S1', ...KNOWN }, { stage_application: 'S2' }]);
    assert.deepEqual(numbersOf(first), [2, 0, 1, 2, 0]);
    const second = await merge(sql, [
      { stage_application: 'S1', ...KNOWN, address: 'new' },
      { stage_application: 'S3', ...KNOWN },
    ]);
    assert.deepEqual(numbersOf(second), [1, 1, 1, 2, 0]);
    assert.deepEqual(await members('S1'), [who.org, who.ds, who.rm].sort());
  });

  it('types values: trimmed text, counts, ISO dates, degrees, classes; what is none is an anomaly', async () => {
    await merge(sql, [
      {
        stage_application: ' S1\u00a0',
        delivery_partner: '\tAcme ',
        developer_class: ' class  1',
        residential: ' 45 ',
        commercial: '',
        essential: null,
        premises_count: 7,
        stage_application_created: '2025-04-01T23:30:00+09:30',
        eFscd: '2025-12-31',
        latitude: '-34.9',
        longitude: 138.6,
        address: '1 Main St',
        fod_id: 'F',
      },
      {
        stage_application: 'S2',
        developer_class: 'Class 9',
        stage_application_created: '2025-02-30',
        eFscd: '04/13/2025',
        latitude: '91',
        longitude: 'east',
      },
      {
        stage_application: 'S3',
        developer_class: 'Class 3',
        stage_application_created: '2024-02-29',
        eFscd: '31/12/2025',
      },
      { stage_application: 'S4', developer_class: 'CLASS 4', stage_application_created: '2023-02-29' },
      { stage_application: 'S5', developer_class: 'Class 2', premises_count: '12.0' },
    ]);
    const rows = await sql`
      SELECT stage_application, delivery_partner_label, developer_class, residential, commercial, essential, premises_count, stage_application_created::text,
             efscd::text, latitude::text, longitude::text, address, fod_id FROM public.projects ORDER BY 1`;
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        ['S1', 'Acme', 'Key Strategic', 45, 0, 0, 7, '2025-04-01', '2025-12-31', '-34.9', '138.6', '1 Main St', 'F'],
        ['S2', null, null, 0, 0, 0, 0, null, null, null, null, null, null],
        ['S3', null, 'Inbound', 0, 0, 0, 0, '2024-02-29', null, null, null, null, null],
        ['S4', null, 'Inbound', 0, 0, 0, 0, null, null, null, null, null, null],
        ['S5', null, 'Managed', 0, 0, 0, 12, null, null, null, null, null, null],
      ],
    );
    const odd =
      await sql`SELECT anomaly_type, severity, field, input_value FROM public.import_anomalies ORDER BY row_index, field COLLATE "C"`;
    assert.deepEqual(
      odd.map((row) => Object.values(row)),
      [
        ['developer_class', 'Class 9'],
        ['eFscd', '04/13/2025'],
        ['latitude', '91'],
        ['longitude', 'east'],
        ['stage_application_created', '2025-02-30'],
        ['eFscd', '31/12/2025'],
        ['stage_application_created', '2023-02-29'],
      ].map((place) => ['UNREADABLE_VALUE', 'warning', ...place]),
    );
  });

  it('keeps the batch as it came, and its id: a UUID as such, a text as the same UUID every time', async () => {
    const raw = [{ stage_application: ' S1 ', note: 'kept' }];
    const [id, correlation] = [randomUUID(), randomUUID()];
    await merge(sql, raw, { batch: id, correlation });
    await merge(sql, [{ stage_application: 'S2' }], { batch: '2025-08-18T17:00:00+0930-batch-001' });
    await merge(sql, [{ stage_application: 'S3' }], { batch: '2025-08-18T17:00:00+0930-batch-001' });
    const staged =
      await sql`SELECT batch_id, raw, row_count, source, correlation_id, validation ->> 'request_batch_id' AS asked FROM public.staging_imports ORDER BY raw::text`;
    const { batch_id: generated } = staged[1]!;
    assert.deepEqual(
      { ...staged[0] },
      { batch_id: id, raw, row_count: 1, source: 'projects-import', correlation_id: correlation, asked: id },
    );
    assert.match(String(generated), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual([staged[2]!['batch_id'], staged[2]!['asked']], [generated, '2025-08-18T17:00:00+0930-batch-001']);
  });

  it('takes the last of several rows of a stage_application and tells of the others', async () => {
    const metrics = await merge(sql, [
      { stage_application: 'S1', address: 'a', delivery_partner: 'Nobody' },
      { stage_application: 'S2' },
      { stage_application: ' S1', address: 'b' },
    ]);
    assert.deepEqual(numbersOf(metrics), [2, 0, 0, 0, 1]);
    assert.equal((await sql`SELECT address FROM public.projects WHERE stage_application = 'S1'`)[0]!['address'], 'b');
    assert.deepEqual(await anomalies(), [[1, 'DUPLICATE_ROW', 'info', 'stage_application', 'S1', 'exact', 'S1']]);
  });

  it('records whom it does not know, with severity and place; no partner and Unassigned are no anomaly', async () => {
    await sql`UPDATE public.ds_directory SET status = 'inactive' WHERE preferred_username = 'DS_B'`;
    await sql`INSERT INTO public.rm_directory (display_name, user_id) VALUES ('Twin', ${randomUUID()}), ('twin', ${randomUUID()})`;
    const metrics = await merge(sql, [
      {
        stage_application: 'S1',
        delivery_partner: ' ',
        deployment_specialist: '',
        relationship_manager: ' first  LAST',
        rm_preferred_username: 'gone',
      },
      {
        stage_application: 'S2',
        delivery_partner: 'UNASSIGNED',
        deployment_specialist: 'ds_a',
        rm_preferred_username: 'rm_a',
        relationship_manager: 'Twin',
      },
      {
        stage_application: 'S3',
        delivery_partner: 'Nobody',
        deployment_specialist: 'DS_B',
        relationship_manager: 'Twin',
      },
      {
        stage_application: 'S4',
        delivery_partner: 'acme',
        deployment_specialist: 'DS_C',
        rm_preferred_username: 'RM_Z',
      },
    ]);
    assert.equal(metrics.anomalies_count, 7);
    assert.deepEqual(await anomalies(), [
      [1, 'UNKNOWN_RM', 'error', 'relationship_manager', 'first  LAST', 'none', 'S1'],
      [2, 'UNKNOWN_RM', 'error', 'relationship_manager', 'Twin', 'mismatch', 'S2'],
      [3, 'UNKNOWN_DELIVERY_PARTNER', 'warning', 'delivery_partner', 'Nobody', 'none', 'S3'],
      [3, 'UNKNOWN_DS', 'error', 'deployment_specialist', 'DS_B', 'inactive', 'S3'],
      [3, 'UNKNOWN_RM', 'error', 'relationship_manager', 'Twin', 'ambiguous', 'S3'],
      [4, 'UNKNOWN_DS', 'error', 'deployment_specialist', 'DS_C', 'none', 'S4'],
      [4, 'UNKNOWN_RM', 'error', 'rm_preferred_username', 'RM_Z', 'none', 'S4'],
    ]);
    assert.deepEqual(await members('S1'), []);
    assert.deepEqual(await members('S2'), [who.ds]);
    assert.deepEqual(await members('S3'), []);
  });

  it('gives an anomaly the first 500 characters of its own row and nothing of another', async () => {
    await merge(
      sql,
      [
        { stage_application: 'S1', address: 'secret' },
        { stage_application: 'S2', deployment_specialist: 'x', address: 'y'.repeat(700) },
      ],
      { batch: 'own text' },
    );
    const [anomaly] = await sql`SELECT payload_excerpt AS excerpt, batch_id FROM public.import_anomalies`;
    assert.equal(anomaly!['batch_id'], 'own text');
    assert.equal(String(anomaly!['excerpt']).length, 500);
    assert.match(String(anomaly!['excerpt']), /^\{"address": "yyy/);
  });

  it("prefers a tenant's own entries to those for everybody, and never uses another tenant's", async () => {
    await sql`INSERT INTO public.partner_normalization (tenant_id, source_label, partner_org_id) VALUES ('TELCO', 'acme', ${who.otherOrg}), ('OTHER', 'Theirs', ${who.org})`;
    const metrics = await merge(sql, [
      { stage_application: 'S1', delivery_partner: 'Acme' },
      { stage_application: 'S2', delivery_partner: 'Theirs' },
    ]);
    assert.deepEqual(await members('S1'), [who.otherOrg]);
    assert.deepEqual(await members('S2'), []);
    assert.equal(metrics.anomalies_count, 1);
    await merge(sql, [{ stage_application: 'S1', delivery_partner: 'Acme' }], { tenant: 'THIRD' });
    assert.deepEqual(await members('S1'), [who.org, who.otherOrg].sort());
  });

  it('removes members of former fields, and leaves those that people added', async () => {
    const guest = randomUUID();
    await merge(sql, [{ stage_application: 'S1', ...KNOWN }]);
    await sql`INSERT INTO public.project_membership (project_id, member_user_id) SELECT id, ${guest}::uuid FROM public.projects`;
    const changed = await merge(sql, [
      { stage_application: 'S1', delivery_partner: 'Other', deployment_specialist: 'nobody', relationship_manager: '' },
    ]);
    assert.deepEqual(numbersOf(changed), [0, 1, 1, 0, 1]);
    assert.deepEqual([changed.memberships_removed, changed.values_cleared], [3, 1]);
    assert.deepEqual(await members('S1'), [who.otherOrg, guest].sort());
  });

  it('has one membership for a user who is both specialist and manager, until both fields change', async () => {
    await sql`INSERT INTO public.rm_directory (display_name, user_id) VALUES ('Both', ${who.ds})`;
    await merge(sql, [{ stage_application: 'S1', deployment_specialist: 'DS_A', relationship_manager: 'Both' }]);
    await merge(sql, [{ stage_application: 'S1', deployment_specialist: 'DS_B', relationship_manager: 'Both' }]);
    assert.deepEqual(await members('S1'), [who.ds, who.otherDs].sort());
    await merge(sql, [{ stage_application: 'S1', deployment_specialist: '', relationship_manager: null }]);
    assert.deepEqual(await members('S1'), []);
  });

  it('the backfill makes the members that directories give by now, and removes those that they no longer give', async () => {
    await merge(sql, [
      {
        stage_application: 'S1',
        delivery_partner: 'Late',
        deployment_specialist: 'DS_A',
        relationship_manager: 'First Last',
      },
      { stage_application: 'S2', ...KNOWN },
    ]);
    await sql`INSERT INTO public.partner_normalization (source_label, partner_org_id) VALUES ('Late', ${who.otherOrg})`;
    await sql`UPDATE public.ds_directory SET status = 'inactive' WHERE preferred_username = 'DS_A'`;
    assert.equal((await sql`SELECT public.fn_projects_membership_backfill() AS made`)[0]!['made'], 1);
    assert.deepEqual(await members('S1'), [who.otherOrg, who.rm].sort());
    assert.deepEqual(await members('S2'), [who.org, who.rm].sort());
    assert.equal(
      (await sql`SELECT partner_org_id AS id FROM public.projects WHERE stage_application = 'S1'`)[0]!['id'],
      who.otherOrg,
    );
    assert.equal((await sql`SELECT public.fn_projects_membership_backfill() AS made`)[0]!['made'], 0);
  });

  it('refuses what is no batch by place, not by value, and writes nothing', async () => {
    const refused = async (rows: unknown, message: RegExp, { tenant = 'T', batch = 'b' } = {}): Promise<void> => {
      await assert.rejects(
        merge(sql, rows as never, { tenant, batch }),
        (error: { code?: string; message: string }) => {
          assert.equal(error.code, '22023');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    };
    await refused(
      [{ stage_application: 'S1' }, { stage_application: ' \u00a0', address: 'secret' }],
      /^invalid batch: stage_application of row 2 is blank$/,
    );
    await refused([{ stage_application: 'S1', residential: '-1' }], /^invalid batch: a count of row 1 is not/);
    for (const count of ['secret', '1.5', '1e3', '9999999999'])
      await refused([{ stage_application: 'S1' }, { stage_application: 'S2', essential: count }], /row 2/);
    await refused([], /1 to 5000/);
    await refused(
      Array.from({ length: 5001 }, (_, i) => ({ stage_application: `S${i}` })),
      /1 to 5000/,
    );
    await refused({ rows: [] }, /1 to 5000/);
    await refused(['secret'], /not an object/);
    await refused([{ stage_application: 'S1' }], /blank/, { tenant: ' ' });
    await refused([{ stage_application: 'S1' }], /blank/, { batch: '' });
    assert.equal((await sql`SELECT FROM public.staging_imports`).length, 0);
  });

  it('looks at each project and membership a bounded number of times, whatever the planner knows of the tables', async () => {
    const rows = (label: string) =>
      Array.from({ length: 3000 }, (_, i) => ({
        stage_application: `S${i}`,
        ...KNOWN,
        delivery_partner: label,
        address: label,
      }));
    await merge(sql, rows('Acme'));
    await sql.begin(async (tx) => {
      await merge(tx as unknown as postgres.Sql, rows('Other'));
      const touched = await tx`
        SELECT t.name, pg_stat_get_xact_tuples_returned(t.name::regclass) + sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) AS tuples
        FROM (VALUES ('public.projects'), ('public.project_membership')) t (name) JOIN pg_index i ON i.indrelid = t.name::regclass GROUP BY t.name`;
      for (const { name, tuples } of touched)
        assert.ok(Number(tuples) < 60_000, `${name}: ${tuples} tuples for 3000 rows`);
    });
  });
});
