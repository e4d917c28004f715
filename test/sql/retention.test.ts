/** Retention of runs: landed rows, ledger and originals of old runs go; what the rollback of a run needs stays as long as it can be rolled back. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { forgetJudgments } from '../support/judgmentsContent.ts';
import { importLeads } from '../support/judgmentsImport.ts';
import { importRows, openImport } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('retention of runs', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  afterEach(() => forgetJudgments(sql));

  const answer = async (query: postgres.PendingQuery<postgres.Row[]>) => (await query)[0]!['answer'];
  const retire = (days: object, rows = 10) =>
    answer(sql`SELECT ingest.retire_runs(${sql.json(days as never)}, ${rows}) AS answer`);
  const preview = (days: object) =>
    answer(sql`SELECT ingest.preview_run_retention(${sql.json(days as never)}) AS answer`);
  const endedDaysAgo = async (run: string, days: number): Promise<void> => {
    await sql`UPDATE ingest.import_runs SET completed_at = now() - ${days} * interval '1 day',
              created_at = now() - ${days + 0.01} * interval '1 day' WHERE id = ${run}`;
  };
  const rows = Array.from({ length: 25 }, (_, i) => ({ name: `P ${i}` }));
  const nothing = { more: false, runs: 0, landed_rows: 0, ledger_rows: 0 };

  it('takes the rows of old runs in parts, oldest first, and leaves the run and production; the run says why it cannot be rolled back', async () => {
    const old = await importRows(sql, { batch: 'old', rows });
    const young = await importRows(sql, { batch: 'young', rows: [{ name: 'Young' }] });
    await endedDaysAgo(old, 40);
    await endedDaysAgo(young, 20);
    assert.deepEqual(await retire({ simplicity: 1 }), nothing);
    assert.deepEqual(await preview({ '*': 30 }), [
      { kind: 'plaintiffs', runs: 1, landed_rows: 25, ledger_rows: 1, originals: 0, held: 0 },
    ]);
    for (const landed_rows of [10, 10])
      assert.deepEqual(await retire({ '*': 30 }), { more: true, runs: 0, landed_rows, ledger_rows: 0 });
    const gone = (query: postgres.PendingQuery<postgres.Row[]>) =>
      assert.rejects(query, ({ code, message }) => code === 'IN004' && message.includes('deleted by retention'));
    await gone(sql`SELECT ingest.rollback_import_run(${old}, 'too late')`); // from the first part on
    assert.deepEqual(await retire({ '*': 30 }), { more: true, runs: 1, landed_rows: 5, ledger_rows: 1 });
    assert.deepEqual(await retire({ '*': 30 }), nothing);
    await gone(sql`SELECT ingest.reconcile_import_run(${old})`);
    await gone(sql`SELECT ingest.finalize_import_run(${old}, 1, 1, 0, 0)`);
    assert.equal((await sql`SELECT FROM ingest.v_reconcile_failures`).length, 0);
    await assert.rejects(openImport(sql, { batch: 'old', rows }), /duplicate/);
    const left = await sql`
      SELECT (SELECT count(*) FROM public.plaintiffs) AS plaintiffs, (SELECT count(*) FROM ingest.plaintiffs_raw) AS landed,
             (SELECT count(*) FROM ingest.import_run_steps) AS steps`;
    assert.deepEqual({ ...left[0] }, { plaintiffs: 26, landed: 1, steps: 1 });
    // A later file finds its plaintiffs as before.
    const again = await importRows(sql, { batch: 'again', rows: [...rows, { name: 'New' }] });
    const [counts] =
      await sql`SELECT rows_inserted AS i, rows_skipped AS s FROM ingest.import_runs WHERE id = ${again}`;
    assert.deepEqual({ ...counts }, { i: 1, s: 25 });
  });

  it('takes the jobs of the run that nobody has taken from the queue, and no others', async () => {
    const lead = (number: string) => ({ name: 'Ann', email: 'ann@x.co', number });
    const old = await importLeads(sql, { batch: 'old', rows: [lead('1'), lead('2')] });
    await importLeads(sql, { batch: 'young', rows: [lead('3')] });
    await endedDaysAgo(old, 40);
    await sql`SELECT public.pgmq_delete('enrich', min(msg_id)) FROM public.queue_messages WHERE queue_name = 'enrich'`;
    assert.equal((await preview({ '*': 30 }))[0].queued_jobs, 3);
    assert.equal((await retire({ '*': 30 })).queued_jobs, 3);
    assert.equal((await sql`SELECT FROM public.queue_messages`).length, 2);
  });

  it('keeps what the rollback of another run may need, and says so; of a rolled-back run it needs nothing', async () => {
    const judgments = await importLeads(sql, {
      batch: 'first',
      rows: [{ name: 'Ann', email: 'ann@x.co', number: '1' }],
    });
    const carried = await importRows(sql, {
      batch: 'carried',
      source: 'simplicity',
      rows: [{ name: 'Ann', email: 'ann@x.co' }],
    });
    const withdrawn = await importRows(sql, { batch: 'withdrawn', rows: [{ name: 'Bob' }] });
    await sql`SELECT ingest.rollback_import_run(${withdrawn}, 'test')`;
    await sql`UPDATE ingest.import_runs SET rolled_back_at = now() - interval '40 days' WHERE id = ${withdrawn}`;
    await endedDaysAgo(judgments, 60);
    await endedDaysAgo(carried, 50);
    assert.deepEqual(await preview({ plaintiffs: 30 }), [
      { kind: 'plaintiffs', runs: 1, landed_rows: 1, ledger_rows: 1, originals: 0, held: 1 },
    ]);
    assert.equal((await retire({ plaintiffs: 30 })).landed_rows, 1);
    assert.deepEqual(await retire({ plaintiffs: 30 }), nothing);
    // The judgments' rollback still passes Ann to the run that carried her.
    await sql`SELECT ingest.rollback_import_run(${judgments}, 'test')`;
    assert.equal((await sql`SELECT import_run_id AS run FROM public.plaintiffs`)[0]!['run'], carried);
    assert.equal((await retire({ plaintiffs: 30 })).runs, 1);
  });

  it('names originals that no other run has', async () => {
    const [first, second] = [
      await importRows(sql, { batch: 'one', rows: [{ name: 'A' }] }),
      await importRows(sql, { batch: 'two', rows: [{ name: 'B' }] }),
    ];
    await sql`UPDATE ingest.import_runs SET storage_path = 'imports/hash/layout'`;
    const unused = () => answer(sql`SELECT ingest.unused_originals('postgres') AS answer`);
    await endedDaysAgo(first!, 40);
    await retire({ '*': 30 });
    assert.deepEqual(await unused(), []);
    await endedDaysAgo(second!, 40);
    await retire({ '*': 30 });
    assert.deepEqual(await unused(), ['imports/hash/layout']);
    await sql`SELECT ingest.forget_originals('["imports/hash/layout"]')`;
    assert.deepEqual(await unused(), []);
  });
});
