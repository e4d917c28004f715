import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import type { JsonCells } from '../../src/sources/projects/checksum.ts';
import { merge, numbersOf, type Directories } from '../support/projectsBatch.ts';
import { importProjects, rollbackProjects, withProjects } from '../support/projectsImport.ts';

const KNOWN = { delivery_partner: 'Acme', deployment_specialist: 'DS_A', relationship_manager: 'First Last' };
const FULL: JsonCells = {
  ...KNOWN,
  developer_class: 'Class 2',
  residential: '4',
  eFscd: '2025-12-31',
  latitude: '-34.9',
};
const S1: JsonCells = { stage_application: 'S1', ...FULL, address: 'a1', fod_id: 'F1' };
const S2: JsonCells = { stage_application: 'S2', ...FULL, address: 'a2' };
const EDIT = "UPDATE public.projects SET fod_id = 'by hand' WHERE stage_application = 'S1'";
const DELETE = "DELETE FROM public.projects WHERE stage_application = 'S1'";

const without = (column: string): JsonCells =>
  Object.fromEntries(Object.entries(S1).filter(([name]) => name !== column));

describe('rows of a batch that say nothing new', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let who: Directories;
  withProjects((opened, directories) => {
    sql = opened;
    who = directories;
  });

  /** Changes with every write to a project or its members. */
  const writes = async (key = 'S1'): Promise<string> =>
    JSON.stringify(
      await sql`
      SELECT p.xmin::text, p.xmax::text, p.ctid::text, p.updated_at, array_agg(m.xmin::text || m.ctid::text ORDER BY m.ctid) AS members
      FROM public.projects p LEFT JOIN public.project_membership m ON m.project_id = p.id WHERE stage_application = ${key} GROUP BY p.id`,
    );
  const value = async (key = 'S1'): Promise<unknown[]> =>
    Object.values(
      (await sql`SELECT address, fod_id, residential FROM public.projects WHERE stage_application = ${key}`)[0] ?? {},
    );
  const waitingFor = async (text: string): Promise<void> => {
    while (
      (await sql`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE ${`%${text}%`}`).length < 1
    );
  };

  it('write nothing, lock nothing and count as before; what changed beside them is written', async () => {
    await merge(sql, [S1, S2]);
    const [first, second] = [await writes('S1'), await writes('S2')];
    const metrics = await merge(sql, [
      { ...S1, residential: ' 4.0 ' },
      { ...S2, address: 'moved' },
    ]);
    assert.deepEqual(numbersOf(metrics), [0, 2, 0, 0, 0]);
    assert.equal(await writes('S1'), first);
    assert.notEqual(await writes('S2'), second);
    assert.equal(numbersOf(await merge(sql, [without('address')]))[1], 1);
    assert.equal(await writes('S1'), first);
  });

  for (const column of Object.keys({ ...FULL, address: '', fod_id: '' })) {
    it(`are not those with another ${column}, nor with an empty one`, async () => {
      await merge(sql, [S1]);
      for (const cell of ['', column === 'latitude' ? '1' : column === 'eFscd' ? '2026-01-01' : '3']) {
        const before = await writes();
        await merge(sql, [{ ...S1, [column]: cell }]);
        assert.notEqual(await writes(), before);
      }
    });
  }

  it('keep their anomalies, which are of the batch that found them last', async () => {
    const odd = { ...S1, deployment_specialist: 'gone', latitude: 'east' };
    await merge(sql, [odd], { batch: 'first' });
    const before = await writes();
    assert.equal((await merge(sql, [odd, S2], { batch: 'second' })).anomalies_count, 2);
    assert.equal(await writes(), before);
    const found = await sql`SELECT batch_id, anomaly_type, input_value FROM public.import_anomalies ORDER BY 2`;
    assert.deepEqual(
      found.map((row) => Object.values(row)),
      [
        ['second', 'UNKNOWN_DS', 'gone'],
        ['second', 'UNREADABLE_VALUE', 'east'],
      ],
    );
  });

  it('get the members that a directory gives them since', async () => {
    await merge(sql, [{ ...S1, deployment_specialist: 'new.hire' }]);
    await sql`INSERT INTO public.ds_directory (preferred_username, user_id) VALUES ('new.hire', ${who.otherDs})`;
    assert.equal(
      (await merge(sql, [{ ...S1, deployment_specialist: 'new.hire' }, S2])).user_memberships_upserted,
      1 + 2,
    );
  });

  it('let the batch be merged again after another one changed what it had found unchanged', async () => {
    await merge(sql, [S1, S2]);
    const batch = [S1, { ...S2, address: 'b2' }];
    await merge(sql, batch); // S1 stays the first batch's
    await merge(sql, [{ ...S1, address: 'c1' }]);
    await merge(sql, batch);
    assert.deepEqual([(await value('S1'))[0], (await value('S2'))[0]], ['a1', 'b2']);
    const before = await writes();
    const again = await merge(sql, batch);
    assert.deepEqual([await writes(), again], [before, await merge(sql, batch)]);
  });

  for (const [what, change, meanwhile] of [
    ['edited', EDIT],
    ['deleted', DELETE],
    ['left without members', 'DELETE FROM public.project_membership'],
    // The first batch does not say what the fod_id is, and takes its edits away.
    ['edited, and the first batch merged again', EDIT, 'again'],
    ['deleted, and the first batch merged again', DELETE, 'again'],
    // 60 days later.
    ['edited, and the first batch forgotten', EDIT, 'forget'],
  ] as const) {
    it(`let the batch be merged again after such a project was ${what}`, async () => {
      const first = [without('fod_id')];
      await merge(sql, [S1]);
      const { staging_id: id } = await merge(sql, first);
      await sql`UPDATE public.projects SET staging_id = ${id}`; // though it said nothing new
      await sql`DELETE FROM ingest.project_edits`;
      const batch = [S1, { ...S2, address: 'b2' }];
      await merge(sql, batch);
      const before = await writes();
      await merge(sql, batch);
      assert.equal(await writes(), before);
      await sql.unsafe(change);
      if (meanwhile === 'again') await merge(sql, first);
      if (meanwhile === 'forget') {
        await sql`UPDATE public.staging_imports SET imported_at = now() - interval '61 days' WHERE id = ${id}`;
        await sql`SELECT public.fn_cleanup_import_data()`;
        await sql`SELECT public.fn_cleanup_import_data()`;
      }
      await merge(sql, batch);
      assert.deepEqual(await value(), ['a1', 'F1', 4]);
    });
  }

  it('make the project the batch’s own where a run wrote it, which may still be withdrawn, or nobody’s batch', async () => {
    const { runId } = await importProjects(sql, { rows: [S1] as never });
    await merge(sql, [S1]);
    await rollbackProjects(sql, runId);
    assert.deepEqual(await value(), ['a1', 'F1', 4]);
    await sql`UPDATE public.projects SET staging_id = null`;
    await merge(sql, [S1, S2]);
    await sql`UPDATE public.projects SET fod_id = 'by hand'`;
    await merge(sql, [S1, S2]);
    assert.deepEqual(await value(), ['a1', 'F1', 4]);
  });

  it('any sequence of batches, files and edits ends in the state of plainly applying each', async () => {
    const expected = new Map<string, { address: string; fod_id: string | null }>();
    let next = 5;
    const random = (below: number): number => (next = (next * 48_271) % 2_147_483_647) % below;
    for (let i = 0; i < 120; i++) {
      const keys = ['S1', 'S2', 'S3'].filter(() => random(3) > 0);
      const what = random(10);
      if (what === 0 && keys[0]) {
        await sql`UPDATE public.projects SET fod_id = 'by hand' WHERE stage_application = ${keys[0]}`;
        const former = expected.get(keys[0]);
        if (former) expected.set(keys[0], { ...former, fod_id: 'by hand' });
      } else if (what === 1 && keys[0]) {
        await sql`DELETE FROM public.projects WHERE stage_application = ${keys[0]}`;
        expected.delete(keys[0]);
      } else if (keys.length > 0) {
        const rows = keys.map((key) => ({
          stage_application: key,
          address: `a${random(2)}`,
          ...(random(2) ? { fod_id: `f${random(2)}` } : {}),
        }));
        if (what === 2) await importProjects(sql, { rows: rows.map((row) => ({ fod_id: '', ...row })) });
        else await merge(sql, rows);
        for (const row of rows) {
          const { fod_id = what === 2 ? null : (expected.get(row.stage_application)?.fod_id ?? null), address } = row;
          expected.set(row.stage_application, { address, fod_id });
        }
      }
      const state = await sql`SELECT stage_application, address, fod_id FROM public.projects ORDER BY 1`;
      assert.deepEqual(
        state.map((row) => Object.values(row)),
        [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => [key, row.address, row.fod_id]),
        `step ${i}`,
      );
    }
  });

  it('an edit that is committed between reading a project and writing it stays where the batch lacks the column', async () => {
    await merge(sql, [S1]);
    const editor = await sql.reserve();
    try {
      await editor`BEGIN`;
      await editor`UPDATE public.projects SET fod_id = 'by hand'`;
      await editor`INSERT INTO public.projects (tenant_id, stage_application, fod_id) VALUES ('TELCO', 'S2', 'by hand')`;
      const batch = ['S1', 'S2'].map((key) => ({ stage_application: key, address: 'moved' }));
      const merging = merge(sql, batch);
      await waitingFor('fn_projects_import_merge');
      await editor`COMMIT`;
      assert.deepEqual(numbersOf(await merging), [0, 2, 0, 0, 0]);
    } finally {
      editor.release();
    }
    assert.deepEqual(
      [await value('S1'), await value('S2')],
      [
        ['moved', 'by hand', 4],
        ['moved', 'by hand', 0],
      ],
    );
  });

  it('an edit that is not committed yet holds up no batch that says nothing new, and is noticed afterwards', async () => {
    await merge(sql, [S1]);
    const editor = await sql.reserve();
    try {
      await editor`BEGIN`;
      await editor`UPDATE public.projects SET fod_id = 'by hand'`;
      assert.deepEqual(numbersOf(await merge(sql, [S1, S2])), [1, 1, 1, 2, 0]);
      await editor`COMMIT`;
    } finally {
      editor.release();
    }
    await merge(sql, [S1, S2]);
    assert.deepEqual(await value(), ['a1', 'F1', 4]);
  });

  it('a batch is refused for a count of two numbers, whatever its other cells are', async () => {
    for (const residential of ['1 2', '1,2', '-1', '1234567890', '1.5', 'x'])
      await assert.rejects(merge(sql, [{ ...S1, residential }]), /invalid batch: a count of row 1/);
  });
});
