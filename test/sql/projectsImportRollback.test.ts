import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { merge, type Directories } from '../support/projectsBatch.ts';
import {
  contentOfProjects,
  forgetRuns,
  importProjects,
  openProjects,
  rollbackProjects,
  settleProjects,
  upsertAll,
  type Cells,
  withProjects,
} from '../support/projectsImport.ts';

const KNOWN = { delivery_partner: 'Acme', deployment_specialist: 'DS_A', relationship_manager: 'First Last' };

describe('rolling back projects', function () {
  this.timeout(120_000);
  let sql: postgres.Sql;
  let who: Directories;
  withProjects((opened, directories) => {
    sql = opened;
    who = directories;
  });

  const run = async (...rows: Cells[]): Promise<string> => (await importProjects(sql, { rows })).runId;
  const one = (address: string, more: Cells = {}) => run({ stage_application: 'S1', address, ...more });
  const shown = async (): Promise<string[]> =>
    (await sql`SELECT stage_application AS key, address FROM public.projects ORDER BY 1`).map(
      ({ key, address }) => `${key} ${address}`,
    );
  const counts = async (runId: string): Promise<number[]> =>
    Object.values(
      (await sql`SELECT rows_inserted, rows_updated, rows_skipped FROM ingest.import_runs WHERE id = ${runId}`)[0]!,
    );
  const isValid = async (id: string) =>
    (await sql`SELECT is_valid FROM ingest.reconcile_import_run(${id})`)[0]!['is_valid'] as boolean;
  const edit = (address: string) => sql`UPDATE public.projects SET address = ${address} WHERE stage_application = 'S1'`;
  const idOf = async (key: string) =>
    (await sql`SELECT id FROM public.projects WHERE stage_application = ${key}`)[0]!['id'] as number;

  it('marks every row, and takes back new projects with their members and the anomalies of the run', async () => {
    const runId = await run(
      { stage_application: 'S1', ...KNOWN },
      { stage_application: 'S2', delivery_partner: 'Nobody' },
      { stage_application: 'S1', ...KNOWN },
      { address: 'x' },
    );
    assert.deepEqual(await rollbackProjects(sql, runId), {
      rows_affected: 4,
      removed: 2,
      restored: 0,
      inherited: 0,
      kept_edited: { count: 0, project_ids: [] },
      effects: { members: 3, anomalies: 2 },
    });
    assert.deepEqual(await contentOfProjects(sql), { projects: [], anomalies: [] });
    assert.deepEqual(
      [...(await sql`SELECT DISTINCT status, reason FROM ingest.projects_raw`)],
      [{ status: 'rolled_back', reason: 'ROLLED_BACK' }],
    );
    assert.deepEqual([...(await sql`SELECT is_complete FROM ingest.v_rollback_verification`)], [{ is_complete: true }]);
    const [rejects] = await sql`SELECT ingest.read_rejects(${runId}) AS found`;
    assert.match(rejects!['found'][0].message as string, /^MISSING_VALUE: /);
  });

  it('puts back what an update replaced, members and all, and the batch that wrote it merges again', async () => {
    const posted = [
      {
        stage_application: 'S1',
        ...KNOWN,
        address: 'posted',
        residential: '4',
        eFscd: '2025-12-31',
        latitude: '-34.9',
      },
    ];
    await merge(sql, posted, { batch: 'a' });
    await sql`INSERT INTO public.project_membership (project_id, member_user_id) VALUES (${await idOf('S1')}, ${who.otherDs})`;
    const before = await sql`SELECT * FROM public.projects`;
    const content = await contentOfProjects(sql);
    const runId = await one('file', { delivery_partner: 'Other', deployment_specialist: 'UNKNOWN' });
    const result = await rollbackProjects(sql, runId);
    assert.deepEqual([result['removed'], result['restored'], result['effects']], [0, 1, { members: 0, anomalies: 1 }]);
    assert.deepEqual([...(await sql`SELECT * FROM public.projects`)], [...before]);
    assert.deepEqual(await contentOfProjects(sql), content);
    assert.equal((await merge(sql, posted, { batch: 'a' })).updated_projects, 1);
  });

  it('leaves what a later run or batch wrote; the later run then has what this one had', async () => {
    await merge(sql, [{ stage_application: 'S1', address: 'posted' }]);
    const [first, second] = [await one('first'), await one('second')];
    assert.equal((await rollbackProjects(sql, first))['restored'], 0);
    assert.deepEqual(await shown(), ['S1 second']);
    await rollbackProjects(sql, second);
    assert.deepEqual(await shown(), ['S1 posted']);
    const third = await one('third');
    await merge(sql, [{ stage_application: 'S1', address: 'posted later' }], { batch: 'c' });
    await rollbackProjects(sql, third);
    assert.deepEqual(await shown(), ['S1 posted later']);
  });

  it('passes a new project to the run that updated it, which then has inserted it', async () => {
    const [first, second] = [await one('first'), await one('second')];
    assert.deepEqual([await counts(second), (await rollbackProjects(sql, first))['inherited']], [[0, 1, 0], 1]);
    assert.deepEqual([await counts(second), await isValid(second), await shown()], [[1, 0, 0], true, ['S1 second']]);
    await rollbackProjects(sql, second);
    assert.deepEqual(await shown(), []);
  });

  it('counts for a run at work what it inherits', async () => {
    const first = await one('first');
    const open = await openProjects(sql, { rows: [{ stage_application: 'S1', address: 'at work' }] });
    await upsertAll(sql, open);
    await rollbackProjects(sql, first);
    await settleProjects(sql, open);
    assert.deepEqual(await counts(open.runId), [1, 0, 0]);
  });

  it('keeps what somebody edited since, and lists it', async () => {
    const first = await run(
      { stage_application: 'S1', address: 'first' },
      { stage_application: 'S2', address: 'first' },
    );
    await edit('by hand');
    const id = await idOf('S1');
    const kept = { count: 1, project_ids: [id] };
    assert.deepEqual([(await rollbackProjects(sql, first))['kept_edited'], await shown()], [kept, ['S1 by hand']]);

    const second = await one('second');
    assert.deepEqual((await rollbackProjects(sql, second))['restored'], 1);
    assert.deepEqual(await shown(), ['S1 by hand'], 'an import that replaced edited values puts them back');

    const third = await one('third');
    await edit('by hand again');
    assert.deepEqual(
      [(await rollbackProjects(sql, third))['kept_edited'], await shown()],
      [kept, ['S1 by hand again']],
    );
  });

  it('passes an edited project on to the run before, which then keeps it, too', async () => {
    const runs = [await one('first'), await one('second')] as const;
    await edit('by hand');
    for (const runId of runs.toReversed())
      assert.equal(((await rollbackProjects(sql, runId))['kept_edited'] as { count: number }).count, 1);
    assert.deepEqual(await shown(), ['S1 by hand']);
  });

  it('keeps an edit that a later run replaced, whichever of them goes first', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      await forgetRuns(sql);
      await merge(sql, [{ stage_application: 'S1', address: 'posted' }]);
      const first = await one('first');
      await edit('by hand');
      const runs = [first, await one('second')];
      for (const i of order) await rollbackProjects(sql, runs[i]!);
      assert.deepEqual(await shown(), ['S1 by hand']);
    }
  });

  it('does not take for an edit what the backfill found out, but a member that somebody added', async () => {
    const runId = await run(
      { stage_application: 'S1', delivery_partner: 'New Partner', developer_class: ' Class 3' },
      { stage_application: 'S2' },
    );
    await sql`INSERT INTO public.partner_normalization (source_label, partner_org_id) VALUES ('New Partner', ${who.org})`;
    assert.equal((await sql`SELECT public.fn_projects_membership_backfill() AS n`)[0]!['n'], 1);
    await sql`INSERT INTO public.project_membership (project_id, member_user_id) VALUES (${await idOf('S2')}, ${who.ds})`;
    const { kept_edited: kept, effects } = await rollbackProjects(sql, runId);
    assert.deepEqual(
      [(kept as { count: number }).count, (effects as { members: number }).members, await shown()],
      [1, 1, ['S2 null']],
    );
  });

  it('imports the same file again afterwards', async () => {
    const file = { batch: 'again', rows: [{ stage_application: 'S1', ...KNOWN }] };
    const first = await importProjects(sql, file);
    await rollbackProjects(sql, first.runId);
    const second = await importProjects(sql, file);
    assert.deepEqual(second.counts, first.counts);
    assert.deepEqual(
      [...(await sql`SELECT parent_run_id FROM ingest.import_runs WHERE id = ${second.runId}`)],
      [{ parent_run_id: first.runId }],
    );
  });

  it('leaves production as if the run had never been, whatever runs came before and after', async () => {
    const label = fc.constantFrom('Acme', 'Other', 'Nobody', '');
    const file = fc.uniqueArray(
      fc.record({ key: fc.constantFrom('A', 'B', 'C'), partner: label, ds: fc.constantFrom('DS_A', 'DS_B', 'X', '') }),
      { selector: ({ key }) => key, minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 2, maxLength: 4 }), fc.nat(), async (files, pick) => {
        const importAll = async (
          batches: readonly (readonly [number, (typeof files)[number]])[],
        ): Promise<string[]> => {
          await forgetRuns(sql);
          const runs: string[] = [];
          for (const [n, rows] of batches) {
            const cells = rows.map(({ key, partner, ds }) => ({
              stage_application: key,
              delivery_partner: partner,
              deployment_specialist: ds,
              address: `${n}`,
            }));
            runs.push((await importProjects(sql, { batch: `${n}`, rows: cells, parts: 2 })).runId);
          }
          return runs;
        };
        const numbered = files.map((rows, n) => [n, rows] as const);
        const without = pick % files.length;
        await importAll(numbered.filter(([n]) => n !== without));
        const expected = await contentOfProjects(sql);
        const runs = await importAll(numbered);
        await rollbackProjects(sql, runs[without]!);
        assert.deepEqual(await contentOfProjects(sql), expected);
        for (const [n, id] of runs.entries()) if (n !== without) assert.equal(await isValid(id), true);
        for (const id of runs.toReversed()) await rollbackProjects(sql, id);
        assert.deepEqual(await contentOfProjects(sql), { projects: [], anomalies: [] });
      }),
      { numRuns: 6 },
    );
  });
});
