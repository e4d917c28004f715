import { strict as assert } from 'node:assert';
import type { ImportReport } from '../../src/messages/imports.ts';
import { openCrashSite, type CrashSite } from '../support/crash.ts';
import { SEARCHES } from '../support/directoryImport.ts';

const DEATHS = [
  [
    'postgres',
    [
      ['planTree.before', 'planTree.after'],
      ['uploadSlice.within', 'uploadSlice.after'],
      ['stageSlice.within', 'stageSlice.after'],
      ['upsertPartition.within', 'upsertPartition.after'],
      ['finalize.after', 'reconcile.after', 'clearStage.after'],
    ],
  ],
  ['supabase', [['uploadSlice.within', 'stageSlice.within', 'upsertPartition.after']]],
] as const;

/** What an import says of itself: the same however often its steps were tried. */
const told = ({ counts, codes, directory }: ImportReport): unknown => [
  counts,
  codes,
  directory?.failed,
  directory?.failedItems.map(({ item, code }) => [item, code]).sort(),
];

for (const [backend, deaths] of DEATHS) {
  describe(`a worker killed importing a directory on the ${backend} backend`, function () {
    this.timeout(90_000);
    let site: CrashSite;
    let expected: unknown;

    before(async () => {
      site = await openCrashSite(backend, SEARCHES);
      await site.start();
      const { report, content } = await site.importDisturbed();
      assert.equal(report.status, 'completed', JSON.stringify(report.error));
      expected = { content, told: told(report) };
      await site.stop();
    });
    after(() => site?.close());
    afterEach(() => site.stop());

    for (const points of deaths) {
      it(`at ${points.join(', ')}: no image and no record is lost or doubled`, async () => {
        await site.start(points);
        const { report, content } = await site.importDisturbed();
        assert.equal(report.status, 'completed', JSON.stringify(report.error));
        // A statement that is faster than the delay of `within` passes it by.
        const sure = points.filter((point) => !/\.within$/.test(point)).length;
        assert.ok(site.deaths() >= sure, `${site.deaths()} deaths`);
        assert.deepEqual({ content, told: told(report) }, expected);
      });
    }

    // What a commit hashes it stores at the same time: only a dry run and a verification hash alone.
    if (backend === 'postgres')
      it('at hashSlice.after of a dry run: it tells what the import does', async () => {
        await site.start(['hashSlice.after']);
        const { report } = await site.importDisturbed(undefined, 'dry-run');
        assert.equal(report.status, 'dry_run', JSON.stringify(report.error));
        assert.equal(site.deaths(), 1);
        assert.deepEqual(told(report), (expected as { told: unknown }).told);
      });
  });
}
