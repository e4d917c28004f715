import { strict as assert } from 'node:assert';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download } from '../../../src/activities/push/download.ts';

describe('a download that is redirected', () => {
  let folder: string;
  const servers: Server[] = [];
  const heard: string[] = [];
  const serve = async (answer: (path: string) => string | undefined): Promise<string> => {
    const server = createServer(({ url = '', headers }, response) => {
      heard.push(`${url} ${headers.authorization ?? ''}`.trim());
      const location = answer(url);
      if (location === undefined) response.end('stage_application\n');
      else response.writeHead(302, { location }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    servers.push(server);
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const get = (address: string): Promise<string> => download(address, folder, new AbortController().signal);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'intake-redirects-'));
  });
  after(async () => {
    for (const server of servers) server.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => void heard.splice(0));

  it('goes on within its own host, with its login', async () => {
    const own = await serve((path) => (path === '/a' ? '/b' : undefined));
    const path = await get(`http://user:word@${own}/a`);
    assert.equal(await readFile(path, 'utf8'), 'stage_application\n');
    const login = `Basic ${Buffer.from('user:word').toString('base64')}`;
    assert.deepEqual(heard, [`/a ${login}`, `/b ${login}`]);
  });

  it('reaches no other host of a private network, no other protocol, and ends', async () => {
    const inside = await serve(() => undefined);
    for (const location of [
      `http://${inside}/internal`,
      `http://localhost:${inside.split(':')[1]}/internal`,
      'http://169.254.169.254/latest/meta-data',
      'http://[::1]/x',
      'file:///etc/passwd',
      'ftp://example.com/x',
      '/again',
    ]) {
      const own = await serve(() => location);
      heard.splice(0);
      await assert.rejects(get(`http://${own}/a`), {
        code: 'DOWNLOAD_REFUSED',
        message: /redirects to where it may not/,
      });
      assert.ok(heard.length <= 6 && !heard.includes('/internal'), location);
    }
  });
});
