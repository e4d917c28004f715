import { strict as assert } from 'node:assert';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { RunningGateway } from '../../../src/gateway/server.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import { batchOf, openGatewayPlace, openSlow, post, rowsOf, secretOf, type GatewayPlace } from '../place.ts';

const MB = 1024 * 1024;

describe('large and slow requests', function () {
  this.timeout(60_000);
  let gateways: GatewayPlace;
  let gateway: RunningGateway;
  let worker: RunningWorker;

  before(async () => {
    gateways = await openGatewayPlace(['A', 'B']);
    worker = await startWorker(gateways.place.config, createLogger('fatal'));
    gateway = await gateways.open();
  });
  after(async () => {
    await gateways.close();
    await worker.shutdown();
  });

  /** Sends a head and as much of a body as is taken, does not look at the answer before, and tells what it was. */
  async function sendBlindly(
    lines: readonly string[],
    block: Buffer,
    blocks: number,
  ): Promise<{ head: string; sentMb: number }> {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    const failed = new Promise<void>((resolve) => socket.once('error', () => resolve()));
    socket.write(
      `POST /import-projects HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n${lines.join('\r\n')}\r\n\r\n`,
    );
    let sent = 0;
    while (sent < blocks && !socket.destroyed) {
      sent++;
      if (!socket.write(block)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), failed]);
    }
    return { head: await textOf(socket), sentMb: (sent * block.length) / MB };
  }

  const textOf = (socket: Socket): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      socket.on('data', (data) => (text += data));
      socket.once('close', () => resolve(text));
      socket.once('end', () => socket.end());
    });
  const bearer = `authorization: Bearer ${secretOf('A')}`;
  const chunked = 'transfer-encoding: chunked';
  const chunk = Buffer.concat([Buffer.from(`${MB.toString(16)}\r\n`), Buffer.alloc(MB, ' '), Buffer.from('\r\n')]);

  it('of more than 5 MB are refused with 413: announced, streamed, and out of a gzip bomb', async () => {
    const large = JSON.stringify(batchOf('A', rowsOf(1, 0, { address: 'x'.repeat(6_000_000) })));
    assert.equal((await post(gateway, large)).status, 413);
    assert.equal((await post(gateway, gzipSync(large), { headers: { 'content-encoding': 'gzip' } })).status, 413);
    const bomb = gzipSync(Buffer.alloc(150_000_000, ' '));
    const before = process.memoryUsage().rss;
    const { status, body } = await post(gateway, bomb, { headers: { 'content-encoding': 'gzip' } });
    assert.deepEqual([status, body.error.code], [413, 'PAYLOAD_TOO_LARGE']);
    assert.ok(process.memoryUsage().rss - before < 75_000_000, 'the bomb went off');
  });

  it('of few bytes that are much to parse are refused before they are parsed: deep ones, many lists, many fields', async () => {
    const gzip = { headers: { 'content-encoding': 'gzip' } };
    for (const [text, wanted, words] of [
      [`${'['.repeat(2_600_000)}${']'.repeat(2_600_000)}`, [400, 'MALFORMED_JSON'], /nested more than 16 deep/],
      [`[${'[],'.repeat(1_000_000)}[]]`, [422, 'INVALID_ROWS'], /more than 50000 lists and objects/],
      [`{${'"k":1,'.repeat(600_000)}"k":1}`, [422, 'INVALID_ROWS'], /more than 500000 fields/],
    ] as const) {
      const { status, body: answer } = await post(gateway, gzipSync(text.slice(0, 5 * MB)), gzip);
      assert.deepEqual([status, answer.error.code], wanted);
      assert.match(answer.error.message, words);
    }
    // Brackets and quotes in texts are none of the structure.
    const odd = '"[{\\'.repeat(20);
    const batch = batchOf('A', rowsOf(1, 0, { address: odd }), { batch_id: 'brackets' });
    assert.equal((await post(gateway, JSON.stringify(batch))).status, 200);
  });

  for (const [what, lines, status] of [
    ['a stream that is too large', [bearer, chunked], 413],
    ['an announced length that is too large', [bearer, `content-length: ${40 * MB}`], 413],
    ['a large gzip', [bearer, chunked, 'content-encoding: gzip'], 413],
    ['an unknown bearer', ['authorization: Bearer nobody', chunked], 401],
    ['another type', [bearer, chunked, 'content-encoding: br'], 400],
  ] as const) {
    it(`tell ${status} to a client that sends 40 MB before it reads: ${what}`, async () => {
      const { head } = await sendBlindly(
        lines,
        lines.some((line) => line === chunked) ? chunk : Buffer.alloc(MB, ' '),
        40,
      );
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(head, /^connection: close/im);
      assert.match(head, /"correlation_id"/);
    });
  }

  it('of 1 GB end early, in bounded memory, also without a bearer', async () => {
    for (const [lines, status] of [
      [[bearer, chunked], '413'],
      [[chunked], '401'],
    ] as const) {
      const before = process.memoryUsage().rss;
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1').on('error', () => undefined);
      const answer = textOf(socket);
      socket.write(`POST /import-projects HTTP/1.1\r\nhost: here\r\n${lines.join('\r\n')}\r\n\r\n`);
      let sent = 0;
      for (; sent < 1024 && !socket.destroyed; sent++)
        if (!socket.write(chunk))
          await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve));
      assert.equal((await answer).split(' ')[1], status);
      assert.ok(sent < 200, `${sent} MB were taken`);
      assert.ok(process.memoryUsage().rss - before < 150_000_000);
    }
  });

  it('do not keep others waiting: 500 clients that send no whole head, or no whole body, are let go', async () => {
    const impatient = await gateways.open({ requestMs: 3000 });
    const before = process.memoryUsage().rss;
    const opened = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        i % 2 ? openSlow(impatient, 1_000_000, '{"tenant_id":') : openHead(impatient),
      ),
    );
    const gone = Promise.all(
      opened.map(
        (socket) =>
          new Promise<void>((resolve) =>
            socket
              .resume()
              .on('error', () => undefined)
              .once('close', () => resolve()),
          ),
      ),
    );
    for (const tenant of ['A', 'B']) assert.equal((await post(impatient, batchOf(tenant, rowsOf(1)))).status, 200);
    assert.equal(opened.filter(({ closed }) => closed).length, 0);
    assert.ok(process.memoryUsage().rss - before < 150_000_000);
    await gone;
  });

  /** What the gateway writes to a client that sends this and no more. */
  async function answerTo(text: string, to = gateway): Promise<string> {
    const socket = connect(Number(new URL(to.url).port), '127.0.0.1').on('error', () => undefined);
    const answer = textOf(socket);
    socket.write(text);
    return answer;
  }
  const head = `POST /import-projects HTTP/1.1\r\nhost: here\r\n${bearer}\r\ncontent-type: application/json\r\n`;
  const countOf = async (status: number): Promise<number> => {
    const page = await (await fetch(`${gateway.url}/metrics`)).text();
    const counts = page.matchAll(new RegExp(`^intake_gateway_requests_total\\{.*status="${status}"\\} (\\d+)$`, 'gm'));
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  for (const [what, text, status, code] of [
    ['is not HTTP', 'NONSENSE\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['has no Host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['has a bad Host', 'GET /healthz HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['breaks off its chunks', `${head}${chunked}\r\n\r\n5\r\n{"ten\r\nZZ\r\n`, 400, 'MALFORMED_REQUEST'],
    [
      'has 20 kB of headers',
      `GET / HTTP/1.1\r\nhost: here\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['expects the unknown', `${head}expect: wonders\r\nconnection: close\r\n\r\n`, 417, 'EXPECTATION_FAILED'],
  ] as const) {
    it(`get the problem document, and are counted, where the server itself refuses: one that ${what}`, async () => {
      const before = await countOf(status);
      const answer = await answerTo(text);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(answer, /^connection: close/im);
      const [, id] = /^x-correlation-id: (\S+)/im.exec(answer) ?? [];
      const body = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1));
      assert.deepEqual([body.error.code, body.correlation_id, body.error.path], [code, id, null]);
      assert.ok(body.error.remedy);
      assert.equal(await countOf(status), before + 1);
    });
  }

  it('keep the answer of the handler when the body is longer than announced, and tell that, too', async () => {
    const answer = await answerTo(`${head}content-length: 2\r\n\r\n{} and more`);
    assert.match(answer, /^HTTP\/1.1 400 [^]*INVALID_STRUCTURE[^]*HTTP\/1.1 400 [^]*MALFORMED_REQUEST/);
  });

  it('are 408 when the body does not come, under the id of the request, also on a page of forms', async () => {
    const impatient = await gateways.open({ requestMs: 1500 });
    const id = '7f2a7eed-7b46-49ef-9f77-2a0c6a6ad001';
    const answer = await answerTo(`${head}x-correlation-id: ${id}\r\ncontent-length: 9\r\n\r\n{`, impatient);
    assert.match(answer, /^HTTP\/1.1 408 [^]*REQUEST_TIMEOUT/);
    assert.equal(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)).correlation_id, id);
    const form = `POST /sign-in HTTP/1.1\r\nhost: here\r\norigin: http://here\r\nsec-fetch-site: same-origin\r\n`;
    const type = 'content-type: application/x-www-form-urlencoded';
    assert.match(await answerTo(`${form}${type}\r\ncontent-length: 9\r\n\r\ne`, impatient), /^HTTP\/1.1 408 /);
    const page = await (await fetch(`${impatient.url}/metrics`)).text();
    assert.match(page, /route="\/import-projects",status="408"\} 1\n/);
    assert.doesNotMatch(page, /status="5/);
  });

  it('are no fault of the gateway when the client breaks off: counted as 499, never as 500', async () => {
    const [gone, faults] = [await countOf(499), await countOf(500)];
    for (let i = 0; i < 5; i++) {
      const socket = await openSlow(gateway, 1_000, '{"tenant_id":');
      await new Promise((wake) => setTimeout(wake, 50)); // its head has to arrive
      socket.destroy();
    }
    while ((await countOf(499)) < gone + 5) await new Promise((wake) => setTimeout(wake, 50));
    assert.equal(await countOf(500), faults);
  });

  it('reach the gateway of an embedded stack by names of this machine alone, and any other gateway by every name', async () => {
    const statusAt = async ({ url }: RunningGateway, host: string): Promise<string> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      return (await textOf(socket)).slice(9, 12);
    };
    const embedded = await gateways.open({}, { SUPABASE_MODE: 'embedded' });
    for (const host of ['127.0.0.1:8787', 'localhost', 'LOCALHOST:1', '[::1]:8787', '127.8.9.1'])
      assert.equal(await statusAt(embedded, host), '200', host);
    for (const host of ['rebind.example', 'localhost.example:8787', '127.0.0.1.example', '10.0.0.1', '']) {
      assert.equal(await statusAt(embedded, host), host === '' ? '400' : '421', host);
      assert.equal(await statusAt(gateway, host || 'intake.example.com'), '200', host);
    }
  });

  it('keep the connection of one that was read whole', async () => {
    const { headers } = await post(gateway, batchOf('A', []));
    assert.equal(headers.get('connection'), 'keep-alive');
  });
});

/** A connection that has sent half a head. */
function openHead({ url }: RunningGateway): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write('POST /import-projects HTTP/1.1\r\nhost: he', () => resolve(socket)),
    );
  });
}
