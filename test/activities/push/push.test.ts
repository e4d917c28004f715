import { strict as assert } from 'node:assert';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { IntakeError } from '../../../src/errors.ts';
import { hashFile } from '../../../src/sources/file.ts';
import { batchIdOf } from '../../../src/activities/push/batchId.ts';
import { postBatchBody, type PostRequest } from '../../../src/activities/push/post.ts';
import { projectRows } from '../../../src/activities/push/projectRows.ts';
import { openSpool, readBody, removeSpool } from '../../../src/activities/push/spool.ts';
import { splitRows } from '../../../src/sources/projects/split.ts';
import type { Push } from '../../../src/messages/push.ts';

describe('a push of projects', function () {
  this.timeout(60_000);
  let dir: string;
  const file = async (text: string | Buffer, name = randomUUID()): Promise<string> => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  };
  const keys = async (text: string | Buffer): Promise<unknown[]> =>
    (await all(projectRows(await file(text), 'dmy'))).map(
      ({ row, leftOut }) => row?.stage_application ?? `${leftOut!.code} ${leftOut!.column} ${leftOut!.message}`,
    );
  const fault = (code: string, message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof IntakeError);
    assert.equal(error.code, code);
    assert.match(error.line === undefined ? error.message : `${error.message} (line ${error.line})`, message);
    return true;
  };

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'intake-push-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  describe('reads', () => {
    it('CSV in the encodings and delimiters of imports, headers in any spelling', async () => {
      const csv = 'Stage Application;Delivery_Partner;residential;unknown\nS1;" Größe; Ltd ";007;x\n S2 ;;;\n';
      const rows = await all(projectRows(await file(Buffer.from(`\ufeff${csv}`, 'utf16le')), 'dmy'));
      assert.deepEqual(
        rows.map(({ row }) => row),
        [
          { stage_application: 'S1', delivery_partner: 'Größe; Ltd', residential: 7 },
          { stage_application: 'S2', delivery_partner: null, residential: 0 },
        ],
      );
    });

    it('JSON as a list, as rows of an object and line by line, whatever its texts hold', async () => {
      const rows = [
        { stage_application: 'S1', address: 'a "]}[{,\\' },
        { StageApplication: 'S2', more: { deep: [1, { x: ']' }] } },
        { stage_application: 'S3' },
      ];
      const lines = rows.map((row) => JSON.stringify(row));
      for (const text of [
        JSON.stringify(rows),
        JSON.stringify(rows, undefined, 2),
        `\ufeff ${JSON.stringify(rows)}\n`,
        JSON.stringify({ rows }),
        JSON.stringify({ tenant_id: 'T', batch_id: 'b', rows, after: 1 }),
        lines.join('\n'),
        `${lines.join('\r\n')}\r\n`,
      ])
        assert.deepEqual(await keys(text), ['S1', 'S2', 'S3'], text.slice(0, 40));
      assert.deepEqual(await keys('[]'), []);
    });

    it('JSON of many blocks without holding it', async () => {
      const rows = Array.from({ length: 20_000 }, (_, i) => ({ stage_application: `S${i}`, address: 'é'.repeat(100) }));
      assert.deepEqual(
        await keys(JSON.stringify(rows)),
        rows.map((row) => row.stage_application),
      );
    });

    it('JSON of several documents, and every row of them: nothing is ignored', async () => {
      const [one, two] = ['{"stage_application":"S1"}', '{"stage_application":"S2"}'];
      for (const text of [
        `[${one}]\n[${two}]`,
        `{"rows":[${one}]}\n{"rows":[${two}]}`,
        `{"rows":[${one}],"rows":[${two}]}`,
        `{"meta":{"rows":[1]},"rows":[${one}]}${two}`,
        `[${one}]{"rows":[${two}],"more":[{"stage_application":"no row"}]}`,
      ])
        assert.deepEqual(await keys(text), ['S1', 'S2'], text);
      assert.deepEqual(await keys('[{"stage_application":"S1","fod_id":9007199254740993}]'), ['S1']);
      const [number] = await all(projectRows(await file('{"stage_application":"S1","fod_id":1.10}'), 'dmy'));
      assert.equal(number!.row?.fod_id, '1.10');
    });

    it('leaves a row out that cannot be read, says where and why without its value, and goes on', async () => {
      for (const [text, expected] of [
        [
          'stage_application,residential\nS1,SECRET\nS2,1\n',
          ['BAD_COUNT residential not a whole number from 0 to 999999999', 'S2'],
        ],
        ['stage_application,residential\nS1\nS2,2\n', ['RAGGED_ROW undefined cannot be read', 'S2']],
        ['stage_application,residential\n" ",1\nS2,2\n', ['MISSING_VALUE stage_application blank', 'S2']],
        [
          'stage_application,eFscd\nS1,09/24/2025\nS2,24/09/2025\n',
          ["BAD_DATE eFscd not a date: the file's order is dmy; --date-order mdy would fit this date", 'S2'],
        ],
        [
          '[{"stage_application":"S1","fod_id":{}},["SECRET"],{"stage_application":"S3","delivery_partnr":"SECRET"},{"stage_application":"S4"}]',
          [
            'INVALID_ROW fod_id neither a text nor a number',
            'INVALID_ROW undefined not an object',
            'INVALID_ROW <field 2> no column; did you mean delivery_partner?',
            'S4',
          ],
        ],
      ] as const)
        assert.deepEqual(await keys(text), expected);
    });

    it('refuses a file that cannot be read as a whole, and names the place, never a value', async () => {
      for (const [text, code, message] of [
        ['key\nS1\n', 'MISSING_COLUMNS', /stage_application/],
        ['', 'EMPTY_FILE', /empty/],
        ['[{"stage_application":"S1"},\n{"SECRET"}]', 'INVALID_ROW', /^Row 2 cannot be read: it is not JSON in UTF-8$/],
        ...[
          '[{"stage_application":"S1"}',
          '{"rows":[{"stage_application":"S1"}]',
          '[{"stage_application":"S1"}] [{',
        ].map((cut) => [cut, 'INVALID_ROW', /the file ends within it/] as const),
        ...['[1,,2]', '[,1]', '[{"stage_application":"S1"},]', '[{}] and more', '{},{}', '{}]'].map(
          (bad) => [bad, 'INVALID_ROW', /not JSON/] as const,
        ),
        [Buffer.from('[{"stage_application":"\xff"}]', 'latin1'), 'INVALID_ROW', /UTF-8/],
        [`[{"address":"${'x'.repeat(1_100_000)}"}]`, 'INVALID_ROW', /larger than 1 MB/],
      ] as const)
        await assert.rejects(keys(text), fault(code, message), String(text).slice(0, 40));
    });
  });

  describe('splits', () => {
    const rowsOf = async function* (sizes: readonly number[]) {
      for (const size of sizes) yield { a: 'x'.repeat(size - 8) }; // 8 bytes around it
    };
    const cut = async (sizes: readonly number[], maxRows: number, maxBytes: number) =>
      all(splitRows(rowsOf(sizes), maxRows, maxBytes));

    it('at the number of rows, in their order', async () => {
      assert.deepEqual(
        (
          await cut(
            Array.from({ length: 10 }, () => 20),
            4,
            1e6,
          )
        ).map(({ rows }) => rows),
        [4, 4, 2],
      );
      assert.deepEqual(await all(splitRows(rowsOf([]))), []);
    });

    it('at the bytes of the JSON, to the byte, counting UTF-8', async () => {
      for (const [maxBytes, expected] of [
        [42, [1, 1, 1]],
        [43, [2, 1]],
        [63, [2, 1]],
        [64, [3]],
      ] as const) {
        const batches = await cut([20, 20, 20], 5000, maxBytes);
        assert.deepEqual(
          batches.map(({ rows }) => rows),
          expected,
          String(maxBytes),
        );
        for (const { json } of batches) assert.ok(Buffer.byteLength(json) <= maxBytes);
      }
      async function* wide() {
        for (let i = 0; i < 4; i++) yield { a: 'é'.repeat(100) };
      }
      assert.deepEqual(
        (await all(splitRows(wide(), 5000, 450))).map(({ rows }) => rows),
        [2, 2],
      );
    });

    it('calls batches by the time as the tenant sees it', () => {
      assert.equal(
        batchIdOf('2025-08-18T07:30:00.000Z', 0, 'Australia/Adelaide'),
        '2025-08-18T17:00:00+0930-batch-001',
      );
      assert.equal(
        batchIdOf('2025-12-18T06:30:00.000Z', 11, 'Australia/Adelaide'),
        '2025-12-18T17:00:00+1030-batch-012',
      );
      assert.equal(batchIdOf('2025-12-18T00:00:05.000Z', 999, 'UTC'), '2025-12-18T00:00:05+0000-batch-1000');
      assert.match(batchIdOf('2025-12-18T00:00:05.000Z', 0), /^2025-12-1[78]T\d\d:\d\d:05[+-]\d{4}-batch-001$/);
    });
  });

  describe('keeps its batches until it ends', () => {
    const pushOf = async (path: string): Promise<Push> => ({
      backend: 'postgres',
      taskQueue: 'q',
      fileQueue: 'q@here',
      tenantId: 'A',
      path,
      filename: 'f',
      fileHash: (await hashFile(path)).hash,
      batchRows: 2,
      correlationId: randomUUID(),
      startedAt: '2026-01-01T00:00:00.000Z',
      timeZone: 'UTC',
    });

    it('as bodies whose ids, rows and order two attempts at once agree on', async () => {
      const push = await pushOf(await file('stage_application\nS1\nS2\nS3\n'));
      const [one, two] = await Promise.all([openSpool(dir, push), openSpool(dir, push)]);
      assert.deepEqual(one, two);
      assert.deepEqual(
        one.batches.map(({ batchId, rows, firstRow }) => [batchId, rows, firstRow]),
        [
          ['2026-01-01T00:00:00+0000-batch-001', 2, 0],
          ['2026-01-01T00:00:00+0000-batch-002', 1, 2],
        ],
      );
      const body = JSON.parse((await readBody(one, 1)).toString()) as { rows: unknown };
      assert.deepEqual(body, {
        tenant_id: 'A',
        source: 'projects-import',
        batch_id: '2026-01-01T00:00:00+0000-batch-002',
        correlation_id: push.correlationId,
        rows: [{ stage_application: 'S3' }],
      });
      await removeSpool(dir, push);
      assert.deepEqual(await openSpool(dir, push), { ...one }); // lost, it is made again, the same
      await rm(join(one.folder, 'batch-00002.json')); // so is a part of it
      assert.deepEqual(await openSpool(dir, push), { ...one });
      await writeFile(join(one.folder, 'spool.json'), '{"rows":');
      assert.deepEqual(await openSpool(dir, push), { ...one });
      assert.ok((await readBody(one, 1)).length > 0);
      await removeSpool(dir, push);
    });

    it('with words for nothing empty, identifiers as text and HTML as asked, the same of CSV and JSON, counted', async () => {
      const cells = { stage_application: '="0012"', address: '(null)', delivery_partner: 'A &amp; B', eFscd: '#N/A' };
      const csv = `${Object.keys(cells).join()}\n"=""0012""",(null),A &amp; B,#N/A\n4-Mar,,,\nNULL,,,\n`;
      const json = JSON.stringify([cells, { stage_application: '4-Mar' }, { stage_application: 'NULL' }]);
      for (const text of [csv, json]) {
        const spool = await openSpool(dir, { ...(await pushOf(await file(text))), decodeHtml: true });
        assert.deepEqual(
          spool.leftOut.map(({ code, row }) => [row, code]),
          [
            [2, 'SPREADSHEET_VALUE'],
            [3, 'MISSING_VALUE'],
          ],
        );
        const { rows } = JSON.parse((await readBody(spool, 0)).toString()) as { rows: unknown };
        assert.deepEqual(rows, [{ stage_application: '0012', address: null, delivery_partner: 'A & B', eFscd: null }]);
        assert.equal(spool.remarks?.['NULL_WORDS']?.count, 3);
        assert.equal(spool.remarks?.['HTML_ENTITIES']?.count, 1);
      }
      const own = {
        ...(await pushOf(await file('[{"stage_application":"NULL","address":"none"}]'))),
        nullWords: ['none'],
      };
      const body = JSON.parse((await readBody(await openSpool(dir, own), 0)).toString()) as Record<string, unknown>;
      assert.deepEqual([body['null_words'], body['rows']], [['none'], [{ stage_application: 'NULL', address: null }]]);
    });

    it('and is CHANGED_FILE when the file is another one than was asked for, or becomes one midway', async () => {
      const path = await file('stage_application\nS1\nS2\nS3\n');
      await assert.rejects(
        openSpool(dir, { ...(await pushOf(path)), fileHash: '0'.repeat(64) }),
        fault('CHANGED_FILE', /changed/),
      );
      const push = await pushOf(path);
      await openSpool(dir, push);
      await writeFile(path, 'stage_application\nS1\nS2\nS3\n'); // touched, not changed
      await openSpool(dir, push);
      await appendFile(path, 'S4\n');
      await assert.rejects(openSpool(dir, push), fault('CHANGED_FILE', /since its push began/));
    });
  });

  describe('posts', () => {
    let server: Server;
    let answer: (request: IncomingMessage, response: ServerResponse) => void;
    let request: PostRequest;
    const metrics = {
      inserted_projects: 1,
      updated_projects: 2,
      org_memberships_upserted: 3,
      user_memberships_upserted: 4,
      anomalies_count: 5,
      staging_id: 's',
    };
    const say =
      (status: number, body: object | string, headers: Record<string, string> = {}) =>
      (_: IncomingMessage, response: ServerResponse) =>
        response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));

    before((done) => {
      server = createServer(
        (incoming, response) => void incoming.resume().on('end', () => answer(incoming, response)),
      ).listen(0, '127.0.0.1', () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        request = {
          url,
          bearer: 'secret',
          fresh: false,
          body: Buffer.from('{}'),
          name: 'batch-001',
          attempt: 1,
          signal: new AbortController().signal,
        };
        done();
      });
    });
    after(() => server.close());

    it('with the bearer, below the base address or to the whole one', async () => {
      const seen: unknown[] = [];
      answer = (incoming, response) => {
        seen.push([incoming.method, incoming.url, incoming.headers['authorization'], incoming.headers['content-type']]);
        say(200, { metrics })(incoming, response);
      };
      assert.deepEqual(await postBatchBody(request), metrics);
      await postBatchBody({ ...request, url: `${request.url}/functions/v1/import-projects` });
      assert.deepEqual(
        seen,
        ['/import-projects', '/functions/v1/import-projects'].map((path) => [
          'POST',
          path,
          'Bearer secret',
          'application/json',
        ]),
      );
    });

    it('again after 1, 2, 4, 8 and 16 seconds for a 5xx or no answer, or as the gateway says where that is longer', async () => {
      const waits = async (change: Partial<PostRequest> = {}): Promise<number[]> => {
        const found: number[] = [];
        for (const attempt of [1, 2, 3, 4, 5, 6]) {
          await postBatchBody({ ...request, ...change, attempt }).catch((error: IntakeError) => {
            assert.ok(error.retryable, error.message);
            found.push(error.retryAfterMs!);
          });
        }
        return found;
      };
      const doubling = [1000, 2000, 4000, 8000, 16_000, 16_000];
      for (const status of [500, 502, 503]) {
        answer = say(status, 'down');
        assert.deepEqual(await waits(), doubling);
      }
      answer = (incoming) => incoming.socket.destroy();
      assert.deepEqual(await waits(), doubling);
      answer = say(429, {}, { 'retry-after': '7' });
      assert.deepEqual(await waits(), [7000, 7000, 7000, 8000, 16_000, 16_000]);
      answer = say(429, {});
      assert.deepEqual(await waits(), doubling);
      answer = say(429, {}, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
      assert.ok((await waits()).every((ms) => ms > 30_000 && ms <= 60_000));
    });

    it('never again for another 4xx, with the code, the path and the remedy of the gateway', async () => {
      answer = say(422, {
        error: {
          code: 'INVALID_ROWS',
          message: 'Rows are not as agreed',
          path: 'rows[3].residential',
          remedy: 'Mend the rows.',
        },
      });
      await assert.rejects(postBatchBody(request), (error: IntakeError) => {
        assert.deepEqual([error.code, error.retryable, error.remedy], ['GATEWAY_REFUSED', false, 'Mend the rows.']);
        assert.equal(
          error.message,
          'batch-001: the gateway answered 422 INVALID_ROWS at rows[3].residential: Rows are not as agreed',
        );
        return true;
      });
      for (const [status, body] of [
        [400, '{}'],
        [401, 'no'],
        [404, '<html>'],
        [413, 'null'],
        [302, ''],
        [200, '<html>'],
      ] as const) {
        answer = say(status, body, { location: 'http://127.0.0.1:1/' });
        await assert.rejects(postBatchBody(request), fault('GATEWAY_REFUSED', new RegExp(`answered ${status}$`)));
      }
    });

    it('again when a gateway does not know a bearer that was lent just now', async () => {
      answer = say(401, {});
      await assert.rejects(postBatchBody({ ...request, fresh: true }), fault('GATEWAY_BUSY', /401/));
    });
  });
});
