import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { importLeads } from '../support/judgmentsImport.ts';
import { lookUps, pairsInVain } from '../support/plans.ts';
import { importRows, openImport, upsert } from '../support/sqlImport.ts';
import type { TestDatabase } from '../support/stack.ts';
import { withDatabase } from '../support/suite.ts';

describe('finalize_import_run and reconcile_import_run', () => {
  let sql: postgres.Sql;
  let database: TestDatabase;
  withDatabase((opened, made) => ([sql, database] = [opened, made]));
  const run = async (id: string) => (await sql`SELECT * FROM ingest.import_runs WHERE id = ${id}`)[0]!;
  const reconcile = async (id: string, expected: number | null = null) => ({
    ...(await sql`SELECT * FROM ingest.reconcile_import_run(${id}, ${expected})`)[0]!,
  });

  it('stores counters and completes, or leaves the run processing', async () => {
    const { runId } = await openImport(sql, { batch: 'counted', rows: [], byHand: true });
    await sql`SELECT ingest.finalize_import_run(${runId}, 10, 6, 1, 1, NULL, false, 2)`;
    const kept = await run(runId);
    assert.deepEqual(
      [
        kept['status'],
        kept['rows_fetched'],
        kept['rows_inserted'],
        kept['rows_updated'],
        kept['rows_skipped'],
        kept['rows_errored'],
        kept['completed_at'],
      ],
      ['processing', 10, 6, 2, 1, 1, null],
    );
    await sql`SELECT ingest.finalize_import_run(${runId}, 10, 6, 1, 1)`;
    const done = await run(runId);
    assert.equal(done['status'], 'completed');
    assert.ok(done['completed_at']);
  });

  it('counts a run once: its report asks no table of rows again', async () => {
    const intakes = await importRows(sql, { batch: 'intakes', rows: [{ name: 'Counted Once' }] });
    const { runId } = await openImport(sql, { batch: 'others', rows: [], byHand: true });
    await sql`SELECT ingest.finalize_import_run(${runId}, 1, 1, 0, 0)`;
    const report = async () =>
      (await sql<{ id: string }[]>`SELECT id FROM ingest.v_reconcile_failures WHERE id IN (${intakes}, ${runId})`).map(
        ({ id }) => id,
      );
    assert.deepEqual(await report(), [runId]); // counted at each look
    while ((await sql`SELECT ingest.count_unreconciled() AS left`)[0]!['left'] > 0);
    const [definition] =
      await sql`SELECT pg_get_functiondef('ingest.tally_import_run(uuid, text)'::regprocedure) AS text`;
    await sql`DO $$ BEGIN CREATE OR REPLACE FUNCTION ingest.tally_import_run(run_id uuid, kind text) RETURNS jsonb
              LANGUAGE plpgsql STABLE AS 'BEGIN RAISE ''counted again''; END'; END $$`;
    assert.deepEqual(await report(), [runId]);
    await sql.unsafe(String(definition!['text']));
    await sql`SELECT ingest.finalize_import_run(${runId}, 0, 0, 0, 0)`; // other numbers: it is counted anew
    assert.deepEqual(await report(), []);
  });

  it('fails a run on {"fatal": true}', async () => {
    const { runId } = await openImport(sql, { batch: 'fatal', rows: [], byHand: true });
    await sql`SELECT ingest.finalize_import_run(${runId}, 0, 0, 0, 1, ${sql.json({ fatal: true, message: 'code only' })})`;
    const { status, error_details: details } = await run(runId);
    assert.deepEqual([status, details], ['failed', { fatal: true, message: 'code only' }]);
  });

  it('refuses a run that is not there', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000';
    await assert.rejects(sql`SELECT ingest.finalize_import_run(${nobody}, 0, 0, 0, 0)`, { code: 'IN002' });
    await assert.rejects(reconcile(nobody), { code: 'IN002' });
  });

  it('completes a run whose rows are all there, with the columns of both runbooks', async () => {
    const open = await openImport(sql, {
      byHand: true,
      batch: 'valid',
      rows: [{ name: 'A' }, { name: 'a' }, { name: 'B' }, { name: 'C', error: 'BAD_EMAIL' }],
    });
    const effects = { differing: 1, 'differing:name': 1, differing_in_file: 1 };
    assert.deepEqual(await upsert(sql, open), { inserted: 2, updated: 0, skipped: 1, errored: 1, effects });
    await sql`SELECT ingest.finalize_import_run(${open.runId}, 4, 2, 1, 1, NULL, false)`;
    const sound = {
      is_valid: true,
      expected_count: 4,
      actual_count: 4,
      delta: 0,
      reported_inserted: 2,
      actual_total: 4,
      inserted_discrepancy: 0,
      is_reconciled: true,
    };
    assert.deepEqual(await reconcile(open.runId, 4), sound);
    assert.equal((await run(open.runId))['status'], 'completed');
    assert.deepEqual(await reconcile(open.runId), sound, 'it can be asked again');
  });

  it('fails a run that misses a row, and completes it once the row is back', async () => {
    const id = await importRows(sql, { batch: 'missing', rows: [{ name: 'M1' }, { name: 'M2' }] });
    await sql`CREATE TABLE aside AS SELECT * FROM ingest.plaintiffs_raw WHERE import_run_id = ${id} AND row_index = 1`;
    await sql`DELETE FROM ingest.plaintiffs_raw WHERE import_run_id = ${id} AND row_index = 1`;
    const found = await reconcile(id);
    assert.deepEqual(
      [
        found['is_valid'],
        found['expected_count'],
        found['actual_count'],
        found['delta'],
        found['inserted_discrepancy'],
        found['is_reconciled'],
      ],
      [false, 2, 1, -1, 1, false],
    );
    const { status, error_details: details } = await run(id);
    assert.equal(status, 'failed');
    assert.equal(details.reconciliation_failed, true);
    assert.equal(details.type, 'RECONCILIATION_FAILED');

    await sql`INSERT INTO ingest.plaintiffs_raw SELECT * FROM aside`;
    assert.equal((await reconcile(id))['is_valid'], true);
    const mended = await run(id);
    assert.deepEqual([mended['status'], mended['error_details']], ['completed', null]);
  });

  it('sees a wrong expectation and wrong reported counters', async () => {
    const id = await importRows(sql, { batch: 'wrong', rows: [{ name: 'W' }] });
    assert.deepEqual([(await reconcile(id, 3))['delta'], (await run(id))['status']], [-2, 'failed']);
    await sql`SELECT ingest.finalize_import_run(${id}, 1, 5, 0, 0)`;
    const found = await reconcile(id);
    assert.deepEqual([found['is_valid'], found['is_reconciled'], found['inserted_discrepancy']], [false, false, 4]);
  });

  it('only compares a run that failed for another reason or was rolled back', async () => {
    const failed = await openImport(sql, { batch: 'other', rows: [], byHand: true });
    await sql`SELECT ingest.finalize_import_run(${failed.runId}, 0, 0, 0, 0, '{"fatal": true}')`;
    assert.equal((await reconcile(failed.runId))['is_valid'], true);
    assert.equal((await run(failed.runId))['status'], 'failed');
    const rolled = await importRows(sql, { batch: 'gone', rows: [{ name: 'G' }] });
    await sql`SELECT ingest.rollback_import_run(${rolled}, 'test')`;
    await reconcile(rolled);
    assert.equal((await run(rolled))['status'], 'rolled_back');
  });

  it('verification looks rows up by their keys, before statistics know anything of the run', async () => {
    const known = await importRows(sql, { batch: 'analyzed', rows: [{ name: 'Known' }] });
    await sql`ALTER TABLE ingest.plaintiffs_raw SET (autovacuum_enabled = off)`;
    await sql`INSERT INTO ingest.plaintiffs_raw (import_run_id, row_index, source_system, dedupe_key)
              SELECT ${known}, n, 'csv', 'known' || n FROM generate_series(1, 50000) n`;
    await sql`ANALYZE ingest.plaintiffs_raw`;
    const fresh = await openImport(sql, {
      batch: 'unknown',
      rows: Array.from({ length: 3000 }, (_, i) => ({ name: `Fresh ${i}` })),
    });
    await upsert(sql, fresh);
    const pairs = await pairsInVain(
      database,
      `SELECT ingest.compare_partition('${fresh.runId}', '${fresh.stageId}', 1, 0)`,
      'with compared as',
    ).finally(() => sql`ALTER TABLE ingest.plaintiffs_raw RESET (autovacuum_enabled)`);
    assert.ok(pairs < 100_000, `${pairs} pairs of rows compared`);
  });

  it('reads the plaintiffs of a large run once, in place of looking each up', async () => {
    await sql`ALTER TABLE public.plaintiffs SET (autovacuum_enabled = off)`;
    const rows = Array.from({ length: 2000 }, (_, i) => ({ name: `Counted ${i}` }));
    const large = await importRows(sql, { batch: 'large', rows });
    const found = await lookUps(
      database,
      `SELECT ingest.tally_import_run('${large}', 'plaintiffs')`,
      "'rolled_back', count(*)",
    ).finally(() => sql`ALTER TABLE public.plaintiffs RESET (autovacuum_enabled)`);
    assert.ok(found < 100, `${found} look-ups`);
  });

  it('looks each job of a run of judgments up, in place of comparing it with all of its rows', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({ name: `Creditor ${i}`, number: `J-${i}`, amount: '10' }));
    const judgments = await importLeads(sql, { batch: 'jobs', rows });
    const answer = `SELECT ingest.find_strays(r) FROM ingest.import_runs r WHERE r.id = '${judgments}'`;
    const pairs = await pairsInVain(database, answer, 'ingest.queue_contents');
    assert.ok(pairs < 1000, `${pairs} pairs of a job and a row compared`);
    await sql`UPDATE public.queue_messages SET message = jsonb_set(message, '{payload,judgment_id}', '0')
              WHERE msg_id = (SELECT min(msg_id) FROM public.queue_messages)`;
    assert.deepEqual((await sql.unsafe(answer))[0], { find_strays: { 'queued jobs': 1 } });
  });
});
