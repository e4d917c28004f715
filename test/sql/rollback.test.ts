import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { createDatabase, type TestDatabase } from '../support/stack.ts';
import { connect, importRows } from '../support/sqlImport.ts';

describe('rollback_import_run', () => {
  let database: TestDatabase;
  let sql: postgres.Sql;
  const rollback = async (id: string, reason = 'Ticket 1234') => ({
    ...(await sql`SELECT * FROM ingest.rollback_import_run(${id}, ${reason})`)[0]!,
  });
  const run = async (id: string) => (await sql`SELECT * FROM ingest.import_runs WHERE id = ${id}`)[0]!;
  const rows = (id: string) => sql`
    SELECT row_index, status, dedupe_key = plaintiff_key AS live, error_code, promoted_plaintiff_id
    FROM ingest.plaintiffs_raw WHERE import_run_id = ${id} ORDER BY row_index`;
  const plaintiffs = async (source: string) => [
    ...(await sql`SELECT id, name, phone, import_run_id FROM public.plaintiffs WHERE source_system = ${source} ORDER BY name`),
  ];
  const isValid = async (id: string) =>
    (await sql`SELECT is_valid FROM ingest.reconcile_import_run(${id})`)[0]!['is_valid'];

  before(async () => {
    database = await createDatabase();
    sql = connect(database.databaseUrl);
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });

  it('marks every row and the run, withdraws the plaintiffs, and deletes no row', async () => {
    const id = await importRows(sql, {
      source: 's1',
      batch: '1',
      rows: [{ name: 'A' }, { name: 'a' }, { name: 'B', error: 'BAD_PHONE' }],
    });
    assert.deepEqual(await rollback(id), { success: true, rows_affected: 3 });
    const { status, error_details: details, rollback_reason: reason, rolled_back_at: at, metadata } = await run(id);
    assert.deepEqual([status, details.rollback_reason, reason], ['rolled_back', 'Ticket 1234', 'Ticket 1234']);
    assert.ok(at);
    assert.deepEqual(metadata.rollback, {
      rows_affected: 3,
      removed: 1,
      inherited: 0,
      kept_edited: { count: 0, plaintiff_ids: [] },
    });
    assert.deepEqual(
      (await rows(id)).map((row) => [row['status'], row['live'], row['error_code'], row['promoted_plaintiff_id']]),
      Array(3).fill(['rolled_back', false, 'ROLLED_BACK', null]),
    );
    assert.deepEqual(await plaintiffs('s1'), []);
  });

  it('is harmless a second time, and of a duplicate or an unknown run', async () => {
    const batch = { source: 's2', batch: '2', rows: [{ name: 'A' }] };
    const id = await importRows(sql, batch);
    await assert.rejects(importRows(sql, batch), /duplicate/);
    const [attempt] = await sql`SELECT id FROM ingest.import_runs WHERE status = 'duplicate' AND source_system = 's2'`;
    assert.deepEqual(await rollback(attempt!['id']), { success: false, rows_affected: 0 });
    assert.equal((await run(id))['status'], 'completed');
    assert.deepEqual(await rollback(id), { success: true, rows_affected: 1 });
    assert.deepEqual(await rollback(id, 'again'), { success: true, rows_affected: 0 });
    assert.equal((await run(id))['rollback_reason'], 'Ticket 1234');
    assert.equal((await rollback('00000000-0000-4000-8000-000000000000'))['success'], false);
  });

  it('imports the same file again afterwards, as a new run', async () => {
    const batch = { source: 's3', batch: '3', rows: [{ name: 'A' }, { name: 'B' }] };
    const first = await importRows(sql, batch);
    await rollback(first);
    const second = await importRows(sql, batch);
    assert.deepEqual(
      [await isValid(second), (await run(second))['rows_inserted'], (await run(second))['parent_run_id']],
      [true, 2, first],
    );
    assert.deepEqual(
      (await rows(second)).map(({ live }) => live as boolean),
      [true, true],
    );
    assert.equal((await plaintiffs('s3')).length, 2);
  });

  it("passes a plaintiff to the oldest later row of its key, with that row's values", async () => {
    const first = await importRows(sql, {
      source: 's4',
      batch: '4a',
      rows: [{ name: 'SHARED', phone: '1111111' }, { name: 'Only First' }],
    });
    const second = await importRows(sql, {
      source: 's4',
      batch: '4b',
      rows: [{ name: 'Other' }, { name: 'Shared', phone: '2222222' }, { name: 'shared', phone: '3333333' }],
    });
    const third = await importRows(sql, { source: 's4', batch: '4c', rows: [{ name: 'shared', phone: '4444444' }] });
    const [{ id: kept }] = (await plaintiffs('s4')).filter(({ name }) => name === 'SHARED') as unknown as [
      { id: number },
    ];
    await rollback(first);

    assert.deepEqual(
      (await plaintiffs('s4')).map((row) => [row['name'], row['phone'], row['import_run_id']]),
      [
        ['Other', null, second],
        ['Shared', '2222222', second],
      ],
    );
    assert.equal((await plaintiffs('s4')).find(({ name }) => name === 'Shared')!['id'], kept);
    const heirs = await rows(second);
    assert.deepEqual(
      heirs.map(({ status, live }) => [status, live]),
      [
        ['promoted', true],
        ['promoted', true],
        ['skipped', false],
      ],
    );
    const { rows_inserted: inserted, rows_skipped: skipped } = await run(second);
    assert.deepEqual([inserted, skipped], [2, 1]);
    assert.deepEqual([await isValid(second), await isValid(third)], [true, true]);
    const blocked =
      await sql`SELECT DISTINCT original_run_id AS run FROM ingest.v_blocked_duplicates WHERE source_system = 's4'`;
    assert.deepEqual(
      blocked.map((row) => row['run'] as string),
      [second],
    );

    await rollback(second);
    assert.deepEqual(
      (await plaintiffs('s4')).map((row) => [row['phone'], row['import_run_id']]),
      [['4444444', third]],
    );
    assert.deepEqual([(await run(third))['rows_inserted'], await isValid(third)], [1, true]);
    await rollback(third);
    assert.deepEqual(await plaintiffs('s4'), []);
  });

  it('keeps a plaintiff that was edited since, and lists it', async () => {
    const id = await importRows(sql, { source: 's5', batch: '5', rows: [{ name: 'Edited' }, { name: 'Plain' }] });
    await sql`UPDATE public.plaintiffs SET phone = '5555555' WHERE source_system = 's5' AND name = 'Edited'`;
    await rollback(id);
    const left = await plaintiffs('s5');
    assert.deepEqual(
      left.map(({ name, phone }) => [name, phone]),
      [['Edited', '5555555']],
    );
    assert.deepEqual((await run(id))['metadata'].rollback.kept_edited, { count: 1, plaintiff_ids: [left[0]!['id']] });
    assert.deepEqual(
      [
        ...(await sql`SELECT total_rows, rolled_back_rows, remaining_rows, is_complete FROM ingest.v_rollback_verification WHERE id = ${id}`),
      ],
      [{ total_rows: 2, rolled_back_rows: 2, remaining_rows: 0, is_complete: true }],
    );

    const again = await importRows(sql, { source: 's5', batch: '5', rows: [{ name: 'Edited' }, { name: 'Plain' }] });
    assert.deepEqual(
      (await plaintiffs('s5')).map(({ name, phone, import_run_id }) => [name, phone, import_run_id]),
      [
        ['Edited', '5555555', again],
        ['Plain', null, again],
      ],
      'the new run adopts it as it is',
    );
    assert.equal(await isValid(again), true);
  });

  it('leaves the values of an edited plaintiff to its heir', async () => {
    const first = await importRows(sql, { source: 's6', batch: '6a', rows: [{ name: 'X', phone: '1111111' }] });
    const second = await importRows(sql, { source: 's6', batch: '6b', rows: [{ name: 'X', phone: '2222222' }] });
    await sql`UPDATE public.plaintiffs SET phone = '9999999' WHERE source_system = 's6'`;
    await rollback(first);
    assert.deepEqual(
      (await plaintiffs('s6')).map(({ phone, import_run_id }) => [phone, import_run_id]),
      [['9999999', second]],
    );
  });
});

describe('the hard delete of runbook 001', () => {
  it('needs the rows to go first, makes place for the same file, and rows of other runs lose only their pointers', async () => {
    const database = await createDatabase();
    const sql = connect(database.databaseUrl);
    try {
      const batch = { batch: 'hard', rows: [{ name: 'A' }, { name: 'B' }, { name: 'a' }] };
      const first = await importRows(sql, batch);
      const later = await importRows(sql, { batch: 'later', rows: [{ name: 'A' }] });
      await assert.rejects(sql`DELETE FROM ingest.import_runs WHERE id = ${first}`, { code: '23503' });
      await assert.rejects(
        sql`INSERT INTO ingest.plaintiffs_raw (import_run_id, row_index, source_system, dedupe_key) VALUES (gen_random_uuid(), 1, 's', 'k')`,
        { code: '23503' },
      );
      await assert.rejects(
        sql`UPDATE ingest.plaintiffs_raw SET import_run_id = gen_random_uuid() WHERE import_run_id = ${first}`,
        { code: '23503' },
      );
      await sql`DELETE FROM ingest.plaintiffs_raw WHERE import_run_id = ${first}`;
      await sql`DELETE FROM ingest.import_runs WHERE id = ${first}`;
      assert.deepEqual(
        [...(await sql`SELECT status, duplicate_of FROM ingest.plaintiffs_raw WHERE import_run_id = ${later}`)],
        [{ status: 'skipped', duplicate_of: null }],
      );

      const second = await importRows(sql, batch);
      const [found] =
        await sql`SELECT rows_fetched, rows_inserted, rows_skipped, status FROM ingest.import_runs WHERE id = ${second}`;
      assert.deepEqual({ ...found }, { rows_fetched: 3, rows_inserted: 2, rows_skipped: 1, status: 'completed' });
      assert.deepEqual([...(await sql`SELECT count(*) AS n FROM public.plaintiffs`)], [{ n: 2 }]);
    } finally {
      await sql.end();
      await database.drop();
    }
  });
});
