import { strict as assert } from 'node:assert';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningGateway } from '../../../src/gateway/server.ts';
import { makePerson } from '../../support/people.ts';
import { merge } from '../../support/projectsBatch.ts';
import type { Env } from '../../support/imports.ts';
import { openGatewayPlace, type GatewayPlace } from '../place.ts';

const ROWS = [
  { stage_application: 'S1', delivery_partner: 'Nobody', deployment_specialist: 'nobody' },
  { stage_application: 'S2' },
  { stage_application: 'S2', deployment_specialist: 'nobody' },
];
const ROLES = {
  operator: ['operator', null],
  operatorA: ['operator', 'A'],
  adminB: ['admin', 'B'],
  viewer: ['viewer', null],
  nobody: undefined,
} as const;

for (const backend of ['postgres', 'supabase'] as const) {
  describe(`anomalies over HTTP on ${backend}`, function () {
    this.timeout(60_000);
    let gateways: GatewayPlace;
    let gateway: RunningGateway;
    const tokens: Record<string, string> = {};
    const ask = async (path: string, bearer?: string, { url }: RunningGateway = gateway, method = 'GET') => {
      const response = await fetch(url + path, {
        method,
        headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
    };
    const alert = (bearer?: string, place?: RunningGateway) =>
      ask('/functions/v1/anomalies/alerts', bearer, place, 'POST');

    before(async () => {
      gateways = await openGatewayPlace([], backend, true);
      const {
        place: { sql },
        api,
      } = gateways;
      for (const tenant of ['A', 'B']) await merge(sql, ROWS, { tenant, batch: `batch of ${tenant}` });
      for (const [name, role] of Object.entries(ROLES)) {
        const { id, accessToken } = await makePerson(api!, `${name}@example.com`, 'a long password');
        tokens[name] = accessToken;
        if (role)
          await sql`INSERT INTO public.user_roles (user_id, role, tenant_id) VALUES (${id}, ${role[0]}, ${role[1]})`;
      }
      gateway = await gateways.open();
    });
    after(() => gateways.close());

    it('are those that the roles of the token open', async () => {
      for (const [who, expected] of [
        ['operator', ['A', 'B']],
        ['operatorA', ['A']],
        ['adminB', ['B']],
      ] as const) {
        const { status, body, headers } = await ask('/anomalies', tokens[who]);
        assert.deepEqual(
          [status, [...new Set(body.map((row: { tenant_id: string }) => row.tenant_id))].sort()],
          [200, expected],
          who,
        );
        assert.equal(body.length, expected.length * 4, who);
        assert.equal(headers.get('cache-control'), 'no-store');
      }
      const [row] = (await ask('/functions/v1/anomalies?severity=warning', tokens['operatorA'])).body;
      assert.deepEqual(
        [row.anomaly_type, row.severity, row.batch_id, row.row_index, row.project_key],
        ['UNKNOWN_DELIVERY_PARTNER', 'warning', 'batch of A', 1, 'S1'],
      );
      assert.ok(row.payload_excerpt.length <= 500);
    });

    it('are refused without a valid token (401) and without the role (403), in words that tell nothing', async () => {
      const [head, payload] = tokens['operator']!.split('.') as [string, string];
      for (const bearer of [
        undefined,
        'nonsense',
        'a.b.c',
        `${head}.${payload}.${'A'.repeat(43)}`,
        gateways.api!.anonKey,
      ]) {
        const { status, headers, body } = await ask('/anomalies', bearer);
        assert.deepEqual(
          [status, headers.get('www-authenticate'), body.error.code],
          [401, 'Bearer', 'UNAUTHORIZED'],
          bearer,
        );
      }
      for (const who of ['viewer', 'nobody']) {
        for (const path of ['/anomalies', '/anomalies?stats=true']) {
          const { status, body } = await ask(path, tokens[who]);
          assert.deepEqual([status, body.error.code], [403, 'FORBIDDEN'], who);
          assert.match(body.correlation_id, /^[0-9a-f-]{36}$/);
        }
      }
    });

    it('are chosen by window, tenant and severity, and counted', async () => {
      const types = async (query: string): Promise<string[]> =>
        (await ask(`/anomalies${query}`, tokens['operator'])).body
          .map(
            (row: Record<string, string>) =>
              `${row['tenant_id']} ${row['anomaly_type'] ?? `${row['category']} ${row['count']}`}`,
          )
          .sort();
      const ofA = ['A DUPLICATE_ROW', 'A UNKNOWN_DELIVERY_PARTNER', 'A UNKNOWN_DS', 'A UNKNOWN_DS'];
      assert.deepEqual(await types('?tenant=A&windowHours=336'), ofA);
      assert.deepEqual(await types('?tenant=A&severity=error,info'), [
        'A DUPLICATE_ROW',
        'A UNKNOWN_DS',
        'A UNKNOWN_DS',
      ]);
      assert.deepEqual(await types('?tenant=C'), []);
      const counts = ['A DUPLICATE_ROW 1', 'A UNKNOWN_DELIVERY_PARTNER 1', 'A UNKNOWN_DS 2'];
      assert.deepEqual(await types('?stats=true&tenant=A'), counts);
      assert.deepEqual(await types('?stats&severity=error'), ['A UNKNOWN_DS 2', 'B UNKNOWN_DS 2']);
      assert.equal((await types('?stats=false')).length, 8);
      if (backend === 'postgres') {
        await gateways.place
          .sql`UPDATE public.import_anomalies SET created_at = now() - interval '3 hours' WHERE tenant_id = 'B'`;
        assert.equal((await types('?windowHours=2')).length, 4);
        await gateways.place.sql`UPDATE public.import_anomalies SET created_at = now() WHERE tenant_id = 'B'`;
      }
    });

    it('are refused with 422 for parameters out of bounds, by name', async () => {
      for (const [query, path] of [
        ['windowHours=0', 'windowHours'],
        ['windowHours=337', 'windowHours'],
        ['windowHours=1.5', 'windowHours'],
        ['windowHours=x', 'windowHours'],
        ['severity=error,fatal', 'severity'],
        [`tenant=${'x'.repeat(201)}`, 'tenant'],
      ]) {
        const { status, body } = await ask(`/anomalies?${query}`, tokens['operator']);
        assert.deepEqual([status, body.error.code, body.error.path], [422, 'INVALID_QUERY', path], query);
      }
    });

    it('come in pages whose links lead to all of them, the last not to an empty one, with RFC 3339 times', async () => {
      const pages: string[][] = [];
      let path: string | undefined = '/anomalies?limit=1&severity=error&severity=warning&severity=info';
      while (path !== undefined) {
        const { status, body, headers } = await ask(path, tokens['operator']);
        assert.deepEqual([status, headers.get('x-total-count')], [200, '8'], path);
        for (const { created_at: at, first_seen_at: first } of body)
          assert.ok(
            [at, first].every((time) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(time)),
            at,
          );
        pages.push(body.map(({ severity }: { severity: string }) => severity));
        const link = headers.get('link');
        const [, next] = /^<(\?[^>]+)>; rel="next"$/.exec(link ?? '') ?? [];
        assert.equal(link === null, next === undefined);
        path = next && `/anomalies${next}`;
      }
      assert.deepEqual(
        pages,
        ['error', 'error', 'error', 'error', 'warning', 'warning', 'info', 'info'].map((severity) => [severity]),
      );
    });

    it('take several severities, and refuse what they do not know or have twice, by its name and with those they know', async () => {
      for (const query of ['severity=error&severity=info', 'severity=error,info', 'severity=ERROR&severity=,info'])
        assert.deepEqual(
          [
            ...new Set(
              (await ask(`/anomalies?${query}`, tokens['operator'])).body.map(
                (row: { severity: string }) => row.severity,
              ),
            ),
          ],
          ['error', 'info'],
          query,
        );
      for (const [query, path, message] of [
        ['window_hours=1', 'window_hours', /known are windowHours, tenant, severity, stats, limit, after$/],
        ['tenant=A&tenant=B', 'tenant', /given more than once/],
        ['windowHours=1&windowHours=1', 'windowHours', /given more than once/],
        ['windowHours=0x10', 'windowHours', /whole number/],
        ['limit=1e1', 'limit', /whole number/],
        ['limit=1001', 'limit', /more than 1000/],
        ['after=x', 'after', /next/],
        ['constructor=1', 'constructor', /known are/],
      ] as const) {
        const { status, body } = await ask(`/anomalies?${query}`, tokens['operator']);
        assert.deepEqual([status, body.error.code, body.error.path], [422, 'INVALID_QUERY', path], query);
        assert.match(body.error.message, message);
      }
    });

    describe('alerts', () => {
      const received: Record<string, unknown>[] = [];
      let webhook: Server;
      let status = 200;
      const withWebhook = (more: Env = {}): Promise<RunningGateway> =>
        gateways.open(
          {},
          {
            ANOMALIES_ALERT_WEBHOOK: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/hook?token=secret`,
            ANOMALIES_ALERT_ALLOW_PRIVATE: 'true',
            ...more,
          },
        );

      before(async () => {
        webhook = createServer(async (request, response) => {
          let body = '';
          for await (const chunk of request) body += chunk;
          received.push(JSON.parse(body));
          response.writeHead(status).end();
        });
        await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
      });
      after(() => webhook.close());
      beforeEach(() => {
        received.length = 0;
        status = 200;
      });

      it('are 202 with the totals that were sent, to operators of all tenants and to the service key', async () => {
        const place = await withWebhook();
        for (const bearer of [tokens['operator'], gateways.api!.serviceRoleKey]) {
          const { status: answered, body } = await alert(bearer, place);
          const { window, ...totals } = body;
          assert.deepEqual(
            [answered, totals],
            [
              202,
              {
                total: 8,
                by_tenant: { A: 4, B: 4 },
                by_type: { DUPLICATE_ROW: 2, UNKNOWN_DELIVERY_PARTNER: 2, UNKNOWN_DS: 4 },
                by_severity: { error: 4, info: 2, warning: 2 },
              },
            ],
          );
          assert.equal(Date.parse(window.until) - Date.parse(window.since), 3_600_000);
          assert.deepEqual(received.splice(0), [body]);
        }
        assert.match(
          await (await fetch(`${place.url}/metrics`)).text(),
          /intake_gateway_alerts_total\{outcome="sent"\} 2\n/,
        );
      });

      it('are 204 without a webhook, and below the threshold', async () => {
        assert.equal((await alert(tokens['operator'])).status, 204);
        assert.equal(
          (await alert(tokens['operator'], await withWebhook({ ANOMALIES_ALERT_MIN_COUNT: '9' }))).status,
          204,
        );
        assert.deepEqual(received, []);
      });

      it('are for nobody else: 401 without a valid token, 403 without a role in all tenants', async () => {
        const place = await withWebhook();
        for (const [bearer, expected] of [
          [undefined, 401],
          ['nonsense', 401],
          [gateways.api!.anonKey, 401],
          [tokens['viewer'], 403],
          [tokens['nobody'], 403],
          [tokens['operatorA'], 403],
          [tokens['adminB'], 403],
        ] as const) {
          assert.equal((await alert(bearer, place)).status, expected);
        }
        assert.deepEqual(received, []);
      });

      it('tell of a webhook that fails (502) and of one that is not to be called (422), without its secrets', async () => {
        status = 500;
        const failed = await alert(tokens['operator'], await withWebhook());
        assert.deepEqual([failed.status, failed.body.error.code], [502, 'WEBHOOK_FAILED']);
        const refused = await alert(tokens['operator'], await withWebhook({ ANOMALIES_ALERT_ALLOW_PRIVATE: 'false' }));
        assert.deepEqual([refused.status, refused.body.error.code, received.length], [422, 'WEBHOOK_REFUSED', 1]);
        assert.doesNotMatch(JSON.stringify([failed.body, refused.body]), /secret|hook\?/);
      });
    });

    if (backend === 'supabase') return;

    it('say what is missing where nobody can sign in (503)', async () => {
      const place = await gateways.open({}, { SUPABASE_URL: '', SUPABASE_SERVICE_ROLE_KEY: '', SUPABASE_ANON_KEY: '' });
      for (const { status, body } of [await ask('/anomalies', 'a.b.c', place), await alert('a.b.c', place)])
        assert.deepEqual([status, body.error.code], [503, 'NOT_CONFIGURED']);
      assert.equal((await ask('/anomalies', undefined, place)).status, 401);
    });

    it('are a 500 with a code while Supabase does not answer', async () => {
      const place = await gateways.open({}, { SUPABASE_URL: 'http://127.0.0.1:1' });
      const { status, body } = await ask('/anomalies', tokens['operator'], place);
      assert.deepEqual([status, body.error.code], [500, 'DATABASE_UNAVAILABLE']);
    });

    it('are 1000 at most, the newest', async () => {
      const rows = Array.from({ length: 1200 }, (_, i) => ({
        stage_application: `M${i}`,
        deployment_specialist: 'nobody',
      }));
      await merge(gateways.place.sql, rows, { tenant: 'MANY' });
      await gateways.place
        .sql`UPDATE public.import_anomalies SET created_at = now() - interval '3 days' WHERE tenant_id = 'MANY'`;
      assert.equal((await ask('/anomalies?tenant=MANY&windowHours=100', tokens['operator'])).body.length, 1000);
    });
  });
}
