import { strict as assert } from 'node:assert';
import dns from 'node:dns';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isPublicAddress, postWebhook } from '../../src/anomalies/webhook.ts';
import { IntakeError } from '../../src/errors.ts';

describe('postWebhook', () => {
  const servers: Server[] = [];
  const allowed = { allowPrivate: true };
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

  it('fails for any other status, may be tried again, and tells no path, query or body', async () => {
    for (const status of [400, 404, 500]) {
      const { url } = await receive((_, response) => response.writeHead(status).end('secret'));
      await failsWith(postWebhook(url.replace('//', '//user:secret@'), {}, allowed), 'WEBHOOK_FAILED');
    }
    assert.ok(new IntakeError('WEBHOOK_FAILED', '').retryable && !new IntakeError('WEBHOOK_REFUSED', '').retryable);
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
