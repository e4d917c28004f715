import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { createDatabase, type TestDatabase } from '../support/stack.ts';
import { connect } from '../support/sqlImport.ts';
import {
  dryRun,
  importSearches,
  openSearches,
  promote,
  resultsOf,
  settleSearches,
  stageSearches,
  sumOf,
  upsertPart,
  type Counts,
  type Licence,
} from '../support/searchResultsImport.ts';

describe('search results', () => {
  let database: TestDatabase;
  let sql: postgres.Sql;
  const landed = async (runId: string) =>
    (
      await sql`
    SELECT row_index AS row, status, reason, search_result_id IS NOT NULL AS known, former IS NOT NULL AS former
    FROM ingest.search_results_raw WHERE import_run_id = ${runId} ORDER BY row_index`
    ).map((row) => Object.values(row));
  const compare = async (runId: string, stageId: string, parts = 3) => {
    const found = await Promise.all(
      [...Array(parts).keys()].map(
        async (part) =>
          (
            await sql`
      SELECT ingest.compare_partition(${runId}, ${stageId}, 1, ${part}) AS found`
          )[0]!['found'] as Record<string, number>,
      ),
    );
    return ['rows', 'missing', 'different', 'edited'].map((name) => found.reduce((sum, one) => sum + one[name]!, 0));
  };

  before(async () => {
    database = await createDatabase();
    sql = connect(database.databaseUrl);
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });
  afterEach(
    () =>
      sql`TRUNCATE ingest.import_runs, ingest.search_results_raw, public.datasets, public.search_results, public.images CASCADE`,
  );

  it('land once per source row; the newest of a licence wins, of one time the lowest row', async () => {
    const rows: Licence[] = [
      { number: '1', ts: '2025-01-01', status: 'old' },
      { number: '1', ts: '2025-01-03', status: 'new', image: 'x' },
      { number: '1', ts: '2025-01-03', status: 'new' },
      { ts: '2025-01-01', image: 'none' },
      { ts: '2025-01-01' },
      { ts: '2025-01-02' },
      { number: '1', ts: '2025-01-03', status: 'new', duplicate: true },
      { number: '3', ts: '2025-01-01', error: 'BAD_DATE' },
      { number: '1', state: 'PA', ts: '2025-01-01', imageError: 'IMAGE_MISSING' },
    ];
    const counts = { inserted: 4, updated: 0, skipped: 4, errored: 1, effects: { images: 2, refused: 0 } };
    assert.deepEqual(await dryRun(sql, { rows }), counts);
    assert.deepEqual([...(await sql`SELECT * FROM public.datasets`)], [], 'a dry run writes nothing');
    const open = await openSearches(sql, { rows });
    assert.deepEqual(await promote(sql, open), counts);
    await settleSearches(sql, open);
    assert.deepEqual(
      (await landed(open.runId)).map((row) => row.slice(1, 3).join(' ')),
      [
        'skipped DUPLICATE_IN_RUN',
        'inserted ',
        'skipped DUPLICATE_IN_RUN',
        'inserted ',
        'skipped DUPLICATE_IN_RUN',
        'inserted ',
        'skipped DUPLICATE_SEARCH',
        'failed BAD_DATE',
        'inserted ',
      ],
    );
    assert.deepEqual(
      (await resultsOf(sql)).map(({ state, number, status, image }) => [state, number, status, image !== null]),
      [
        ['FL', '1', 'new', true],
        ['FL', null, 'Active', true],
        ['FL', null, 'Active', false],
        ['PA', '1', 'Active', false],
      ],
    );
    const [image] = await sql`
      SELECT storage_type, content_type, file_size, storage_path = 'images/sha256/' || left(sha256, 2) || '/' || sha256 || '.png' AS addressed
      FROM public.images ORDER BY file_size`;
    assert.deepEqual(
      { ...image },
      { storage_type: 'local', content_type: 'image/png', file_size: 101, addressed: true },
    );
  });

  it('give way to a newer search, and to one of their time that says anything else or brings another image', async () => {
    await importSearches(sql, {
      rows: ['1', '2', '3', '4', '5', '7'].map((number) => ({
        number,
        ts: '2025-02-02',
        status: 'first',
        image: '47'.includes(number) ? 'kept' : undefined,
      })),
    });
    const rows: Licence[] = [
      { number: '1', ts: '2025-02-03', status: 'newer' },
      { number: '2', ts: '2025-02-01', status: 'older' },
      { number: '3', ts: '2025-02-02', status: 'equal' },
      { number: '4', ts: '2025-02-02', status: 'equal', image: 'other' },
      { number: '5', ts: '2025-02-02', status: 'mended', image: 'mended' },
      { number: '6', ts: '2025-02-02', status: 'added' },
      { number: '7', ts: '2025-02-02', status: 'first', image: 'kept' },
    ];
    const counts = { inserted: 1, updated: 4, skipped: 2, errored: 0, effects: { images: 2, refused: 0 } };
    assert.deepEqual(await dryRun(sql, { rows }), counts);
    const open = await openSearches(sql, { rows, backend: 'supabase' });
    assert.deepEqual(await promote(sql, open), counts);
    await settleSearches(sql, open);
    assert.deepEqual(
      (await resultsOf(sql)).map(({ number, status }) => `${String(number)} ${String(status)}`),
      ['1 newer', '2 first', '3 equal', '4 equal', '5 mended', '6 added', '7 first'],
    );
    assert.deepEqual(await landed(open.runId), [
      [0, 'updated', null, true, true],
      [1, 'skipped', 'OLDER', true, false],
      [2, 'updated', null, true, true],
      [3, 'updated', null, true, true],
      [4, 'updated', null, true, true],
      [5, 'inserted', null, true, false],
      [6, 'skipped', 'OLDER', true, false],
    ]);
    assert.deepEqual(
      (await sql`SELECT storage_type FROM public.images ORDER BY 1`).map((row) => row['storage_type'] as string),
      ['local', 'supabase', 'supabase'],
    );
  });

  it('that are no objects are failed items, and the others are imported', async () => {
    const fault = { ts: '2025-01-03', error: 'SCHEMA_MISMATCH' };
    const rows: Licence[] = [
      ...['"Active"', '"Active"', '7', 'null', '[]'].map((raw) => ({ ...fault, raw })),
      { number: '91', ts: '2025-01-03' },
    ];
    const counts = {
      inserted: 1,
      updated: 0,
      skipped: 0,
      errored: 5,
      effects: { images: 0, refused: 0 },
    };
    assert.deepEqual(await dryRun(sql, { rows, parts: 1 }), counts);
    assert.deepEqual(await promote(sql, await openSearches(sql, { rows, parts: 1 })), counts);
  });

  it('that contradict each other in one run are failed items with both places and contents, but for the first', async () => {
    const rows: Licence[] = [
      { number: '1', ts: '2025-01-03', status: 'Active' },
      { number: '1', ts: '2025-01-03', status: 'Expired' },
      { number: '1', ts: '2025-01-03', status: 'Active' },
      { number: '1', ts: '2025-01-02', status: 'Expired' },
      { number: '2', ts: '2025-01-03', status: 'Active' },
      { number: '2', ts: '2025-01-03', status: 'Suspended', duplicate: true },
      { number: '3', ts: '2025-01-03', status: 'only in the second file of a search', duplicate: true },
    ];
    const counts = {
      inserted: 3,
      updated: 0,
      skipped: 2,
      errored: 2,
      effects: { images: 0, refused: 0, conflicts: 2 },
    };
    assert.deepEqual(await dryRun(sql, { rows }), counts);
    const open = await openSearches(sql, { rows });
    const [{ conflicts }] = await sql<[{ conflicts: { item: string; code: string; message: string }[] }]>`
      SELECT ingest.staged_conflicts(${open.stageId}) AS conflicts`;
    assert.deepEqual(await promote(sql, open), counts);
    await settleSearches(sql, open);
    assert.deepEqual(
      (await resultsOf(sql)).map(({ number, status }) => [number, status]),
      [
        ['1', 'Active'],
        ['2', 'Active'],
        ['3', 'only in the second file of a search'],
      ],
    );
    const [{ rejects }] = await sql<[{ rejects: { item: string; code: string; message: string; record: string }[] }]>`
      SELECT ingest.read_rejects(${open.runId}) AS rejects`;
    const said = rejects.map(({ item, code, message }) => [item, code, message]);
    // A dry run says the same.
    assert.deepEqual(
      conflicts.map(({ item, code, message }) => [item, code, message]),
      said,
    );
    assert.deepEqual(said, [
      [
        'FL/1_parse.json',
        'CONFLICT_IN_RUN',
        'It contradicts licence 1 of FL/0_parse.json, which is of the same time and number and is kept.',
      ],
      [
        'FL/5_parse.json',
        'CONFLICT_IN_RUN',
        'It contradicts licence 1 of FL/4_parse.json, which is of the same time and number and is kept.',
      ],
    ]);
    assert.deepEqual(JSON.parse(Buffer.from(rejects[0]!.record, 'base64').toString()), {
      license_number: '1',
      at: '2025-01-03',
    });
    assert.deepEqual(await compare(open.runId, await stageSearches(sql, { rows })), [7, 0, 0, 0]);
    await sql`UPDATE ingest.search_results_raw SET raw_record = '{}' WHERE row_index = 1`;
    assert.deepEqual(await compare(open.runId, await stageSearches(sql, { rows })), [7, 0, 1, 0]);
    const again = await openSearches(sql, { rows });
    assert.deepEqual(
      await promote(sql, again),
      { ...counts, inserted: 0, skipped: 5 },
      'a second import changes nothing',
    );
  });

  it('that a later search of their name has not found are counted and listed, and stay', async () => {
    const found = async (rows: Licence[]) => {
      const run = await importSearches(sql, { rows });
      const [{ gone }] = await sql<[{ gone: number | null }]>`
        SELECT (metadata #>> '{summary,effects,licenses_not_found}')::int AS gone FROM ingest.import_runs WHERE id = ${run}`;
      return gone;
    };
    const first = ['1', '2', '3'].map((number) => ({ number, ts: '2025-01-01T10:00:00Z' }));
    assert.equal(await found(first), null);
    assert.equal(
      await found([{ number: '1', ts: '2025-01-01T10:20:00Z' }]),
      null,
      'the same search, whose files have times of their own',
    );
    assert.equal(
      await found([
        { number: '2', ts: '2025-02-01' },
        { number: '9', name: 'Other', ts: '2025-02-01' },
      ]),
      2,
    );
    assert.equal(await found([{ ts: '2025-03-01' }]), 3, 'a search without results');
    assert.deepEqual(
      (
        await sql`SELECT license_number AS number, tag, searched_last::date::text AS day FROM ingest.v_licenses_not_found ORDER BY 1`
      ).map((row) => Object.values(row)),
      ['1', '2', '3'].map((number) => [number, 'tag', '2025-03-01']),
    );
    assert.equal((await resultsOf(sql)).length, 5);
  });

  it('of a skipped search are compared with what is there of its time', async () => {
    await importSearches(sql, { rows: [{ number: '1', ts: '2025-01-01' }] });
    const rows = [{ number: '1', ts: '2025-01-01' }];
    const second = await importSearches(sql, { rows });
    assert.deepEqual(await compare(second, await stageSearches(sql, { rows })), [1, 0, 0, 0]);
    await sql.begin(async (tx) => {
      await tx`SET LOCAL session_replication_role = replica`; // no trigger tells that it was edited
      await tx`UPDATE public.search_results SET license_status = 'Changed'`;
    });
    assert.deepEqual(await compare(second, await stageSearches(sql, { rows })), [1, 0, 1, 0]);
  });

  it('of another dataset are others', async () => {
    await importSearches(sql, { tag: 'one', rows: [{ number: '1', ts: '2025-01-02' }] });
    await importSearches(sql, { tag: 'two', rows: [{ number: '1', ts: '2025-01-01' }] });
    assert.deepEqual([(await resultsOf(sql, 'one')).length, (await resultsOf(sql, 'two')).length], [1, 1]);
    const [first, second] = await sql`SELECT ingest.open_dataset('states', 'one') AS id FROM generate_series(1, 2)`;
    assert.equal(first!['id'], second!['id']);
  });

  it('are the same whatever the order of parts and however many runs are at work', async () => {
    const licence = fc.record({
      number: fc.option(fc.constantFrom('1', '2', '3', '4'), { nil: undefined }),
      state: fc.constantFrom('FL', 'PA'),
      ts: fc.constantFrom('2025-01-01', '2025-01-02', '2025-01-03'),
      image: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(licence, { minLength: 1, maxLength: 25 }),
        fc.array(licence, { maxLength: 25 }),
        async (one, two) => {
          // Values follow from key and time, so that equal searches of two runs say the same.
          const rows = (list: Licence[]) =>
            list.map((row) => ({ ...row, status: row.ts, image: row.image && `${row.number ?? '-'}${row.ts}` }));
          const [a, b] = [{ rows: rows(one) }, { rows: rows(two) }];
          await importSearches(sql, { ...a, tag: 'expected' });
          await importSearches(sql, { ...b, tag: 'expected' });
          const opened = await Promise.all([
            openSearches(sql, { ...a, tag: 'at once' }),
            openSearches(sql, { ...b, tag: 'at once', parts: 2 }),
          ]);
          const counts = await Promise.all([
            promote(sql, opened[0]!, [2, 0, 1], 3),
            promote(sql, opened[1]!, [1, 0], 2),
          ]);
          for (const open of opened) await settleSearches(sql, open);
          const plain = (list: Record<string, unknown>[]) =>
            list.map(({ state, number, name, ts, status, image }) => [state, number, name, ts, status, image]);
          assert.deepEqual(plain(await resultsOf(sql, 'at once')), plain(await resultsOf(sql, 'expected')));
          const { inserted, updated, skipped } = sumOf(counts);
          assert.deepEqual(
            [inserted, inserted + updated + skipped],
            [(await resultsOf(sql, 'expected')).length, one.length + two.length],
          );
          await sql`TRUNCATE ingest.import_runs, ingest.search_results_raw, public.datasets, public.search_results, public.images CASCADE`;
        },
      ),
      { numRuns: 12 },
    );
  });

  it('of many licences are taken by runs at once without a deadlock', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({ number: String(i), ts: '2025-01-02', image: `image ${i}` }));
    const shifted = rows.map((row) => ({ ...row, ts: `2025-01-0${1 + (Number(row.number) % 3)}` })).reverse();
    const opened = await Promise.all(
      [rows, shifted, rows.toReversed()].map((list, i) => openSearches(sql, { rows: list, parts: i + 1 })),
    );
    const counts = await Promise.all(opened.map((open) => promote(sql, open, undefined, 3)));
    for (const open of opened) await settleSearches(sql, open);
    assert.equal(sumOf(counts).inserted, 400);
    const newer = (await resultsOf(sql)).filter(({ ts }) => ts === '2025-01-03');
    assert.equal(newer.length, rows.filter((_, i) => i % 3 === 2).length);
  });

  it('are judged by what another run commits meanwhile, added or replaced', async () => {
    await importSearches(sql, { rows: [{ number: 'known', ts: '2025-01-01' }] });
    const rows = (ts: string) => ({ parts: 1, rows: ['known', 'fresh'].map((number) => ({ number, ts })) });
    const [first, older, newer] = [
      await openSearches(sql, rows('2025-01-05')),
      await openSearches(sql, rows('2025-01-03')),
      await openSearches(sql, rows('2025-01-07')),
    ];
    let waiting: Promise<Counts[]> | undefined;
    await sql.begin(async (tx) => {
      await upsertPart(tx as unknown as postgres.Sql, first, 0);
      waiting = Promise.all([upsertPart(sql, older, 0), upsertPart(sql, newer, 0)]);
      let blocked = 0;
      while (blocked < 2)
        blocked = Number(
          (
            await sql`SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
          )[0]!['n'],
        );
    });
    const { inserted, errored } = sumOf((await waiting)!);
    assert.deepEqual([inserted, errored], [0, 0]);
    assert.deepEqual(
      (await resultsOf(sql)).map(({ ts }) => ts),
      ['2025-01-07', '2025-01-07'],
    );
    assert.deepEqual((await landed(older.runId)).map(([, status]) => status).includes('failed'), false);
    const [chain] =
      await sql`SELECT count(*) AS n FROM ingest.search_results_raw WHERE import_run_id = ${newer.runId} AND former IS NOT NULL`;
    assert.equal(chain!['n'], 2);
  });

  it('answer a repeated part from the ledger', async () => {
    const open = await openSearches(sql, { rows: [{ number: '1', ts: '2025-01-01' }], parts: 1 });
    const first = await upsertPart(sql, open, 0);
    assert.deepEqual(await upsertPart(sql, open, 0), first);
    assert.equal(first.inserted, 1);
  });

  it('that the database refuses fail alone, in any number', async () => {
    const rows: Licence[] = Array.from({ length: 60 }, (_, i) => ({
      number: String(i),
      ts: '2025-01-01',
      image: `image ${i}`,
    }));
    await sql.unsafe(`
      ALTER TABLE public.search_results ADD CONSTRAINT no_seven CHECK (license_number <> '7');
      CREATE UNIQUE INDEX one_status ON public.search_results (license_status) WHERE license_status <> 'Active';
      CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON public.images FOR EACH ROW WHEN (new.file_size = 120) EXECUTE FUNCTION public.refuse();`);
    try {
      rows[30] = { ...rows[30]!, number: 'x'.repeat(1_000_000) };
      for (const i of [40, 41]) rows[i] = { ...rows[i]!, status: 'Once' };
      const open = await openSearches(sql, { rows });
      const { inserted, errored, effects } = await promote(sql, open);
      assert.deepEqual([inserted, errored, effects.refused], [56, 4, 4]);
      await settleSearches(sql, open);
      const rejects = await sql`SELECT ingest.read_rejects(${open.runId}) AS found`;
      const found = rejects[0]!['found'] as Record<string, unknown>[];
      const refused = found.map(({ row_index: row, code, message, kind, item }) => [row, code, message, kind, item]);
      const other = refused[3]![0] as number;
      assert.ok([40, 41].includes(other));
      assert.deepEqual(refused, [
        [7, 'REFUSED_ROW', 'the database refuses this record: 23514 no_seven', 'licence', 'FL/7_parse.json'],
        [20, 'REFUSED_ROW', 'the database refuses this record: P0001', 'licence', 'FL/20_parse.json'],
        [30, 'REFUSED_ROW', 'the database refuses this record: 54000', 'licence', 'FL/30_parse.json'],
        [
          other,
          'REFUSED_ROW',
          'the database refuses this record: 23505 one_status',
          'licence',
          `FL/${other}_parse.json`,
        ],
      ]);
      assert.deepEqual(JSON.parse(Buffer.from(found[0]!['record'] as string, 'base64').toString()), {
        at: '2025-01-01',
        license_number: '7',
      });
      assert.deepEqual(
        (await sql`SELECT error_code, filename FROM ingest.v_errored_rows WHERE import_run_id = ${open.runId}`).length,
        4,
      );
    } finally {
      await sql.unsafe(`
        DROP TRIGGER refuse ON public.images; DROP FUNCTION public.refuse; DROP INDEX public.one_status;
        ALTER TABLE public.search_results DROP CONSTRAINT no_seven`);
    }
  });

  it('are tried again as a whole when the database is in trouble', async () => {
    await sql.unsafe(`
      CREATE FUNCTION public.trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER trouble BEFORE INSERT ON public.search_results FOR EACH ROW EXECUTE FUNCTION public.trouble();`);
    const open = await openSearches(sql, { rows: [{ number: '1', ts: '2025-01-01' }], parts: 1 });
    try {
      await assert.rejects(upsertPart(sql, open, 0), { code: '53100' });
    } finally {
      await sql.unsafe('DROP TRIGGER trouble ON public.search_results; DROP FUNCTION public.trouble');
    }
    assert.equal((await upsertPart(sql, open, 0)).inserted, 1);
  });

  it('stop as they are and make place for another attempt', async () => {
    const rows: Licence[] = [
      { number: '1', ts: '2025-01-01' },
      { number: '2', ts: '2025-01-01', error: 'BAD_DATE' },
    ];
    const open = await openSearches(sql, { rows, parts: 1 });
    await sql`SELECT ingest.stop_partition(${open.runId}, ${open.lease}, ${open.stageId}, 1, 0)`;
    assert.deepEqual(
      (await landed(open.runId)).map((row) => row[1]),
      ['pending', 'failed'],
    );
    assert.deepEqual(await resultsOf(sql), []);
    assert.deepEqual([(await upsertPart(sql, open, 0)).inserted, (await landed(open.runId)).length], [1, 2]);
  });

  it('compare with their source: what is missing, what differs, what somebody edited, what a later run replaced', async () => {
    const rows: Licence[] = [
      ...['1', '2', '3', '4', '5', '6'].map((number) => ({ number, ts: '2025-01-02', image: number })),
      { number: '6', ts: '2025-01-01' },
      { number: '7', ts: '2025-01-01', error: 'BAD_DATE' },
    ];
    const runId = await importSearches(sql, { rows });
    const stageId = await stageSearches(sql, { rows });
    assert.deepEqual(await compare(runId, stageId), [8, 0, 0, 0]);
    await importSearches(sql, { rows: [{ number: '1', ts: '2025-01-03', status: 'newer' }] });
    await sql`UPDATE public.search_results SET city = 'edited' WHERE license_number = '2'`;
    assert.deepEqual(await compare(runId, stageId), [8, 0, 0, 1]);
    await sql.begin((tx) => [
      tx`SET LOCAL session_replication_role = replica`,
      tx`UPDATE public.search_results SET city = 'wrong' WHERE license_number = '3'`,
    ]);
    await sql`DELETE FROM public.images WHERE search_result_id = (SELECT id FROM public.search_results WHERE license_number = '4')`;
    await sql`DELETE FROM public.search_results WHERE license_number = '5'`;
    await sql`DELETE FROM ingest.search_results_raw WHERE import_run_id = ${runId} AND row_index = 6`;
    assert.deepEqual(await compare(runId, stageId), [8, 1, 3, 1]);
    const again = await importSearches(sql, { rows: rows.slice(0, 4) });
    assert.deepEqual(
      await compare(again, await stageSearches(sql, { rows: rows.slice(0, 4) })),
      [4, 0, 0, 0],
      'skipped rows are there, too',
    );
  });

  it('list failed files, licences and images, a page at a time, and every decision without values', async () => {
    const rows: Licence[] = [
      { number: '1', ts: '2025-01-01', imageError: 'IMAGE_CORRUPT' },
      { number: '2', ts: '2025-01-01' },
      { number: '3', ts: '2025-01-01', error: 'BAD_DATE', imageError: 'IMAGE_MISSING' },
    ];
    const runId = await importSearches(sql, { rows });
    const read = async (after: number, max: number) =>
      (
        (await sql`SELECT ingest.read_rejects(${runId}, ${after}, ${max}) AS found`)[0]!['found'] as Record<
          string,
          unknown
        >[]
      ).map(({ row_index: row, code, kind, item, message }) => [row, code, kind, item, message]);
    assert.deepEqual(await read(-1, 1), [[0, 'IMAGE_CORRUPT', 'image', 'FL/0.png', 'what to mend']]);
    assert.deepEqual(await read(0, 10), [
      [2, 'BAD_DATE', 'licence', 'FL/2_parse.json', 'what to mend'],
      [2, 'IMAGE_MISSING', 'image', 'FL/2.png', 'what to mend'],
    ]);
    const [decisions] = await sql`SELECT ingest.read_decisions(${runId}, 0, 1) AS found`;
    const { search_result_id: id, ...rest } = decisions!['found'][0];
    assert.ok(id > 0);
    assert.deepEqual(rest, { row_index: 1, item: 'FL/1_parse.json', line: 1, action: 'inserted', reason: null });
  });
});

describe('files of a directory', () => {
  it('are known to a delta once their import is completed, in the order of their bytes, until it is rolled back', async () => {
    const database = await createDatabase();
    const sql = connect(database.databaseUrl);
    const known = async (after = '', max = 10) =>
      (await sql`SELECT ingest.known_files('states', 'tag', ${after}, ${max}) AS files`)[0]!['files'] as {
        path: string;
      }[];
    try {
      const open = await openSearches(sql, { rows: [{ number: '1', ts: '2025-01-01' }] });
      const file = (path: string, size = 1) => ({
        path,
        size,
        mtime_ms: 1754229790193,
        json_sha256: 'a',
        image_path: 'b.png',
        image_size: 2,
        image_mtime_ms: 3,
        image_sha256: 'c',
      });
      const record = async (files: unknown[]) =>
        (
          await sql`
        SELECT ingest.record_files(${open.runId}, ${open.lease}, ${sql.json(files as never)}::json) AS n`
        )[0]!['n'] as number;
      assert.equal(await record([file('b'), file('B'), file('é'), file('b')]), 3);
      assert.equal(await record([file('b', 5)]), 1);
      assert.deepEqual(await known(), []);
      await promote(sql, open);
      await settleSearches(sql, open);
      assert.deepEqual(await known('', 2), [file('B'), file('b', 5)]);
      assert.deepEqual(
        (await known('b')).map(({ path }) => path),
        ['é'],
      );
      await assert.rejects(record([]), { code: 'IN001' });
      await sql`SELECT ingest.rollback_import_run(${open.runId}, 'test')`;
      assert.deepEqual([...(await sql`SELECT path FROM ingest.imported_files`)], []);
    } finally {
      await sql.end();
      await database.drop();
    }
  });
});
