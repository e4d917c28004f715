import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../../../src/gateway/server.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import {
  batchOf,
  countMerges,
  openGatewayPlace,
  openSlow,
  post,
  rowsOf,
  type Answer,
  type GatewayPlace,
} from '../place.ts';

const TENANTS = ['A', ...Array.from({ length: 50 }, (_, i) => `T${i}`)];

describe('batches at the same time', function () {
  this.timeout(60_000);
  let gateways: GatewayPlace;
  let gateway: RunningGateway;
  let worker: RunningWorker | undefined;
  const statuses = (answers: readonly Answer[]): number[] => [...new Set(answers.map(({ status }) => status))].sort();
  let merges: () => Promise<number>;
  const workers = async (on: boolean): Promise<void> => {
    await worker?.shutdown();
    worker = on ? await startWorker(gateways.place.config, createLogger('fatal')) : undefined;
  };
  const waiting = async (): Promise<void> => {
    while ((await gateways.place.sql`SELECT FROM ingest.project_batches`).length === 0) await sleep(10);
  };

  before(async () => {
    gateways = await openGatewayPlace(TENANTS);
    merges = await countMerges(gateways.place.sql);
    await workers(true);
    gateway = await gateways.open();
  });
  after(async () => {
    await gateways.close();
    await worker?.shutdown();
  });
  beforeEach(
    () =>
      gateways.place
        .sql`TRUNCATE public.projects, public.staging_imports, public.import_anomalies, test_merges CASCADE`,
  );

  it('of one content are one merge: 100 clients of two gateways get the same metrics', async () => {
    const other = await gateways.open();
    const body = JSON.stringify(batchOf('A', rowsOf(5000, 0, { address: 'x'.repeat(200) })));
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => post(i % 2 ? gateway : other, body)));
    assert.deepEqual(statuses(answers), [200]);
    assert.equal(new Set(answers.map(({ body }) => JSON.stringify([body.metrics, body.batch_id]))).size, 1);
    assert.equal(answers[0]!.body.metrics['inserted_projects'], 5000);
    assert.equal(await merges(), 1);
  });

  it('of 50 tenants are merged once each, without a 5xx', async () => {
    const answers = await Promise.all(TENANTS.slice(1).map((tenant) => post(gateway, batchOf(tenant, rowsOf(100)))));
    assert.deepEqual(statuses(answers), [200]);
    assert.equal(await merges(), 50);
    const rows = await gateways.place.sql`SELECT tenant_id FROM public.projects GROUP BY 1 HAVING count(*) = 100`;
    assert.equal(rows.length, 50);
  });

  it('of one tenant come one after the other: another gets 429 with Retry-After, from any gateway, and loses nothing', async () => {
    const other = await gateways.open();
    await workers(false);
    const first = post(gateway, batchOf('A', rowsOf(5)));
    await waiting();
    for (const place of [gateway, other]) {
      const { status, headers, body } = await post(place, batchOf('A', rowsOf(6)));
      assert.deepEqual([status, headers.get('retry-after'), body.error.code], [429, '1', 'TENANT_BUSY']);
    }
    const joined = post(other, batchOf('A', rowsOf(5)));
    await workers(true);
    assert.deepEqual(statuses(await Promise.all([first, joined])), [200]);
    assert.equal((await post(other, batchOf('A', rowsOf(6)))).status, 200);
    assert.equal(await merges(), 2);
  });

  it('outlive a client that hangs up', async () => {
    await workers(false);
    const body = JSON.stringify(batchOf('A', rowsOf(7)));
    const socket = await openSlow(gateway, body.length, body);
    await waiting();
    socket.destroy();
    await workers(true);
    while ((await gateways.place.sql`SELECT FROM public.projects`).length !== 7) await sleep(20);
  });

  it('that nobody started are started by whom they bar', async () => {
    await gateways.place.sql`
      INSERT INTO ingest.project_batches (tenant_id, batch_checksum, batch_id, source, correlation_id, rows, created_at)
      VALUES ('A', public.fn_rows_checksum('[{"stage_application": "lost"}]'), 'b', 'projects-import', gen_random_uuid(), '[{"stage_application": "lost"}]', now() - interval '1 minute')`;
    const batch = batchOf('A', rowsOf(1));
    assert.equal((await post(gateway, batch)).status, 429);
    while ((await post(gateway, batch)).status !== 200) await sleep(50);
    assert.equal((await gateways.place.sql`SELECT FROM public.projects`).length, 2);
  });

  it('that the database refuses are taken away, and told without their values', async () => {
    const { sql } = gateways.place;
    await sql.unsafe("ALTER TABLE public.projects ADD CONSTRAINT test_refuses CHECK (address <> 'secret')");
    try {
      const { status, body } = await post(gateway, batchOf('A', rowsOf(1, 0, { address: 'secret' })));
      assert.deepEqual([status, body.error.code], [500, 'DATABASE_REFUSED']);
      assert.doesNotMatch(JSON.stringify(body), /secret/);
    } finally {
      await sql.unsafe('ALTER TABLE public.projects DROP CONSTRAINT test_refuses');
    }
    assert.equal((await sql`SELECT FROM ingest.project_batches`).length, 0);
    assert.equal((await post(gateway, batchOf('A', rowsOf(1, 0, { address: 'secret' })))).status, 200);
  });

  it('do not wait for ever: the client is told to post again, and joins', async () => {
    await workers(false);
    const impatient = await gateways.open({ patienceMs: 300 });
    const { status, headers, body } = await post(impatient, batchOf('A', rowsOf(3)));
    assert.deepEqual([status, headers.get('retry-after'), body.error.code], [500, '5', 'MERGE_PENDING']);
    const again = post(gateway, batchOf('A', rowsOf(3)));
    await workers(true);
    assert.equal((await again).status, 200);
    assert.equal(await merges(), 1);
  });

  it('are answered before the gateway stops', async () => {
    await workers(false);
    const ending = await gateways.open();
    const answer = post(ending, batchOf('A', rowsOf(4)));
    await waiting();
    const stopped = ending.shutdown();
    await assert.rejects(post(ending, batchOf('A', rowsOf(4))));
    await workers(true);
    const { status, headers } = await answer;
    assert.deepEqual([status, headers.get('connection')], [200, 'close']);
    await stopped;
  });
});
