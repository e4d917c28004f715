import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { merge, numbersOf, type Directories } from '../support/projectsBatch.ts';
import {
  contentOfProjects,
  contentOfRuns,
  countProjects,
  forgetRuns,
  importProjects,
  openProjects,
  settleProjects,
  stageProjects,
  upsertAll,
  upsertPart,
  type Cells,
  withProjects,
} from '../support/projectsImport.ts';

const KNOWN = { delivery_partner: 'Acme', deployment_specialist: 'DS_A', relationship_manager: 'First Last' };
const many = (n: number, more: (i: number) => Cells = () => ({})): Cells[] =>
  Array.from({ length: n }, (_, i) => ({ stage_application: `S${i}`, ...more(i) }));
/** Everything that can be odd about a row. */
const MIXED: readonly Cells[] = [
  {
    stage_application: 'S1',
    ...KNOWN,
    residential: '3',
    stage_application_created: '2025-04-01',
    eFscd: '31/12/2025',
    latitude: '-34.9',
    developer_class: 'class  2',
  },
  {
    stage_application: 'S2',
    delivery_partner: 'Nobody',
    deployment_specialist: 'GONE',
    rm_preferred_username: 'NO_RM',
    developer_class: 'Class 9',
  },
  { stage_application: '', address: 'x' },
  { stage_application: 'S3', residential: 'many' },
  { stage_application: 'S1', ...KNOWN, address: 'later' },
  { stage_application: 'S4', delivery_partner: ' Unassigned ' },
  { stage_application: 'S4', eFscd: 'never' },
];

describe('an import of projects', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let who: Directories;
  withProjects((opened, directories) => {
    sql = opened;
    who = directories;
  });

  const landed = async (runId: string): Promise<unknown[][]> =>
    (
      await sql`
    SELECT row_index, status, reason, stage_application, project_id IS NOT NULL AS has_project, former IS NOT NULL AS has_former
    FROM ingest.projects_raw WHERE import_run_id = ${runId} ORDER BY row_index`
    ).map((row) => Object.values(row));
  const [superseded, addressOf] = [
    async (id: string) =>
      (await sql`SELECT superseded FROM public.staging_imports WHERE id = ${id}`)[0]!['superseded'] as boolean,
    async (key: string) =>
      (await sql`SELECT address FROM public.projects WHERE stage_application = ${key}`)[0]!['address'] as string,
  ];

  it('has one landed row for each row of the file, and tells what became of it', async () => {
    const { runId, counts } = await importProjects(sql, { rows: MIXED });
    assert.deepEqual(await landed(runId), [
      [0, 'skipped', 'DUPLICATE_ROW', 'S1', true, false],
      [1, 'inserted', null, 'S2', true, false],
      [2, 'failed', 'MISSING_VALUE', null, false, false],
      [3, 'failed', 'BAD_COUNT', 'S3', false, false],
      [4, 'inserted', null, 'S1', true, false],
      [5, 'inserted', null, 'S4', true, false],
      [6, 'failed', 'BAD_DATE', 'S4', false, false],
    ]);
    assert.deepEqual(counts, {
      inserted: 3,
      updated: 0,
      skipped: 1,
      errored: 3,
      effects: {
        org_memberships_upserted: 1,
        user_memberships_upserted: 2,
        memberships_removed: 0,
        values_cleared: 0,
        anomalies: 5,
        DUPLICATE_ROW: 1,
        UNKNOWN_DELIVERY_PARTNER: 1,
        UNKNOWN_DS: 1,
        UNKNOWN_RM: 1,
        UNREADABLE_VALUE: 1,
      },
    });
    const [run] =
      await sql`SELECT rows_fetched, rows_inserted, rows_skipped, rows_errored, metadata #> '{summary,effects}' AS effects FROM ingest.import_runs WHERE id = ${runId}`;
    assert.deepEqual(
      { ...run },
      { rows_fetched: 7, rows_inserted: 3, rows_skipped: 1, rows_errored: 3, effects: counts.effects },
    );
  });

  it('writes what a posted batch of the same rows writes, its anomalies under the batch and the run', async () => {
    const good = MIXED.filter((_, i) => ![2, 3, 6].includes(i)).map((row) => ({
      ...row,
      ...(row['eFscd'] ? { eFscd: '2025-12-31' } : {}),
    }));
    await merge(sql, good, { batch: 'daily' });
    const expected = await contentOfProjects(sql);
    await forgetRuns(sql);
    const { runId } = await importProjects(sql, { rows: good, batch: 'daily' });
    const found = await contentOfProjects(sql);
    assert.deepEqual(found['projects'], expected['projects']);
    const withoutOwner = (anomalies: unknown[]) =>
      anomalies.map((anomaly) => ({ ...(anomaly as object), of_run: undefined }));
    assert.deepEqual(withoutOwner(found['anomalies']!), withoutOwner(expected['anomalies']!));
    assert.deepEqual(
      [...(await sql`SELECT DISTINCT batch_id, correlation_id, staging_id FROM public.import_anomalies`)],
      [{ batch_id: 'daily', correlation_id: runId, staging_id: null }],
    );
  });

  it('counts a project that exists as updated, changed or not, and its members once', async () => {
    await merge(sql, [{ stage_application: 'S1', ...KNOWN }]);
    const rows = [
      { stage_application: 'S1', ...KNOWN, delivery_partner: 'Other' },
      { stage_application: 'S2', ...KNOWN },
    ];
    const first = await importProjects(sql, { rows });
    assert.deepEqual(
      [
        first.counts.inserted,
        first.counts.updated,
        first.counts.effects['org_memberships_upserted'],
        first.counts.effects['user_memberships_upserted'],
      ],
      [1, 1, 2, 2],
    );
    const second = await importProjects(sql, { rows });
    assert.deepEqual(second.counts, {
      inserted: 0,
      updated: 2,
      skipped: 0,
      errored: 0,
      effects: {
        org_memberships_upserted: 0,
        user_memberships_upserted: 0,
        memberships_removed: 0,
        values_cleared: 0,
        anomalies: 0,
      },
    });
    const members =
      await sql`SELECT member_partner_org_id AS org FROM public.project_membership m JOIN public.projects p ON p.id = m.project_id WHERE stage_application = 'S1' AND member_partner_org_id IS NOT NULL`;
    assert.deepEqual(
      members.map(({ org }) => org as string),
      [who.otherOrg],
    );
  });

  it('counts in a dry run what a commit at that moment reports, and leaves no row', async () => {
    await merge(sql, [
      { stage_application: 'S1', delivery_partner: 'Acme' },
      { stage_application: 'S4', ...KNOWN },
    ]);
    await sql`INSERT INTO public.project_membership (project_id, member_user_id) SELECT id, ${who.ds} FROM public.projects WHERE stage_application = 'S1'`;
    const before = await contentOfRuns(sql);
    const dry = await countProjects(sql, { rows: MIXED });
    await sql`TRUNCATE ingest_stage.chunks, ingest_stage.projects`;
    assert.deepEqual(await contentOfRuns(sql), before);
    assert.deepEqual(dry, (await importProjects(sql, { rows: MIXED })).counts);
  });

  it('leaves the same in any number of parts, side by side or one after the other', async () => {
    const rows = [
      ...MIXED,
      ...many(60, (i) => ({
        delivery_partner: i % 3 ? 'Acme' : `P${i}`,
        deployment_specialist: i % 2 ? 'DS_A' : 'DS_B',
        address: `${i} St`,
      })),
      ...many(20),
    ];
    await importProjects(sql, { batch: 'b', rows, parts: 1 });
    const expected = await contentOfRuns(sql);
    await forgetRuns(sql);
    await importProjects(sql, { batch: 'b', rows, parts: 7 });
    assert.deepEqual(await contentOfRuns(sql), expected);
  });

  it('lands a part once, however often and at once it is asked', async () => {
    const open = await openProjects(sql, { rows: MIXED, parts: 1 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => upsertPart(sql, open, 0)));
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
    await settleProjects(sql, open);
    assert.equal((await landed(open.runId)).length, MIXED.length);
    assert.equal((await contentOfProjects(sql))['anomalies']!.length, 5);
  });

  it('gives a tenant to parts of one run side by side, and to one writer at a time otherwise; nobody waits in a circle', async () => {
    const rows = (tag: string): Cells[] => many(40, (i) => ({ ...KNOWN, address: `${tag} ${i}` }));
    const posted = await merge(sql, rows('posted').slice(0, 20));
    const runs = await Promise.all(['one', 'two'].map((tag) => openProjects(sql, { rows: rows(tag), parts: 6 })));
    const merges = [1, 2, 3].map((n) => merge(sql, rows(`batch ${n}`).reverse(), { batch: `b${n}` }));
    const backfill = sql`SELECT public.fn_projects_membership_backfill()`;
    const counts = await Promise.all(runs.map((open) => upsertAll(sql, open)));
    await Promise.all([...merges, backfill]);
    for (const open of runs) await settleProjects(sql, open);
    assert.deepEqual(
      counts.map(({ inserted, updated }) => inserted + updated),
      [40, 40],
    );
    assert.equal((await sql`SELECT count(*) AS n FROM public.projects`)[0]!['n'], 40);
    assert.equal((await sql`SELECT count(*) AS n FROM public.project_membership`)[0]!['n'], 120);
    assert.equal(await superseded(posted.staging_id), true);
  });

  it('lets parts of the run that has the turn go on together, while another run and a merge wait', async () => {
    const [ours, theirs] = [randomUUID(), randomUUID()];
    const turn = (tx: postgres.Sql | postgres.TransactionSql, runId: string) =>
      tx`SELECT ingest.take_turn('projects:TELCO', ${runId})`;
    const waiting = async () =>
      (
        await sql`SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`
      )[0]!['n'] as number;
    await turn(sql, ours);
    const order: string[] = [];
    let others: Promise<unknown>[] = [];
    await sql.begin(async (part) => {
      await turn(part, ours);
      await sql.begin((other) => turn(other, ours));
      others = [
        turn(sql, theirs).then(() => order.push('run')),
        merge(sql, [{ stage_application: 'S1' }]).then(() => order.push('merge')),
      ];
      while ((await waiting()) < 2) await sleep(5);
      order.push('part');
    });
    await Promise.all(others);
    assert.equal(order[0], 'part');
  });

  it('keeps what each of two runs at once has replaced, so that both can be taken back', async () => {
    await merge(
      sql,
      many(30, () => ({ address: 'before' })),
    );
    const before = await contentOfProjects(sql);
    const runs = await Promise.all(
      ['one', 'two'].map((address) => openProjects(sql, { rows: many(30, () => ({ address })), parts: 3 })),
    );
    await Promise.all(runs.map((open) => upsertAll(sql, open)));
    for (const { runId } of runs) await sql`SELECT ingest.rollback_import_run(${runId}, 'test')`;
    assert.deepEqual(await contentOfProjects(sql), before);
  });

  it('supersedes the posted batches whose projects it touches, and no other: they merge again', async () => {
    const first = await merge(sql, [{ stage_application: 'S1', address: 'posted' }], { batch: 'a' });
    const other = await merge(sql, [{ stage_application: 'T1' }], { batch: 'b' });
    await importProjects(sql, { rows: [{ stage_application: 'S1', address: 'file' }] });
    assert.deepEqual([await superseded(first.staging_id), await superseded(other.staging_id)], [true, false]);
    const again = await merge(sql, [{ stage_application: 'S1', address: 'posted' }], { batch: 'a' });
    assert.deepEqual([numbersOf(again), await addressOf('S1')], [[0, 1, 0, 0, 0], 'posted']);
  });

  it('does not touch another tenant', async () => {
    await merge(sql, [{ stage_application: 'S1', address: 'theirs' }], { tenant: 'OTHER' });
    const { counts, runId } = await importProjects(sql, { rows: [{ stage_application: 'S1', address: 'ours' }] });
    assert.equal(counts.inserted, 1);
    await sql`SELECT ingest.rollback_import_run(${runId}, 'test')`;
    assert.deepEqual(
      [...(await sql`SELECT tenant_id, address FROM public.projects`)],
      [{ tenant_id: 'OTHER', address: 'theirs' }],
    );
  });

  it('lands its rows without promoting them when it stops at --max-errors, and makes place for them afterwards', async () => {
    const open = await openProjects(sql, { rows: MIXED, parts: 1 });
    const { runId, lease, stageId } = open;
    await sql`SELECT ingest.stop_partition(${runId}, ${lease}, ${stageId}, 1, 0)`;
    assert.deepEqual(
      (await landed(runId)).map((row) => row[1]),
      ['pending', 'pending', 'failed', 'failed', 'pending', 'pending', 'failed'],
    );
    assert.equal((await contentOfProjects(sql))['projects']!.length, 0);
    await upsertAll(sql, open);
    await settleProjects(sql, open);
    assert.equal((await landed(runId)).filter(([, status]) => status === 'inserted').length, 3);
  });

  it('gives its rejects back as they were', async () => {
    const { runId } = await importProjects(sql, { rows: MIXED });
    const [found] = await sql`SELECT ingest.read_rejects(${runId}) AS rejects`;
    const rejects = found!['rejects'] as { row_index: number; line: number; code: string; record: string }[];
    assert.deepEqual(
      rejects.map(({ row_index, line, code }) => [row_index, line, code]),
      [
        [2, 4, 'MISSING_VALUE'],
        [3, 5, 'BAD_COUNT'],
        [6, 8, 'BAD_DATE'],
      ],
    );
    assert.equal(Buffer.from(rejects[1]!.record, 'base64').toString(), 'S3,many\r\n');
    assert.equal(
      (await sql`SELECT count(*) AS n FROM ingest.v_errored_rows WHERE import_run_id = ${runId}`)[0]!['n'],
      3,
    );
  });

  it('verifies: finds rows that are gone or other than the file, and tells edited projects apart', async () => {
    const { runId } = await importProjects(sql, { rows: MIXED });
    const compare = async (rows: readonly Cells[]) => {
      const stageId = await stageProjects(sql, { rows, parts: 1 });
      return (await sql`SELECT ingest.compare_partition(${runId}, ${stageId}, 1, 0) AS found`)[0]!['found'] as unknown;
    };
    assert.deepEqual(await compare(MIXED), { rows: 7, missing: 0, different: 0, edited: 0, lines: [] });
    await sql`UPDATE public.projects SET address = 'by hand' WHERE stage_application = 'S1'`;
    await sql`UPDATE public.projects SET residential = 99 WHERE stage_application = 'S4'`; // the file says nothing of it
    await sql`DELETE FROM public.projects WHERE stage_application = 'S2'`;
    const changed = MIXED.map((row, i) => (i === 5 ? { ...row, address: 'new' } : row));
    assert.deepEqual(await compare([...changed, { stage_application: 'S9' }]), {
      rows: 8,
      missing: 1,
      different: 2,
      edited: 1,
      lines: [3, 7, 9],
    });
    await merge(sql, [{ stage_application: 'S1', address: 'by a batch' }]);
    assert.deepEqual(await compare(changed), { rows: 7, missing: 0, different: 2, edited: 0, lines: [3, 7] });
    assert.equal((await sql`SELECT is_valid FROM ingest.reconcile_import_run(${runId})`)[0]!['is_valid'], false);
  });

  it("vanishes with the hard delete of its run; its projects stay, nobody's", async () => {
    const { runId } = await importProjects(sql, { batch: 'gone', rows: MIXED });
    await sql`DELETE FROM ingest.import_runs WHERE id = ${runId}`;
    assert.equal((await sql`SELECT count(*) AS n FROM ingest.projects_raw`)[0]!['n'], 0);
    const again = await importProjects(sql, { batch: 'gone', rows: MIXED });
    assert.deepEqual([again.counts.inserted, again.counts.updated], [0, 3]);
    await sql`SELECT ingest.rollback_import_run(${again.runId}, ${randomUUID()})`;
    assert.equal((await contentOfProjects(sql))['projects']!.length, 3);
  });
});
