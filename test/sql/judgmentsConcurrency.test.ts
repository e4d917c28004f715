import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { leads, rule } from '../support/judgmentsArbitraries.ts';
import { forgetJudgments } from '../support/judgmentsContent.ts';
import {
  openJudgments,
  promote,
  resolve,
  settleJudgments,
  untilDone,
  upsertPart,
  type Lead,
} from '../support/judgmentsImport.ts';
import { openImport, settle, upsert } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

/** Leads of 40 people; an import shares most people and many judgments with the others. */
const leadsOf = (seed: number): Lead[] =>
  Array.from({ length: 120 }, (_, i) => {
    const who = (i * 7 + seed * 3) % 40;
    return {
      name: `Person ${who}`,
      address: `${who} Elm`,
      number: i % 3 ? `N-${seed}-${i}` : `N-${i}`,
      ...(i % 2 ? { email: `p${who}@example.com` } : {}),
      ...(i % 5 ? { phone: `555${1000 + who}` } : {}),
    };
  });

describe('imports of judgments at the same time', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  afterEach(() => forgetJudgments(sql));

  /** Emails, phones and names that more than one plaintiff has, and numbers that more than one judgment has. */
  const doubles = async () => {
    const values = await sql`
      SELECT kind, value FROM (
        SELECT c.kind, lower(c.value) AS value, c.plaintiff_id AS owner FROM public.plaintiff_contacts c WHERE c.kind <> 'address'
        UNION SELECT 'email', lower(email), id FROM public.plaintiffs WHERE email IS NOT NULL
        UNION SELECT 'phone', phone, id FROM public.plaintiffs WHERE phone IS NOT NULL
        UNION SELECT 'name', ingest.normalize_text(name), id FROM public.plaintiffs
        UNION SELECT 'number', ingest.normalize_text(judgment_number), id FROM public.judgments) v
      GROUP BY kind, value HAVING count(DISTINCT owner) > 1`;
    return values.map((row) => `${row['kind']} ${row['value']}`);
  };

  for (const imports of [2, 4]) {
    it(`${imports} make one plaintiff of each person and one judgment of each number, and all reconcile`, async () => {
      for (let round = 0; round < 3; round++) {
        const opened = await Promise.all(
          Array.from({ length: imports }, (_, i) =>
            openJudgments(sql, { batch: `${round}-${i}`, rows: leadsOf(i), parts: 4 }),
          ),
        );
        const counts = await Promise.all(opened.map((open) => promote(sql, open)));
        for (const open of opened) await settleJudgments(sql, open);
        const numbers = new Set(
          Array.from({ length: imports }, (_, i) => leadsOf(i))
            .flat()
            .map(({ number }) => number),
        );
        assert.equal(
          counts.reduce((sum, { inserted }) => sum + inserted, 0),
          numbers.size,
        );
        assert.equal(
          counts.reduce((sum, { effects }) => sum + effects['plaintiffs_created']!, 0),
          40,
        );
        assert.deepEqual(await doubles(), []);
        const [n] =
          await sql`SELECT (SELECT count(*) FROM public.plaintiffs) AS plaintiffs, (SELECT count(*) FROM public.plaintiff_tasks) AS tasks,
          (SELECT count(*) FROM public.queue_messages) AS jobs`;
        assert.deepEqual({ ...n }, { plaintiffs: 40, tasks: 40, jobs: 2 * numbers.size });
        await forgetJudgments(sql);
      }
    });
  }

  it('meet an import of plaintiffs of the same names and emails, and share its plaintiffs', async () => {
    for (let round = 0; round < 4; round++) {
      const names = Array.from({ length: 40 }, (_, i) => ({
        name: `person ${i}`,
        email: `P${i}@example.com`,
        phone: `555${1000 + i}`,
      }));
      const plain = await openImport(sql, { source: 'simplicity', batch: `p${round}`, rows: names });
      const open = await openJudgments(sql, {
        batch: `j${round}`,
        rows: leadsOf(1).map((row) => ({ ...row, email: `${row.name!.replace('Person ', 'p')}@example.com` })),
        parts: 4,
      });
      const [landed] = await Promise.all([untilDone(() => upsert(sql, plain)), promote(sql, open)]);
      await settleJudgments(sql, open);
      assert.equal(await settle(sql, plain, 40), true);
      assert.equal(landed['inserted']! + landed['skipped']!, 40);
      assert.deepEqual(await doubles(), []);
      await forgetJudgments(sql);
    }
  });

  it('of any two files make no plaintiff and no judgment twice', async () => {
    await fc.assert(
      fc.asyncProperty(leads, leads, rule, async (one, other, match) => {
        await forgetJudgments(sql);
        const opened = await Promise.all(
          [one, other].map((rows, i) => openJudgments(sql, { batch: `any-${i}`, rows, match })),
        );
        await Promise.all(opened.map((open) => promote(sql, open)));
        for (const open of opened) await settleJudgments(sql, open);
        // Two names may share a contact, unless it decides alone.
        const twice = await sql`
        SELECT what, value FROM (
          SELECT 'number' AS what, ingest.normalize_text(judgment_number) AS value FROM public.judgments
          UNION ALL SELECT 'case', ingest.normalize_text(case_number) FROM public.judgments
          UNION ALL SELECT 'name', ingest.normalize_text(name) FROM public.plaintiffs
          UNION ALL SELECT 'email', lower(email) FROM public.plaintiffs WHERE email IS NOT NULL AND ${match} = 'contact'
          UNION ALL SELECT 'phone', ingest.phone_key(phone) FROM public.plaintiffs WHERE phone IS NOT NULL AND ${match} = 'contact') v
        GROUP BY what, value HAVING count(*) > 1`;
        assert.deepEqual([...twice], []);
      }),
      { numRuns: 12 },
    );
  });

  it('look again at what another import made since they resolved', async () => {
    const first = await openJudgments(sql, {
      batch: 'first',
      rows: [{ name: 'Ann', email: 'ann@x.co', number: '1', case: 'C1' }],
      parts: 1,
    });
    const second = await openJudgments(sql, {
      batch: 'second',
      parts: 1,
      rows: [
        { name: 'Bob', email: 'bob@x.co', phone: '5550001', number: '2' },
        { name: 'Ann Lee', email: 'ann@x.co', phone: '5550001', number: '3' },
        { name: 'Cy', number: '1', case: 'C9' },
        { name: 'Dora', number: '9', case: 'C9' },
      ],
    });
    await resolve(sql, first);
    await resolve(sql, second);
    assert.equal((await upsertPart(sql, first, 0)).inserted, 1);
    const { inserted, skipped } = await upsertPart(sql, second, 0);
    await settleJudgments(sql, second);
    // As if second had come after first: 1 is there, so that C9 is Dora's; Ann Lee is Ann by her email.
    assert.deepEqual([inserted, skipped], [3, 1]);
    const rows = await sql`
      SELECT l.status, l.matched_by, p.name FROM public.raw_simplicity_imports l JOIN public.plaintiffs p ON p.id = l.plaintiff_id
      WHERE l.import_run_id = ${second.runId} ORDER BY l.row_index`;
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        ['inserted', 'created', 'Bob'],
        ['inserted', 'email', 'Ann'],
        ['skipped', null, 'Ann'],
        ['inserted', 'created', 'Dora'],
      ],
    );
  });

  it('look again at what people did since they resolved: a judgment typed, renumbered or deleted, a contact deleted', async () => {
    const judgment = (number: string) =>
      `INSERT INTO public.judgments (judgment_number, case_number, plaintiff_id, plaintiff_name, judgment_amount)
       SELECT '${number}', 'C1', id, name, 10 FROM public.plaintiffs`;
    for (const [before, change, expected] of [
      ['SELECT', judgment('9'), ['skipped', 'Ann Lee']],
      [judgment('9').replace('C1', 'C9'), `UPDATE public.judgments SET case_number = 'C1'`, ['skipped', 'Ann Lee']],
      [judgment('1'), 'DELETE FROM public.judgments', ['inserted', 'Ann Lee']],
      ['SELECT', 'DELETE FROM public.plaintiff_contacts', ['inserted', 'Ann']],
    ] as const) {
      await sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name) VALUES ('typed', 'hand', 'Ann Lee')`;
      await sql`INSERT INTO public.plaintiff_contacts (plaintiff_id, kind, value) SELECT id, 'email', 'ann@x.co' FROM public.plaintiffs`;
      await sql.unsafe(before);
      const rows = [{ name: 'Ann', email: 'ann@x.co', number: '1', case: 'C1' }];
      const open = await openJudgments(sql, { batch: 'people', rows, parts: 1 });
      await resolve(sql, open);
      await sql.unsafe(change);
      await upsertPart(sql, open, 0);
      await settleJudgments(sql, open);
      const [row] = await sql`
        SELECT l.status, p.name FROM public.raw_simplicity_imports l JOIN public.plaintiffs p ON p.id = l.plaintiff_id`;
      assert.deepEqual(Object.values(row!), expected, change);
      await forgetJudgments(sql);
    }
  });
});
