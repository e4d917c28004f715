/** A row that the database refuses (a constraint, a trigger, a limit) fails alone, with its reason; nothing else of its part is lost. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { forgetJudgments } from '../support/judgmentsContent.ts';
import * as judgments from '../support/judgmentsImport.ts';
import { merge } from '../support/projectsBatch.ts';
import * as projects from '../support/projectsImport.ts';
import * as searches from '../support/searchResultsImport.ts';
import { openImport, settle, upsert } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('a row that the database refuses fails alone', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  afterEach(() => forgetJudgments(sql));

  const rejects = async (runId: string) =>
    (await sql`SELECT ingest.read_rejects(${runId}) AS found`)[0]!['found'].map(
      ({ line, code, message, record }: Record<string, unknown>) => [line, code, message, record],
    );
  const refused = (line: number, why: string) => [line, 'REFUSED_ROW', `the database refuses this record: ${why}`, ''];
  const compare = async (runId: string, stageId: string) =>
    (await sql`SELECT ingest.compare_partition(${runId}, ${stageId}, 1, 0) AS found`)[0]!['found'];

  /** The team's own rules, while `work` runs. */
  async function under(rules: string, work: () => Promise<void>, undo: string): Promise<void> {
    await sql.unsafe(rules);
    try {
      await work();
    } finally {
      await sql.unsafe(undo);
    }
  }

  it('of plaintiffs: by a constraint, by another row of the file, by a trigger; a later row of its key takes its place', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ name: `P ${i}`, phone: String(i) }));
    rows[30] = { ...rows[3]!, phone: 'good' }; // the key of the refused row 3
    rows[21] = { ...rows[21]!, phone: 'once' };
    rows[22] = { ...rows[22]!, phone: 'once' };
    await under(
      `ALTER TABLE public.plaintiffs ADD CONSTRAINT no_three CHECK (phone <> '3');
       CREATE UNIQUE INDEX once ON public.plaintiffs (phone) WHERE phone = 'once';
       CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON public.plaintiffs FOR EACH ROW WHEN (new.phone = '7') EXECUTE FUNCTION public.refuse();`,
      async () => {
        const open = await openImport(sql, { rows });
        const { inserted, skipped, errored, effects } = (await upsert(sql, open)) as Record<string, unknown>;
        assert.deepEqual([inserted, skipped, errored, effects], [37, 0, 3, { refused: 3 }]);
        assert.ok(await settle(sql, open, rows.length));
        const found = await rejects(open.runId);
        assert.deepEqual(found.slice(0, 2), [refused(5, '23514 no_three'), refused(9, 'P0001')]);
        assert.ok([23, 24].includes(found[2][0]) && found[2][2].endsWith('23505 once'));
        const [taken] = await sql`SELECT phone FROM public.plaintiffs WHERE name = 'P 3'`;
        assert.equal(taken!['phone'], 'good');
        const again = await openImport(sql, { batch: 'verify', rows });
        assert.deepEqual(await compare(open.runId, again.stageId), {
          rows: 40,
          missing: 0,
          different: 0,
          edited: 0,
          lines: [],
        });
      },
      `DROP TRIGGER refuse ON public.plaintiffs; DROP FUNCTION public.refuse; DROP INDEX public.once;
       ALTER TABLE public.plaintiffs DROP CONSTRAINT no_three`,
    );
  });

  it('of judgments: who is one person with it is made by another row, and a duplicate of it is taken', async () => {
    const rows = [
      { name: 'Ann', email: 'ann@x.co', phone: '5550001', number: '1', amount: '13' },
      { name: 'Ann', phone: '5550001', number: '2', amount: '5' },
      { name: 'Ann', email: 'ann@x.co', number: '1', amount: '6' },
      { name: 'Bob', number: '3', amount: '13' },
      { name: 'Cid', number: '4', amount: '7' },
    ];
    await under(
      'ALTER TABLE public.judgments ADD CONSTRAINT unlucky CHECK (judgment_amount <> 13)',
      async () => {
        const open = await judgments.openJudgments(sql, { rows, parts: 1 });
        const { inserted, skipped, errored, effects } = await judgments.promote(sql, open);
        assert.deepEqual([inserted, skipped, errored, effects['refused']], [3, 0, 2, 2]);
        assert.deepEqual([effects['plaintiffs_created'], effects['queued_jobs']], [2, 6]);
        assert.ok(await settle(sql, open, rows.length));
        assert.deepEqual(await rejects(open.runId), [refused(2, '23514 unlucky'), refused(5, '23514 unlucky')]);
        const made = await sql`
          SELECT p.name, array_agg(j.judgment_number ORDER BY j.judgment_number) AS numbers FROM public.plaintiffs p
          LEFT JOIN public.judgments j ON j.plaintiff_id = p.id GROUP BY p.id ORDER BY 1`;
        assert.deepEqual(
          made.map((row) => ({ ...row })),
          [
            { name: 'Ann', numbers: ['1', '2'] },
            { name: 'Cid', numbers: ['4'] },
          ],
        );
        assert.equal((await sql`SELECT count(*)::int AS n FROM public.queue_messages`)[0]!['n'], 6);
      },
      'ALTER TABLE public.judgments DROP CONSTRAINT unlucky',
    );
  });

  it('of projects: what a later row replaces refuses nobody, and what was there before stays', async () => {
    const row = (application: string, address: string) => ({
      stage_application: application,
      address,
      residential: '1',
    });
    await projects.importProjects(sql, { rows: [row('A', 'old')] });
    await under(
      `ALTER TABLE public.projects ADD CONSTRAINT no_bad CHECK (address <> 'bad')`,
      async () => {
        const rows = [row('A', 'bad'), row('B', 'bad'), row('B', 'fine'), row('C', 'fine')];
        const open = await projects.openProjects(sql, { rows, parts: 1 });
        const { inserted, updated, skipped, errored, effects } = await projects.upsertPart(sql, open, 0);
        assert.deepEqual([inserted, updated, skipped, errored, effects['refused']], [2, 0, 1, 1, 1]);
        assert.deepEqual(await rejects(open.runId), [refused(2, '23514 no_bad')]);
        const found = await sql`SELECT stage_application AS at, address FROM public.projects ORDER BY 1`;
        assert.deepEqual(
          found.map(({ at, address }) => [at, address]),
          [
            ['A', 'old'],
            ['B', 'fine'],
            ['C', 'fine'],
          ],
        );
      },
      'ALTER TABLE public.projects DROP CONSTRAINT no_bad',
    );
  });

  it('of every kind: by a constraint that is put off to the commit, a code of the team, a trigger that leaves it out', async () => {
    const [good, bad] = ['good', 'bad'];
    const kinds: Record<string, [column: string, run: () => Promise<Record<string, unknown>>]> = {
      plaintiffs: [
        'name',
        async () => upsert(sql, await openImport(sql, { batch: randomUUID(), rows: [{ name: good }, { name: bad }] })),
      ],
      judgments: [
        'plaintiff_name',
        async () => {
          const rows = [
            { name: good, number: '1' },
            { name: bad, number: '2' },
          ];
          const { inserted, errored } = await judgments.promote(
            sql,
            await judgments.openJudgments(sql, { batch: randomUUID(), rows, parts: 1 }),
          );
          return { inserted, errored };
        },
      ],
      projects: [
        'address',
        async () => {
          const rows = [good, bad].map((address) => ({ stage_application: address, address }));
          return { ...(await projects.upsertPart(sql, await projects.openProjects(sql, { rows, parts: 1 }), 0)) };
        },
      ],
      search_results: [
        'license_status',
        async () => {
          const rows = [good, bad].map((status) => ({ number: status, ts: '2025-01-01', status, image: status }));
          return { ...(await searches.upsertPart(sql, await searches.openSearches(sql, { rows, parts: 1 }), 0)) };
        },
      ],
    };
    for (const [table, [column, run]] of Object.entries(kinds)) {
      for (const [body, when] of [
        [`RAISE 'never' USING ERRCODE = '23514'`, 'CONSTRAINT TRIGGER refuse AFTER'],
        [`RAISE 'never' USING ERRCODE = 'TM001'`, 'TRIGGER refuse BEFORE'],
        ['RETURN NULL', 'TRIGGER refuse BEFORE'],
      ] as const) {
        await under(
          `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; END $$;
           CREATE ${when} INSERT ON public.${table} ${when.startsWith('C') ? 'DEFERRABLE INITIALLY DEFERRED' : ''}
           FOR EACH ROW WHEN (new.${column} = 'bad') EXECUTE FUNCTION public.refuse()`,
          async () => {
            const { inserted, errored } = await run();
            assert.deepEqual([table, body, inserted, errored], [table, body, 1, 1]);
          },
          `DROP TRIGGER refuse ON public.${table}; DROP FUNCTION public.refuse; TRUNCATE public.${table} CASCADE`,
        );
        await forgetJudgments(sql);
      }
    }
  });

  it('of a posted batch ends it: what a trigger leaves out is not waited for', async () => {
    await under(
      `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
       CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON public.projects FOR EACH ROW EXECUTE FUNCTION public.refuse()`,
      () => assert.rejects(merge(sql, [{ stage_application: 'Left out' }]), { code: 'P0001' }),
      'DROP TRIGGER refuse ON public.projects; DROP FUNCTION public.refuse',
    );
  });

  it('also where all of a part are refused, up to a number; what may pass is raised', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({ name: `Q ${i}` }));
    await under(
      'ALTER TABLE public.plaintiffs ADD COLUMN needed text NOT NULL',
      async () => {
        const { inserted, errored } = await upsert(sql, await openImport(sql, { batch: 'all', rows }));
        assert.deepEqual([inserted, errored], [0, 200]);
      },
      'ALTER TABLE public.plaintiffs DROP COLUMN needed',
    );
    await under(
      `ALTER TABLE public.plaintiffs ADD COLUMN needed text NOT NULL;
       CREATE OR REPLACE FUNCTION ingest.max_refused_rows() RETURNS integer LANGUAGE sql AS 'SELECT 20'`,
      async () => {
        await assert.rejects(upsert(sql, await openImport(sql, { batch: 'most', rows })), {
          code: 'IN006',
          message: 'the database refuses this record: 23502; so it does with more than 20 records of a part',
        });
      },
      'ALTER TABLE public.plaintiffs DROP COLUMN needed',
    );
    await under(
      `CREATE FUNCTION public.trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER trouble BEFORE INSERT ON public.plaintiffs FOR EACH ROW EXECUTE FUNCTION public.trouble();`,
      async () => {
        await assert.rejects(upsert(sql, await openImport(sql, { batch: 'full', rows })), { code: '53100' });
      },
      'DROP TRIGGER trouble ON public.plaintiffs; DROP FUNCTION public.trouble',
    );
  });
});
