/** A PostgreSQL 15 of its own, where its programs are installed. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOwned, placePostgres } from '../../src/local/postgresPlace.ts';
import { awaitDatabase } from '../../src/local/supabaseApi.ts';

export interface Server {
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** Directory of its programs, or undefined. */
export function findPostgres15(): string | undefined {
  const candidates = [
    '/usr/lib/postgresql/15/bin',
    '/opt/homebrew/opt/postgresql@15/bin',
    '/usr/local/opt/postgresql@15/bin',
    configured(),
  ];
  return candidates.find((dir) => dir !== undefined && existsSync(join(dir, 'initdb')));
}

function configured(): string | undefined {
  try {
    const ask = (flag: string): string =>
      execFileSync('pg_config', [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return / 15\b/.test(ask('--version')) ? ask('--bindir') : undefined;
  } catch {
    return undefined;
  }
}

export async function startPostgres15(binDir: string): Promise<Server> {
  const dir = await mkdtemp(join(tmpdir(), 'intake-pg15-'));
  chmodSync(dir, 0o711);
  const { user } = await placePostgres(dir, () => undefined);
  const data = join(dir, 'data');
  makeOwned(data, user);
  execFileSync(
    join(binDir, 'initdb'),
    ['-D', data, '-U', 'admin', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: '/', stdio: 'ignore' },
  );
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'].flatMap((setting) => [
    '-c',
    setting,
  ]);
  const server = spawn(join(binDir, 'postgres'), ['-D', data, '-p', String(port), ...settings], {
    ...user,
    cwd: '/',
    stdio: 'ignore',
  });
  const gone = new Promise((resolve) => server.once('exit', resolve));
  const adminUrl = `postgresql://admin@127.0.0.1:${port}/postgres`;
  await awaitDatabase(adminUrl, 20_000);
  return {
    adminUrl,
    async stop() {
      server.kill('SIGINT');
      await gone;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
