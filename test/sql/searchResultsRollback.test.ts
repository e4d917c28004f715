import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import {
  importSearches,
  openSearches,
  promote,
  resultsOf,
  settleSearches,
  type Licence,
} from '../support/searchResultsImport.ts';
import { withDatabase } from '../support/suite.ts';

describe('rolling back search results', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  const rollback = async (runId: string): Promise<Record<string, unknown>> => {
    await sql`SELECT ingest.rollback_import_run(${runId}, 'test')`;
    return (await sql`SELECT metadata -> 'rollback' AS result FROM ingest.import_runs WHERE id = ${runId}`)[0]![
      'result'
    ] as Record<string, unknown>;
  };
  const shown = async () =>
    (await resultsOf(sql)).map(({ number, ts, status, image }) => [number, ts, status, image !== null]);
  const counts = async (runId: string) =>
    Object.values(
      (
        await sql`
    SELECT rows_inserted, rows_updated, rows_skipped FROM ingest.import_runs WHERE id = ${runId}`
      )[0]!,
    ) as number[];
  const isValid = async (id: string) =>
    (await sql`SELECT is_valid FROM ingest.reconcile_import_run(${id})`)[0]!['is_valid'] as boolean;
  const clear = () =>
    sql`TRUNCATE ingest.import_runs, ingest.search_results_raw, public.datasets, public.search_results, public.images CASCADE`;
  const one = (ts: string, status: string, image?: string): { rows: Licence[] } => ({
    rows: [{ number: '1', ts, status, image }],
  });
  afterEach(clear);

  it('marks every row and takes back what the run added, with its images', async () => {
    const runId = await importSearches(sql, {
      rows: [
        { number: '1', ts: '2025-01-01', image: 'a' },
        { ts: '2025-01-01' },
        { number: '2', ts: '2025-01-01', error: 'BAD_DATE' },
      ],
    });
    assert.deepEqual(await rollback(runId), {
      rows_affected: 3,
      removed: 2,
      restored: 0,
      inherited: 0,
      kept_edited: { count: 0, search_result_ids: [] },
      effects: { files_forgotten: 0 },
    });
    assert.deepEqual(await shown(), []);
    assert.deepEqual([...(await sql`SELECT count(*) AS n FROM public.images`)], [{ n: 0 }]);
    assert.deepEqual(
      [...(await sql`SELECT DISTINCT status, reason FROM ingest.search_results_raw`)],
      [{ status: 'rolled_back', reason: 'ROLLED_BACK' }],
    );
    assert.deepEqual([...(await sql`SELECT is_complete FROM ingest.v_rollback_verification`)], [{ is_complete: true }]);
    const [rejects] = await sql`SELECT ingest.read_rejects(${runId}) AS found`;
    assert.equal(rejects!['found'][0].message, 'BAD_DATE: what to mend');
  });

  it('puts back what an update replaced, image and all', async () => {
    await importSearches(sql, one('2025-01-01', 'first', 'a'));
    const before =
      await sql`SELECT r.*, i.sha256 FROM public.search_results r JOIN public.images i ON i.search_result_id = r.id`;
    const second = await importSearches(sql, one('2025-01-02', 'second'));
    assert.deepEqual(await shown(), [['1', '2025-01-02', 'second', false]]);
    assert.equal((await rollback(second))['restored'], 1);
    assert.deepEqual(
      [
        ...(await sql`SELECT r.*, i.sha256 FROM public.search_results r JOIN public.images i ON i.search_result_id = r.id`),
      ],
      [...before],
    );
    const third = await importSearches(sql, one('2025-01-01', 'again', 'b'));
    assert.deepEqual([await counts(third), await shown()], [[0, 1, 0], [['1', '2025-01-01', 'again', true]]]);
  });

  it('leaves what a later run updated, which then has what this one had', async () => {
    const runs = [
      await importSearches(sql, one('2025-01-01', 'first')),
      await importSearches(sql, one('2025-01-02', 'second')),
      await importSearches(sql, one('2025-01-03', 'third')),
    ] as const;
    await rollback(runs[1]);
    assert.deepEqual(await shown(), [['1', '2025-01-03', 'third', false]]);
    await rollback(runs[2]);
    assert.deepEqual(await shown(), [['1', '2025-01-01', 'first', false]]);
    const fourth = await importSearches(sql, one('2025-01-04', 'fourth'));
    const result = await rollback(runs[0]);
    assert.deepEqual(
      [result['removed'], result['inherited'], await counts(fourth), await isValid(fourth)],
      [0, 1, [1, 0, 0], true],
    );
    await rollback(fourth);
    assert.deepEqual(await shown(), []);
  });

  it('passes a row to the newest that was skipped as older', async () => {
    const newest = await importSearches(sql, one('2025-01-05', 'newest'));
    const same = await importSearches(sql, one('2025-01-05', 'same', undefined));
    const older = await importSearches(sql, one('2025-01-03', 'older', 'picture'));
    await rollback(newest);
    assert.deepEqual(
      [await shown(), await counts(same), await counts(older)],
      [[['1', '2025-01-05', 'same', false]], [1, 0, 0], [0, 0, 1]],
    );
    await rollback(same);
    assert.deepEqual(
      [await shown(), await counts(older), await isValid(older)],
      [[['1', '2025-01-03', 'older', true]], [1, 0, 0], true],
    );
  });

  it('counts for a run at work what it inherits', async () => {
    const first = await importSearches(sql, one('2025-01-02', 'first'));
    const open = await openSearches(sql, one('2025-01-02', 'same'));
    await promote(sql, open);
    await rollback(first);
    await settleSearches(sql, open);
    assert.deepEqual([await counts(open.runId), await shown()], [[1, 0, 0], [['1', '2025-01-02', 'same', false]]]);
  });

  it('keeps what somebody edited since, and lists it; an import that replaced edited values puts them back', async () => {
    const first = await importSearches(sql, {
      rows: ['1', '2', '3'].map((number) => ({ number, ts: '2025-01-01', image: number })),
    });
    await sql`UPDATE public.search_results SET city = 'Tampa' WHERE license_number = '1'`;
    await sql`UPDATE public.images SET storage_path = 'elsewhere' WHERE search_result_id = (SELECT id FROM public.search_results WHERE license_number = '2')`;
    const second = await importSearches(sql, one('2025-01-02', 'newer'));
    const city = async () =>
      (await sql`SELECT city FROM public.search_results WHERE license_number = '1'`)[0]!['city'] as string;
    assert.equal(await city(), null);
    await rollback(second);
    assert.equal(await city(), 'Tampa');
    const { removed, kept_edited: kept } = (await rollback(first)) as {
      removed: number;
      kept_edited: { count: number; search_result_ids: number[] };
    };
    const left = await sql`SELECT r.id, r.license_number FROM public.search_results r ORDER BY r.id`;
    assert.deepEqual(left.map((row) => row['license_number'] as string).sort(), ['1', '2']);
    assert.deepEqual([removed, kept], [1, { count: 2, search_result_ids: left.map(({ id }) => id as number) }]);
  });

  it('gives an edited row, as it is, to the run that has it now', async () => {
    const first = await importSearches(sql, one('2025-01-01', 'first'));
    const second = await importSearches(sql, one('2025-01-02', 'second'));
    await sql`UPDATE public.search_results SET city = 'Tampa'`;
    await rollback(second);
    const [row] = await sql`SELECT city, license_status AS status, import_run_id AS owner FROM public.search_results`;
    assert.deepEqual({ ...row }, { city: 'Tampa', status: 'second', owner: first });
    await rollback(first);
    assert.equal((await shown()).length, 1);
  });

  it('keeps a result with the image that somebody added to it', async () => {
    const run = await importSearches(sql, one('2025-01-01', 'theirs'));
    await sql`INSERT INTO public.images (dataset_id, search_result_id, sha256, storage_path, storage_type)
              SELECT dataset_id, id, 'theirs', 'their/image.png', 'local' FROM public.search_results`;
    await rollback(run);
    const kept =
      await sql`SELECT r.license_status AS status, i.sha256 FROM public.search_results r JOIN public.images i ON i.search_result_id = r.id`;
    assert.deepEqual(
      kept.map((row) => ({ ...row })),
      [{ status: 'theirs', sha256: 'theirs' }],
    );
  });

  it('does not touch what a program outside wrote, unless an import replaced it', async () => {
    await sql`INSERT INTO public.search_results (dataset_id, search_name, search_state, search_ts, license_number, license_status)
              VALUES (ingest.open_dataset('states', 'tag'), 'Belmar', 'FL', '2025-01-01', '1', 'by hand')`;
    const runs = [
      await importSearches(sql, one('2025-01-01', 'equal')),
      await importSearches(sql, one('2025-01-02', 'newer')),
    ] as const;
    await rollback(runs[0]);
    assert.deepEqual(await shown(), [['1', '2025-01-02', 'newer', false]]);
    await rollback(runs[1]);
    assert.deepEqual(await shown(), [['1', '2025-01-01', 'by hand', false]]);
  });

  it('leaves production as if the run had never been, whichever runs go in whatever order', async () => {
    const day = fc.integer({ min: 1, max: 4 });
    const licence = fc.record({
      number: fc.constantFrom('1', '2'),
      day,
      hasImage: fc.boolean(),
      said: fc.constantFrom('this', 'that'),
    });
    const history = fc.record({
      batches: fc.array(fc.array(licence, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 5 }),
      goes: fc.array(fc.nat(4), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ batches, goes }) => {
        // What a search of one time says may be corrected, and whether its image was there may change.
        const runs = [];
        for (const batch of batches) {
          const rows = batch.map(({ number, day: d, hasImage, said }) => ({
            number,
            ts: `2025-01-0${d}`,
            status: said,
            image: hasImage ? `${number} ${d}` : undefined,
          }));
          runs.push({ rows, id: await importSearches(sql, { rows }) });
        }
        const gone = new Set(goes.map((n) => n % batches.length));
        for (const n of gone) await rollback(runs[n]!.id);
        const live = runs.filter((_, n) => !gone.has(n));
        const expected = new Map<string, unknown[]>();
        for (const { rows } of live) {
          const winners = new Map<string, Licence>();
          for (const row of rows) if (row.ts > (winners.get(row.number)?.ts ?? '')) winners.set(row.number, row);
          for (const [number, { ts, status, image }] of winners) {
            const [, knownTs = '', knownStatus, pictured] = (expected.get(number) ?? []) as [
              unknown,
              string?,
              unknown?,
              boolean?,
            ];
            if (ts > knownTs || (ts === knownTs && (status !== knownStatus || (!pictured && image !== undefined))))
              expected.set(number, [number, ts, status, image !== undefined]);
          }
        }
        assert.deepEqual(
          await shown(),
          [...expected.values()].sort((a, b) => String(a[0]).localeCompare(String(b[0]))),
        );
        for (const { id } of live) assert.ok(await isValid(id));
        await clear();
      }),
      { numRuns: 40 },
    );
  });

  it('waits for imports into the same dataset, whatever their source, and lets none look in between', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({ number: String(i), ts: '2025-01-01' }));
    const first = await importSearches(sql, { rows });
    const open = await openSearches(sql, { rows });
    await sql`UPDATE ingest.import_runs SET source_system = 'other' WHERE id = ${open.runId}`;
    await Promise.all([promote(sql, open, [0, 1, 2], 3), rollback(first)]);
    await settleSearches(sql, open);
    const [owned] = await sql`SELECT count(*) AS n FROM public.search_results WHERE import_run_id = ${open.runId}`;
    assert.equal(owned!['n'], 200);
  });
});
