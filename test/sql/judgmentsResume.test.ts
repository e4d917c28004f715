import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { contentOfJudgments, forgetJudgments, tableSizes } from '../support/judgmentsContent.ts';
import {
  importLeads,
  openJudgments,
  promote,
  resolve,
  settleJudgments,
  stageLeads,
  sumOf,
  upsertPart,
  type Lead,
  type OpenJudgments,
} from '../support/judgmentsImport.ts';
import { withDatabase } from '../support/suite.ts';

/** Twenty people with some leads each, in and across the parts; duplicates and rejects among them. */
const rows: Lead[] = Array.from({ length: 90 }, (_, i) => ({
  name: `Person ${i % 20}`,
  number: i % 9 === 8 ? `N-${i - 8}` : `N-${i}`,
  amount: i % 30 === 13 ? 'none' : `${i}.25`,
  address: `${i % 20} Elm`,
  ...(i % 3 ? { email: `p${i % 20}@example.com` } : {}),
  ...(i % 4 ? { phone: `555${1000 + (i % 20)}` } : {}),
}));

describe('an import of judgments that goes on', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  let expected: Record<string, unknown[]>;
  before(async () => {
    await importLeads(sql, { rows });
    expected = await content();
  });
  beforeEach(() => forgetJudgments(sql));

  // What is in the tables already counts as there, where it was an earlier row of the file before.
  const content = async () => {
    const { log, ...others } = await contentOfJudgments(sql);
    const seen = (log as { reason: string | null }[]).map(({ reason, ...row }) => ({
      ...row,
      duplicate_of_line: null,
      reason: reason === 'EXISTING_JUDGMENT' ? 'DUPLICATE_IN_FILE' : reason,
    }));
    const matched = seen.map((row) => ({ ...row, matched_by: (row as { matched_by?: string }).matched_by !== null }));
    return { ...others, log: matched };
  };
  const loseStage = () =>
    sql`TRUNCATE ingest_stage.chunks, ingest_stage.judgments, ingest_stage.judgments_plan, ingest_stage.resolved`;
  const finish = async (open: OpenJudgments) => {
    await promote(sql, open);
    await settleJudgments(sql, open);
  };

  it('after the database lost the stage resolves what has not landed, and nothing is there twice', async () => {
    const open = await openJudgments(sql, { rows, parts: 4 });
    await resolve(sql, open);
    const done = await upsertPart(sql, open, 1);
    await loseStage();
    assert.deepEqual(await upsertPart(sql, open, 2), { stage_lost: true });
    assert.deepEqual(await resolve(sql, open), { stage_lost: true });
    const again = { ...open, ...(await stageLeads(sql, open.batch)) };
    const rest = await promote(sql, again);
    await settleJudgments(sql, again);
    const counts = sumOf([done, rest]);
    assert.deepEqual(
      [counts.inserted + counts.skipped + counts.errored, counts.effects['plaintiffs_created']],
      [90, 20],
    );
    const found = await content();
    // A plaintiff without email and phone in both generations has the history of the run once, too.
    assert.deepEqual(found, expected);
  });

  it('takes nobody for the owner of an email or a phone who is not in the plan of the whole run', async () => {
    const shared: Lead[] = [
      { name: 'Bob', phone: '5550005', number: '1' },
      { name: 'Ann', email: 'ann@x.co', number: '2' },
      { name: 'Ann', email: 'ann@x.co', phone: '5550005', number: '3' },
    ];
    for (const part of [0, 1, 2, 3]) {
      const open = await openJudgments(sql, { batch: `shared ${part}`, rows: shared, parts: 4 });
      await resolve(sql, open);
      await upsertPart(sql, open, part);
      await loseStage();
      await finish({ ...open, ...(await stageLeads(sql, open.batch)) });
      const matched = await sql`SELECT matched_by FROM public.raw_simplicity_imports ORDER BY row_index`;
      assert.deepEqual(
        matched.slice(0, 2).map((row) => row['matched_by']),
        ['created', 'created'],
      );
      assert.deepEqual(
        [
          ...(await sql`SELECT p.name, count(*) AS n FROM public.judgments j JOIN public.plaintiffs p ON p.id = j.plaintiff_id GROUP BY 1 ORDER BY 1`),
        ],
        [
          { name: 'Ann', n: 2 },
          { name: 'Bob', n: 1 },
        ],
      );
      await forgetJudgments(sql);
    }
  });

  it('loses the stage twice and still ends right', async () => {
    const open = await openJudgments(sql, { rows, parts: 4 });
    let now = open;
    for (const part of [3, 0]) {
      await resolve(sql, now);
      await upsertPart(sql, now, part);
      await loseStage();
      now = { ...open, ...(await stageLeads(sql, open.batch)) };
    }
    await finish(now);
    assert.deepEqual(await content(), expected);
  });

  it('failed, is claimed again and does the rest under its own id; its former claim has no effect', async () => {
    const first = await openJudgments(sql, { rows, parts: 4 });
    await resolve(sql, first);
    await upsertPart(sql, first, 0);
    await upsertPart(sql, first, 3);
    await sql`SELECT ingest.fail_import_run(${first.runId}, ${first.lease}, '{"type": "INTERNAL"}')`;
    const second = await openJudgments(sql, { rows, parts: 4 });
    assert.equal(second.runId, first.runId);
    await assert.rejects(upsertPart(sql, first, 1), { code: 'IN001' });
    await assert.rejects(resolve(sql, { ...first, stageId: second.stageId }), { code: 'IN001' });
    await finish(second);
    assert.deepEqual(await content(), expected);
  });

  it('stopped at --max-errors before production, imports under its own id with a higher limit', async () => {
    const first = await openJudgments(sql, { rows, parts: 4 });
    const parts = await sql`SELECT DISTINCT part FROM ingest_stage.judgments WHERE stage_id = ${first.stageId}`;
    for (const { part } of parts)
      await sql`SELECT ingest.stop_partition(${first.runId}, ${first.lease}, ${first.stageId}, 1, ${part})`;
    await sql`SELECT ingest.fail_import_run(${first.runId}, ${first.lease}, '{"type": "TOO_MANY_ERRORS"}')`;
    assert.deepEqual(await tableSizes(sql), {
      plaintiffs: 0,
      judgments: 0,
      contacts: 0,
      tasks: 0,
      history: 0,
      jobs: 0,
    });
    const landed =
      await sql`SELECT status, count(*) AS n FROM public.raw_simplicity_imports GROUP BY status ORDER BY status`;
    assert.deepEqual(
      landed.map((row) => Object.values(row)),
      [
        ['failed', 3],
        ['pending', 87],
      ],
    );
    await finish(await openJudgments(sql, { rows, parts: 4 }));
    assert.deepEqual(await content(), expected);
  });
});
