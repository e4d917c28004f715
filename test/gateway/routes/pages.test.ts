import { strict as assert } from 'node:assert';
import type { RunningGateway } from '../../../src/gateway/server.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import { batchOf, openGatewayPlace, post, rowsOf, type GatewayPlace } from '../place.ts';

describe('pages of the gateway', function () {
  this.timeout(60_000);
  let gateways: GatewayPlace;
  let gateway: RunningGateway;
  let worker: RunningWorker;
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(gateway.url + path, init);

  before(async () => {
    gateways = await openGatewayPlace(['A']);
    worker = await startWorker(gateways.place.config, createLogger('fatal'));
    gateway = await gateways.open();
  });
  after(async () => {
    await gateways.close();
    await worker.shutdown();
  });

  it('say whether it lives and whether it is ready', async () => {
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).status, 200);
    await gateways.place.sql`ALTER FUNCTION ingest.live_bearers() RENAME TO away`;
    assert.deepEqual([(await get('/healthz')).status, (await get('/readyz')).status], [200, 503]);
    await gateways.place.sql`ALTER FUNCTION ingest.away() RENAME TO live_bearers`;
  });

  it('show what the runbook wants measured, each batch once', async () => {
    const batch = batchOf('A', [{ stage_application: 'S1', delivery_partner: 'Nobody' }, { stage_application: 'S2' }]);
    await post(gateway, batch);
    await post(gateway, batch);
    await post(gateway, batchOf('A', []));
    const page = await (await get('/metrics')).text();
    for (const line of [
      'intake_gateway_requests_total{route="/import-projects",status="200"} 2',
      'intake_gateway_requests_total{route="/import-projects",status="422"} 1',
      'intake_gateway_rows_received_total 4',
      'intake_gateway_projects_total{outcome="inserted"} 2',
      'intake_gateway_projects_total{outcome="updated"} 0',
      'intake_gateway_memberships_upserted_total{member="organisation"} 0',
      'intake_gateway_memberships_upserted_total{member="user"} 0',
      'intake_gateway_anomalies_total{type="UNKNOWN_DELIVERY_PARTNER"} 1',
      'intake_gateway_parse_duration_seconds_count 2',
      'intake_gateway_merge_duration_seconds_count{outcome="merged"} 1',
      'intake_gateway_merge_duration_seconds_count{outcome="replayed"} 1',
    ])
      assert.ok(page.includes(`${line}\n`), line);
    assert.match(page, /intake_gateway_bytes_received_total [1-9]/);
    assert.doesNotMatch(page, /Nobody|S1|tenant/);
  });

  it('carry security headers and an id, and take the one they are given', async () => {
    const id = '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad001';
    const { headers } = await get('/healthz', { headers: { 'x-correlation-id': id } });
    assert.equal(headers.get('x-correlation-id'), id);
    assert.match(headers.get('content-security-policy')!, /default-src 'none'/);
    assert.deepEqual(
      ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'cache-control'].map((name) =>
        headers.get(name),
      ),
      ['nosniff', 'DENY', 'same-origin', 'no-store'],
    );
  });

  it('that do not exist are 404, other methods 405, both as JSON to programs', async () => {
    const found = await Promise.all([get('/none'), get('/import-projects'), get('/healthz', { method: 'POST' })]);
    assert.deepEqual(
      found.map(({ status }) => status),
      [404, 405, 405],
    );
    assert.deepEqual(
      found.map(({ headers }) => headers.get('allow')),
      [null, 'POST', 'GET, HEAD'],
    );
    for (const response of found) {
      assert.ok(((await response.json()) as { error: { code: string } }).error.code);
      assert.ok(
        response.headers.get('x-correlation-id') &&
          response.headers.get('content-security-policy') &&
          response.headers.get('x-content-type-options'),
      );
    }
    assert.match(
      await (await get('/metrics')).text(),
      /intake_gateway_requests_total\{route="none",status="404"\} 1\n/,
    );
  });

  it('know tenants of the table at once, and both secrets while a rotation overlaps', async () => {
    const { sql } = gateways.place;
    const { hashSecret } = await import('../../../src/database/secrets.ts');
    const ask = async (bearer: string): Promise<number> =>
      (await post(gateway, batchOf('NEW', rowsOf(1)), { bearer })).status;
    await sql`SELECT ingest.add_tenant('NEW', ${hashSecret('one')})`;
    const [again] = await sql`SELECT ingest.add_tenant('NEW', ${hashSecret('other')}) AS added`;
    assert.equal(again!['added'], false);
    while ((await ask('one')) !== 200) await new Promise((wake) => setTimeout(wake, 100));
    await sql`SELECT ingest.rotate_bearer('NEW', ${hashSecret('two')}, 60)`;
    while ((await ask('two')) !== 200) await new Promise((wake) => setTimeout(wake, 100));
    assert.equal(await ask('one'), 200);
    await sql`SELECT ingest.rotate_bearer('NEW', ${hashSecret('three')}, 0)`;
    const fresh = await gateways.open();
    const statusOf = async (bearer: string): Promise<number> =>
      (await post(fresh, batchOf('NEW', rowsOf(1)), { bearer })).status;
    assert.deepEqual(
      [await statusOf('one'), await statusOf('two'), await statusOf('three'), await statusOf('other')],
      [401, 401, 200, 401],
    );
    const stored = JSON.stringify(await sql`SELECT * FROM ingest.tenant_bearers`);
    assert.doesNotMatch(stored, /"(one|two|three)"/);
  });
});
