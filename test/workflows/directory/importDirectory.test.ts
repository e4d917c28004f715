import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { png } from '../../../bench/generators/png.ts';
import { importResult } from '../../../src/imports/follow.ts';
import { startImport } from '../../../src/imports/start.ts';
import type { DirectoryReport } from '../../../src/messages/directory.ts';
import type { RetentionInput } from '../../../src/messages/schedules.ts';
import { orderRetention } from '../../../src/schedules/order.ts';
import type { retention } from '../../../src/workflows/index.ts';
import {
  contentOfTrees,
  copyTree,
  forgetTrees,
  imageObjects,
  minutesLater,
  openTrees,
  searchOf,
  storedHashes,
  writeAt,
  writeGenerated,
  writeSearches,
  type TreeReport,
  type Trees,
} from '../../support/directoryImport.ts';
import { historiesOf, payloadsOf } from '../../support/imports.ts';
import { useDirectory } from '../../sources/tree/tree.ts';
import { bytesOf, licence, search } from '../../sources/search/search.ts';
import { skip } from '../../support/skip.ts';

/** Many slices, batches and partitions of a small tree. */
const MANY_PARTS = { batchSize: 3, sliceFiles: 9, tuning: { partitionRows: 20, window: 3 } };
const DIRTY = { seed: 7, files: 42, imageBytes: 2000, dirtEvery: 3 };

const REAL = fileURLToPath(new URL('../../../../shared/samples/search-results', import.meta.url));

const codesOf = ({ failedItems }: DirectoryReport): string[] =>
  failedItems.map(({ item, code }) => `${item} ${code}`).sort();
const completed = (report: TreeReport): TreeReport => {
  assert.equal(report.status, 'completed', JSON.stringify(report.error));
  return report;
};
const sum = ({ counts: { inserted, updated, skipped, errored } }: TreeReport): number =>
  inserted + updated + skipped + errored;

for (const name of ['postgres', 'supabase'] as const) {
  describe(`importDirectory on the ${name} backend`, function () {
    this.timeout(60_000);
    const directory = useDirectory();
    let trees: Trees;
    let root: string;

    before(async () => {
      trees = await openTrees(name);
    });
    after(() => trees?.close());
    beforeEach(() => {
      root = join(directory(), 'tree');
      mkdirSync(root);
    });
    afterEach(() => forgetTrees(trees.sql));

    const content = () => contentOfTrees(trees.sql);
    const stageIsEmpty = async () =>
      (await trees.sql`SELECT FROM ingest_stage.chunks UNION ALL SELECT FROM ingest_stage.search_results`).length === 0;

    it('counts in a dry run what a commit then does, and writes nothing', async () => {
      writeGenerated(root, DIRTY);
      const objects = imageObjects(trees.place);
      const dry = await trees.run(root, { mode: 'dry-run', ...MANY_PARTS });
      assert.deepEqual([dry.status, dry.runId], ['dry_run', null]);
      assert.deepEqual(await content(), { results: [], raw: [], files: [], runs: [] });
      assert.equal((await trees.sql`SELECT FROM public.datasets`).length, 0);
      assert.deepEqual(imageObjects(trees.place), objects);
      const commit = completed(await trees.run(root, MANY_PARTS));
      assert.deepEqual([dry.counts, dry.codes, dry.effects], [commit.counts, commit.codes, commit.effects]);
      assert.deepEqual(
        [dry.directory.failed, codesOf(dry.directory)],
        [commit.directory.failed, codesOf(commit.directory)],
      );
      assert.equal(commit.counts.fetched, sum(commit));
      assert.ok(await stageIsEmpty());
    });

    it('leaves the same in many slices and parts as in one, with every image in storage', async () => {
      writeGenerated(root, DIRTY);
      completed(await trees.run(root));
      const expected = await content();
      await forgetTrees(trees.sql);
      const parts = completed(await trees.run(root, MANY_PARTS));
      assert.ok(parts.directory.plan!.slices === 5 && parts.directory.plan!.batches === 14);
      assert.deepEqual(await content(), expected);
      const hashes = await storedHashes(trees.sql, trees.backend);
      assert.ok(hashes.length > 20 && hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash)));
      for (const phase of ['sha256', 'upload', 'import'] as const)
        assert.equal(parts.phases[phase]!.done, parts.phases[phase]!.total, phase);
    });

    it('skips all of it a second time, and neither hashes nor uploads', async () => {
      writeGenerated(root, DIRTY);
      const first = completed(await trees.run(root, MANY_PARTS));
      const { results } = await content();
      const second = completed(await trees.run(root, MANY_PARTS));
      assert.deepEqual(
        [second.counts.inserted, second.counts.updated, second.counts.errored],
        [0, 0, first.counts.errored],
      );
      const { images, plan } = second.directory;
      // Only what is no image is looked at again, and an image that no result has is stored again.
      const kept = (await trees.sql`SELECT DISTINCT sha256 FROM public.images`).length;
      assert.deepEqual([images.hashed, images.cached + images.failed], [0, plan!.images]);
      assert.ok(images.uploaded <= plan!.images - images.failed - kept, String(images.uploaded));
      assert.deepEqual((await content())['results'], results);
    });

    it('takes with --delta what is new or changed, and ends at once where nothing is', async () => {
      writeSearches(root, 6);
      completed(await trees.run(root));
      const nothing = completed(await trees.run(root, { delta: true }));
      assert.deepEqual(
        [nothing.directory.plan!.files, nothing.directory.plan!.unchanged, nothing.counts.fetched],
        [0, 6, 0],
      );

      writeAt(
        root,
        'FL/Birch_0_parse.json',
        searchOf(0, { license_status: 'Expired' }, { search_timestamp: '2025-09-01T00:00:00' }),
        minutesLater(1),
      );
      writeAt(root, 'FL/Birch_1.png', png(100, 3000), minutesLater(1));
      utimesSync(join(root, 'FL/Birch_2_parse.json'), minutesLater(1), minutesLater(1));
      writeSearches(root, 1, 6);
      const {
        directory: { plan, images },
        counts,
      } = completed(await trees.run(root, { delta: true }));
      assert.deepEqual([plan!.files, plan!.unchanged, images.hashed, images.uploaded], [3, 4, 2, 2]);
      assert.deepEqual(counts, { fetched: 3, inserted: 1, updated: 2, skipped: 0, errored: 0 });
      const [changed] =
        await trees.sql`SELECT license_status AS status FROM public.search_results WHERE license_number = 'PH0'`;
      assert.equal(changed!['status'], 'Expired');
      assert.equal(completed(await trees.run(root, { delta: true })).directory.plan!.files, 0);
    });

    it('takes with --delta again what a rolled-back import had taken', async () => {
      writeSearches(root, 4);
      completed(await trees.run(root));
      writeSearches(root, 2, 4);
      const { runId } = completed(await trees.run(root, { delta: true }));
      const expected = (await content())['results'];
      await trees.sql`SELECT ingest.rollback_import_run(${runId!}::uuid, 'test')`;
      assert.equal((await content())['results']!.length, 4);
      const again = completed(await trees.run(root, { delta: true }));
      assert.deepEqual([again.directory.plan!.files, again.counts.inserted], [2, 2]);
      assert.deepEqual((await content())['results'], expected);
    });

    it('verifies what it has written, and a run later, against the files and storage', async () => {
      writeGenerated(root, DIRTY);
      const report = completed(await trees.run(root, { verifyWrites: true, ...MANY_PARTS }));
      assert.deepEqual(
        [report.comparison!.rows, report.comparison!.missing, report.comparison!.different],
        [report.counts.fetched, 0, 0],
      );
      assert.equal(report.phases.compare!.failed, 0);
      const verified = await trees.run(root, { mode: 'verify', relatedRunId: report.runId!, ...MANY_PARTS });
      assert.deepEqual(
        [verified.status, verified.comparison],
        ['verified', report.comparison],
        JSON.stringify(verified.error),
      );
      assert.ok(await stageIsEmpty());

      // What came later is not the run's; a copy elsewhere has other times.
      writeSearches(root, 3);
      copyTree(root, `${root}-copy`);
      const elsewhere = await trees.run(`${root}-copy`, { mode: 'verify', relatedRunId: report.runId! });
      assert.deepEqual(elsewhere.comparison, report.comparison);
      const delta = completed(await trees.run(root, { delta: true }));
      const ofDelta = await trees.run(root, { mode: 'verify', relatedRunId: delta.runId!, delta: true });
      assert.deepEqual(
        [ofDelta.comparison!.rows, ofDelta.comparison!.missing, ofDelta.comparison!.different],
        [3, 0, 0],
      );
    });

    it('finds in a verification what was changed or lost: in the database, in the files, in storage', async () => {
      writeSearches(root, 6);
      const { runId } = completed(await trees.run(root));
      const verify = async () => {
        const {
          status,
          comparison,
          phases,
          directory: found,
        } = await trees.run(root, { mode: 'verify', relatedRunId: runId! });
        assert.equal(status, 'verified');
        return {
          different: comparison!.different,
          missing: comparison!.missing,
          images: phases.compare!.failed,
          items: codesOf(found),
        };
      };
      await trees.sql.begin(async (tx) => {
        await tx`SET LOCAL session_replication_role = replica`; // no trigger tells that it was edited
        await tx`UPDATE public.search_results SET license_status = 'Changed' WHERE license_number = 'PH0'`;
        await tx`UPDATE public.images i SET storage_path = 'images/gone.png' FROM public.search_results r
                 WHERE r.id = i.search_result_id AND r.license_number = 'PH3'`;
        await tx`UPDATE ingest.stored_images o SET storage_path = 'images/gone.png'
                 FROM public.images i WHERE i.sha256 = o.sha256 AND i.storage_path = 'images/gone.png'`;
      });
      await trees.sql`DELETE FROM public.search_results WHERE license_number = 'PH1'`;
      writeAt(root, 'FL/Birch_2_parse.json', searchOf(2, { license_status: 'Changed' }));
      const damaged = await trees.sql<{ storage_path: string }[]>`
        SELECT storage_path FROM public.images i JOIN public.search_results r ON r.id = i.search_result_id WHERE license_number = 'PH4'`;
      await trees.backend.objects.put(damaged[0]!.storage_path, png(99, 3000), 'image/png');
      const found = await verify();
      assert.deepEqual(found.items, [
        'FL/Birch_0_parse.json VERIFY_FAILED',
        'FL/Birch_1_parse.json VERIFY_FAILED',
        'FL/Birch_2_parse.json VERIFY_FAILED',
        'FL/Birch_3.png OBJECT_MISSING',
        'FL/Birch_4.png IMAGE_CORRUPT',
      ]);
      assert.deepEqual([found.different, found.missing, found.images], [3, 0, 2]);
    });

    it('retention removes the images of runs that are rolled back; imported again they are stored again, elsewhere', async () => {
      writeSearches(root, 2);
      const input = await trees.input(root);
      const run = async () => (await importResult(await startImport(trees.place.client, input))) as TreeReport;
      const { runId, directory: first } = completed(await run());
      const duplicate = await run();
      const listed = async (report: DirectoryReport) =>
        (await trees.backend.objects.list(`trees/${report.plan!.layout}`)).size;
      assert.deepEqual([await listed(first), duplicate.status, await listed(duplicate.directory)], [1, 'duplicate', 0]);
      const former = await trees.sql<{ storage_path: string }[]>`SELECT storage_path FROM public.images`;
      await trees.sql`SELECT ingest.rollback_import_run(${runId}, 'test')`;
      await trees.sql`UPDATE ingest.import_runs SET rolled_back_at = now() - interval '40 days'`;
      await trees.sql`UPDATE ingest.stored_images SET stored_at = now() - interval '40 days'`;
      const { taskQueue } = trees.place.config;
      const days = { taskQueue, backend: name, importsDays: 60, anomaliesDays: 90, runDays: { 'search-results': 30 } };
      await orderRetention(trees.backend, days, 1);
      try {
        const args: [RetentionInput] = [days];
        const workflow = { taskQueue, workflowId: `retention-${runId}`, args };
        const { retired } = await trees.place.client.workflow.execute<typeof retention>('retention', workflow);
        assert.deepEqual([retired?.runs, retired?.originals, retired?.images, await listed(first)], [1, 1, 2, 0]);
        for (const { storage_path } of former)
          await assert.rejects(trees.backend.objects.get(storage_path), { code: 'OBJECT_MISSING' });
        const again = completed(await trees.run(root));
        assert.equal(again.directory.images.uploaded, 2);
        assert.ok((await storedHashes(trees.sql, trees.backend)).every((hash) => /^[0-9a-f]{64}$/.test(hash)));
        const verified = await trees.run(root, { mode: 'verify', relatedRunId: again.runId! });
        assert.deepEqual([verified.comparison!.different, verified.phases.compare!.failed], [0, 0]);
      } finally {
        await trees.sql`TRUNCATE ingest.unused_images RESTART IDENTITY`; // paths of the other tests have no number
      }
    });

    if (name === 'supabase')
      it('imports what is beside images that storage refuses for their size, each of them a failed item', async () => {
        writeSearches(root, 6);
        writeAt(root, 'FL/Birch_1.png', png(1, 9000));
        writeAt(root, 'FL/Birch_4.png', png(4, 9000));
        await trees.sql`UPDATE storage.buckets SET file_size_limit = 6000 WHERE id = 'imports'`;
        try {
          const { directory, counts } = completed(await trees.run(root));
          assert.deepEqual(codesOf(directory), ['FL/Birch_1.png IMAGE_REFUSED', 'FL/Birch_4.png IMAGE_REFUSED']);
          assert.deepEqual([counts.inserted, directory.images.uploaded, directory.images.failed], [6, 4, 2]);
        } finally {
          await trees.sql`UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'imports'`;
        }
        const again = completed(await trees.run(root, { delta: true }));
        assert.deepEqual([again.directory.plan!.files, again.directory.images.uploaded], [2, 2]);
      });

    it('lists failed items with their codes, and imports what is beside them', async () => {
      writeSearches(root, 3);
      writeAt(root, 'FL/a_parse.json', Buffer.from('{"metadata": '));
      writeAt(root, 'FL/b_parse.json', bytesOf(search([licence()], { state: { code: 'FL' } })));
      writeAt(
        root,
        'FL/c_parse.json',
        bytesOf(
          search([licence({ license_number: 'X1', issue_date: '13/45/2020' }), licence({ license_number: 'X2' })], {
            source_image_file: null,
          }),
        ),
      );
      writeAt(
        root,
        'FL/d_parse.json',
        bytesOf(
          search([licence({ license_number: 'X3' })], { pharmacy_name: 'D', source_image_file: 'data/FL/nowhere.png' }),
        ),
      );
      writeAt(
        root,
        'FL/e_parse.json',
        bytesOf(
          search([licence({ license_number: 'X4' })], { pharmacy_name: 'E', source_image_file: 'data/FL/e.png' }),
        ),
      );
      writeAt(root, 'FL/e.png', png(5, 3000).subarray(0, 900));
      writeAt(root, 'FL/z_parse.json', searchOf(0)); // the search of Birch_0
      const time = { search_timestamp: new Date(Date.now() + 25 * 3_600_000).toISOString() };
      writeAt(root, 'FL/f_parse.json', searchOf(1, {}, time)); // a clock that is wrong
      const numbers = ['Expired', 'Active', 'Expired'].map((license_status) =>
        licence({ license_number: 'X6', license_status }),
      );
      writeAt(root, 'FL/g_parse.json', bytesOf(search(numbers, { pharmacy_name: 'G', source_image_file: null })));
      const mixed = ['Active', 7, null, licence({ license_number: 'X7' })] as ReturnType<typeof licence>[];
      writeAt(root, 'FL/h_parse.json', bytesOf(search(mixed, { pharmacy_name: 'H', source_image_file: null })));
      const report = completed(await trees.run(root));
      assert.deepEqual(codesOf(report.directory), [
        'FL/a_parse.json INVALID_JSON',
        'FL/b_parse.json SCHEMA_MISMATCH',
        'FL/c_parse.json BAD_DATE',
        'FL/d_parse.json IMAGE_MISSING',
        'FL/e.png IMAGE_CORRUPT',
        'FL/f_parse.json BAD_DATE',
        ...Array.from({ length: 3 }, () => 'FL/h_parse.json SCHEMA_MISMATCH'),
      ]);
      assert.equal(report.directory.failed, 10);
      assert.deepEqual(report.codes, { BAD_DATE: 2, CONFLICT_IN_RUN: 1, INVALID_JSON: 1, SCHEMA_MISMATCH: 4 });
      assert.deepEqual(report.counts, { fetched: 18, inserted: 8, updated: 0, skipped: 2, errored: 8 });
      const verified = await trees.run(root, { mode: 'verify', relatedRunId: report.runId! });
      assert.deepEqual(verified.comparison!.different, 0);
      const dry = await trees.run(root, { mode: 'dry-run' });
      assert.deepEqual([dry.counts.errored, dry.codes, dry.directory.failed], [8, report.codes, 10]);
    });

    it('keeps numbers as they are written, and lets a file with one that the database cannot hold fail alone', async () => {
      const numbers = [`-12345678901234567890.10`, '1e131071', '1e-16383', `0.${'0'.repeat(16_382)}1`, '5E+3', '0.1'];
      const withNumbers = (i: number, all: readonly string[]) =>
        Buffer.from(searchOf(i, { odd: 'N' }, { odd: 'N' }).toString().replaceAll('"N"', `[${all.join()}]`));
      writeAt(root, 'FL/Birch_0_parse.json', withNumbers(0, numbers));
      ['1e131072', '1e-16384', `1${'0'.repeat(131_072)}`].forEach((number, i) =>
        writeAt(root, `FL/Birch_${i + 1}_parse.json`, withNumbers(i + 1, [number])),
      );
      const report = completed(await trees.run(root, { verifyWrites: true }));
      assert.deepEqual([report.counts.inserted, report.codes], [1, { INVALID_JSON: 3 }]);
      const [kept] = await trees.sql`
        SELECT raw -> 'odd' = ${`[${numbers.join()}]`}::text::jsonb AND meta -> 'odd' = raw -> 'odd' AS same, raw #>> '{odd,0}' AS first FROM public.search_results`;
      assert.deepEqual({ ...kept }, { same: true, first: numbers[0] });
      await trees.sql`UPDATE public.search_results SET raw = jsonb_set(raw, '{odd,0}', '-12345678901234567890.11'), updated_at = updated_at`;
      await trees.sql`UPDATE public.search_results SET updated_at = imported_at`;
      const { comparison } = await trees.run(root, { mode: 'verify', relatedRunId: report.runId! });
      assert.equal(comparison!.different + comparison!.edited, 1);
    });

    it('lets a record that the database refuses fail alone', async () => {
      writeSearches(root, 8);
      await trees.sql`ALTER TABLE public.search_results ADD CONSTRAINT no_ph5 CHECK (license_number <> 'PH5')`;
      try {
        const report = completed(await trees.run(root));
        assert.deepEqual([report.counts.inserted, report.counts.errored, report.codes], [7, 1, { REFUSED_ROW: 1 }]);
        assert.equal(report.directory.failed, 1);
        const [{ rejects }] = await trees.sql<
          [{ rejects: { item: string; code: string }[] }]
        >`SELECT ingest.read_rejects(${report.runId!}) AS rejects`;
        assert.deepEqual(
          rejects.map(({ item, code }) => [item, code]),
          [['FL/Birch_5_parse.json', 'REFUSED_ROW']],
        );
      } finally {
        await trees.sql`ALTER TABLE public.search_results DROP CONSTRAINT no_ph5`;
      }
    });

    if (name === 'supabase') return;

    it('reads only the file of --single-file, with the image that it names', async () => {
      writeSearches(root, 4);
      const report = completed(await trees.run(root, { singleFile: 'FL/Birch_2_parse.json' }));
      assert.deepEqual(
        [report.counts.inserted, report.directory.images.uploaded, report.directory.plan!.files],
        [1, 1, 1],
      );
      assert.equal((await trees.run(root, { singleFile: 'FL/none_parse.json' })).error?.code, 'EMPTY_DIRECTORY');
    });

    it('fails with EMPTY_DIRECTORY where no JSON file is, and claims nothing', async () => {
      writeAt(root, 'FL/Birch.png', png(1, 3000));
      const report = await trees.run(root);
      assert.deepEqual([report.status, report.error?.code, report.runId], ['failed', 'EMPTY_DIRECTORY', null]);
      assert.deepEqual((await content())['runs'], []);
    });

    it('fails with VERIFY_FAILED when --verify-writes finds an image gone, and the run stays completed', async () => {
      writeSearches(root, 3);
      completed(await trees.run(root));
      for (const object of imageObjects(trees.place))
        rmSync(join(trees.place.env['INTAKE_OBJECTS_DIR']!, 'images', object));
      const report = await trees.run(root, { verifyWrites: true });
      assert.deepEqual([report.status, report.error?.code], ['failed', 'VERIFY_FAILED']);
      assert.deepEqual(codesOf(report.directory), [
        'FL/Birch_0.png OBJECT_MISSING',
        'FL/Birch_1.png OBJECT_MISSING',
        'FL/Birch_2.png OBJECT_MISSING',
      ]);
      assert.deepEqual(
        (await trees.sql`SELECT status FROM ingest.import_runs WHERE id = ${report.runId!}`)[0]!['status'],
        'completed',
      );
    });

    it('completes when files change between planning and import, each of them a failed item, and --delta takes them again', async () => {
      writeSearches(root, 6);
      const at = (path: string): string => join(root, 'FL', path);
      const report = completed(
        await trees.runWhile(root, 'ingest.import_runs', () => {
          writeAt(root, 'FL/Birch_0_parse.json', searchOf(0, { license_status: 'Newer' }), minutesLater(1));
          renameSync(at('Birch_1_parse.json'), join(directory(), 'away'));
          truncateSync(at('Birch_2_parse.json'), 100);
          writeFileSync(at('Birch_3.png'), png(77, 3000));
          rmSync(at('Birch_4.png'));
        }),
      );
      assert.deepEqual(codesOf(report.directory), [
        'FL/Birch_0_parse.json CHANGED_FILE',
        'FL/Birch_1_parse.json CHANGED_FILE',
        'FL/Birch_2_parse.json CHANGED_FILE',
        'FL/Birch_3.png CHANGED_FILE',
        'FL/Birch_4.png IMAGE_MISSING',
      ]);
      assert.deepEqual(report.counts, { fetched: 6, inserted: 3, updated: 0, skipped: 0, errored: 3 });
      const kept = await trees.sql`
        SELECT r.license_number, i.id IS NOT NULL AS image FROM public.search_results r LEFT JOIN public.images i ON i.search_result_id = r.id ORDER BY 1`;
      assert.deepEqual(
        kept.map((row) => [row['license_number'], row['image']]),
        [
          ['PH3', false],
          ['PH4', false],
          ['PH5', true],
        ],
      );

      renameSync(join(directory(), 'away'), at('Birch_1_parse.json'));
      const again = completed(await trees.run(root, { delta: true }));
      assert.deepEqual([again.directory.plan!.files, again.directory.plan!.unchanged], [5, 1]);
      assert.deepEqual([again.counts.inserted, again.counts.updated], [2, 1], 'PH0 and PH1, and the image of PH3');
    });

    it('never stores an image that was replaced between its hash and its upload, nor loses another of the same content', async () => {
      writeSearches(root, 3);
      // Of a content that no other test has stored.
      for (const twin of ['FL/Birch_0.png', 'FL/Birch_1.png']) writeAt(root, twin, png(1000, 3000));
      writeAt(root, 'FL/Birch_2.png', png(1002, 3000));
      const { size } = statSync(join(root, 'FL/Birch_0.png'));
      await trees.run(root, { mode: 'dry-run' }); // of which the hashes are known
      const report = completed(
        await trees.runWhile(root, 'ingest.stored_images', () => {
          // Of the same size and time: only the content tells.
          writeAt(root, 'FL/Birch_0.png', png(88, 3000));
          writeAt(root, 'FL/Birch_2.png', png(89, 3000), minutesLater(1));
          assert.equal(statSync(join(root, 'FL/Birch_0.png')).size, size);
        }),
      );
      assert.deepEqual(codesOf(report.directory), ['FL/Birch_0.png CHANGED_FILE', 'FL/Birch_2.png CHANGED_FILE']);
      const images =
        await trees.sql`SELECT r.license_number AS number FROM public.images i JOIN public.search_results r ON r.id = i.search_result_id`;
      assert.deepEqual(
        images.map((row) => row['number'] as string),
        ['PH1'],
      );
      const hashes = await storedHashes(trees.sql, trees.backend);
      assert.match(hashes[0]!, /^[0-9a-f]{64}$/);
    });

    it('stores of an image that is replaced meanwhile what was hashed', async () => {
      writeSearches(root, 3);
      for (const i of [0, 1, 2]) writeAt(root, `FL/Birch_${i}.png`, png(1100 + i, 3000));
      const expected = [0, 1, 2].map((i) =>
        createHash('sha256')
          .update(png(1100 + i, 3000))
          .digest('hex'),
      );
      const report = completed(
        await trees.runWhile(root, 'ingest.stored_images', () =>
          writeAt(root, 'FL/Birch_0.png', png(1200, 3000), minutesLater(1)),
        ),
      );
      assert.deepEqual([codesOf(report.directory), report.directory.images.uploaded], [[], 3]);
      assert.deepEqual(await storedHashes(trees.sql, trees.backend), expected.sort());
      const { plan, images } = completed(await trees.run(root, { delta: true })).directory;
      assert.deepEqual([plan!.files, images.uploaded], [1, 1]);
    });

    it('reads nothing outside the directory, whatever a file or a link names', async () => {
      const outside = join(directory(), 'outside');
      writeAt(outside, 'secret.png', png(66, 3000));
      writeAt(outside, 'secret_parse.json', searchOf(66));
      writeSearches(root, 1);
      writeAt(
        root,
        'FL/up_parse.json',
        searchOf(1, {}, { pharmacy_name: 'Up', source_image_file: '../outside/secret.png' }),
      );
      writeAt(
        root,
        'FL/absolute_parse.json',
        searchOf(2, {}, { pharmacy_name: 'Absolute', source_image_file: join(outside, 'secret.png') }),
      );
      writeAt(
        root,
        'FL/linked_parse.json',
        searchOf(3, {}, { pharmacy_name: 'Linked', source_image_file: 'data/FL/linked.png' }),
      );
      symlinkSync(join(outside, 'secret.png'), join(root, 'FL/linked.png'));
      symlinkSync(join(outside, 'secret_parse.json'), join(root, 'FL/other_parse.json'));
      symlinkSync(outside, join(root, 'folder'));
      const report = completed(await trees.run(root));
      assert.deepEqual(codesOf(report.directory), [
        'FL/absolute_parse.json IMAGE_MISSING',
        'FL/linked.png IMAGE_OUTSIDE',
        'FL/other_parse.json FILE_UNREADABLE',
        'FL/up_parse.json IMAGE_MISSING',
        'folder FILE_UNREADABLE',
      ]);
      assert.deepEqual([report.counts.inserted, report.counts.errored, report.directory.images.uploaded], [4, 2, 1]);
      const single = await trees.run(root, { singleFile: '../outside/secret_parse.json' });
      assert.equal(single.error?.code, 'EMPTY_DIRECTORY');
    });

    it('takes trees as people have them: names in other bytes, files left out by name, images under other names and formats', async () => {
      const latin = (text: string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(text, 'latin1')]);
      const named = (i: number, image: string) => searchOf(i, {}, { pharmacy_name: `P${i}`, source_image_file: image });
      mkdirSync(latin('Nuevo M\xe9xico'));
      writeFileSync(latin('Nuevo M\xe9xico/Caf\xe9_parse.json'), named(0, '/data/Nuevo México/Café.png'));
      writeFileSync(latin('Nuevo M\xe9xico/Caf\xe9.png'), png(0, 3000));
      writeAt(root, 'FL/a_parse.json', named(1, 'file:///C:/data/FL/My%20Shot.png'));
      writeAt(root, 'FL/my shot.PNG', png(1, 3000));
      writeAt(root, 'FL/b_parse.json', named(2, '/data/FL/b.bmp'));
      writeAt(
        root,
        'FL/b.bmp',
        Buffer.concat([Buffer.from('424d46000000000000003600000028000000', 'hex'), Buffer.alloc(52)]),
      );
      writeAt(root, 'FL/c_parse.json', named(3, 'shots/c.png'));
      for (const at of ['x', 'y']) writeAt(root, `${at}/shots/c.png`, png(3, 3000));
      writeAt(root, 'FL/d_parse.json', named(4, '/data/FL/d.png'));
      writeAt(root, 'PA/d.png', png(4, 3000));
      writeAt(root, 'FL/e_parse (1).json', named(5, 'e.png'));
      const { directory: found, counts } = completed(await trees.run(root, { verifyWrites: true }));
      assert.deepEqual(
        found.failedItems.map(({ item, code, message }) => [
          item,
          code,
          /(?:among them|nearest|is \w+,).*/i.exec(message)?.[0],
        ]),
        [
          ['FL/c_parse.json', 'IMAGE_AMBIGUOUS', 'Among them: y/shots/c.png, x/shots/c.png'],
          ['FL/d_parse.json', 'IMAGE_MISSING', 'nearest is PA/d.png'],
          ['FL/b.bmp', 'IMAGE_UNSUPPORTED', 'is BMP, which is not stored; save it as PNG.'],
        ],
      );
      assert.deepEqual([counts.inserted, found.images.uploaded], [5, 2]);
      assert.deepEqual(found.plan!.leftOut, { count: 1, first: ['FL/e_parse (1).json'] });
      const [row] = await trees.sql`SELECT file_path FROM ingest.search_results_raw ORDER BY row_index DESC LIMIT 1`;
      assert.equal(row!['file_path'], 'Nuevo M\\xE9xico/Caf\\xE9_parse.json');
      assert.equal(completed(await trees.run(root, { delta: true })).directory.plan!.files, 0);

      // The run's own --images-dir goes with it into its verification.
      writeAt(root, 'tree/FL/f_parse.json', named(6, '/data/FL/f.png'));
      writeAt(root, 'images/f.png', png(6, 3000));
      const apart = completed(
        await trees.run(join(root, 'tree'), { tag: 'apart', imagesDir: join(root, 'images'), verifyWrites: true }),
      );
      assert.deepEqual([apart.directory.failed, apart.directory.images.uploaded], [0, 1]);
    });

    it('stages the files again when the database has lost its unlogged tables, and counts nothing twice', async () => {
      writeGenerated(root, DIRTY);
      const plainly = completed(await trees.run(root, MANY_PARTS));
      const expected = await content();
      await forgetTrees(trees.sql);
      // Before the first part is upserted.
      const report = completed(
        await trees.runWhile(
          root,
          'ingest.import_run_steps',
          async () => {
            await trees.sql`TRUNCATE ingest_stage.chunks, ingest_stage.search_results`;
          },
          MANY_PARTS,
        ),
      );
      assert.deepEqual([report.counts, report.codes, report.effects], [plainly.counts, plainly.codes, plainly.effects]);
      assert.deepEqual(
        [report.directory.failed, codesOf(report.directory)],
        [plainly.directory.failed, codesOf(plainly.directory)],
      );
      assert.deepEqual(
        [report.directory.batches, report.phases.import!.done],
        [plainly.directory.batches, plainly.phases.import!.done],
      );
      assert.deepEqual(await content(), expected);
    });

    it('stores images compressed and keeps the hash of the original', async () => {
      writeSearches(root, 3);
      const report = completed(await trees.run(root, { compression: 'gzip', verifyWrites: true }));
      assert.deepEqual([report.comparison!.different, report.phases.compare!.failed], [0, 0]);
      const images = await trees.sql<
        { sha256: string; storage_path: string; file_size: number }[]
      >`SELECT sha256, storage_path, file_size FROM public.images`;
      for (const { sha256, storage_path: path, file_size: size } of images) {
        assert.equal(path, `images/sha256/${sha256.slice(0, 2)}/${sha256}.png.gz`);
        assert.equal(Number(size), png(0, 3000).length);
        assert.deepEqual([...(await trees.backend.objects.get(path)).subarray(0, 2)], [0x1f, 0x8b]);
      }
      // What is stored already is not stored another way.
      const plain = completed(await trees.run(root, { verifyWrites: true }));
      assert.deepEqual([plain.directory.images.uploaded, plain.comparison!.different], [0, 0]);
    });

    it('continues as new, within the verification too, and stays exact, under 2,000 events', async function () {
      this.timeout(120_000);
      const files = 120;
      writeSearches(root, files);
      const request = { batchSize: 1, verifyWrites: true, sliceFiles: 1, tuning: { partitionRows: 1, window: 3 } };
      const handle = await trees.start(root, request);
      const report = completed((await importResult(handle)) as TreeReport);
      assert.deepEqual(report.counts, { fetched: files, inserted: files, updated: 0, skipped: 0, errored: 0 });
      assert.deepEqual(
        [report.comparison!.rows, report.comparison!.different, report.phases.compare!.done],
        [files, 0, files],
      );
      assert.deepEqual([report.directory.images.hashed, report.directory.images.uploaded], [files, files]);
      const executions = await historiesOf(trees.place.client, handle);
      // What was handed on says how far the import was.
      const handed = executions.slice(1).map(({ events }) => payloadsOf(events![0]).join(''));
      assert.ok(
        handed.length >= 2 && handed.some((state) => state.includes('"compare":{"status":"running"')),
        String(handed.length),
      );
      for (const { events } of executions) assert.ok(events!.length < 2000, String(events!.length));
      assert.ok(await stageIsEmpty());
    });

    it('keeps what files say out of its histories, and every payload small', async () => {
      for (let i = 0; i < 40; i++)
        writeAt(
          root,
          `FL/n${i}_parse.json`,
          searchOf(
            i,
            { pharmacy_name: 'Zyxwv', address: { street: 'Xylophonweg 1' } },
            { pharmacy_name: `Qqsecret ${i}` },
          ),
        );
      const handle = await trees.start(root, MANY_PARTS);
      completed((await importResult(handle)) as TreeReport);
      for (const { events } of await historiesOf(trees.place.client, handle)) {
        for (const data of events!.flatMap(payloadsOf)) {
          assert.ok(data.length < 64 * 1024, `${data.length} bytes`);
          assert.doesNotMatch(data.toString(), /zyxwv|xylophonweg|qqsecret/i);
        }
      }
    });

    it('imports the real tree of the shared samples, whole and verified', async function () {
      if (!existsSync(REAL)) skip(this, 'the shared samples are not here');
      const report = completed(await trees.run(REAL, { verifyWrites: true }));
      const { plan, images, failed } = report.directory;
      assert.deepEqual(
        [plan!.files > 0, plan!.missingImages, failed],
        [true, 0, 0],
        JSON.stringify(report.directory.failedItems),
      );
      assert.deepEqual([images.failed, report.counts.errored, report.counts.fetched], [0, 0, plan!.licences]);
      assert.deepEqual(
        [report.comparison!.rows, report.comparison!.missing, report.comparison!.different],
        [plan!.licences, 0, 0],
      );
      const [alone] = await trees.sql`
        SELECT count(*) AS n FROM public.search_results r LEFT JOIN public.images i ON i.search_result_id = r.id WHERE i.id IS NULL`;
      assert.equal(Number(alone!['n']), 0, 'every result has its image');
      assert.equal(completed(await trees.run(REAL, { delta: true })).directory.plan!.files, 0);
    });

    it('keeps no manifest of a week ago in the work directory', async () => {
      writeSearches(root, 1);
      const folder = join(trees.place.dir, 'work', 'trees');
      completed(await trees.run(root));
      const old = readdirSync(folder);
      for (const tree of old) utimesSync(join(folder, tree), minutesLater(0), minutesLater(0));
      completed(await trees.run(root));
      assert.ok(old.length > 0 && !readdirSync(folder).some((tree) => old.includes(tree)));
    });
  });
}
