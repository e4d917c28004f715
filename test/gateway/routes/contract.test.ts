import { strict as assert } from 'node:assert';
import { gzipSync } from 'node:zlib';
import type { RunningGateway } from '../../../src/gateway/server.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import { batchOf, openGatewayPlace, post, rowsOf, secretOf, type Answer, type GatewayPlace } from '../place.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

for (const backend of ['postgres', 'supabase'] as const) {
  describe(`POST /import-projects on ${backend}`, function () {
    this.timeout(60_000);
    let gateways: GatewayPlace;
    let gateway: RunningGateway;
    let worker: RunningWorker;

    before(async () => {
      gateways = await openGatewayPlace(['A', 'B'], backend);
      worker = await startWorker(gateways.place.config, createLogger('fatal'));
      gateway = await gateways.open({ rate: { burst: 1e6, perSecond: 1e6 } });
    });
    after(async () => {
      await gateways.close();
      await worker.shutdown();
    });
    beforeEach(
      () => gateways.place.sql`TRUNCATE public.projects, public.staging_imports, public.import_anomalies CASCADE`,
    );

    it('merges a batch and answers as the runbook says', async () => {
      const correlation = '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad001';
      const rows = [
        {
          stage_application: ' S1 ',
          delivery_partner: 'Nobody',
          residential: '45',
          essential: ' ',
          stage_application_created: '2025-04-01',
        },
        { stage_application: 'S2' },
      ];
      const { status, body, headers } = await post(
        gateway,
        batchOf('A', rows, { correlation_id: correlation, source: 'projects-import' }),
        { path: '/functions/v1/import-projects' },
      );
      assert.equal(status, 200, JSON.stringify(body));
      const { staging_id, ...counts } = body.metrics;
      assert.match(body.batch_id, UUID);
      assert.deepEqual(
        { ...body, batch_id: '', metrics: counts },
        {
          batch_id: '',
          correlation_id: correlation,
          tenant_id: 'A',
          replayed: false,
          ignored_fields: [],
          metrics: {
            inserted_projects: 2,
            updated_projects: 0,
            org_memberships_upserted: 0,
            user_memberships_upserted: 0,
            anomalies_count: 1,
            values_cleared: 0,
            memberships_removed: 0,
          },
        },
      );
      assert.equal(headers.get('x-correlation-id'), correlation);
      const [staged] = await gateways.place
        .sql`SELECT id, batch_id, correlation_id, raw, validation ->> 'request_batch_id' AS asked FROM public.staging_imports`;
      assert.deepEqual(
        { ...staged },
        {
          id: staging_id,
          batch_id: body.batch_id,
          correlation_id: correlation,
          asked: 'batch 1',
          raw: [
            {
              stage_application: 'S1',
              delivery_partner: 'Nobody',
              residential: 45,
              essential: 0,
              stage_application_created: '2025-04-01',
            },
            { stage_application: 'S2' },
          ],
        },
      );
      assert.deepEqual([...(await gateways.place.sql`SELECT FROM ingest.project_batches`)], []);
    });

    it('answers a replay without a workflow, and merges A again after A and B', async () => {
      const [a, b] = [batchOf('A', rowsOf(3, 0, { address: 'a' })), batchOf('A', rowsOf(3, 0, { address: 'b' }))];
      const first = await post(gateway, a);
      await worker.shutdown();
      const replay = await post(gateway, batchOf('A', rowsOf(3, 0, { address: ' a ' }).reverse()));
      worker = await startWorker(gateways.place.config, createLogger('fatal'));
      assert.deepEqual([replay.body.metrics, replay.body.batch_id], [first.body.metrics, first.body.batch_id]);
      assert.deepEqual([first.body.replayed, replay.body.replayed], [false, true]);
      assert.equal((await post(gateway, b)).body.metrics['updated_projects'], 3);
      assert.equal((await post(gateway, a)).body.metrics['updated_projects'], 3);
      assert.deepEqual(
        (await gateways.place.sql`SELECT DISTINCT address FROM public.projects`).map((row) => row['address']),
        ['a'],
      );
    });

    if (backend === 'supabase') return;

    it('takes gzip', async () => {
      const { status } = await post(gateway, gzipSync(JSON.stringify(batchOf('A', rowsOf(2)))), {
        headers: { 'content-encoding': 'gzip' },
      });
      assert.equal(status, 200);
    });

    it('takes 5000 rows', async () => {
      const { body } = await post(gateway, batchOf('A', rowsOf(5000)));
      assert.equal(body.metrics['inserted_projects'], 5000);
    });

    const refused: readonly [status: number, code: string, path: string | null, body: object | string][] = [
      [400, 'MALFORMED_JSON', null, '{"tenant_id": "A", "secret": '],
      [400, 'MALFORMED_JSON', null, '['.repeat(200_000)],
      [400, 'INVALID_STRUCTURE', '', '[]'],
      [400, 'INVALID_STRUCTURE', 'rows', batchOf('A', { 0: 1 })],
      [400, 'INVALID_STRUCTURE', 'batch_id', batchOf('A', rowsOf(1), { batch_id: undefined })],
      [400, 'INVALID_STRUCTURE', 'correlation_id', batchOf('A', rowsOf(1), { correlation_id: 'secret' })],
      [422, 'INVALID_ROWS', 'rows', batchOf('A', [])],
      [422, 'INVALID_ROWS', 'rows', batchOf('A', rowsOf(5001))],
      [422, 'INVALID_ROWS', 'rows', `{"tenant_id":"A","batch_id":"b","rows":[${'{},'.repeat(1_500_000)}{}]}`],
      [422, 'INVALID_ROWS', 'rows[1]', batchOf('A', [...rowsOf(1), 'secret'])],
      [422, 'INVALID_ROWS', 'rows[0].stage_application', batchOf('A', [{ stage_application: ' \u00a0' }])],
      [422, 'INVALID_ROWS', 'rows[0].stage_application', batchOf('A', [{}])],
      [422, 'INVALID_ROWS', 'rows[0].stage_application', batchOf('A', [{ stage_application: 'secret'.repeat(40) }])],
      [422, 'INVALID_ROWS', 'rows[0].stage_application', batchOf('A', [{ stage_application: 'secret\0' }])],
      [
        422,
        'INVALID_ROWS',
        'rows[0].address',
        '{"tenant_id":"A","batch_id":"b","rows":[{"stage_application":"S","address":"secret\\ud800"}]}',
      ],
      [
        422,
        'INVALID_ROWS',
        'rows[2].residential',
        batchOf('A', [...rowsOf(2), ...rowsOf(1, 2, { residential: '-1' })]),
      ],
      [422, 'INVALID_ROWS', 'rows[0].essential', batchOf('A', rowsOf(1, 0, { essential: 'secret' }))],
      [422, 'INVALID_ROWS', 'rows[0].commercial', batchOf('A', rowsOf(1, 0, { commercial: true }))],
      [422, 'INVALID_ROWS', 'rows[0].developer_class', batchOf('A', rowsOf(1, 0, { developer_class: 2 }))],
      [
        422,
        'INVALID_ROWS',
        'rows[0].stage_application_created',
        batchOf('A', rowsOf(1, 0, { stage_application_created: '2025-02-29' })),
      ],
      [
        422,
        'INVALID_ROWS',
        'rows[0].stage_application_created',
        batchOf('A', rowsOf(1, 0, { stage_application_created: 'secret' })),
      ],
    ];
    for (const [i, [status, code, path, body]] of refused.entries()) {
      it(`refuses with ${status} ${code} at ${path} and no value (${i})`, async () => {
        const answer = await post(gateway, body);
        assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.path], [status, code, path]);
        assert.match(answer.body.correlation_id, UUID);
        assert.ok(answer.body.error.remedy);
        assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
        assert.equal((await gateways.place.sql`SELECT FROM public.staging_imports`).length, 0);
      });
    }

    it('accepts the dates, counts and degrees that the merge knows', async () => {
      const cells = [
        { stage_application_created: '29/02/2024' },
        { stage_application_created: '2025-04-01T23:30:00+09:30' },
        { residential: 7, commercial: '12.0', essential: null },
        { eFscd: 'soon', latitude: -34.9, longitude: 'east', fod_id: 12 },
      ];
      const { status } = await post(
        gateway,
        batchOf(
          'A',
          cells.map((cell, i) => ({ stage_application: `S${i}`, ...cell })),
        ),
      );
      assert.equal(status, 200);
    });

    it('keeps what a sender writes: the digits of numbers, dates with the day first, keys in any spelling', async () => {
      const cells = [
        '"FOD_ID": 9007199254740993, "efscd": "24/09/2025"',
        '"fodId": 12345678901234567890, "EFSCD": "2025-09-24T23:00:00Z"',
        '"fod-id": 1e21, "Delivery Partner": "Nobody", "deliveryPartner2": 1',
        '"fod_id": 1.10, "Residential": 5.000, "latitude": -37.740, "longitude": 1e-7',
      ];
      const rows = cells.map((cell, i) => `{"stage_application":"S${i}",${cell},"note":{"x":1}}`);
      const { status, body } = await post(
        gateway,
        `{"tenant_id":"A","batch_id":"b","extra":1,"rows":[${rows.join(',')}]}`,
      );
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(body.ignored_fields, ['extra', 'note', 'deliveryPartner2']);
      const stored = await gateways.place.sql`
        SELECT fod_id, efscd::text, delivery_partner_label AS partner, residential, latitude, longitude FROM public.projects ORDER BY stage_application`;
      assert.deepEqual(
        stored.map((row) => Object.values(row)),
        [
          ['9007199254740993', '2025-09-24', null, 0, null, null],
          ['12345678901234567890', '2025-09-24', null, 0, null, null],
          ['1e21', null, 'Nobody', 0, null, null],
          ['1.10', null, null, 5, '-37.740', '0.0000001'],
        ],
      );
    });

    it('reads words for nothing as empty, or those that the batch names, and says how many', async () => {
      const rows = [
        { stage_application: 'S1', address: 'R&amp;D', delivery_partner: 'n/a', eFscd: '#REF!', residential: 'NULL' },
        { stage_application: '="007"', address: '\\N', delivery_partner: 'none' },
      ];
      const stored = async () =>
        Object.values(
          await gateways.place.sql`
            SELECT stage_application AS s, address AS a, delivery_partner_label AS d, residential AS r FROM public.projects ORDER BY s`,
        ).map(({ s, a, d, r }) => [s, a, d, r]);
      const first = await post(gateway, batchOf('A', rows));
      assert.equal(first.status, 200, JSON.stringify(first.body));
      assert.deepEqual(first.body.remarks, [
        { code: 'HTML_ENTITIES', count: 1, row: 1 },
        { code: 'NULL_WORDS', count: 3, row: 1 },
      ]);
      assert.deepEqual(await stored(), [
        ['007', null, 'none', 0],
        ['S1', 'R&amp;D', 'n/a', 0],
      ]);
      const own = batchOf('A', [rows[1]!, { ...rows[0], eFscd: '', residential: '' }], {
        null_words: ['none'],
        decode_html: true,
      });
      const second = await post(gateway, own);
      assert.deepEqual([second.status, second.body.ignored_fields], [200, []], JSON.stringify(second.body));
      assert.deepEqual(await stored(), [
        ['007', '\\N', null, 0],
        ['S1', 'R&D', 'n/a', 0],
      ]);
      const odd = await post(gateway, batchOf('A', rows, { null_words: 'none' }));
      assert.deepEqual([odd.status, odd.body.error?.path], [400, 'null_words']);
    });

    it('refuses a key that is nearly a column, or a second one for a column, with its path', async () => {
      const { status, body } = await post(
        gateway,
        batchOf('A', [
          { stage_application: 'S1', address: 'x', address2: 'y' },
          { stage_application: 'S2', delivery_partnr: 'secret' },
          { stage_application: 'S3', eFscd: '2025-01-01', efscd: 'secret' },
        ]),
      );
      assert.deepEqual(
        [status, body.error.issues],
        [
          422,
          [
            { path: 'rows[1].delivery_partnr', message: 'no column; did you mean delivery_partner?' },
            { path: 'rows[2].efscd', message: 'the same column as eFscd' },
          ],
        ],
      );
      assert.equal((await gateways.place.sql`SELECT FROM public.staging_imports`).length, 0);
    });

    it('answers a refused batch under its own correlation id, and says when that of the header is not used', async () => {
      const [own, other] = ['7f2a7eed-7b46-49ef-9f77-2a0c6a6ad001', '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad002'];
      const ask = async (rows: unknown, header?: string, more: object = { correlation_id: own }) => {
        const headers = header === undefined ? {} : { 'x-correlation-id': header };
        const { status, body, headers: said } = await post(gateway, batchOf('A', rows, more), { headers });
        return [status, body.correlation_id, said.get('x-correlation-id'), said.get('x-correlation-id-ignored')];
      };
      assert.deepEqual(await ask([{ stage_application: ' ' }]), [422, own, own, null]);
      assert.deepEqual(await ask([], other), [422, own, own, 'the batch has its own']);
      assert.deepEqual(await ask('no rows', own), [400, own, own, null]);
      assert.deepEqual(await ask(rowsOf(1), other), [200, own, own, 'the batch has its own']);
      assert.deepEqual(await ask(rowsOf(1), other), [200, own, own, 'the batch has its own']); // the same bytes again
      assert.deepEqual(await ask(rowsOf(1), other, {}), [200, other, other, null]);
      const [status, id, , ignored] = await ask(rowsOf(1), 'order-17', {});
      assert.deepEqual([status, ignored], [200, 'not a UUID']);
      assert.match(String(id), UUID);
    });

    it('leaves a row of each answer, by the ids that its sender asked with, and says whether anything was merged', async () => {
      const { sql } = gateways.place;
      await sql`TRUNCATE ingest.project_answers`;
      const ids = [1, 2, 3].map((n) => `7f2a7eed-7b46-49ef-9f77-2a0c6a6ad00${n}`);
      const answers: Answer[] = [];
      for (const id of ids)
        answers.push(await post(gateway, batchOf('A', rowsOf(2), { batch_id: `asked ${id}`, correlation_id: id })));
      const twins = await Promise.all(
        ['one', 'two'].map((batch_id) => post(gateway, batchOf('B', rowsOf(2), { batch_id }))),
      );
      assert.deepEqual(
        answers.map(({ status, body }) => [status, body.replayed]),
        [
          [200, false],
          [200, true],
          [200, true],
        ],
      );
      const rows = await sql<Record<string, string>[]>`
        SELECT tenant_id, request_batch_id, correlation_id, staging_id, outcome FROM ingest.project_answers ORDER BY answered_at`;
      assert.deepEqual(
        rows.filter((row) => row['tenant_id'] === 'A').map((row) => ({ ...row })),
        ids.map((id, i) => ({
          tenant_id: 'A',
          request_batch_id: `asked ${id}`,
          correlation_id: id,
          staging_id: answers[0]!.body.metrics['staging_id'],
          outcome: i === 0 ? 'merged' : 'replayed',
        })),
      );
      const ofB = rows.filter((row) => row['tenant_id'] === 'B');
      assert.deepEqual(ofB.map((row) => row['request_batch_id']).sort(), ['one', 'two']);
      assert.ok(
        ofB.some(({ outcome }) => outcome === 'merged') &&
          ofB.every((row) => row['staging_id'] === twins[0]!.body.metrics['staging_id']),
      );
      // A refused batch has its id in answer and log, and no row: nothing was staged.
      await post(gateway, batchOf('A', [], { correlation_id: '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad009' }));
      assert.equal((await sql`SELECT FROM ingest.project_answers`).length, 5);
    });

    it('lists the first 20 places of many', async () => {
      const { body } = await post(gateway, batchOf('A', rowsOf(500, 0, { residential: 'x' })));
      assert.deepEqual(
        body.error.issues?.map(({ path }) => path),
        Array.from({ length: 20 }, (_, i) => `rows[${i}].residential`),
      );
    });

    it("refuses a missing, an unknown and another tenant's bearer with 401", async () => {
      for (const bearer of ['', 'unknown', secretOf('B')]) {
        const { status, headers, body } = await post(gateway, batchOf('A', rowsOf(1)), { bearer });
        assert.deepEqual(
          [status, headers.get('www-authenticate'), body.error.code],
          [401, 'Bearer', 'UNAUTHORIZED'],
          bearer,
        );
      }
      assert.equal((await gateways.place.sql`SELECT FROM public.staging_imports`).length, 0);
    });

    it('refuses what is no JSON by its type, and encodings it does not know, with 400', async () => {
      for (const headers of [
        { 'content-type': 'text/csv' },
        { 'content-encoding': 'br' },
        { 'content-encoding': 'gzip' },
      ]) {
        const { status, body } = await post(gateway, batchOf('A', rowsOf(1)), {
          headers: headers as Record<string, string>,
        });
        assert.deepEqual([status, body.error.code], [400, 'UNSUPPORTED_BODY'], JSON.stringify(headers));
      }
    });

    it('tells a tenant that asks too often to wait, and no other', async () => {
      const strict = await gateways.open({ rate: { burst: 2, perSecond: 0.01 } });
      const answers = [];
      for (let i = 0; i < 3; i++) answers.push(await post(strict, batchOf('A', rowsOf(1))));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 429],
      );
      assert.equal(answers[2]!.body.error.code, 'RATE_LIMITED');
      assert.ok(Number(answers[2]!.headers.get('retry-after')) > 1);
      assert.equal((await post(strict, batchOf('B', rowsOf(1)))).status, 200);
    });
  });
}
