import { strict as assert } from 'node:assert';
import dns from 'node:dns';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyFor } from '../../src/webhooks/forms.ts';
import { postWebhook as postMessage, type WebhookOptions } from '../../src/webhooks/post.ts';
import { isPublicAddress } from '../../src/webhooks/publicAddress.ts';
import { IntakeError } from '../../src/errors.ts';
import { createLogger } from '../../src/observability/log.ts';

describe('postWebhook', () => {
  const servers: Server[] = [];
  const allowed = { allowPrivate: true };
  const postWebhook = (url: string, document: object, options: Partial<WebhookOptions> = {}): Promise<void> =>
    postMessage(url, { document, text: 'seven anomalies' }, { setting: 'TEST_WEBHOOK', ...options });
  /** Answers as told and keeps what came. */
  const receive = async (
    listener: RequestListener,
  ): Promise<{ url: string; port: number; requests: IncomingMessage[] }> => {
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      listener(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/hook/secret?token=secret`, port, requests };
  };
  const failsWith = (call: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof IntakeError);
      assert.equal(error.code, code);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });

  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('posts JSON and is content with any 2xx', async () => {
    let body = '';
    const { url, requests } = await receive(async (request, response) => {
      for await (const chunk of request) body += chunk;
      response.writeHead(204).end();
    });
    await postWebhook(url, { total: 5, who: 'Ä' }, allowed);
    assert.deepEqual(JSON.parse(body), { total: 5, who: 'Ä' });
    assert.deepEqual(
      [requests[0]!.method, requests[0]!.headers['content-type'], requests[0]!.url],
      ['POST', 'application/json', '/hook/secret?token=secret'],
    );
  });

  it('ends at once for what the receiver will not take later either; 408, 425, 429 and 5xx wait as long as it says', async () => {
    const outcomes = [];
    for (const [status, retryAfter] of [
      [301],
      [400],
      [404],
      [410],
      [422],
      [408],
      [425],
      [429, '20'],
      [429, '0'],
      [429, '86400'],
      [503, new Date(Date.now() + 30_000).toUTCString()],
      [500],
    ] as const) {
      const { url } = await receive((_, response) =>
        response.writeHead(status, retryAfter ? { 'retry-after': retryAfter } : {}).end('secret'),
      );
      const call = postWebhook(url.replace('//', '//user:secret@'), {}, allowed);
      await failsWith(call, 'WEBHOOK_FAILED');
      const { retryable, retryAfterMs } = (await call.catch((error: unknown) => error)) as IntakeError;
      outcomes.push([status, retryable, retryAfterMs && Math.round(retryAfterMs / 5000) * 5]);
    }
    assert.deepEqual(outcomes, [
      ...[301, 400, 404, 410, 422].map((status) => [status, false, undefined]),
      [408, true, undefined],
      [425, true, undefined],
      [429, true, 20],
      [429, true, 0],
      [429, true, 600],
      [503, true, 30],
      [500, true, undefined],
    ]);
  });

  it('takes "ok": false of a 200 for the refusal that it is, and tries again what Slack says is for later', async () => {
    for (const [answer, retryable] of [
      ['{"ok":false,"error":"no_text"}', false],
      ['{"ok":false,"error":"ratelimited"}', true],
    ] as const) {
      const { url } = await receive((_, response) => response.end(answer));
      await assert.rejects(postWebhook(url, {}, allowed), { code: 'WEBHOOK_FAILED', retryable });
    }
    for (const answer of ['ok', '{"ok":true}', '[false]', '', '{"ok":']) {
      const { url } = await receive((_, response) => response.end(answer));
      await postWebhook(url, {}, allowed);
    }
  });

  it('leaves the first words of a refusal in the log, without personal numbers and secrets of the address', async () => {
    const { url } = await receive((_, response) =>
      response.writeHead(400).end(`no_text at /hook/secret?token=secret for 4111 1111 1111 1111\n${'x'.repeat(5000)}`),
    );
    let lines = '';
    const log = createLogger('warn', { write: (line: string) => void (lines += line) });
    await assert.rejects(postWebhook(url, {}, { ...allowed, log }), { remedy: /TEST_WEBHOOK/ });
    const { host, status, answer } = JSON.parse(lines) as Record<string, string>;
    assert.deepEqual([host, status], ['127.0.0.1', 400]);
    assert.match(answer!, /^no_text at .*\[CARD_REDACTED\] x+$/);
    assert.ok(answer!.length <= 200 && !/secret|4111/.test(lines), lines);
  });

  it('speaks to Slack, Teams and Discord in their forms, to others in its own', () => {
    const message = { document: { total: 7 }, text: '7 anomalies of <!channel> & [x](http://x)' };
    const body = (url: string): Record<string, unknown> => bodyFor(new URL(url), message) as Record<string, unknown>;
    const slack = { text: '7 anomalies of &lt;!channel&gt; &amp; [x](http://x)' };
    const plain = String.raw`7 anomalies of \<!channel\> & \[x\]\(http://x\)`;
    assert.deepEqual(body('https://hooks.slack.com/services/T/B/x'), slack);
    assert.deepEqual(body('https://discord.com/api/webhooks/1/x/slack'), slack);
    assert.deepEqual(body('https://discord.com/api/webhooks/1/x'), { content: plain, allowed_mentions: { parse: [] } });
    for (const host of [
      'x.webhook.office.com',
      'prod-1.westeurope.logic.azure.com:443',
      'a.b.environment.api.powerplatform.com',
    ]) {
      const { attachments } = body(`https://${host}/x`) as { attachments: { content: { body: { text: string }[] } }[] };
      assert.equal(attachments[0]!.content.body[0]!.text, plain);
    }
    for (const host of ['example.com', 'notslack.com', 'slack.com.example.com', 'discord.com.evil.example'])
      assert.deepEqual(body(`https://${host}/x`), message.document);
    const long = bodyFor(new URL('https://discord.com/api/webhooks/1/x'), { document: {}, text: 'x'.repeat(5000) });
    assert.ok((long as { content: string }).content.length <= 2000);
  });

  it('follows no redirect', async () => {
    const target = await receive((_, response) => response.end());
    const { url } = await receive((_, response) => response.writeHead(302, { location: target.url }).end());
    await failsWith(postWebhook(url, {}, allowed), 'WEBHOOK_FAILED');
    assert.equal(target.requests.length, 0);
  });

  it('gives up a receiver that is silent, that is gone, or that never ends its answer', async () => {
    const silent = await receive(() => undefined);
    await failsWith(postWebhook(silent.url, {}, { ...allowed, timeoutMs: 200 }), 'WEBHOOK_FAILED');
    const { url } = await receive((_, response) => response.end());
    servers.at(-1)!.close();
    await failsWith(postWebhook(url, {}, allowed), 'WEBHOOK_FAILED');
    const endless = await receive((_, response) => void response.writeHead(200).write('x'));
    await postWebhook(endless.url, {}, allowed);
  });

  it('refuses this host and private networks in every way to write them', async () => {
    const { port, requests } = await receive((_, response) => response.end());
    const hosts = [
      '127.0.0.1',
      'localhost',
      '0.0.0.0',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '10.1.2.3',
      '169.254.169.254',
    ];
    for (const host of hosts) await failsWith(postWebhook(`http://${host}:${port}/`, {}), 'WEBHOOK_REFUSED');
    assert.equal(requests.length, 0);
  });

  it('goes to the address that was looked at: a name that changes its answer is refused or not reached', async () => {
    const { port, requests } = await receive((_, response) => response.end());
    const { lookup } = dns;
    let asked = 0;
    // What a rebinding name server does: a public address first, then this host.
    const rebinding = (_name: string, _options: object, done: (error: null, addresses: object[]) => void): void => {
      asked++;
      done(null, [
        { address: asked === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    };
    Object.assign(dns, { lookup: rebinding });
    const { syncBuiltinESMExports } = await import('node:module');
    syncBuiltinESMExports();
    try {
      await failsWith(postWebhook(`http://rebinding.example:${port}/`, {}), 'WEBHOOK_REFUSED');
      assert.deepEqual([asked, requests.length], [1, 0]);
    } finally {
      Object.assign(dns, { lookup });
      syncBuiltinESMExports();
    }
  });

  it('takes for public what is on the internet, and nothing special', () => {
    const open = [
      '1.1.1.1',
      '8.8.8.8',
      '172.15.255.255',
      '172.32.0.1',
      '100.63.255.255',
      '100.128.0.1',
      '2606:4700:4700::1111',
      '2001:4860:4860::8888',
    ];
    const special = [
      ...[
        '0.0.0.0',
        '10.0.0.1',
        '100.64.0.1',
        '127.1.2.3',
        '169.254.0.1',
        '172.16.0.1',
        '172.31.255.255',
        '192.168.1.1',
        '198.18.0.1',
        '224.0.0.1',
        '240.0.0.1',
        '255.255.255.255',
      ],
      ...[
        '::',
        '::1',
        '::ffff:8.8.8.8',
        '::ffff:10.0.0.1',
        '64:ff9b::a00:1',
        'fc00::1',
        'fd12::1',
        'fe80::1',
        'fe80::1%eth0',
        'fec0::1',
        'ff02::1',
        '2001:db8::1',
        '2001::1',
        '2002:a00:1::',
        'nonsense',
        '',
      ],
    ];
    assert.deepEqual(
      open.filter((address) => !isPublicAddress(address)),
      [],
    );
    assert.deepEqual(special.filter(isPublicAddress), []);
  });
});
