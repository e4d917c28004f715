/** Jobs, enforcement stages and the raw log: with what a database has, and without what it lacks. */
import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import type postgres from 'postgres';
import { tableSizes } from '../support/judgmentsContent.ts';
import {
  dryRun,
  importLeads,
  openJudgments,
  promote,
  resolve,
  settleJudgments,
  upsertPart,
  type Lead,
} from '../support/judgmentsImport.ts';
import { createDatabase, type TestDatabase } from '../support/stack.ts';
import { connect } from '../support/sqlImport.ts';

const leads: Lead[] = Array.from({ length: 20 }, (_, i) => ({
  name: `Person ${i % 8}`,
  email: `p${i % 8}@example.com`,
  number: `N-${i}`,
  ...(i === 19 ? { amount: 'much' } : {}),
}));

describe('what follows from a judgment', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let sql: postgres.Sql;

  beforeEach(async () => {
    database = await createDatabase();
    sql = connect(database.databaseUrl);
  });
  afterEach(async () => {
    await sql.end();
    await database.drop();
  });
  const summary = async (run: string) =>
    (await sql`SELECT metadata -> 'summary' AS summary FROM ingest.import_runs WHERE id = ${run}`)[0]!['summary'];
  const rollback = async (run: string) => {
    await sql`SELECT ingest.rollback_import_run(${run}, 'test')`;
    return (
      await sql`SELECT metadata #> '{rollback,effects}' AS effects FROM ingest.import_runs WHERE id = ${run}`
    )[0]!['effects'];
  };

  it('is queued once, however often and at once a part is asked', async () => {
    const open = await openJudgments(sql, { rows: leads, parts: 2 });
    await Promise.all([resolve(sql, open), resolve(sql, open)]);
    const answers = await Promise.all([0, 1, 0, 1, 0, 1].map((part) => upsertPart(sql, open, part)));
    assert.deepEqual([answers[2], answers[3]], [answers[0], answers[1]]);
    await upsertPart(sql, open, 1);
    await settleJudgments(sql, open);
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 8,
      judgments: 19,
      contacts: 8,
      tasks: 8,
      history: 8,
      jobs: 38,
    });
    const jobs = await sql`SELECT queue_name, message, (SELECT queued_jobs FROM public.raw_simplicity_imports l
      WHERE l.judgment_id = (message #>> '{payload,judgment_id}')::bigint) AS logged, msg_id FROM public.queue_messages`;
    for (const { queue_name: queue, message, logged, msg_id: id } of jobs) {
      assert.equal(logged[queue], id);
      assert.deepEqual(
        [message.kind, message.idempotency_key],
        [queue, `${queue}:judgment:${message.payload.judgment_id}`],
      );
      assert.equal(message.payload.import_run_id, open.runId);
    }
    assert.equal(jobs.length, 38);
  });

  it('is not queued with --skip-jobs, nor without public.queue_job; a dry run says so, too', async () => {
    const skipped = await openJudgments(sql, { batch: 'skip', rows: leads.slice(0, 10), skipJobs: true });
    assert.equal((await promote(sql, skipped)).effects['queued_jobs'], 0);
    await sql`DROP FUNCTION public.queue_job(jsonb)`;
    assert.equal((await dryRun(sql, { rows: leads })).effects['queued_jobs'], 0);
    const run = await importLeads(sql, { batch: 'none', rows: leads });
    assert.equal((await tableSizes(sql))['jobs'], 0);
    const { queued_jobs: jobs, effects, row_operations: rows } = await summary(run);
    assert.deepEqual([jobs, effects.queued_jobs, effects.enforcement_initializations, rows.length], [[], 0, 9, 20]);
  });

  it('is the enforcement stage, by its function and in the column when the function is missing', async () => {
    await importLeads(sql, { batch: 'with', rows: leads.slice(0, 3) });
    await sql`DROP FUNCTION public.set_enforcement_stage(bigint, text, text, text)`;
    await importLeads(sql, { batch: 'without', rows: leads.slice(3, 6) });
    const stages =
      await sql`SELECT enforcement_stage, enforcement_stage_updated_at IS NOT NULL AS dated, updated_at = created_at AS untouched FROM public.judgments`;
    assert.deepEqual(
      stages.map((row) => Object.values(row)),
      Array(6).fill(['pre_enforcement', true, true]),
    );
  });

  it("goes through a team's own functions of these names, once for each judgment", async () => {
    await sql`CREATE TABLE public.calls (what text, payload jsonb)`;
    await sql`CREATE OR REPLACE FUNCTION public.queue_job(payload jsonb) RETURNS bigint LANGUAGE sql AS
      $$ INSERT INTO public.calls VALUES ('job', payload); SELECT 1000 + count(*) FROM public.calls $$`;
    await sql`CREATE OR REPLACE FUNCTION public.set_enforcement_stage(judgment_id bigint, stage text, note text DEFAULT null, changed_by text DEFAULT null)
      RETURNS void LANGUAGE sql AS $$ INSERT INTO public.calls VALUES (stage, to_jsonb(judgment_id)) $$`;
    const run = await importLeads(sql, { rows: leads });
    const calls =
      await sql`SELECT what, count(*) AS n, count(DISTINCT payload) AS distinct_n FROM public.calls GROUP BY what ORDER BY what`;
    assert.deepEqual(
      calls.map((row) => Object.values(row)),
      [
        ['job', 38, 38],
        ['pre_enforcement', 19, 19],
      ],
    );
    const { queued_jobs: jobs } = await summary(run);
    assert.ok(jobs.length === 38 && jobs.every(({ message_id: id }: { message_id: number }) => id > 1000));
  });

  it('is queued through pgmq where it is installed, listed, purged and withdrawn there', async () => {
    const before = await importLeads(sql, { batch: 'before', rows: leads.slice(0, 2) });
    await sql.unsafe(await readFile(new URL('../support/pgmq.sql', import.meta.url), 'utf8'));
    const first = await openJudgments(sql, { batch: 'first', rows: leads.slice(2, 12), parts: 2 });
    await promote(sql, first);
    await settleJudgments(sql, first);
    const second = await importLeads(sql, { batch: 'second', rows: leads.slice(12) });
    const inPgmq = async () =>
      (await sql`SELECT (SELECT count(*) FROM pgmq.q_enrich) + (SELECT count(*) FROM pgmq.q_enforce) AS n`)[0]!['n'];
    assert.deepEqual([await inPgmq(), (await tableSizes(sql))['jobs']], [34, 4]);
    const list = async (run: string | null) =>
      (await sql`SELECT ingest.list_jobs(${run}, null, 100) AS jobs`)[0]!['jobs'];
    assert.deepEqual(
      (await list(first.runId)).map(({ queue, run_id }: { queue: string; run_id: string }) => [queue, run_id]).sort(),
      [...Array(10).fill(['enforce', first.runId]), ...Array(10).fill(['enrich', first.runId])],
    );

    // A worker has read one; messages of the time before pgmq bear the same numbers as others in it.
    await sql`UPDATE pgmq.q_enrich SET read_ct = 1 WHERE msg_id = (SELECT max(msg_id) FROM pgmq.q_enrich WHERE message #>> '{payload,import_run_id}' = ${first.runId})`;
    assert.equal((await list(null)).length, 38);
    assert.deepEqual((await rollback(before))['jobs'], 4);
    assert.deepEqual([await inPgmq(), (await tableSizes(sql))['jobs']], [34, 0]);
    const [purged] = await sql`SELECT ingest.purge_jobs(${first.runId}) AS answer`;
    assert.deepEqual(purged!['answer'], { deleted: 19, read_already: 1, gone: 0 });
    assert.equal((await rollback(second))['jobs'], 14);
    assert.equal(await inPgmq(), 1);
    assert.equal(
      (await sql`SELECT public.pgmq_delete('enrich', (SELECT msg_id FROM pgmq.q_enrich)) AS gone`)[0]!['gone'],
      true,
    );
    assert.equal((await sql`SELECT public.pgmq_delete('enrich', 1) AS gone`)[0]!['gone'], false);
  });

  it('is logged in the fallback while the raw log is missing, and found there afterwards', async () => {
    await sql`ALTER TABLE public.raw_simplicity_imports RENAME TO away`;
    const run = await importLeads(sql, { batch: 'fallback', rows: leads });
    const { raw_import_log: log } = await summary(run);
    assert.deepEqual(
      [log.enabled, log.table, log.rows_written, log.failures.length],
      [true, 'ingest.raw_simplicity_fallback', 20, 1],
    );
    await sql`ALTER TABLE public.away RENAME TO raw_simplicity_imports`;
    const later = await importLeads(sql, {
      batch: 'later',
      rows: [
        { name: 'Person 1', number: 'N-1' },
        { name: 'New', number: 'N-100' },
      ],
    });

    const [rows] =
      await sql`SELECT ingest.read_operations(${run}) AS rows, ingest.read_rejects(${run}) AS rejects, ingest.tally_import_run(${run}, 'simplicity') AS tally`;
    assert.equal(rows!['rows'].length, 20);
    assert.deepEqual(
      rows!['rejects'].map(({ line, code }: { line: number; code: string }) => [line, code]),
      [[21, 'BAD_AMOUNT']],
    );
    assert.deepEqual(rows!['tally'], { total: 20, inserted: 19, updated: 0, skipped: 0, errored: 1, rolled_back: 0 });
    assert.deepEqual([...(await sql`SELECT import_run_id, line_number FROM ingest.v_errored_rows`)].length, 1);
    assert.equal((await rollback(run))['judgments'], 18);
    assert.equal((await rollback(later))['judgments'], 2);
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 0,
      judgments: 0,
      contacts: 0,
      tasks: 0,
      history: 0,
      jobs: 0,
    });
  });
});
