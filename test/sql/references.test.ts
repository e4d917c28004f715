/** Rows of Intake that a table of the team refers to: what deletes such rows keeps these, works on, and says so. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { sqlError } from '../../src/database/sqlError.ts';
import { forgetJudgments } from '../support/judgmentsContent.ts';
import { importLeads } from '../support/judgmentsImport.ts';
import { addDirectories, forgetProjects, merge } from '../support/projectsBatch.ts';
import { importProjects } from '../support/projectsImport.ts';
import { importSearches } from '../support/searchResultsImport.ts';
import { importRows } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('rows that a table of the team refers to', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  afterEach(async () => {
    await forgetJudgments(sql);
    await forgetProjects(sql);
    await sql`TRUNCATE ingest.import_runs, public.datasets, public.import_retention_stats CASCADE`;
  });

  const known = { deployment_specialist: 'DS_A', delivery_partner: 'Acme' };
  const odd = { deployment_specialist: 'Nobody', delivery_partner: 'Acme' };
  const merged = (row: object, batch: string) => merge(sql, [{ stage_application: 'S1', ...row } as never], { batch });
  const rollback = (run: string) => sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
  const age = async (run: string) => {
    await sql`UPDATE ingest.import_runs SET completed_at = now() - interval '40 days', created_at = now() - interval '41 days' WHERE id = ${run}`;
  };
  const retire = async () => {
    while ((await sql`SELECT ingest.retire_runs('{"*": 30}') AS answer`)[0]!['answer'].more);
  };
  const clean = async () => {
    await sql`UPDATE public.import_anomalies SET created_at = now() - interval '400 days'`;
    await sql`UPDATE public.staging_imports SET imported_at = now() - interval '400 days'`;
    await sql`SELECT ingest.clean_import_data(60, 90)`;
  };
  const lead = { name: 'Ann', email: 'ann@x.co', number: '1' };
  const licence = (ts: string, image?: string) => ({ rows: [{ number: '1', ts, status: 'x', image }] });

  /** What makes rows of a table and what would delete them; `columns`: what refers. */
  const CASES: [
    name: string,
    table: string,
    columns: string,
    make: () => Promise<string | void>,
    act: (run: string) => Promise<unknown>,
  ][] = [
    [
      'an anomaly that a batch settles',
      'public.import_anomalies',
      'id',
      async () => void (await merged(odd, 'a')),
      () => merged(known, 'b'),
    ],
    [
      'an anomaly that a batch finds again',
      'public.import_anomalies',
      'id',
      async () => void (await merged(odd, 'a')),
      () => merged({ ...odd, address: 'x' }, 'b'),
    ],
    [
      'an anomaly that a file settles',
      'public.import_anomalies',
      'id',
      async () => void (await merged(odd, 'a')),
      () => importProjects(sql, { rows: [{ stage_application: 'S1', ...known }] }),
    ],
    [
      'an anomaly that a backfill settles',
      'public.import_anomalies',
      'id',
      async () => void (await merged(odd, 'a')),
      async () => {
        await sql`INSERT INTO public.ds_directory (preferred_username, user_id) VALUES ('Nobody', gen_random_uuid())`;
        await sql`SELECT ingest.backfill_memberships()`;
      },
    ],
    ['an old anomaly', 'public.import_anomalies', 'id', async () => void (await merged(odd, 'a')), clean],
    ['an old batch', 'public.staging_imports', 'id', async () => void (await merged(odd, 'a')), clean],
    [
      'an image that a later search lacks',
      'public.images',
      'id',
      () => importSearches(sql, licence('2026-01-01', 'i')),
      () => importSearches(sql, licence('2026-01-02')),
    ],
    [
      'a job of a rolled-back run',
      'public.queue_messages',
      'queue_name, msg_id',
      () => importLeads(sql, { batch: 'j', rows: [lead] }),
      rollback,
    ],
    [
      'a job that is purged',
      'public.queue_messages',
      'queue_name, msg_id',
      () => importLeads(sql, { batch: 'j', rows: [lead] }),
      (run) => sql`SELECT ingest.purge_jobs(${run})`,
    ],
    [
      'a job of a retired run',
      'public.queue_messages',
      'queue_name, msg_id',
      () => importLeads(sql, { batch: 'j', rows: [lead] }),
      async (run) => {
        await age(run);
        await retire();
      },
    ],
    ...(['ingest.plaintiffs_raw'] as const).map(
      (table) =>
        [
          'a landed row of a retired run',
          table,
          'id',
          () => importRows(sql, { batch: 'p', rows: [{ name: 'A' }, { name: 'B' }] }),
          async (run: string) => {
            await age(run);
            await retire();
          },
        ] as never,
    ),
    [
      'a landed project of a retired run',
      'ingest.projects_raw',
      'id',
      async () => (await importProjects(sql, { rows: [{ stage_application: 'S1', ...known }] })).runId,
      async (run) => {
        await age(run);
        await retire();
      },
    ],
    [
      'a landed search of a retired run',
      'ingest.search_results_raw',
      'id',
      () => importSearches(sql, licence('2026-01-01')),
      async (run) => {
        await age(run);
        await retire();
      },
    ],
    ...(
      [
        'public.plaintiffs',
        'public.judgments',
        'public.plaintiff_contacts',
        'public.plaintiff_tasks',
        'public.plaintiff_status_history',
      ] as const
    ).map(
      (table) =>
        ['what a run made', table, 'id', () => importLeads(sql, { batch: 'j', rows: [lead] }), rollback] as never,
    ),
    ['what a run made', 'public.search_results', 'id', () => importSearches(sql, licence('2026-01-01', 'i')), rollback],
    ['what a run made', 'public.images', 'id', () => importSearches(sql, licence('2026-01-01', 'i')), rollback],
    [
      'what a run made',
      'public.projects',
      'id',
      async () => (await importProjects(sql, { rows: [{ stage_application: 'S1', ...known }] })).runId,
      rollback,
    ],
  ];

  for (const [name, table, columns, make, act] of CASES)
    it(`stay: ${name} (${table})`, async () => {
      await addDirectories(sql);
      const run = await make();
      const rows = await sql.unsafe(
        `SELECT ${columns} FROM ${table} ORDER BY 1, 2`.replace(', 2', columns.includes(',') ? ', 2' : ''),
      );
      assert.ok(rows.length > 0);
      await sql.unsafe(`CREATE TABLE public.team AS SELECT ${columns} FROM ${table}`);
      await sql.unsafe(`ALTER TABLE public.team ADD FOREIGN KEY (${columns}) REFERENCES ${table}`);
      try {
        await act(run as string);
        const left = await sql.unsafe(`SELECT ${columns} FROM ${table} ORDER BY 1`);
        for (const row of rows)
          assert.ok(
            left.some((other) => JSON.stringify(other) === JSON.stringify(row)),
            JSON.stringify(row),
          );
        await sql.unsafe('SELECT * FROM public.team');
      } finally {
        await sql`DROP TABLE public.team`;
      }
    });

  it('are told: a settled anomaly says so, one that is found again has its new batch and goes when nothing refers to it', async () => {
    await addDirectories(sql);
    await merged(odd, 'a');
    await sql`CREATE TABLE public.team (id uuid REFERENCES public.import_anomalies)`;
    await sql`INSERT INTO public.team SELECT id FROM public.import_anomalies`;
    const anomalies = async () =>
      (await sql`SELECT batch_id, reason FROM public.import_anomalies`).map((row) => Object.values(row));
    await merged(known, 'b');
    assert.deepEqual(await anomalies(), [['a', 'settled; a table of the database refers to it']]);
    assert.equal((await merged(odd, 'c')).anomalies_count, 1);
    assert.deepEqual(await anomalies(), [['c', 'ds_directory has no such preferred_username']]);
    await sql`DROP TABLE public.team`;
    await merged({ ...known, address: 'x' }, 'd');
    assert.deepEqual(await anomalies(), []);
  });

  it('go with those that go, or let go, by the rule of their own foreign key', async () => {
    await addDirectories(sql);
    await merged(odd, 'a');
    await sql`CREATE TABLE public.team (id uuid REFERENCES public.import_anomalies ON DELETE CASCADE)`;
    await sql`INSERT INTO public.team SELECT id FROM public.import_anomalies`;
    await merged(known, 'b');
    assert.equal((await sql`SELECT FROM public.import_anomalies`).length, 0);
    assert.equal((await sql`SELECT FROM public.team`).length, 0);
    await sql`DROP TABLE public.team`;
  });

  it('and cannot stay are an error that names table, constraint and remedy', async () => {
    await importRows(sql, { batch: 'p', rows: [{ name: 'A' }] });
    await sql`CREATE TABLE public.team (run uuid CONSTRAINT team_run REFERENCES ingest.import_runs)`;
    await sql`INSERT INTO public.team SELECT id FROM ingest.import_runs`;
    const thrown: unknown = await sql`DELETE FROM ingest.plaintiffs_raw`
      .then(() => sql`DELETE FROM ingest.import_runs`)
      .catch((error: unknown) => error);
    const { code, message, remedy } = sqlError(thrown);
    assert.deepEqual(
      [code, message],
      ['DATABASE_REFUSED', 'Table team refers to rows of import_runs that are to go (23503)'],
    );
    assert.match(remedy, /team_run/);
    await sql`DROP TABLE public.team`;
  });
});
