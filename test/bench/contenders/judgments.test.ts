import { strict as assert } from 'node:assert';
import { Client } from 'pg';
import { importRows } from '../../../bench/contenders/rowByRow.ts';
import { setBasedPsql } from '../../../bench/contenders/setBasedPsql.ts';
import type { Counts } from '../../../bench/contenders/contender.ts';
import { startAfresh } from '../../../bench/database.ts';
import { differences } from '../../../bench/measure.ts';
import { judgments } from '../../../bench/subjects/judgments.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import { openPlace, type Place } from '../../support/imports.ts';
import { createDatabase, sharedStack, type TestDatabase } from '../../support/stack.ts';
import { skip } from '../../support/skip.ts';

const ROWS = 1200;
const SEED = 3;

describe('the contenders of the judgments benchmark', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let client: Client;
  let place: Place;
  let worker: RunningWorker;
  let intake: { counts: Counts; rows: unknown };
  let file: string;

  before(async () => {
    const { temporal } = await sharedStack();
    database = await createDatabase();
    client = new Client({ connectionString: database.databaseUrl });
    await client.connect();
    place = await openPlace({ temporal, databaseUrl: database.databaseUrl });
    worker = await startWorker(place.config, createLogger('fatal'));
    ({ file } = await judgments.filesOf(place.dir, ROWS, SEED));
    const report = await place.run(await place.input({ kind: judgments.kind, path: file }, { partitionRows: 500 }));
    assert.equal(report.status, 'completed', JSON.stringify(report.error));
    intake = await found();
  });
  after(async () => {
    await worker?.shutdown();
    await place?.close();
    await client?.end();
    await database?.drop();
  });
  beforeEach(() => startAfresh(client));

  const course = async () => ({
    stack: { ...(await sharedStack()), databaseUrl: database.databaseUrl },
    file,
    count: () => judgments.count(client),
  });
  /** Of each row, without ids: what became of it, and the first row of the same plaintiff. */
  const found = async () => ({
    counts: await judgments.count(client),
    rows: (
      await client.query(`
      select row_index, status, matched_by, contact_inserts, follow_up_task_created, enforcement_initialized,
             min(row_index) filter (where status = 'inserted') over (partition by plaintiff_id) as person
      from public.raw_simplicity_imports order by row_index`)
    ).rows.map((row) => (row.status === 'inserted' ? row : { ...row, person: null })),
  });
  const expected = (rows: number) => judgments.expected(rows, SEED);

  it('Intake makes of a file what it was made for', () => {
    assert.deepEqual(differences([{ name: 'intake', counts: intake.counts }], ROWS, expected), []);
  });

  it('one statement after the other comes to what Intake does, row for row', async () => {
    await importRows(await course(), ROWS);
    assert.deepEqual(await found(), intake);
  });

  it('the set-based script comes to what Intake does, row for row', async function () {
    if (setBasedPsql.missing()) skip(this, 'no psql on PATH');
    await setBasedPsql.run({
      ...(await course()),
      database: client,
      kind: judgments.kind,
      rows: ROWS,
      seed: SEED,
      cleanedFile: file,
      workDir: place.dir,
    });
    assert.deepEqual(await found(), intake);
  });
});
