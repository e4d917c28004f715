/** A rollback in parts: each a transaction, in a ledger; interrupted it goes on, and nobody takes the run for a whole one meanwhile. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { forgetJudgments } from '../support/judgmentsContent.ts';
import { importLeads } from '../support/judgmentsImport.ts';
import { pairsInVain } from '../support/plans.ts';
import { importRows, openImport, upsert } from '../support/sqlImport.ts';
import type { TestDatabase } from '../support/stack.ts';
import { withDatabase } from '../support/suite.ts';

describe('a rollback in parts', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let database: TestDatabase;
  withDatabase((opened, made) => ([sql, database] = [opened, made]));
  afterEach(() => forgetJudgments(sql));

  const part = async (run: string, rows: number) =>
    (await sql`SELECT ingest.rollback_rows(${run}, 'test', ${rows}) AS answer`)[0]!['answer'] as Record<
      string,
      unknown
    >;
  const count = async (table: string): Promise<number> =>
    (await sql.unsafe(`SELECT count(*)::int AS n FROM ${table}`))[0]!['n'];
  const rows = Array.from({ length: 25 }, (_, i) => ({ name: `P ${i}` }));

  it('tells how far it is, goes on whoever calls, and sums what its parts did', async () => {
    const run = await importRows(sql, { batch: 'parts', rows });
    const heir = await importRows(sql, { batch: 'heir', rows: rows.slice(0, 3) });
    await sql`UPDATE public.plaintiffs SET phone = '1' WHERE name IN ('P 4', 'P 20')`;
    assert.deepEqual(await part(run, 10), { success: true, done: false, rows_affected: 10, rows_total: 25 });
    assert.equal(await count('public.plaintiffs'), 25 - 10 + 3 + 1);
    assert.deepEqual(await part(run, 10), { success: true, done: false, rows_affected: 20, rows_total: 25 });
    const [done] = await sql`SELECT * FROM ingest.rollback_import_run(${run}, 'the rest')`;
    assert.deepEqual({ ...done }, { success: true, rows_affected: 25 });
    const [ended] = await sql`
      SELECT status, rollback_reason AS reason, metadata -> 'rollback' AS rollback FROM ingest.import_runs WHERE id = ${run}`;
    const kept = (await sql`SELECT id FROM public.plaintiffs WHERE import_run_id = ${run} ORDER BY id`).map(
      ({ id }) => id,
    );
    assert.deepEqual([ended!['status'], ended!['reason']], ['rolled_back', 'the rest']);
    assert.deepEqual(ended!['rollback'], {
      rows_affected: 25,
      removed: 20,
      inherited: 3,
      kept_edited: { count: 2, plaintiff_ids: kept },
    });
    const ledger = await sql`
      SELECT part, result -> 'rows_affected' AS n FROM ingest.import_run_steps WHERE run_id = ${run} AND step = 'rollback' ORDER BY 1`;
    assert.deepEqual(
      ledger.map(({ part: at, n }) => [at, n]),
      [
        [0, 10],
        [1, 10],
        [2, 5],
      ],
    );
    const [inherited] = await sql`SELECT rows_inserted AS n FROM ingest.import_runs WHERE id = ${heir}`;
    assert.equal(inherited!['n'], 3);
    assert.deepEqual(await part(run, 10), { success: true, done: true, rows_affected: 0, rows_total: 0 });
  });

  it('looks its rows up by their keys, before statistics know anything of the run', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ name: `P ${i}` }));
    await sql`ALTER TABLE public.plaintiffs SET (autovacuum_enabled = off)`;
    // So the planner takes the run for one that has no rows.
    const other = randomUUID();
    await sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name, import_run_id)
              SELECT 'other' || n, 'hand', 'Other', ${other} FROM generate_series(1, 100000) n`;
    await sql`ANALYZE public.plaintiffs`;
    const run = await importRows(sql, { batch: 'fresh', rows: many });
    const pairs = await pairsInVain(
      database,
      `SELECT ingest.rollback_rows('${run}', 'test', 10000)`,
      'delete from public.plaintiffs',
    ).finally(() => sql`ALTER TABLE public.plaintiffs RESET (autovacuum_enabled)`);
    assert.ok(pairs < 100_000, `${pairs} pairs of rows compared`);
  });

  it('is told beforehand, in parts of any size', async () => {
    const leads = [
      { name: 'Ann', email: 'ann@x.co', number: '1' },
      { name: 'Bob', email: 'bob@x.co', number: '2' },
      { name: 'Ann', email: 'ann@x.co', phone: '5550001', number: '3' },
      { name: 'Bob', email: 'bob@x.co', number: '4' },
    ];
    for (const run of [
      await importLeads(sql, { batch: 'told', rows: leads }),
      await importRows(sql, { batch: 'told', rows }),
    ]) {
      await sql`UPDATE public.plaintiffs SET address = 'x' WHERE name IN ('Bob', 'P 7')`;
      const preview = async (size: number) => {
        for (let former = null; ;) {
          const [row] = await sql`SELECT ingest.preview_rollback(${run}, ${former}, ${size}) AS answer`;
          const { done, ...told } = row!['answer'];
          if (done) return told;
          former = sql.json(told) as never;
        }
      };
      const told = await preview(1);
      assert.deepEqual(told, await preview(1000));
      await sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
      const [done] = await sql`SELECT metadata -> 'rollback' AS answer FROM ingest.import_runs WHERE id = ${run}`;
      assert.deepEqual(told, done!['answer']);
    }
  });

  it('keeps others from the run until it has ended, and a run at work from going on', async () => {
    const run = await importRows(sql, { batch: 'half', rows });
    await part(run, 10);
    const busy = { code: 'IN004', message: `run ${run} is being rolled back: 10 of 25 rows are withdrawn` };
    await assert.rejects(openImport(sql, { batch: 'half', rows }), busy);
    await assert.rejects(sql`SELECT ingest.reconcile_import_run(${run})`, busy);
    await assert.rejects(sql`SELECT ingest.finalize_import_run(${run}, 1, 1, 0, 0)`, busy);
    await Promise.all([1, 2].map(() => sql`SELECT ingest.rollback_import_run(${run}, 'both')`));
    await importRows(sql, { batch: 'half', rows });

    const open = await openImport(sql, { batch: 'at work', rows: [{ name: 'New' }, { name: 'Other' }] });
    await upsert(sql, open);
    await part(open.runId, 1);
    await assert.rejects(sql`SELECT ingest.record_result(${open.runId}, ${open.lease}, 2, '{}')`, { code: 'IN001' });
    await assert.rejects(openImport(sql, { batch: 'at work', rows }), { code: 'IN004' });
  });

  it('passes rows to a run that came between two parts', async () => {
    const run = await importRows(sql, { batch: 'before', rows });
    await part(run, 10);
    const between = await importRows(sql, { batch: 'between', rows });
    await sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
    const owners = await sql`SELECT DISTINCT import_run_id AS run FROM public.plaintiffs`;
    assert.deepEqual([await count('public.plaintiffs'), ...owners.map(({ run: id }) => id)], [25, between]);
    const [reconciled] = await sql`SELECT is_valid AS valid FROM ingest.reconcile_import_run(${between})`;
    assert.ok(reconciled!['valid']);
  });

  it('takes all rows of a person in one part', async () => {
    const run = await importLeads(sql, {
      batch: 'people',
      rows: [
        { name: 'Ann', email: 'ann@x.co', number: '1' },
        { name: 'Bob', email: 'bob@x.co', number: '2' },
        { name: 'Ann', email: 'ann@x.co', phone: '5550001', number: '3' },
      ],
    });
    await sql`UPDATE public.judgments SET county = 'Kings' WHERE judgment_number = '3'`;
    const { rows_affected: first } = await part(run, 1);
    assert.equal(first, 2);
    assert.deepEqual([await count('public.judgments'), await count('public.plaintiff_contacts')], [2, 3]);
    await sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
    assert.deepEqual([await count('public.judgments'), await count('public.plaintiff_contacts')], [1, 2]);
    assert.equal(await count('public.plaintiffs'), 1);
  });
});
