/** Every query of runbooks 001 and 002, written out here, on a database that has seen each of the things they ask for. */
import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { importRows, openImport } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('the queries of runbooks 001 and 002', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  let imported: string;
  let second: string;
  let rolledBack: string;
  let stale: string;
  const ask = async (query: string): Promise<Record<string, unknown>[]> =>
    (await sql.unsafe(query)).map((row) => ({ ...row }));
  const only = async (query: string): Promise<Record<string, unknown>> => {
    const rows = await ask(query);
    assert.equal(rows.length, 1, query);
    return rows[0]!;
  };
  before(async () => {
    const rows = [
      { name: 'John Doe', email: 'john@example.com' },
      { name: ' JOHN  DOE', email: 'JOHN@EXAMPLE.COM' },
      { name: 'Bad', error: 'BAD_EMAIL' },
    ];
    imported = await importRows(sql, { source: 'simplicity', batch: 'one', filename: 'plaintiffs.csv', rows });
    second = await importRows(sql, {
      source: 'simplicity',
      batch: 'two',
      filename: 'second.csv',
      rows: [{ name: 'john doe', email: 'John@Example.com' }, { name: 'New' }],
    });
    rolledBack = await importRows(sql, {
      source: 'jbi',
      batch: 'three',
      filename: 'third.csv',
      rows: [{ name: 'Gone' }],
    });
    await sql`SELECT * FROM ingest.rollback_import_run(${rolledBack}, 'Reason: test data - Ticket #1234')`;
    stale = (await openImport(sql, { batch: 'four', rows: [] })).runId;
    await sql`UPDATE ingest.import_runs SET updated_at = now() - interval '31 minutes' WHERE id = ${stale}`;
  });

  it('001: verifies an import by its file name', async () => {
    const row = await only(
      `SELECT * FROM ingest.v_import_runs_summary WHERE filename = 'plaintiffs.csv' ORDER BY created_at DESC LIMIT 1`,
    );
    assert.deepEqual([row['id'], row['status'], row['rows_fetched']], [imported, 'completed', 3]);
    assert.deepEqual(
      await ask(`SELECT * FROM ingest.v_import_reconciliation WHERE filename = 'plaintiffs.csv' AND NOT is_reconciled`),
      [],
    );
  });

  it('001: finds no key twice', async () => {
    assert.deepEqual(
      await ask(
        'SELECT dedupe_key, COUNT(*) as cnt FROM ingest.plaintiffs_raw GROUP BY dedupe_key HAVING COUNT(*) > 1',
      ),
      [],
    );
  });

  it('001: lists recent imports with counters and duration', async () => {
    const rows = await ask(`
      SELECT id, source_system, filename, status, rows_fetched, rows_inserted, rows_skipped, rows_errored, duration_seconds, created_at
      FROM ingest.v_import_runs_summary ORDER BY created_at DESC LIMIT 20`);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [stale, rolledBack, second, imported],
    );
    const { rows_fetched, rows_inserted, rows_skipped, rows_errored, duration_seconds } = rows.at(-1)!;
    assert.deepEqual([rows_fetched, rows_inserted, rows_skipped, rows_errored], [3, 1, 1, 1]);
    assert.ok(
      rows.every((row) => Number(row['duration_seconds']) >= 0),
      String(duration_seconds),
    );
  });

  it('001: shows failed rows', async () => {
    const row = await only(`
      SELECT filename, row_index, plaintiff_name, error_code, error_message FROM ingest.v_errored_rows
      WHERE import_run_id = '${imported}' ORDER BY row_index`);
    assert.deepEqual(row, {
      filename: 'plaintiffs.csv',
      row_index: 2,
      plaintiff_name: 'Bad',
      error_code: 'BAD_EMAIL',
      error_message: 'what to mend',
    });
  });

  it('001: shows blocked duplicates under their real key', async () => {
    const query = (file: string) =>
      only(`
      SELECT dedupe_key, plaintiff_name, source_system, filename, created_at FROM ingest.v_blocked_duplicates WHERE filename = '${file}'`);
    const key = (
      await only(`SELECT ingest.compute_plaintiff_dedupe_key('simplicity', 'John Doe', 'john@example.com') AS key`)
    )['key'];
    assert.deepEqual(
      [(await query('plaintiffs.csv'))['dedupe_key'], (await query('second.csv'))['dedupe_key']],
      [key, key],
    );
    const [original] = await ask(
      `SELECT original_run_id, original_row_index FROM ingest.v_blocked_duplicates WHERE filename = 'second.csv'`,
    );
    assert.deepEqual(original, { original_run_id: imported, original_row_index: 0 });
  });

  it('001: reconciles everything and one run', async () => {
    assert.deepEqual(
      await ask('SELECT * FROM ingest.v_import_reconciliation WHERE NOT is_reconciled ORDER BY created_at DESC'),
      [],
    );
    const { reported_inserted, actual_total, inserted_discrepancy, is_reconciled } = await only(
      `SELECT * FROM ingest.reconcile_import_run('${imported}')`,
    );
    assert.deepEqual([reported_inserted, actual_total, inserted_discrepancy, is_reconciled], [1, 3, 0, true]);
  });

  it('001: investigates discrepancies', async () => {
    const orphans = await ask(
      `SELECT * FROM ingest.plaintiffs_raw WHERE import_run_id = '${imported}' AND status NOT IN ('pending', 'promoted')`,
    );
    assert.deepEqual(orphans.map(({ status }) => status).sort(), ['failed', 'skipped']);
    assert.deepEqual(await ask(`SELECT COUNT(*) FROM ingest.plaintiffs_raw WHERE import_run_id = '${imported}'`), [
      { count: 3 },
    ]);
    assert.equal((await ask(`SELECT * FROM ingest.v_errored_rows WHERE import_run_id = '${imported}'`)).length, 1);
  });

  it('001: explains a high skip rate', async () => {
    const skipped = await only(`
      SELECT pr.plaintiff_name, pr.dedupe_key FROM ingest.plaintiffs_raw pr WHERE pr.import_run_id = '${imported}' AND pr.status = 'skipped'`);
    assert.equal(skipped['plaintiff_name'], ' JOHN  DOE');
    const original = await only(`
      SELECT o.* FROM ingest.plaintiffs_raw s JOIN ingest.plaintiffs_raw o ON o.id = s.duplicate_of WHERE s.dedupe_key = '${String(skipped['dedupe_key'])}'`);
    assert.deepEqual([original['row_index'], original['status']], [0, 'promoted']);
    const live = await only(
      `SELECT * FROM ingest.plaintiffs_raw WHERE dedupe_key = '${String(original['dedupe_key'])}' ORDER BY created_at`,
    );
    assert.equal(live['id'], original['id']);
  });

  it('001: verifies a rollback', async () => {
    assert.deepEqual(
      await only(
        `SELECT id, status, error_details->'rollback_reason' as reason FROM ingest.import_runs WHERE id = '${rolledBack}'`,
      ),
      { id: rolledBack, status: 'rolled_back', reason: 'Reason: test data - Ticket #1234' },
    );
    assert.deepEqual(
      await ask(
        `SELECT status, COUNT(*) FROM ingest.plaintiffs_raw WHERE import_run_id = '${rolledBack}' GROUP BY status`,
      ),
      [{ status: 'rolled_back', count: 1 }],
    );
  });

  it('002: shows the latest runs', async () => {
    const latest = await ask('SELECT * FROM ingest.v_latest_runs');
    assert.deepEqual(
      latest.map(({ id }) => id),
      [stale, rolledBack, second, imported],
    );
  });

  it('002: investigates a run', async () => {
    assert.equal((await only(`SELECT * FROM ingest.import_runs WHERE id = '${imported}'`))['status'], 'completed');
    assert.equal(
      (await only(`SELECT error_details FROM ingest.import_runs WHERE id = '${imported}'`))['error_details'],
      null,
    );
    const failed = await only(
      `SELECT * FROM ingest.plaintiffs_raw WHERE import_run_id = '${imported}' AND status = 'failed'`,
    );
    assert.equal(failed['error_code'], 'BAD_EMAIL');
  });

  it('002: verifies a rollback through its view', async () => {
    const { status, rollback_reason, total_rows, rolled_back_rows, is_complete } = await only(
      `SELECT * FROM ingest.v_rollback_verification WHERE id = '${rolledBack}'`,
    );
    assert.deepEqual(
      [status, rollback_reason, total_rows, rolled_back_rows, is_complete],
      ['rolled_back', 'Reason: test data - Ticket #1234', 1, 1, true],
    );
  });

  it('002: finds stale runs, and ends one by hand', async () => {
    const found = await only(
      `SELECT * FROM ingest.import_runs WHERE status = 'processing' AND updated_at < now() - interval '30 minutes'`,
    );
    assert.equal(found['id'], stale);
    const { count } = await sql.unsafe(
      `UPDATE ingest.import_runs SET status = 'failed', error_details = '{"manual_abort": true}'::jsonb WHERE id = '${stale}'`,
    );
    assert.equal(count, 1);
  });

  it('002: names the functions of its checklist', async () => {
    const names = (
      await ask(`SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'ingest'`)
    ).map(({ routine_name: name }) => name);
    const wanted = ['claim', 'reconcile', 'rollback', 'finalize', 'heartbeat'].map((verb) => `${verb}_import_run`);
    assert.deepEqual(
      [...wanted, 'compute_plaintiff_dedupe_key'].filter((name) => !names.includes(name)),
      [],
    );
  });

  it('000: shows the same runs in public.import_runs', async () => {
    const { row_count, insert_count, update_count, error_count, started_at, batch_name } = await only(
      `SELECT * FROM public.import_runs WHERE id = '${imported}'`,
    );
    assert.deepEqual([row_count, insert_count, update_count, error_count, batch_name], [3, 1, 0, 1, null]);
    assert.ok(started_at);
  });
});
