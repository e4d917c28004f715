/** Supabase does not answer the gateway: people are told why, and what to look at. */
import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asUser } from '../../../src/gateway/userClient.ts';
import { createSessions } from '../../../src/gateway/dashboard/session.ts';

const project = (url: string) => ({ url, serviceKey: 'service', anonKey: 'anon' });

describe('a Supabase that the gateway does not reach', () => {
  it('is named with the cause of the transport, by the sign-in and by every page', async () => {
    const supabase = project('http://127.0.0.1:54319');
    const says = { message: /takes no connection at 127\.0\.0\.1:54319 \(ECONNREFUSED\)/, remedy: /SUPABASE_URL/ };
    await assert.rejects(createSessions(supabase).signIn('a@example.com', 'x'), { code: 'AUTH_UNAVAILABLE', ...says });
    await assert.rejects(asUser(supabase, 'jwt').call('fn_dashboard_overview', {} as never), {
      code: 'DATABASE_UNAVAILABLE',
      ...says,
    });
  });

  it('and whose Auth alone is down is told apart from one that refuses the password', async () => {
    let status = 503;
    const server = createServer((_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"code":"x","msg":"y"}'),
    ).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const sessions = createSessions(project(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    try {
      await assert.rejects(sessions.signIn('a@example.com', 'x'), {
        code: 'AUTH_UNAVAILABLE',
        message: 'Supabase Auth answers 503',
      });
      status = 400;
      assert.equal(await sessions.signIn('a@example.com', 'x'), undefined);
    } finally {
      server.close();
    }
  });
});
