import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCrashSite, type CrashSite } from '../support/crash.ts';
import { PLAINTIFFS, SIMPLICITY } from '../support/judgmentsFile.ts';
import { PROJECTS } from '../support/projectsFile.ts';

const POINTS = [
  [
    'postgres',
    PLAINTIFFS,
    ['plan', 'hash', 'claim', 'upload', 'parse', 'upsertPartition', 'finalize', 'reconcile', 'clearStage'],
  ],
  ['supabase', PLAINTIFFS, ['upload', 'parse', 'upsertPartition']],
  ['postgres', SIMPLICITY, ['resolve', 'upsertPartition', 'finalize', 'clearStage']],
  ['supabase', SIMPLICITY, ['resolve', 'upsertPartition']],
  ['postgres', PROJECTS, ['upsertPartition']],
] as const;

for (const [backend, subject, steps] of POINTS) {
  describe(`a worker killed importing ${subject.kind} on the ${backend} backend`, function () {
    this.timeout(90_000);
    const all = backend === 'postgres' && subject === PLAINTIFFS;
    let site: CrashSite;
    let expected: unknown;

    before(async () => {
      site = await openCrashSite(backend, subject);
      await site.start();
      const { report, content } = await site.importDisturbed();
      assert.equal(report.status, 'completed', JSON.stringify(report.error));
      expected = content;
      await site.stop();
    });
    after(() => site?.close());
    afterEach(() => site.stop());

    for (const step of steps) {
      // What was not begun is begun again by the same code on either backend, of any kind.
      const times = [...(all ? ['before'] : []), ...(step === 'plan' ? [] : ['within']), 'after'];
      it(`${times.join(', ')} the effect of ${step} changes nothing of the outcome`, async () => {
        await site.start(times.map((time) => `${step}.${time}`));
        const { report, content } = await site.importDisturbed();
        assert.equal(report.status, 'completed', JSON.stringify(report.error));
        // A statement that is faster than the delay of `within` passes it by.
        assert.ok(site.deaths() >= times.length - (times.includes('within') ? 1 : 0), `${site.deaths()} deaths`);
        assert.deepEqual(content, expected);
      });
    }

    if (all) {
      it('fails with WORKER_LOST and the chunk that has ended its worker three times', async () => {
        await site.start(['parse.within!']);
        const { report } = await site.importDisturbed();
        assert.deepEqual([report.status, report.error?.code], ['failed', 'WORKER_LOST']);
        assert.match(report.error!.message, /^Chunk \d+, from line \d+ has ended its worker 3 times$/);
      });

      it('and one stopped past its heartbeat, then continued, changes nothing of the outcome', async () => {
        await site.start();
        const { report, content } = await site.importDisturbed(async () => {
          while ((await site.place.sql`SELECT FROM ingest_stage.chunks`).length < 1) await sleep(5);
          site.worker().process.kill('SIGSTOP');
          await sleep(5_000);
          site.worker().process.kill('SIGCONT');
        });
        assert.equal(report.status, 'completed', JSON.stringify(report.error));
        assert.deepEqual(content, expected);
      });
    }
  });
}
