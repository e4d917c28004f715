import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { importRows, openImport, stageRows, upsert } from '../support/sqlImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('claim_import_run', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  const claim = async (batch: string, worker: string | null = 'worker-1') => {
    const [row] = await sql<{ run_id: string; claim_status: string }[]>`
      SELECT * FROM ingest.claim_import_run('simplicity', ${batch}, ${`hash-${batch}`}, 'plaintiffs.csv', 'plaintiff', ${worker})`;
    return row!;
  };
  const run = async (id: string) => (await sql`SELECT * FROM ingest.import_runs WHERE id = ${id}`)[0]!;
  const silent = (id: string, minutes: number) =>
    sql`UPDATE ingest.import_runs SET updated_at = now() - make_interval(mins => ${minutes}) WHERE id = ${id}`;

  it('claims a new batch, and again for its owner, but for nobody else', async () => {
    const first = await claim('owned');
    assert.equal(first.claim_status, 'claimed');
    assert.deepEqual(await claim('owned'), first);
    assert.deepEqual(await claim('owned', 'worker-2'), { run_id: first.run_id, claim_status: 'in_progress' });
    assert.deepEqual({ ...(await run(first.run_id)) }.status, 'processing');
  });

  it('knows no owner without a worker id', async () => {
    const { run_id } = await claim('anonymous', null);
    assert.deepEqual(await claim('anonymous', null), { run_id, claim_status: 'in_progress' });
  });

  it('claims with the defaults of its last two arguments', async () => {
    const [row] = await sql`SELECT claim_status FROM ingest.claim_import_run('simplicity', 'short', 'h', 'f.csv')`;
    assert.equal(row!['claim_status'], 'claimed');
    assert.equal(
      (await sql`SELECT import_kind FROM ingest.import_runs WHERE source_batch_id = 'short'`)[0]!['import_kind'],
      'plaintiff',
    );
  });

  it('answers a duplicate with the original and keeps a row of each attempt', async () => {
    const original = await importRows(sql, { source: 'simplicity', batch: 'done', rows: [{ name: 'A' }] });
    assert.deepEqual(await claim('done'), { run_id: original, claim_status: 'duplicate' });
    await claim('done', 'worker-2');
    const attempts = await sql`
      SELECT d.status, o.id AS original FROM ingest.import_runs d JOIN ingest.import_runs o ON o.id = (d.metadata ->> 'duplicate_of')::uuid
      WHERE d.source_batch_id = 'done'`;
    assert.deepEqual(
      attempts.map((row) => ({ ...row })),
      Array(2).fill({ status: 'duplicate', original }),
    );
  });

  it('keeps one row of an attempt that is retried', async () => {
    const original = await importRows(sql, { source: 'simplicity', batch: 'retried', rows: [{ name: 'B' }] });
    const attempt = () =>
      sql`SELECT ingest.open_import_run('simplicity', 'retried', 'hash-retried', 'f.csv', 'plaintiffs', 'w', 'token-1') ->> 'run_id' AS id`;
    assert.equal((await attempt())[0]!['id'], original);
    assert.equal((await attempt())[0]!['id'], original);
    const [count] =
      await sql`SELECT count(*) AS n FROM ingest.import_runs WHERE source_batch_id = 'retried' AND status = 'duplicate'`;
    assert.equal(count!['n'], 1);
  });

  it('gives a failed run to the next worker under its own id', async () => {
    const { run_id } = await claim('failed');
    await sql`SELECT ingest.finalize_import_run(${run_id}, 0, 0, 0, 1, '{"fatal": true, "message": "x"}')`;
    assert.equal((await run(run_id))['status'], 'failed');
    assert.deepEqual(await claim('failed', 'worker-2'), { run_id, claim_status: 'claimed' });
    const { status, error_details: details, completed_at: completed } = await run(run_id);
    assert.deepEqual([status, details.previous_worker, completed], ['processing', 'worker-1', null]);
  });

  it('gives a run that an operator aborted by hand to the next worker', async () => {
    const { run_id } = await claim('aborted');
    await sql`UPDATE ingest.import_runs SET status = 'failed', error_details = '{"manual_abort": true}'::jsonb WHERE id = ${run_id}`;
    assert.deepEqual(await claim('aborted', 'worker-2'), { run_id, claim_status: 'claimed' });
  });

  it('leaves a run with promoted rows as it is when its file would be read with other options', async () => {
    const open = (reading: string) => sql`
      SELECT ingest.open_import_run('csv', 'options', 'hash-options', 'o.csv', 'plaintiffs', 'w', ${reading}, NULL, NULL,
                                    ${sql.json({ plan: { partitions: 1, reading } })}) AS run`;
    const { run_id: runId, lease } = (await open('mdy'))[0]!['run'] as { run_id: string; lease: number };
    await upsert(sql, { runId, lease, stageId: await stageRows(sql, 'csv', [{ name: 'Read Once' }]) });
    await sql`SELECT ingest.fail_import_run(${runId}, ${lease}, '{"type": "cancelled"}')`;
    const before = await run(runId);
    assert.equal((await open('dmy'))[0]!['run']['claim_status'], 'options_differ');
    assert.deepEqual({ ...(await run(runId)) }, { ...before });
    assert.equal((await open('mdy'))[0]!['run']['claim_status'], 'claimed');
  });

  it('refuses a batch as another kind than its own, in whatever state it is, and shows the name that it was claimed by last', async () => {
    const open = (kind: string, name: string) => sql`
      SELECT ingest.open_import_run('csv', 'kind', 'hash-kind', ${name}, ${kind}, 'w', ${name}) AS run`;
    const { run_id: runId, lease } = (await open('plaintiffs', 'a.csv'))[0]!['run'] as {
      run_id: string;
      lease: number;
    };
    const refused = /belongs to run \S+ of kind plaintiffs, and is not imported as jbi/;
    await assert.rejects(open('jbi', 'b.csv'), refused);
    await sql`SELECT ingest.fail_import_run(${runId}, ${lease}, '{"type": "cancelled"}')`;
    await assert.rejects(open('jbi', 'b.csv'), refused);
    assert.equal((await open('plaintiff', 'b.csv'))[0]!['run']['claim_status'], 'claimed');
    assert.equal((await run(runId))['filename'], 'b.csv');
    await sql`UPDATE ingest.import_runs SET status = 'completed' WHERE id = ${runId}`;
    await assert.rejects(open('jbi', 'b.csv'), refused);
    assert.equal((await open('plaintiffs', 'c.csv'))[0]!['run']['claim_status'], 'duplicate');
  });

  it('makes a new run with a parent after a rollback', async () => {
    const first = await importRows(sql, { source: 'simplicity', batch: 'rolled', rows: [{ name: 'C' }] });
    await sql`SELECT * FROM ingest.rollback_import_run(${first}, 'test')`;
    const second = await claim('rolled');
    assert.equal(second.claim_status, 'claimed');
    assert.notEqual(second.run_id, first);
    assert.equal((await run(second.run_id))['parent_run_id'], first);
    assert.equal((await run(first))['status'], 'rolled_back');
  });

  it('hands a run over after 30 minutes without a heartbeat, and says so', async () => {
    const { run_id } = await claim('stale');
    await silent(run_id, 29);
    assert.equal((await claim('stale', 'worker-2')).claim_status, 'in_progress');
    await silent(run_id, 31);
    const [listed] = await sql`
      SELECT count(*) AS n FROM ingest.import_runs WHERE status = 'processing' AND updated_at < now() - interval '30 minutes'`;
    assert.equal(listed!['n'], 1);
    assert.deepEqual(await claim('stale', 'worker-2'), { run_id, claim_status: 'claimed' });
    const { worker_id: worker, error_details: details } = await run(run_id);
    assert.equal(worker, 'worker-2');
    assert.equal(details.previous_worker, 'worker-1');
    assert.match(details.takeover_reason, /heartbeat/);
    assert.ok(Date.parse(details.takeover_at) > 0);
  });

  it('does not hand over a run that was kept alive by heartbeats', async () => {
    const { run_id } = await claim('alive');
    await silent(run_id, 45);
    assert.equal((await sql`SELECT ingest.heartbeat_import_run(${run_id}) AS kept`)[0]!['kept'], true);
    assert.equal((await claim('alive', 'worker-2')).claim_status, 'in_progress');
  });

  it('tells a heartbeat of a run that is not processing', async () => {
    const id = await importRows(sql, { batch: 'ended', rows: [{ name: 'D' }] });
    assert.equal((await sql`SELECT ingest.heartbeat_import_run(${id}) AS kept`)[0]!['kept'], false);
  });

  it('refuses the effects of the former worker after a takeover', async () => {
    const former = await openImport(sql, { batch: 'taken', rows: [{ name: 'E' }] });
    await silent(former.runId, 31);
    await sql`SELECT ingest.claim_import_run('csv', 'taken', 'hash-taken', 'taken.csv', 'plaintiffs', 'other')`;
    await assert.rejects(upsert(sql, former), { code: 'IN001' });
    const [rows] = await sql`SELECT count(*) AS n FROM ingest.plaintiffs_raw WHERE import_run_id = ${former.runId}`;
    assert.equal(rows!['n'], 0);
  });

  it('is won by exactly one of 20 at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => claim('contended', `worker-${i}`)));
    assert.equal(answers.filter(({ claim_status }) => claim_status === 'claimed').length, 1);
    assert.equal(answers.filter(({ claim_status }) => claim_status === 'in_progress').length, 19);
    assert.equal(new Set(answers.map(({ run_id }) => run_id)).size, 1);
  });

  it('tells batches apart by source, batch id and hash', async () => {
    const ids = await Promise.all(
      [
        ['a', 'b', 'c'],
        ['a2', 'b', 'c'],
        ['a', 'b2', 'c'],
        ['a', 'b', 'c2'],
      ].map(
        async ([source, batch, hash]) =>
          (await sql`SELECT run_id FROM ingest.claim_import_run(${source!}, ${batch!}, ${hash!}, 'f.csv')`)[0]![
            'run_id'
          ] as string,
      ),
    );
    assert.equal(new Set(ids).size, 4);
  });
});
