import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { loadConfig } from '../../../src/config.ts';
import { pushInput, pushResult, startPush, type PushRequest } from '../../../src/push/push.ts';
import type { RunningWorker, WorkerOptions } from '../../../src/worker.ts';
import { impatientBundle, startTestWorker } from '../../support/worker.ts';
import { EVENTS_PER_EXECUTION } from '../../../src/workflows/policies.ts';
import type { PushReport } from '../../../src/messages/push.ts';
import { openGatewayPlace, type GatewayPlace } from '../../gateway/place.ts';
import { historiesOf, payloadsOf, spawnWorker, type Env } from '../../support/imports.ts';

/** Status, body, headers. */
type Answer = [number, object, Record<string, string>?];
const NOTHING = {
  inserted_projects: 0,
  updated_projects: 0,
  org_memberships_upserted: 0,
  user_memberships_upserted: 0,
  anomalies_count: 0,
  values_cleared: 0,
  memberships_removed: 0,
  staging_id: 's',
};

/** Answers as it is told to. */
async function fakeGateway(answer: (body: string) => Answer): Promise<{ gatewayUrl: string; close: () => void }> {
  const server = createServer(
    (request, response) =>
      void text(request).then((body) => {
        const [status, said, headers] = answer(body);
        response.writeHead(status, headers).end(JSON.stringify(said));
      }),
  ).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  return { gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

describe('pushProjects', function () {
  this.timeout(120_000);
  let gateways: GatewayPlace;
  let env: Env;
  let worker: RunningWorker | undefined;
  const names = Array.from({ length: 60 }, () => `T${randomUUID().slice(0, 8)}`);
  const tenant = (): string => names.pop()!;
  const csv = (rows: number, prefix = 'S'): Promise<string> =>
    gateways.place.file(
      `stage_application,delivery_partner\n${Array.from({ length: rows }, (_, i) => `${prefix}${i},SECRET Partner`).join('\n')}\n`,
    );
  const start = async (request: PushRequest): Promise<WorkflowHandle> => {
    const { sql, client } = gateways.place;
    if (request.gatewayUrl)
      await sql`SELECT ingest.order_work('gateway', ${sql.json([{ url: request.gatewayUrl }])}, NULL)`;
    return (await startPush(client, await pushInput(loadConfig(env), request))).handle;
  };
  const push = async (request: PushRequest): Promise<PushReport> => pushResult(await start(request));
  const projectsOf = async (tenantId: string): Promise<number> =>
    (await gateways.place.sql`SELECT count(*)::int AS n FROM public.projects WHERE tenant_id = ${tenantId}`)[0]![
      'n'
    ] as number;
  const workers = async (on: boolean, options: WorkerOptions = {}): Promise<void> => {
    await worker?.shutdown();
    worker = on ? await startTestWorker(loadConfig(env), options) : undefined;
  };

  before(async () => {
    gateways = await openGatewayPlace(['KNOWN']);
    await gateways.place.sql`INSERT INTO ingest.tenants (tenant_id) SELECT unnest(${names}::text[])`;
    const gateway = await gateways.open();
    env = { ...gateways.env, INTAKE_GATEWAY_URL: gateway.url };
    await workers(true);
  });
  after(async () => {
    await gateways.close();
    await worker?.shutdown();
  });

  it('posts a file in batches, in their order, and sums what they did', async () => {
    const [tenantId, path] = [tenant(), await csv(25)];
    const report = await push({ tenantId, path, batchRows: 10 });
    assert.deepEqual(
      [report.status, report.rows, report.total, report.done],
      ['completed', 25, 3, 3],
      JSON.stringify(report.error),
    );
    assert.deepEqual(
      report.batches.map(({ rows }) => rows),
      [10, 10, 5],
    );
    assert.equal(report.metrics.inserted_projects, 25);
    assert.equal(report.metrics.anomalies_count, 25);
    const batches = await gateways.place.sql`
      SELECT validation ->> 'request_batch_id' AS batch, correlation_id, row_count, raw -> 0 ->> 'stage_application' AS first
      FROM public.staging_imports WHERE tenant_id = ${tenantId} ORDER BY imported_at`;
    assert.deepEqual(
      batches.map(({ batch, first }) => [String(batch).slice(24), first]),
      [
        ['-batch-001', 'S0'],
        ['-batch-002', 'S10'],
        ['-batch-003', 'S20'],
      ],
    );
    assert.match(String(batches[0]!['batch']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}-batch-001$/);
    assert.deepEqual(new Set(batches.map(({ correlation_id }) => correlation_id)), new Set([report.correlationId]));
    assert.deepEqual(await readdir(join(gateways.place.dir, 'work', 'push')), []);
    const again = await push({ tenantId, path, batchRows: 10 });
    assert.deepEqual(
      again.batches.map(({ staging_id, metrics }) => [staging_id, metrics]),
      report.batches.map(({ staging_id, metrics }) => [staging_id, metrics]),
    );
  });

  it('posts with the configured secret of a tenant, else with one that the database lends for some minutes', async () => {
    const path = await csv(1);
    assert.equal((await push({ tenantId: 'KNOWN', path })).status, 'completed');
    assert.deepEqual([...(await gateways.place.sql`SELECT FROM ingest.tenant_bearers WHERE tenant_id = 'KNOWN'`)], []);
    const lent = tenant();
    assert.equal((await push({ tenantId: lent, path })).status, 'completed');
    const [bearer] = await gateways.place
      .sql`SELECT lent, expires_at - now() < interval '16 minutes' AS soon FROM ingest.tenant_bearers WHERE tenant_id = ${lent}`;
    assert.deepEqual({ ...bearer }, { lent: true, soon: true });
  });

  it('sends a lent secret to no other gateway', async () => {
    let posts = 0;
    const { gatewayUrl, close } = await fakeGateway(() => {
      posts += 1;
      return [200, { metrics: NOTHING }];
    });
    const report = await push({ tenantId: tenant(), path: await csv(1), gatewayUrl });
    close();
    assert.deepEqual([report.status, report.error?.code, posts], ['failed', 'GATEWAY_REFUSED', 0]);
    assert.match(report.error?.remedy ?? '', /PROJECTS_IMPORT_BEARER/);
  });

  it('leaves no row, secret or body in its history', async () => {
    const handle = await start({ tenantId: tenant(), path: await csv(3) });
    await pushResult(handle);
    const texts = (await historiesOf(gateways.place.client, handle)).flatMap(payloadsOf).map(String).join('\n');
    assert.ok(texts.includes('inserted_projects'));
    assert.doesNotMatch(texts, /SECRET Partner|secret-of|Bearer/);
  });

  it('attaches to the push of the same file, and refuses another of the tenant', async () => {
    const [tenantId, path] = [tenant(), await csv(20)];
    const first = await start({ tenantId, path, batchRows: 5 });
    const second = await start({ tenantId, path, batchRows: 5 });
    assert.deepEqual((await second.describe()).runId, (await first.describe()).runId);
    await assert.rejects(start({ tenantId, path: await csv(3, 'X') }), { code: 'IN_PROGRESS' });
    assert.equal((await pushResult(second)).rows, 20);
  });

  it('leaves a row out that cannot be read, names its line without its value, and posts the others', async () => {
    const tenantId = tenant();
    const rows = Array.from({ length: 12 }, (_, i) => `S${i},${i === 3 ? 'SECRET' : 1},24/09/2025`).join('\n');
    const handle = await start({
      tenantId,
      path: await gateways.place.file(`stage_application,residential,eFscd\n${rows}\nS13,1,09/24/2025\n`),
      batchRows: 5,
    });
    const report = await pushResult(handle);
    assert.deepEqual(
      [report.status, report.error?.code, report.leftOut, report.rows, report.done],
      ['completed', 'ROWS_LEFT_OUT', 2, 11, 3],
    );
    assert.equal(
      report.error?.message,
      '2 rows are left out: line 5 BAD_COUNT in residential; line 14 BAD_DATE in eFscd',
    );
    assert.equal(await projectsOf(tenantId), 11);
    assert.equal(
      (await gateways.place.sql`SELECT FROM public.projects WHERE tenant_id = ${tenantId} AND efscd = '2025-09-24'`)
        .length,
      11,
    );
    const texts = (await historiesOf(gateways.place.client, handle)).flatMap(payloadsOf).map(String).join('\n');
    assert.doesNotMatch(texts, /SECRET|S13/);
  });

  it('fails when no row of the file can be posted, and posts nothing', async () => {
    const tenantId = tenant();
    const path = await gateways.place.file('stage_application,residential\nS1,many\nS2,\"x\n');
    const report = await push({ tenantId, path });
    assert.deepEqual([report.status, report.error?.code, report.done], ['failed', 'INVALID_ROW', 0]);
    assert.match(report.error?.message ?? '', /\(2 rows\).*residential .*line 2/);
    assert.equal(await projectsOf(tenantId), 0);
  });

  it('posts at most once a second, five times a batch, and says what the gateway said', async () => {
    const times: number[] = [];
    const answers: Answer[] = [
      [503, {}],
      [429, {}, { 'retry-after': '2' }],
      [200, { metrics: NOTHING }],
      ...Array<Answer>(9).fill([500, {}]),
    ];
    const { gatewayUrl, close } = await fakeGateway(() => {
      times.push(Date.now());
      return answers.shift()!;
    });
    const report = await push({ tenantId: 'KNOWN', path: await csv(4), batchRows: 2, gatewayUrl });
    close();
    assert.deepEqual(
      [report.status, report.done, report.total, report.error?.code],
      ['failed', 1, 2, 'GATEWAY_UNAVAILABLE'],
    );
    assert.equal(times.length, 3 + 5);
    const waits = times.slice(1).map((at, i) => at - times[i]!);
    for (const [i, least] of [1000, 2000, 1000, 1000, 2000, 4000, 8000].entries())
      assert.ok(waits[i]! >= least - 50, `${i}: ${waits[i]} ms`); // what is waited at least, not how long it takes
  });

  it('goes on as a new execution before its history grows long', async () => {
    const posted: string[] = [];
    const { gatewayUrl, close } = await fakeGateway((body) => {
      posted.push((JSON.parse(body) as { batch_id: string }).batch_id.slice(24));
      return [200, { metrics: { ...NOTHING, inserted_projects: 1 } }];
    });
    const batches = EVENTS_PER_EXECUTION / 6 + 10; // six events a batch
    await workers(true, { workflowBundle: impatientBundle() });
    const handle = await start({ tenantId: 'KNOWN', path: await csv(batches), batchRows: 1, gatewayUrl });
    const report = await pushResult(handle);
    close();
    await workers(true);
    assert.deepEqual(
      [report.status, report.done, report.posted, report.metrics.inserted_projects],
      ['completed', batches, batches, batches],
      JSON.stringify(report.error),
    );
    assert.deepEqual(
      posted,
      Array.from({ length: batches }, (_, i) => `-batch-${String(i + 1).padStart(3, '0')}`),
    );
    assert.deepEqual([report.batches.length, report.batches.at(-1)!.batch_id.slice(24)], [100, posted.at(-1)]);
    const histories = await historiesOf(gateways.place.client, handle);
    assert.equal(histories.length, 2);
    assert.ok(histories.every(({ events }) => events!.length < 2000));
    assert.ok(Math.max(...histories.flatMap(payloadsOf).map(({ length }) => length)) < 64 * 1024);
  });

  it('can be cancelled between batches, and takes its files away', async () => {
    const tenantId = tenant();
    const handle = await start({ tenantId, path: await csv(30), batchRows: 1 });
    while ((await projectsOf(tenantId)) === 0) await sleep(50);
    await handle.cancel();
    const report = await pushResult(handle);
    assert.equal(report.status, 'cancelled');
    assert.ok((await projectsOf(tenantId)) < 30);
    assert.deepEqual(await readdir(join(gateways.place.dir, 'work', 'push')), []);
  });

  for (const point of ['postBatch.before', 'postBatch.within', 'postBatch.after']) {
    it(`survives a worker that dies ${point.slice(10)} a POST: nothing is lost or doubled`, async () => {
      await workers(false);
      const markers = await mkdtemp(join(tmpdir(), 'intake-failpoints-'));
      const dying = spawnWorker({
        ...env,
        INTAKE_FAILPOINTS: point,
        INTAKE_FAILPOINTS_DIR: markers,
        NODE_COMPILE_CACHE: join(gateways.place.dir, 'cache'),
      });
      const tenantId = tenant();
      const handle = await start({ tenantId, path: await csv(7), batchRows: 4 });
      await dying.ended;
      assert.deepEqual(await readdir(markers), [`failpoint-${point}`]);
      await workers(true);
      const report = await pushResult(handle);
      assert.deepEqual(
        [report.status, report.done, report.metrics.inserted_projects],
        ['completed', 2, 7],
        JSON.stringify(report.error),
      );
      assert.equal(await projectsOf(tenantId), 7);
      const staged = await gateways.place
        .sql`SELECT row_count FROM public.staging_imports WHERE tenant_id = ${tenantId} ORDER BY imported_at`;
      assert.deepEqual(
        staged.map(({ row_count }) => row_count),
        [4, 3],
      );
    });
  }
});
