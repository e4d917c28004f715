import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { createDatabase, type TestDatabase } from '../support/stack.ts';
import { connect, importRows, openImport, settle, stageRows, upsert } from '../support/sqlImport.ts';

describe('imports at the same time', () => {
  let database: TestDatabase;
  let sql: postgres.Sql;
  const names = Array.from({ length: 400 }, (_, i) => ({ name: `Person ${i}` }));

  before(async () => {
    database = await createDatabase();
    sql = connect(database.databaseUrl);
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });
  afterEach(() => sql`TRUNCATE ingest.import_runs, ingest.plaintiffs_raw, public.plaintiffs CASCADE`);

  const counts = async () => {
    const [row] = await sql`
      SELECT count(*) AS plaintiffs, (SELECT count(*) FROM ingest.plaintiffs_raw WHERE dedupe_key = plaintiff_key) AS live,
             (SELECT count(*) FROM ingest.plaintiffs_raw WHERE status = 'skipped' AND duplicate_of IS NULL) AS lost
      FROM public.plaintiffs`;
    return { ...row };
  };

  it('make one plaintiff of a key that several carry, and all reconcile', async () => {
    const orders = [names, names.toReversed(), [...names.slice(200), ...names.slice(0, 200)]];
    const opened = await Promise.all(orders.map((rows, i) => openImport(sql, { batch: `c${i}`, rows })));
    const results = await Promise.all(opened.map((open) => upsert(sql, open)));
    assert.equal(
      results.reduce((sum, { inserted }) => sum + inserted!, 0),
      400,
    );
    assert.equal(
      results.reduce((sum, { skipped }) => sum + skipped!, 0),
      800,
    );
    assert.deepEqual(await Promise.all(opened.map((open) => settle(sql, open, 400))), [true, true, true]);
    assert.deepEqual(await counts(), { plaintiffs: 400, live: 400, lost: 0 });
  });

  it('do the work of one part once, however often it is called', async () => {
    const open = await openImport(sql, { batch: 'once', rows: names });
    const answers = await Promise.all(Array.from({ length: 4 }, () => upsert(sql, open)));
    // Who comes second waits for the first, then finds the answer in the ledger.
    const done = { inserted: 400, updated: 0, skipped: 0, errored: 0 };
    assert.deepEqual(answers, Array(4).fill(done));
    assert.deepEqual(await upsert(sql, open), done);
    assert.equal(await settle(sql, open, 400), true);
    assert.deepEqual(await counts(), { plaintiffs: 400, live: 400, lost: 0 });
  });

  it('keep their stage from a clean-up until they have committed', async () => {
    const open = await openImport(sql, { batch: 'held', rows: names });
    const cleanUp = () =>
      sql.begin(async (other) => {
        await other`SET LOCAL lock_timeout = '100ms'`;
        await other`SELECT ingest.clear_stage(${open.stageId}, 'plaintiffs')`;
      });
    await sql.begin(async (tx) => {
      const [held] = await tx`SELECT ingest.lock_whole_stage(${open.stageId}, 1) AS complete`;
      assert.equal(held?.['complete'], true);
      await assert.rejects(cleanUp(), { code: '55P03' });
    });
    await cleanUp();
    const [gone] = await sql`SELECT ingest.lock_whole_stage(${open.stageId}, 1) AS complete`;
    assert.equal(gone?.['complete'], false);
  });

  it('are cleaned up to the last row, some at a time, and so are stages that were abandoned a week ago', async () => {
    const open = await openImport(sql, { batch: 'cleaned', rows: names });
    const abandoned = await openImport(sql, { batch: 'abandoned', rows: names });
    await sql`UPDATE ingest_stage.chunks SET created_at = now() - interval '8 days' WHERE stage_id = ${abandoned.stageId}`;
    const calls = [];
    for (let done = false; !done && calls.length < 20; calls.push(done))
      done = (await sql`SELECT ingest.clear_stage(${open.stageId}, 'plaintiffs', 150) AS done`)[0]!['done'];
    assert.equal(calls.length, 6);
    const stages = [open.stageId, abandoned.stageId];
    assert.equal((await sql`SELECT FROM ingest_stage.plaintiffs WHERE stage_id IN ${sql(stages)}`).length, 0);
    assert.equal((await sql`SELECT FROM ingest_stage.chunks WHERE stage_id IN ${sql(stages)}`).length, 0);
  });

  it('leave nothing of a large stage at once, and no row of another import goes with it', async () => {
    const rowsOf = async (id: string) => (await sql`SELECT FROM ingest_stage.plaintiffs WHERE stage_id = ${id}`).length;
    const size = async () => Number((await sql`SELECT pg_relation_size('ingest_stage.plaintiffs') AS n`)[0]!['n']);
    const large = async (batch: string) => {
      const open = await openImport(sql, { batch, rows: names });
      await sql`
        INSERT INTO ingest_stage.plaintiffs (stage_id, chunk, part, row_index, line_number, raw_payload, plaintiff_key)
        SELECT ${open.stageId}, 0, 0, i, i, '{}', md5(i::text) || md5(i::text) FROM generate_series(1000, 80000) i`;
      return open;
    };
    const clear = async (id: string) => {
      let calls = 1;
      while (!(await sql`SELECT ingest.clear_stage(${id}, 'plaintiff') AS done`)[0]!['done']) calls++;
      return calls;
    };
    await sql`TRUNCATE ingest_stage.chunks, ingest_stage.plaintiffs`;
    const first = await large('large');
    const beside = await openImport(sql, { batch: 'beside', rows: names });
    await clear(first.stageId);
    assert.deepEqual([await rowsOf(first.stageId), await rowsOf(beside.stageId)], [0, 400]);
    assert.ok((await size()) > 8_000_000);
    await clear(beside.stageId);
    assert.equal(await size(), 0);

    // Staged and not committed: nobody sees it yet.
    const second = await large('large again');
    const id = randomUUID();
    await sql.begin(async (other) => {
      await other`INSERT INTO ingest_stage.chunks (stage_id, kind, chunk, rows, errored) VALUES (${id}, 'plaintiffs', 0, 1, 0)`;
      await other`
        INSERT INTO ingest_stage.plaintiffs (stage_id, chunk, part, row_index, line_number, raw_payload, plaintiff_key)
        VALUES (${id}, 0, 0, 0, 1, '{}', 'k')`;
      await clear(second.stageId);
    });
    assert.deepEqual([await rowsOf(second.stageId), await rowsOf(id)], [0, 1]);
    await clear(id);
    assert.equal(await size(), 0);
  });

  it('are emptied by the next import an hour after their run was settled, and those of runs at work are not', async () => {
    const open = await openImport(sql, { batch: 'sweeper', rows: names });
    const settled = await openImport(sql, { batch: 'settled', rows: names });
    const working = await openImport(sql, { batch: 'working', rows: names });
    const justNow = await openImport(sql, { batch: 'just now', rows: names });
    await sql.begin(async (tx) => {
      await tx`SET LOCAL session_replication_role = replica`;
      for (const { runId, stageId } of [settled, working, justNow])
        await tx`UPDATE ingest.import_runs SET claim_token = ${stageId}, updated_at = now() - interval '2 hours' WHERE id = ${runId}`;
      await tx`UPDATE ingest.import_runs SET status = 'failed' WHERE id = ANY (${[settled.runId, justNow.runId]})`;
      await tx`UPDATE ingest.import_runs SET updated_at = now() WHERE id = ${justNow.runId}`;
      await tx`UPDATE ingest_stage.chunks SET created_at = now() - interval '2 hours'`;
    });
    while (!(await sql`SELECT ingest.clear_stage(${open.stageId}, 'plaintiffs') AS done`)[0]!['done']);
    const stages = [open.stageId, settled.stageId, working.stageId, justNow.stageId];
    const left = await Promise.all(
      stages.map(async (id) => (await sql`SELECT FROM ingest_stage.plaintiffs WHERE stage_id = ${id}`).length > 0),
    );
    assert.deepEqual(left, [false, false, true, true]);
  });

  it('wait for a rollback of a run whose keys they carry, and leave no row without an original', async () => {
    const first = await importRows(sql, { batch: 'base', rows: names });
    const open = await openImport(sql, { batch: 'next', rows: names });
    await Promise.all([sql`SELECT ingest.rollback_import_run(${first}, 'test')`, upsert(sql, open)]);
    assert.equal(await settle(sql, open, 400), true);
    const [owners] =
      await sql`SELECT count(*) FILTER (WHERE import_run_id = ${open.runId}) AS owned, count(*) AS n FROM public.plaintiffs`;
    assert.deepEqual({ ...owners }, { owned: 400, n: 400 });
    assert.deepEqual(await counts(), { plaintiffs: 400, live: 400, lost: 0 });
  });

  it('count what they inherit from a rollback while they are at work', async () => {
    const first = await importRows(sql, { batch: 'base', rows: names });
    const open = await openImport(sql, { batch: 'heir', rows: [...names, { name: 'Own' }] });
    await upsert(sql, open);
    await sql`SELECT ingest.rollback_import_run(${first}, 'test')`;
    assert.equal(await settle(sql, open, 401), true);
    const [heir] = await sql`SELECT rows_inserted, rows_skipped FROM ingest.import_runs WHERE id = ${open.runId}`;
    assert.deepEqual({ ...heir }, { rows_inserted: 401, rows_skipped: 0 });
  });

  it('end in a rollback that waits for the part being written', async () => {
    const open = await openImport(sql, { batch: 'ended', rows: names });
    const [outcome] = await Promise.all([
      upsert(sql, open).catch((error: { code: string }) => error.code),
      sql`SELECT ingest.rollback_import_run(${open.runId}, 'test')`,
    ]);
    assert.ok(outcome === 'IN001' || typeof outcome === 'object', String(outcome));
    assert.deepEqual(await counts(), { plaintiffs: 0, live: 0, lost: 0 });
  });
});

describe('a stage', () => {
  it('is lost to the one who uses it when the database lost its rows, and nothing is written', async () => {
    const database = await createDatabase();
    const sql = connect(database.databaseUrl);
    try {
      const open = await openImport(sql, { batch: 'lost', rows: [{ name: 'A' }] });
      await sql`TRUNCATE ingest_stage.chunks, ingest_stage.plaintiffs`;
      assert.deepEqual(await upsert(sql, open), { stage_lost: true });
      assert.deepEqual([...(await sql`SELECT count(*) AS n FROM ingest.import_run_steps`)], [{ n: 0 }]);
      const again = { ...open, stageId: await stageRows(sql, 'csv', [{ name: 'A' }]) };
      assert.equal((await upsert(sql, again))['inserted'], 1);
    } finally {
      await sql.end();
      await database.drop();
    }
  });
});
