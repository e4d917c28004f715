/** Who may end a run, and what a step answers that is asked again. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { importRows, openImport, settle, stageRows, upsert } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('the end of a run', function () {
  this.timeout(30_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  const batch = () => randomUUID();
  const statusOf = async (id: string) =>
    (await sql`SELECT status FROM ingest.import_runs WHERE id = ${id}`)[0]!['status'] as string;

  it('never comes from outside while Intake works on it, neither by reconcile nor by finalize', async () => {
    const open = await openImport(sql, { batch: batch(), rows: [{ name: 'At Work' }] });
    for (const ask of [
      sql`SELECT ingest.reconcile_import_run(${open.runId})`,
      sql`SELECT ingest.finalize_import_run(${open.runId}, 1, 1, 0, 0)`,
    ])
      await assert.rejects(ask, { code: 'IN004', message: `run ${open.runId} is at work` });
    assert.equal(await statusOf(open.runId), 'processing');
    await upsert(sql, open);
    assert.equal(await settle(sql, open, 1), true);
  });

  it('is not made a success by the counters of somebody who does not know that it failed', async () => {
    const open = await openImport(sql, { batch: batch(), rows: [{ name: 'Aborted' }] });
    await sql`SELECT ingest.fail_import_run(${open.runId}, ${open.lease}, '{"type": "cancelled"}')`;
    await assert.rejects(sql`SELECT ingest.finalize_import_run(${open.runId}, 1, 1, 0, 0)`, { code: 'IN004' });
    assert.equal(await statusOf(open.runId), 'failed');
  });

  it('is answered again by every step, to the execution that settled it and to no other', async () => {
    const open = await openImport(sql, { batch: batch(), rows: [{ name: 'Again 1' }, { name: 'Again 2' }] });
    const { runId, lease } = open;
    const step = async () => [
      await upsert(sql, open),
      (await sql`SELECT ingest.record_result(${runId}, ${lease}, 2, '{}') AS result`)[0]!['result'],
      (await sql`SELECT ingest.settle_import_run(${runId}, ${lease}, 2) AS result`)[0]!['result'],
    ];
    const first = await step();
    await sql`SELECT ingest.clear_stage(${open.stageId}, 'plaintiffs')`;
    assert.deepEqual(await step(), first);
    await assert.rejects(upsert(sql, { ...open, lease: lease + 1 }), { code: 'IN001' });
    await assert.rejects(sql`SELECT ingest.record_result(${runId}, ${lease + 1}, 2, '{}')`, { code: 'IN001' });
  });

  it('is refused for a run that was taken over with the rows of another program, and for one only', async () => {
    const id = batch();
    const [claim] = await sql`
      SELECT run_id FROM ingest.claim_import_run('csv', ${id}, ${`hash-${id}`}, 'f.csv', 'plaintiffs', 'other tool')`;
    const runId = claim!['run_id'] as string;
    await sql`
      INSERT INTO ingest.plaintiffs_raw (import_run_id, row_index, source_system, dedupe_key, plaintiff_key, status)
      VALUES (${runId}, 0, 'csv', ${id}, ${id}, 'promoted')`;
    await sql`UPDATE ingest.import_runs SET status = 'failed' WHERE id = ${runId}`;
    const open = await openImport(sql, { batch: id, rows: [{ name: 'Foreign' }] });
    assert.equal(open.runId, runId);
    await assert.rejects(upsert(sql, open), { code: 'IN004', message: `run ${runId} has rows of another program` });
  });

  it('at --max-errors is no discrepancy, and does not come once rows are in production', async () => {
    const stop = ({ runId, lease, stageId }: { runId: string; lease: number; stageId: string }) =>
      sql`SELECT ingest.stop_partition(${runId}, ${lease}, ${stageId}, 1, 0) AS result`;
    const rows = [{ name: 'Good One' }, { name: 'Bad One', error: 'BAD_EMAIL' }];
    const stopped = await openImport(sql, { batch: batch(), rows });
    await stop(stopped);
    const counts = { fetched: 2, inserted: 0, updated: 0, skipped: 0, errored: 1 };
    await sql`SELECT ingest.fail_import_run(${stopped.runId}, ${stopped.lease}, '{"type": "TOO_MANY_ERRORS"}', ${sql.json(counts)})`;
    const [seen] =
      await sql`SELECT is_reconciled, delta FROM ingest.v_import_reconciliation WHERE id = ${stopped.runId}`;
    assert.deepEqual({ ...seen }, { is_reconciled: true, delta: 0 });

    const id = batch();
    const first = await openImport(sql, {
      batch: id,
      rows: [{ name: 'Promoted' }, { name: 'Rejected', error: 'BAD_EMAIL' }],
    });
    await upsert(sql, first);
    await sql`SELECT ingest.fail_import_run(${first.runId}, ${first.lease}, '{"type": "cancelled"}')`;
    const [again] = await sql`
      SELECT ingest.open_import_run('csv', ${id}, ${`hash-${id}`}, 'f.csv', 'plaintiffs', 'w', ${randomUUID()}) AS run`;
    const { run_id: runId, lease, promoted } = again!['run'] as { run_id: string; lease: number; promoted: boolean };
    assert.equal(promoted, true);
    const stageId = await stageRows(sql, 'csv', [{ name: 'Promoted' }, { name: 'Rejected', error: 'BAD_EMAIL' }]);
    await assert.rejects(stop({ runId, lease, stageId }), { code: 'IN004' });
    const open = { runId, lease, stageId };
    await upsert(sql, open);
    assert.equal(await settle(sql, open, 2), true);
    const [left] = await sql`SELECT count(*) AS n FROM public.plaintiffs WHERE import_run_id = ${runId}`;
    assert.equal(left!['n'], 1);
  });

  it('comes slice by slice, however often and at once a slice is asked for, also when the stage is lost between two', async () => {
    const rows = ['A', 'B', 'a', 'C', 'D', 'E', 'd', 'F'].map((name) => ({ name }));
    rows.push({ name: 'Rejected', error: 'BAD_EMAIL' } as never);
    const source = 'slices';
    for (const step of ['upsert', 'stop'] as const) {
      const open = await openImport(sql, { batch: batch(), source: `${source}-${step}`, rows });
      const slice = async (keys: number | null) => {
        const { runId, lease, stageId } = open;
        const [row] = await sql.unsafe(`SELECT ingest.${step}_partition($1, $2, $3, 1, 0, $4) AS result`, [
          runId,
          lease,
          stageId,
          keys,
        ]);
        return row!['result'] as Record<string, number>;
      };
      const effects = { differing: 2, differing_in_file: 2, 'differing:name': 2 };
      const whole = step === 'upsert' ? { inserted: 6, updated: 0, skipped: 2, errored: 1, effects } : { rows: 9 };
      const asked = await Promise.all([slice(2), slice(2)]);
      assert.ok(asked.every(({ more }) => more));
      if (step === 'upsert') {
        await sql`DELETE FROM ingest_stage.plaintiffs WHERE stage_id = ${open.stageId}`;
        open.stageId = await stageRows(sql, `${source}-${step}`, rows);
      }
      assert.ok((await slice(1))['more']);
      assert.deepEqual(await slice(null), whole);
      assert.deepEqual(await slice(2), whole);
      const landed =
        await sql`SELECT DISTINCT row_index FROM ingest.plaintiffs_raw WHERE import_run_id = ${open.runId}`;
      assert.equal(landed.length, rows.length);
      if (step === 'upsert') assert.equal(await settle(sql, open, rows.length), true);
    }
  });

  it('is reconciled with every counter, and with production', async () => {
    const rows = [
      { name: 'Counted 1' },
      { name: 'Counted 2' },
      { name: 'counted 1' },
      { name: 'Bad', error: 'BAD_EMAIL' },
    ];
    const check = async (id: string) =>
      (await sql`SELECT (ingest.reconcile_import_run(${id})).is_valid AS valid`)[0]!['valid'] as boolean;
    for (const column of ['rows_inserted', 'rows_updated', 'rows_skipped', 'rows_errored', 'rows_fetched']) {
      const id = await importRows(sql, { batch: batch(), source: column, rows });
      assert.equal(await check(id), true, column);
      await sql.unsafe(`UPDATE ingest.import_runs SET ${column} = ${column} + 1 WHERE id = '${id}'`);
      assert.equal(await check(id), false, column);
    }
    const id = await importRows(sql, { batch: batch(), source: 'gone', rows });
    await sql`DELETE FROM public.plaintiffs WHERE import_run_id = ${id}`;
    assert.equal(await check(id), false);
  });

  it('of a run whose parent was deleted is like any other, and says so', async () => {
    const id = batch();
    const [opened] = await sql`
      SELECT ingest.open_import_run('csv', ${id}, 'h', 'f.csv', 'plaintiffs', 'w', ${randomUUID()}, ${randomUUID()}) AS run`;
    assert.deepEqual(
      [
        (opened!['run'] as Record<string, unknown>)['claim_status'],
        (opened!['run'] as Record<string, unknown>)['parent_gone'],
      ],
      ['claimed', true],
    );
  });

  it('by rollback says that the kind is gone where it is', async () => {
    const runId = await importRows(sql, { batch: batch(), rows: [{ name: 'Kind Gone' }] });
    await sql`UPDATE ingest.import_runs SET import_kind = 'orders' WHERE id = ${runId}`;
    await assert.rejects(sql`SELECT ingest.rollback_import_run(${runId}, 'x')`, {
      code: 'IN004',
      message: `run ${runId} is of a kind that is gone from this database: orders`,
    });
  });

  it('by rollback of two files of one source at once waits, and both are rolled back', async () => {
    for (let round = 0; round < 4; round++) {
      const rows = Array.from({ length: 300 }, (_, i) => ({ name: `Heir ${round} ${i}` }));
      const runs = [await importRows(sql, { batch: batch(), rows }), await importRows(sql, { batch: batch(), rows })];
      const done = await Promise.all(
        runs.map((id) => sql`SELECT success FROM ingest.rollback_import_run(${id}, 'both')`),
      );
      assert.deepEqual(
        done.map(([row]) => row!['success']),
        [true, true],
      );
    }
    const [left] = await sql`SELECT count(*) AS n FROM public.plaintiffs WHERE name LIKE 'Heir %'`;
    assert.equal(left!['n'], 0);
  });
});
