/** Directories through hosted Storage: what ends a run, what is one failed item, what is no fault of an image. */
import { strict as assert } from 'node:assert';
import { forgetTrees, openTrees, writeSearches, type Trees } from '../../support/directoryImport.ts';
import { GATEWAY, STORAGE } from '../../support/hosted/answers.ts';
import type { FaultServer } from '../../support/hosted/faultServer.ts';
import { useDirectory } from '../../sources/tree/tree.ts';

const SEARCHES = 6;
const IMAGE = /^\/storage\/.*\/images\//;

describe('a directory on hosted Supabase', function () {
  this.timeout(60_000);
  const directory = useDirectory();
  let trees: Trees;
  let faults: FaultServer;
  before(async () => {
    trees = await openTrees('supabase', { hosted: true });
    faults = trees.faults!;
  });
  after(() => trees?.close());
  beforeEach(() => writeSearches(directory(), SEARCHES));
  afterEach(async () => {
    faults.set();
    await forgetTrees(trees.sql);
  });

  for (const [name, answer, code] of [
    ['a policy that refuses', STORAGE.policy, 'STORAGE_DENIED'],
    ['a wrong key', STORAGE.badKey, 'STORAGE_DENIED'],
    ['a missing bucket', STORAGE.noBucket, 'BUCKET_MISSING'],
  ] as const)
    it(`ends at once with ${name}, and not image by image`, async () => {
      faults.set({ path: IMAGE, method: 'POST', answer });
      const { status, error, counts, directory: found } = await trees.run(directory());
      assert.deepEqual([status, error?.code, counts.inserted, found.failedItems.length], ['failed', code, 0, 0]);
      assert.match(error!.message, /^Image upload failed: Storage /);
      assert.ok(faults.given()[0]! <= SEARCHES, 'tried again');
      faults.set();
      const again = await trees.run(directory());
      assert.deepEqual([again.status, again.counts.inserted], ['completed', SEARCHES], JSON.stringify(again.error));
    });

  it('has one failed item for each image that Storage or a gateway refuses; their licences and all others are imported', async () => {
    faults.set(
      { path: IMAGE, method: 'POST', answer: STORAGE.mimeType, times: 1 },
      { path: IMAGE, method: 'POST', answer: GATEWAY.tooLarge, times: 1 },
    );
    const { status, counts, directory: found, error } = await trees.run(directory());
    assert.deepEqual([status, counts.inserted], ['completed', SEARCHES], JSON.stringify(error));
    assert.deepEqual(
      found.failedItems.map((item) => item.code),
      ['IMAGE_REFUSED', 'IMAGE_REFUSED'],
    );
    faults.set();
    assert.equal((await trees.run(directory())).directory.failedItems.length, 0); // what was refused is sent again
  });

  it('says of an image that only its download broke off nothing, and of one that is damaged that it is', async () => {
    faults.set(
      { path: IMAGE, method: 'GET', answer: GATEWAY.brokeOff, times: 2 },
      { path: IMAGE, method: 'GET', answer: GATEWAY.cut, times: 1 },
      { path: IMAGE, method: 'GET', answer: GATEWAY.portal, times: 1 },
    );
    const { runId, status, directory: found, error } = await trees.run(directory(), { verifyWrites: true });
    assert.deepEqual([status, found.failedItems.length], ['completed', 0], JSON.stringify(error));
    assert.deepEqual(faults.given(), [2, 1, 1]);
    assert.equal((await trees.sql`SELECT count(*) AS n FROM ingest.stored_images`)[0]!['n'], SEARCHES);

    const [{ path } = { path: '' }] = await trees.sql<
      { path: string }[]
    >`SELECT min(storage_path) AS path FROM public.images`;
    await trees.backend.objects.put(path, Buffer.from('another image'));
    const verified = await trees.run(directory(), { mode: 'verify', relatedRunId: runId! });
    assert.deepEqual(
      verified.directory.failedItems.map(({ code }) => code),
      ['IMAGE_CORRUPT'],
      JSON.stringify(verified.error),
    );
  });
});
