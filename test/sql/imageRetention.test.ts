/** Retention of stored images: what a result or a rollback needs stays, and no import is told of an image that goes. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import type postgres from 'postgres';
import { importSearches, openSearches, resultsOf } from '../support/searchResultsImport.ts';
import { withDatabase } from '../support/suite.ts';

const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');
const usual = (content: string): string => `images/sha256/${hashOf(content).slice(0, 2)}/${hashOf(content)}.png`;
const DAYS = { 'search-results': 30 };

describe('retention of images', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  afterEach(
    () =>
      sql`TRUNCATE ingest.import_runs, ingest.search_results_raw, ingest.stored_images, ingest.unused_images, public.datasets CASCADE`,
  );

  const json = (value: object) => sql.json(value as never);
  const one = async <T>(query: postgres.PendingQuery<postgres.Row[]>): Promise<T> => (await query)[0]!['answer'] as T;
  const store = (...contents: string[]) =>
    sql`SELECT ingest.record_images(${json(Object.fromEntries(contents.map((content) => [hashOf(content), usual(content)])))}, 'local')`;
  const find = (on: postgres.Sql, ...contents: string[]): Promise<Record<string, string>> =>
    one(on`SELECT ingest.find_images(${json(contents.map(hashOf))}, 'local') AS answer`);
  const place = async (content: string): Promise<string> =>
    (
      await one<Record<string, string>>(
        sql`SELECT ingest.place_images(${json({ [hashOf(content)]: usual(content) })}, 'local') AS answer`,
      )
    )[hashOf(content)]!;
  const retire = async (on: postgres.Sql = sql, rows = 1): Promise<number> => {
    let images = 0;
    for (let after: string | undefined = ''; after !== undefined;) {
      const answer: { images: number; after?: string } = await one(
        on`SELECT ingest.retire_images(${json(DAYS)}, 'local', ${after}, ${rows}) AS answer`,
      );
      images += answer.images;
      ({ after } = answer);
    }
    return images;
  };
  const preview = (): Promise<number> =>
    one(sql`SELECT ingest.preview_images(${json(DAYS)}, 'local')::integer AS answer`);
  const unused = (): Promise<string[]> => one(sql`SELECT ingest.unused_images('local') AS answer`);
  const age = async (days: number): Promise<void> => {
    await sql`UPDATE ingest.stored_images SET stored_at = now() - ${days} * interval '1 day'`;
  };
  const ended = async (run: string, days: number): Promise<void> => {
    await sql`UPDATE ingest.import_runs SET completed_at = now() - ${days} * interval '1 day', created_at = now() - ${days} * interval '1 day' WHERE id = ${run}`;
  };
  const search = (ts: string, image: string) => ({ rows: [{ number: '1', ts, image }] });

  it('takes those that neither a result nor the rollback of a run needs, and counts them beforehand', async () => {
    await store('first', 'second', 'none');
    const [first, second] = [
      await importSearches(sql, search('2025-01-01', 'first')),
      await importSearches(sql, search('2025-02-01', 'second')),
    ];
    await ended(first, 50);
    await ended(second, 40);
    await age(70);
    assert.equal(await preview(), 2); // with the runs that go, the rollback of the second needs nothing
    assert.equal(await retire(), 1);
    assert.deepEqual(await unused(), [usual('none')]);
    while ((await one<{ more: boolean }>(sql`SELECT ingest.retire_runs(${json(DAYS)}) AS answer`)).more);
    assert.equal(await retire(), 1);
    assert.deepEqual(await unused(), [usual('none'), usual('first')]);
    assert.deepEqual(Object.values(await find(sql, 'first', 'second', 'none')), [usual('second')]);
    await sql`SELECT ingest.forget_unused_images(${json([usual('none'), usual('first')])}, 'local')`;
    assert.deepEqual(await unused(), []);
  });

  it('a rollback gives back an image that is still there', async () => {
    await store('first', 'second');
    await importSearches(sql, search('2025-01-01', 'first'));
    const second = await importSearches(sql, search('2025-02-01', 'second'));
    await sql`UPDATE ingest.import_runs SET created_at = now() - interval '10 days'`;
    await age(70);
    assert.equal(await retire(), 0);
    await sql`SELECT ingest.rollback_import_run(${second}, 'test')`;
    assert.equal(await retire(), 1);
    assert.deepEqual(
      (await resultsOf(sql)).map(({ image }) => image),
      [hashOf('first')],
    );
    assert.deepEqual(Object.keys(await find(sql, 'first', 'second')), [hashOf('first')]);
  });

  it('keeps what an import was told of: from its question to its end, and while the question is being answered', async () => {
    await store('asked');
    await age(70);
    await find(sql, 'asked');
    assert.equal(await retire(), 0);
    await age(40); // by now, while the import that asked is still at work
    const { runId } = await openSearches(sql, search('2025-01-01', 'asked'));
    await sql`UPDATE ingest.import_runs SET created_at = now() - interval '39 days' WHERE id = ${runId}`;
    assert.equal(await retire(), 0);
    await sql`DELETE FROM ingest.import_runs`;
    let retired: Promise<number> | undefined;
    await sql.begin(async (tx) => {
      assert.equal(Object.keys(await find(tx as unknown as postgres.Sql, 'asked')).length, 1);
      retired = retire();
      while ((await tx`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).length === 0);
    });
    assert.equal(await retired, 0);
    await age(40);
    assert.equal(await retire(), 1);
  });

  it('an image that comes again goes where no removal is under way, and one that results look for goes to its place', async () => {
    await store('again', 'shown');
    await importSearches(sql, search('2025-01-01', 'shown'));
    await sql`UPDATE ingest.import_runs SET created_at = now() - interval '10 days'`;
    const before = await place('again');
    await age(70);
    assert.equal(await retire(), 1);
    const path = await place('again');
    assert.notEqual(path, before);
    assert.match(path, new RegExp(`/${hashOf('again')}\\.\\d+\\.png$`));
    await sql`SELECT ingest.forget_images(${json([hashOf('shown')])}, 'local')`; // damaged
    assert.equal(await place('shown'), usual('shown'));
  });

  it('nothing goes where the kind keeps everything', async () => {
    await store('old');
    await age(1000);
    const answer = await one(sql`SELECT ingest.retire_images('{"plaintiffs": 1}', 'local') AS answer`);
    assert.deepEqual(answer, { images: 0 });
    assert.equal(await one(sql`SELECT ingest.preview_images('{"plaintiffs": 1}', 'local')::integer AS answer`), 0);
  });
});
