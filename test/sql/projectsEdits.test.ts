import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import type { JsonCells } from '../../src/sources/projects/checksum.ts';
import { merge, numbersOf, type Directories } from '../support/projectsBatch.ts';
import {
  countProjects,
  importProjects,
  rollbackProjects,
  withProjects,
  type Cells,
} from '../support/projectsImport.ts';

const KNOWN = { delivery_partner: 'Acme', deployment_specialist: 'DS_A', relationship_manager: 'First Last' };
const A = [
  { stage_application: 'S1', ...KNOWN, address: 'a1', residential: '4' },
  { stage_application: 'S2', ...KNOWN, address: 'a2' },
];
const FULL = { ...A[0]!, eFscd: '2025-12-31', latitude: '-34.9', developer_class: 'Class 2', fod_id: 'F' };

describe('what batches and people do to a project', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let who: Directories;
  withProjects((opened, directories) => {
    sql = opened;
    who = directories;
  });

  const project = async (key = 'S1'): Promise<Record<string, unknown>> =>
    (
      await sql`SELECT address, residential, efscd::text, latitude::text, developer_class, fod_id, delivery_partner_label, partner_org_id
                FROM public.projects WHERE stage_application = ${key}`
    )[0]!;
  const members = async (key = 'S1'): Promise<string[]> =>
    (
      await sql`SELECT coalesce(m.member_partner_org_id, m.member_user_id)::text AS id FROM public.project_membership m
                JOIN public.projects p ON p.id = m.project_id WHERE p.stage_application = ${key} ORDER BY 1`
    ).map(({ id }) => String(id));
  const anomalies = async (): Promise<unknown[][]> =>
    (
      await sql`SELECT anomaly_type, project_key, input_value, batch_id FROM public.import_anomalies ORDER BY 1, 2, 3`
    ).map((row) => Object.values(row));
  const all = () => [who.org, who.ds, who.rm].sort();
  const backfill = async (restore = false): Promise<number> =>
    (await sql<{ made: number }[]>`SELECT ingest.backfill_memberships(${restore}) AS made`)[0]!.made;

  for (const [what, change] of [
    ['deleted', "DELETE FROM public.projects WHERE stage_application = 'S1'"],
    ['edited', "UPDATE public.projects SET address = 'by hand', residential = 99 WHERE stage_application = 'S1'"],
    ['truncated', 'TRUNCATE public.projects CASCADE'],
    ['left without members', 'TRUNCATE public.project_membership'],
    [
      'restored from elsewhere',
      `WITH gone AS (DELETE FROM public.projects RETURNING *)
       INSERT INTO public.projects (tenant_id, stage_application, address, staging_id)
       SELECT tenant_id, stage_application, 'old', staging_id FROM gone`,
    ],
  ] as const) {
    it(`a batch is merged again after one of its projects was ${what} by somebody, then answered as before`, async () => {
      await merge(sql, A);
      await sql.unsafe(change);
      await merge(sql, A);
      assert.deepEqual(
        [await project('S1'), await members('S1')].map((found) => JSON.stringify(found)),
        [JSON.stringify({ ...(await project('S2')), address: 'a1', residential: 4 }), JSON.stringify(all())],
      );
      const before = await sql`SELECT xmin::text FROM public.projects`;
      await merge(sql, A);
      assert.deepEqual([...(await sql`SELECT xmin::text FROM public.projects`)], [...before]);
      const [edits] = await sql`SELECT count(*)::int AS n FROM ingest.project_edits`;
      assert.equal(edits!['n'], 0);
    });
  }

  it('A, deleted by hand, B, A again ends with A; a touch that changes nothing is no edit', async () => {
    await merge(sql, A);
    await sql`UPDATE public.projects SET address = address`;
    assert.equal((await sql`SELECT FROM ingest.project_edits`).length, 0);
    await sql`DELETE FROM public.projects WHERE stage_application = 'S1'`;
    await merge(sql, [{ stage_application: 'S1', address: 'b' }]);
    await merge(sql, A);
    assert.equal((await project())['address'], 'a1');
  });

  it('an edit that is committed while the batch is merged again is not lost from sight', async () => {
    await merge(sql, A);
    await sql`UPDATE public.projects SET address = 'x' WHERE stage_application = 'S2'`;
    await sql.begin(async (tx) => {
      await merge(tx as unknown as postgres.Sql, A);
      void sql`UPDATE public.projects SET address = 'by hand' WHERE stage_application = 'S1'`.execute();
      while (
        (await sql`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%by hand%'`).length < 1
      );
    });
    while ((await project())['address'] !== 'by hand');
    await merge(sql, A);
    assert.equal((await project())['address'], 'a1');
  });

  it('whom somebody removed is brought back by no batch, file or backfill, but by backfill --restore, or by hand', async () => {
    await merge(sql, A);
    await sql`DELETE FROM public.project_membership WHERE member_user_id = ${who.ds}`;
    const rest = [who.org, who.rm].sort();
    await merge(sql, A);
    assert.deepEqual(await members(), rest);
    await merge(sql, [{ ...A[0]!, deployment_specialist: 'DS_B' }]);
    await merge(sql, [{ ...A[0]!, address: 'changed' }]);
    assert.deepEqual(await members(), rest);
    await importProjects(sql, { rows: A });
    assert.equal(
      (await countProjects(sql, { rows: [{ ...A[0]!, deployment_specialist: '' }] })).effects['memberships_removed'],
      0,
    );
    assert.equal(await backfill(), 0);
    assert.deepEqual(await members(), rest);
    assert.equal(await backfill(true), 2);
    assert.deepEqual(await members(), all());
    assert.equal(await backfill(true), 0);
    await sql`DELETE FROM public.project_membership WHERE member_user_id = ${who.ds}`;
    await sql`INSERT INTO public.project_membership (project_id, member_user_id) SELECT id, ${who.ds}::uuid FROM public.projects`;
    assert.equal((await sql`SELECT FROM ingest.removed_members`).length, 0);
  });

  for (const [way, write] of [
    ['batch', async (row: JsonCells) => void (await merge(sql, [row]))],
    ['file', async (row: JsonCells) => void (await importProjects(sql, { rows: [row as Cells] }))],
  ] as const) {
    it(`a ${way} leaves what it lacks as it is, keeps what it cannot read, and clears what is empty there`, async () => {
      await write(FULL);
      const full = await project();
      await write({ stage_application: 'S1', address: 'new' });
      assert.deepEqual(await project(), { ...full, address: 'new' });
      assert.deepEqual(await members(), all());
      await write({ stage_application: 'S1', developer_class: 'Class 9' });
      assert.deepEqual(await project(), { ...full, address: 'new' });
      assert.deepEqual(
        (await anomalies()).map(([type, , value]) => [type, value]),
        [['UNREADABLE_VALUE', 'Class 9']],
      );
      await write({ stage_application: 'S1', fod_id: 'G' });
      assert.equal((await anomalies()).length, 1); // nobody has said what the class is
      const empty = { address: '', eFscd: ' ', latitude: '', developer_class: '', fod_id: '', residential: '' };
      const counted = await countProjects(sql, { rows: [{ stage_application: 'S1', ...empty, delivery_partner: '' }] });
      assert.deepEqual([counted.effects['values_cleared'], counted.effects['memberships_removed']], [7, 1]);
      await write({ stage_application: 'S1', ...empty, delivery_partner: '' });
      assert.deepEqual(Object.values(await project()), [null, 0, null, null, null, null, null, null]);
      assert.deepEqual(await members(), [who.ds, who.rm].sort());
      assert.deepEqual(await anomalies(), []);
    });
  }

  it('a rollback leaves what its file had no column for, and brings anomalies back', async () => {
    await merge(sql, [{ ...FULL, deployment_specialist: 'gone' }], { batch: 'first' });
    const { runId } = await importProjects(sql, {
      rows: [{ stage_application: 'S1', address: 'x', deployment_specialist: 'DS_A' }],
    });
    assert.deepEqual(await anomalies(), []);
    await sql`UPDATE public.projects SET fod_id = 'by hand'`;
    await rollbackProjects(sql, runId);
    assert.deepEqual([(await project())['address'], (await project())['fod_id']], ['a1', 'by hand']);
    assert.deepEqual(await anomalies(), [['UNKNOWN_DS', 'S1', 'gone', 'first']]);
  });

  it('an unknown name in batches of every day is one anomaly of its project, since the first of them', async () => {
    const day = (n: number) => A.map((row) => ({ ...row, deployment_specialist: 'new.hire', address: `day ${n}` }));
    for (const n of [1, 2, 3]) {
      await merge(sql, day(n), { batch: `day ${n}` });
      await sql`UPDATE public.import_anomalies SET first_seen_at = first_seen_at - interval '1 day', created_at = created_at - interval '1 day'`;
    }
    await importProjects(sql, { rows: day(4), batch: 'day 4' });
    assert.deepEqual(await anomalies(), [
      ['UNKNOWN_DS', 'S1', 'new.hire', 'day 4'],
      ['UNKNOWN_DS', 'S2', 'new.hire', 'day 4'],
    ]);
    const [seen] = await sql`SELECT (now()::date - min(first_seen_at)::date) AS days FROM public.import_anomalies`;
    assert.equal(seen!['days'], 3);
    const [counted] =
      await sql`SELECT sum(count)::int AS n FROM ingest.anomaly_stats(now() - interval '10 days', now())`;
    assert.equal(counted!['n'], 2);
    await sql`INSERT INTO public.ds_directory (preferred_username, user_id) VALUES ('new.hire', ${randomUUID()})`;
    await merge(sql, [day(5)[0]!]);
    assert.deepEqual(await anomalies(), [['UNKNOWN_DS', 'S2', 'new.hire', 'day 4']]);
    await backfill();
    assert.deepEqual(await anomalies(), []);
  });

  it('words for nobody are no anomaly of partner, specialist or manager, and can be added to and taken away', async () => {
    const words = ['Unassigned', 'tbc', ' N/A ', '-'];
    const rows = words.map((word, i) => ({
      stage_application: `S${i}`,
      delivery_partner: word,
      deployment_specialist: word,
      relationship_manager: word,
      rm_preferred_username: i % 2 ? word : '',
    }));
    assert.deepEqual(numbersOf(await merge(sql, rows)), [4, 0, 0, 0, 0]);
    const named = [{ stage_application: 'S1', relationship_manager: 'First Last', rm_preferred_username: 'TBC' }];
    assert.equal((await merge(sql, named)).user_memberships_upserted, 1);
    const vacant = [{ stage_application: 'S9', relationship_manager: 'Vacant', deployment_specialist: 'Vacant' }];
    assert.equal((await merge(sql, vacant)).anomalies_count, 2);
    await sql`INSERT INTO public.nobody_words (tenant_id, word) VALUES ('TELCO', 'vacant')`;
    assert.equal((await merge(sql, vacant)).anomalies_count, 0);
    assert.equal((await merge(sql, vacant, { tenant: 'OTHER' })).anomalies_count, 2);
    // An entry of a directory is somebody, whatever they are called.
    await sql`INSERT INTO public.partner_normalization (source_label, partner_org_id) VALUES ('TBC', ${who.org})`;
    assert.equal((await merge(sql, [rows[1]!])).org_memberships_upserted, 1);
    await sql`DELETE FROM public.nobody_words WHERE tenant_id = 'TELCO'`;
    assert.equal((await merge(sql, vacant)).anomalies_count, 2);
  });
});
