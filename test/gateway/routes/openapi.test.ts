import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import fc from 'fast-check';
import { Hono } from 'hono';
import { createApp, type AppOptions } from '../../../src/gateway/app.ts';
import { createGatewayMetrics } from '../../../src/gateway/metrics.ts';
import { openApi } from '../../../src/gateway/routes/openapi.ts';
import type { RunningGateway } from '../../../src/gateway/server.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { rowsChecksum } from '../../../src/sources/projects/checksum.ts';
import { PROJECT_COLUMNS } from '../../../src/sources/projects/columns.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import { hushRefusals } from '../../browser/place.ts';
import { makePerson } from '../../support/people.ts';
import { openGatewayPlace, secretOf, type GatewayPlace } from '../place.ts';

type Schema = Readonly<Record<string, unknown>>;
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, { schema?: Schema }> }>>;
}

const document = openApi() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Batch: Schema & { properties: Record<string, Schema> } } };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

const ajv = new Ajv2020({
  strict: false,
  formats: {
    uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  },
});
ajv.addSchema({ ...document, $id: 'openapi' });
const validators = new Map<string, ValidateFunction>();
/** Undefined for an answer whose body the document leaves open. */
function validatorOf(path: string, method: string, status: number): ValidateFunction | undefined {
  const place = `/paths/${path.replaceAll('/', '~1')}/${method.toLowerCase()}/responses/${status}/content/application~1json/schema`;
  if (!document.paths[path]![method.toLowerCase()]!.responses[status]?.content?.['application/json']?.schema) return;
  const known = validators.get(place) ?? ajv.compile({ $ref: `openapi#${place}` });
  validators.set(place, known);
  return known;
}

/** Values of a schema, as generators of clients make them: only what the words of the schema say. */
function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if ('anyOf' in schema) return fc.oneof(...(schema['anyOf'] as Schema[]).map(valuesOf));
  const types = [schema['type'] ?? []].flat() as string[];
  return fc.oneof(...types.map((type) => valuesOfType(type, schema)));
}

interface Words {
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

function valuesOfType(type: string, schema: Schema): fc.Arbitrary<unknown> {
  const { pattern = '', format, minLength = 0, maxLength = 40, minimum, maximum, items, properties } = schema as Words;
  if (type === 'null') return fc.constant(null);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') return fc.integer({ min: minimum!, max: maximum! });
  if (type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true });
  if (type === 'array') return fc.array(valuesOf(items!), { minLength: 1, maxLength: 4 });
  if (type === 'object')
    return fc.record(Object.fromEntries(Object.entries(properties!).map(([name, it]) => [name, valuesOf(it)])), {
      requiredKeys: schema['required'] as [],
    });
  if (format === 'uuid') return fc.uuid();
  const fits = new RegExp(pattern, 'u');
  return fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 300 }),
      fc.stringMatching(/^[ 0-9./-]{0,12}$/),
      fc.constantFrom('2026-05-01', '5', '1.0', ''),
    )
    .filter((text) => fits.test(text) && [...text].length >= minLength && [...text].length <= maxLength);
}

describe('/openapi.json', function () {
  this.timeout(120_000);

  it('has nothing that a linter finds', async () => {
    const config = await createConfig({ extends: ['recommended'], rules: { 'info-license': 'off' } });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    assert.deepEqual(
      problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
      [],
    );
  });

  it('has another version when a batch, or what makes two the same, is another', () => {
    const { info, components } = openApi() as { info: { version: string }; components: { schemas: { Batch: object } } };
    const same = rowsChecksum([Object.fromEntries(PROJECT_COLUMNS.map(({ name }, i) => [name, String(i)]))]);
    const contract = hash('sha256', JSON.stringify([components.schemas.Batch, same]));
    // Raise the minor number, and say in CHANGELOG.md what senders have to know, before this is changed.
    assert.deepEqual([info.version, contract.slice(0, 12)], ['1.1.0', '9b190e9ba662']);
  });

  it('has every page for programs, and no others', () => {
    const { paths } = openApi() as { paths: Record<string, Record<string, unknown>> };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const app = createApp({
      metrics: createGatewayMetrics(),
      dashboard: { routes: new Hono() },
      log: createLogger('fatal'),
      allowedOrigins: [] as readonly string[],
    } as AppOptions);
    const operations = Object.values(paths)
      .flatMap((methods) => Object.values(methods) as { operationId?: string }[])
      .flatMap(({ operationId }) => operationId ?? []);
    assert.equal(new Set(operations).size, operations.length);
    assert.deepEqual(
      described.sort(),
      app.routes
        .filter(({ method }) => method !== 'ALL')
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    );
  });

  it('has a batch with its columns and limits', () => {
    const { components } = openApi() as {
      components: {
        schemas: {
          Batch: {
            properties: Record<string, { maxItems?: number; items?: { properties: object; required: string[] } }>;
            required: string[];
          };
        };
      };
    };
    const { properties, required } = components.schemas.Batch;
    assert.deepEqual([required, properties['rows']!.maxItems], [['tenant_id', 'batch_id', 'rows'], 5000]);
    assert.deepEqual(
      [Object.keys(properties['rows']!.items!.properties).length, properties['rows']!.items!.required],
      [18, ['stage_application']],
    );
  });

  describe('is true of', () => {
    let gateways: GatewayPlace;
    let gateway: RunningGateway;
    let worker: RunningWorker;
    let webhook: Server;
    const bearers: Record<string, string | undefined> = {
      none: undefined,
      nonsense: 'nonsense',
      A: secretOf('A'),
      B: secretOf('B'),
    };

    let endHush: () => void;
    before(async () => {
      endHush = hushRefusals();
      webhook = createServer((request, response) => request.resume().on('end', () => response.writeHead(204).end()));
      await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
      gateways = await openGatewayPlace(['A', 'B'], 'postgres', true);
      const { api, place } = gateways;
      for (const [name, role, tenant] of [
        ['operator', 'operator', null],
        ['operatorA', 'operator', 'A'],
        ['viewer', 'viewer', null],
        ['nobody', null, null],
      ] as const) {
        const { id, accessToken } = await makePerson(api!, `${name}@example.com`, 'a long password');
        bearers[name] = accessToken;
        if (role)
          await place.sql`INSERT INTO public.user_roles (user_id, role, tenant_id) VALUES (${id}, ${role}, ${tenant})`;
      }
      Object.assign(bearers, { anon: api!.anonKey, service: api!.serviceRoleKey });
      worker = await startWorker(place.config, createLogger('fatal'));
      gateway = await gateways.open(
        { rate: { burst: 1e6, perSecond: 1e6 } },
        {
          ANOMALIES_ALERT_WEBHOOK: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
          ANOMALIES_ALERT_ALLOW_PRIVATE: 'true',
        },
      );
    });
    after(async () => {
      await gateways?.close();
      await worker?.shutdown();
      webhook.close();
      endHush();
    });

    const ask = async (path: string, method: string, query: string, who: string, body?: unknown) => {
      const bearer = bearers[who];
      const response = await fetch(gateway.url + path + (query && `?${query}`), {
        method,
        headers: {
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const said = `${method} ${path}?${query} as ${who} ${JSON.stringify(body)?.slice(0, 500)}: ${response.status} ${text.slice(0, 300)}`;
      assert.ok(response.status < 500, said);
      const { responses } = document.paths[path]![method.toLowerCase()]!;
      const documented = responses[response.status];
      assert.ok(documented, `not documented: ${said}`);
      const [type] = Object.keys(documented.content ?? {});
      assert.equal(response.headers.get('content-type')?.split(';')[0] ?? undefined, type, said);
      const valid = validatorOf(path, method, response.status);
      if (valid) assert.ok(valid(JSON.parse(text)), `${JSON.stringify(valid.errors)} ${said}`);
      return { status: response.status, text };
    };

    const who = fc.constantFrom(
      'none',
      'nonsense',
      'A',
      'B',
      'operator',
      'operatorA',
      'viewer',
      'nobody',
      'anon',
      'service',
    );
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('', '1', '336', '0x10', 'error', 'error,info', 'A', 'true', 'null', '\0', "'", '%'),
    );
    const anything = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.constant('{"tenant_id":"A","batch_id":"b","rows":[]}'),
      fc.record({
        tenant_id: fc.constantFrom('A', 1, null),
        batch_id: word,
        rows: fc.array(
          fc.dictionary(
            fc.constantFrom('stage_application', 'residential', 'Latitude', 'efscd', 'x', '__proto__'),
            fc.jsonValue(),
          ),
          { maxLength: 3 },
        ),
      }),
    );

    it('every answer to whatever is sent, with each kind of token: no 5xx, nothing undocumented', async () => {
      const requests = fc
        .constantFrom(...operations)
        .chain(({ path, method, operation: { parameters = [], requestBody } }) =>
          fc.record({
            path: fc.constant(path),
            method: fc.constant(method),
            who,
            query: fc
              .array(
                fc.tuple(
                  fc.oneof(
                    { weight: 5, arbitrary: fc.constantFrom('x', ...parameters.map(({ name }) => name)) },
                    { weight: 1, arbitrary: word },
                  ),
                  word,
                ),
                { maxLength: 3 },
              )
              .map((pairs) =>
                new URLSearchParams(
                  pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()] as [string, string]),
                ).toString(),
              ),
            body: requestBody ? anything : fc.constant(undefined),
          }),
        );
      await fc.assert(
        fc.asyncProperty(requests, async (request) => {
          await ask(request.path, request.method, request.query, request.who, request.body);
        }),
        { numRuns: 250 },
      );
      // Those that arrive: each kind of token at each page at least once, alert POSTs included.
      const seen = new Map<string, number>();
      for (const { path, method, operation } of operations)
        for (const name of Object.keys(bearers)) {
          const body = operation.requestBody
            ? { tenant_id: 'A', batch_id: 'b', rows: [{ stage_application: 'S1', delivery_partner: 'Nobody' }] }
            : undefined;
          seen.set(`${operation.operationId} ${name}`, (await ask(path, method, '', name, body)).status);
        }
      assert.deepEqual(
        ['none', 'A', 'B', 'operator', 'operatorA', 'viewer', 'anon', 'service'].map((name) =>
          ['importProjects', 'getAnomalies', 'postAlert'].map((operation) => seen.get(`${operation} ${name}`)),
        ),
        [
          [401, 401, 401],
          [200, 401, 401],
          [401, 401, 401],
          [401, 200, 202],
          [401, 200, 403],
          [401, 403, 403],
          [401, 401, 401],
          [401, 401, 202],
        ],
      );
    });

    it('batches: what its schema takes is merged', async () => {
      const batch = valuesOf(document.components.schemas.Batch) as fc.Arbitrary<{ rows: Record<string, unknown>[] }>;
      await fc.assert(
        fc.asyncProperty(batch, fc.nat(), async ({ rows, ...given }, n) => {
          // What a schema does not say: a readable date, an identifier that no spreadsheet made, keys of their own, the sender's tenant.
          const dated = rows.map((row, i) => ({
            ...row,
            stage_application: `${String(row['stage_application']).slice(0, 100)} ${n} ${i}`,
            ...(row['fod_id'] ? { fod_id: `F ${String(row['fod_id'])}`.slice(0, 100) } : {}),
            ...('stage_application_created' in row ? { stage_application_created: '2026-05-01' } : {}),
          }));
          const { status, text } = await ask('/import-projects', 'POST', '', 'A', {
            ...given,
            tenant_id: 'A',
            rows: dated,
          });
          assert.equal(status, 200, text);
        }),
        { numRuns: 25 },
      );
    });

    it('counts that are whole numbers however they are written, and names of 200 characters beyond the first plane', async () => {
      const key = '😀'.repeat(200);
      const body = `{"tenant_id": "A", "batch_id": "${key}", "rows": [{"stage_application": "${key}", "residential": 1e2, "premises_count": 7.0}]}`;
      const { status, text } = await ask('/import-projects', 'POST', '', 'A', body);
      assert.equal(status, 200, text);
      const [row] = await gateways.place
        .sql`SELECT residential, premises_count FROM public.projects WHERE stage_application = ${key}`;
      assert.deepEqual({ ...row }, { residential: 100, premises_count: 7 });
    });
  });
});
