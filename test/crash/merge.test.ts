import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../../src/gateway/server.ts';
import { batchOf, countMerges, openGatewayPlace, post, rowsOf, type GatewayPlace } from '../gateway/place.ts';
import { spawnWorker, type Env, type WorkerProcess } from '../support/imports.ts';

const DEATHS = { postgres: [['before', 'within', 'after']], supabase: [['within', 'after']] } as const;
const NOT_LOST = [200, { inserted_projects: 3000, updated_projects: 0, anomalies_count: 3000 }];

for (const backend of ['postgres', 'supabase'] as const) {
  describe(`a worker killed merging projects on the ${backend} backend`, function () {
    this.timeout(90_000);
    let gateways: GatewayPlace;
    let gateway: RunningGateway;
    let markers: string;
    let merges: () => Promise<number>;
    let workers: WorkerProcess[] = [];
    let wanted = false;
    let deaths = 0;

    before(async () => {
      gateways = await openGatewayPlace(['A', 'B'], backend);
      merges = await countMerges(gateways.place.sql);
      gateway = await gateways.open();
    });
    after(() => gateways.close());
    beforeEach(async () => {
      await gateways.place
        .sql`TRUNCATE public.projects, public.staging_imports, public.import_anomalies, test_merges CASCADE`;
      markers = await mkdtemp(join(tmpdir(), 'intake-failpoints-'));
      [wanted, deaths, workers] = [true, 0, []];
    });
    afterEach(async () => {
      wanted = false;
      await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
      await rm(markers, { recursive: true });
    });

    /** A worker that is followed by another when it dies. */
    function start(points: readonly string[], more: Env = {}): WorkerProcess {
      const armed: Env = {
        INTAKE_FAILPOINTS: points.map((point) => `mergeBatch.${point}`).join(','),
        INTAKE_FAILPOINTS_DIR: markers,
      };
      const worker = spawnWorker({ ...gateways.env, ...armed, ...more });
      workers.push(worker);
      void worker.ended.then(() => {
        if (!wanted) return;
        deaths++;
        start(points, more);
      });
      return worker;
    }
    const rows = rowsOf(3000, 0, { deployment_specialist: 'nobody' });
    const told = ({ status, body }: Awaited<ReturnType<typeof post>>): unknown => {
      const { inserted_projects, updated_projects, anomalies_count } = body.metrics ?? {};
      return [status, { inserted_projects, updated_projects, anomalies_count }];
    };

    for (const points of DEATHS[backend]) {
      it(`${points.join(', ')} the merge: batches of two tenants are merged once each, and answered`, async () => {
        start(points);
        const answers = await Promise.all(['A', 'B'].map((tenant) => post(gateway, batchOf(tenant, rows))));
        assert.deepEqual(answers.map(told), [NOT_LOST, NOT_LOST]);
        assert.ok(deaths >= points.length - 1, `${deaths} deaths`); // a merge that is faster than the delay of `within` passes it by
        assert.deepEqual(
          [await merges(), (await gateways.place.sql`SELECT FROM ingest.project_batches`).length],
          [2, 0],
        );
      });
    }

    if (backend === 'supabase') return;

    it('and one stopped past its heartbeat, then continued, merges nothing twice', async () => {
      const silent = start(['before'], { INTAKE_FAILPOINTS_SIGNAL: 'SIGSTOP' });
      const answer = post(gateway, batchOf('A', rows));
      while ((await gateways.place.sql`SELECT FROM ingest.project_batches`).length === 0) await sleep(20);
      start([]);
      assert.deepEqual(told(await answer), NOT_LOST);
      wanted = false;
      silent.process.kill('SIGCONT');
      await silent.stop(); // ends with what it was about to do
      assert.deepEqual([await merges(), (await gateways.place.sql`SELECT FROM public.projects`).length], [1, 3000]);
    });
  });
}
