/** Whose folder it is: two stacks never have one data folder open, and `down` ends ours and nobody else's. */
import { strict as assert } from 'node:assert';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { waitForLock } from '../../src/local/lock.ts';
import { purgeStack } from '../../src/local/purge.ts';
import { ensureStack, readStack, stopStack } from '../../src/local/stack.ts';
import type { Stack } from '../../src/local/stack.ts';
import { identify, isAlive, thisMachine } from '../../src/local/processes.ts';
import { ownRelease } from '../../src/local/release.ts';
import { readSettings, readSupervisor, stackTag, writeSettings, writeSupervisor } from '../../src/local/state.ts';
import { workerComesUp } from '../../src/local/watch.ts';
import { ANY_PORTS, makeStackFolder } from '../support/stack.ts';
import { skip } from '../support/skip.ts';

const run = promisify(execFile);
const INTAKE = fileURLToPath(new URL('../../bin/intake.mjs', import.meta.url));

describe('the folder of a stack', function () {
  this.timeout(90_000);
  let parent: string;
  let dir: string;
  let stack: Stack;
  const lines: string[] = [];
  const up = async (path = dir): Promise<Stack> =>
    ensureStack({ dir: path, ports: ANY_PORTS, worker: false, onStep: (line) => lines.push(line) });
  const isUp = (pids: Stack['pids']) => Object.values(pids).filter((pid) => identify(pid!) !== undefined);

  before(async () => {
    parent = await makeStackFolder();
    dir = join(parent, '.intake');
    stack = await up();
    await query(stack, 'CREATE TABLE kept (id integer)');
  });
  beforeEach(async () => {
    stack = await up();
    lines.length = 0;
  });
  after(async () => {
    await stopStack(dir);
    rmSync(parent, { recursive: true, force: true });
  });

  it('is refused to a second stack in another container while the first is up, and its committed rows stay', async function () {
    const isolate = ['-p', '-i', '-m', '-f', '--mount-proc'];
    try {
      execFileSync('unshare', [...isolate, 'true'], { stdio: 'ignore' });
    } catch {
      skip(this, 'unshare needs root or the right to make namespaces');
    }
    const inside = (...args: string[]) =>
      run('unshare', [...isolate, process.execPath, INTAKE, ...args, '--dir', dir]).then(
        () => 'done',
        ({ code, stderr }: { code: number; stderr: string }) => `${code} ${stderr}`,
      );
    for (const command of ['up', 'down'])
      assert.match(
        await inside(command),
        new RegExp(
          `^1 STACK_FAILED: .* is in use by process ${stack.pids.supervisor} in another container of this host .*intake down`,
        ),
      );
    // Its supervisor is gone, its server is not: the pid of neither says anything in there.
    process.kill(stack.pids.supervisor!, 'SIGKILL');
    assert.match(await inside('up'), /^1 STACK_FAILED: .* is in use by process/);
    await query(stack, 'INSERT INTO kept VALUES (1)');
    stack = await up();
    assert.deepEqual(await query(stack, 'SELECT count(*)::integer AS n FROM kept'), [{ n: 1 }]);
  });

  it('is held by its supervisor for its whole life, and refused while anybody holds it', async () => {
    assert.equal(await waitForLock(join(dir, 'held'), 0), undefined);
    await stopStack(dir);
    const lock = await waitForLock(join(dir, 'held'), 1_000);
    try {
      await assert.rejects(up(), { code: 'STACK_FAILED', message: `${dir} is in use by another process` });
    } finally {
      lock?.release();
    }
  });

  it('is refused when another host had it and did not let go, and taken after a reboot of this one', async () => {
    const state = readSupervisor(dir)!;
    const elsewhere = { ...thisMachine(), boot: 'another' };
    await stopStack(dir);
    writeSupervisor(dir, { ...state, machine: { ...elsewhere, host: 'far-away' } });
    await assert.rejects(up(), {
      code: 'STACK_FAILED',
      message: `${dir} is in use by process ${state.supervisor.pid} of host far-away`,
    });
    writeSupervisor(dir, { ...state, machine: { ...elsewhere, host: hostname() } });
    stack = await up();
  });

  it('is refused while a server that left no trace but its port serves the data', async () => {
    // As a server of an older version in another container: it holds no lock, and its process cannot be seen.
    const settings = readSettings(dir)!;
    await stopStack(dir);
    const { dataDir, binDir, user } = settings.postgres;
    const args = [
      '-D',
      dataDir,
      '-c',
      `port=${settings.ports.postgres}`,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
    ];
    const server = spawn(join(binDir, 'postgres'), args, { ...user, cwd: '/', stdio: 'ignore' });
    try {
      await until(() =>
        query(stack, 'SELECT 1').then(
          () => true,
          () => false,
        ),
      );
      await assert.rejects(up(), {
        code: 'STACK_FAILED',
        message: new RegExp(`is in use by process ${server.pid} at port`),
      });
    } finally {
      server.kill('SIGINT');
      await new Promise((resolve) => server.once('exit', resolve));
    }
  });

  it('ends what runs for it after it was moved, and starts anew at its new place', async () => {
    const moved = join(parent, 'moved');
    const { pids } = stack;
    renameSync(dir, moved);
    try {
      await stopStack(moved);
      assert.deepEqual(isUp(pids), []);
      const there = await up(moved);
      assert.deepEqual(await query(there, 'SELECT count(*)::integer AS n FROM kept'), [{ n: 1 }]);
      // Moved back, nobody gives a command: the supervisor ends by itself.
      renameSync(moved, dir);
      await until(() => isUp(there.pids).length === 0);
    } finally {
      if (existsSync(moved)) renameSync(moved, dir);
    }
  });

  it('leaves the original alone when it was copied while its stack is up', async () => {
    const copy = join(parent, 'copy');
    execFileSync('cp', ['-a', dir, copy]);
    await stopStack(copy);
    assert.equal(isUp(stack.pids).length, Object.keys(stack.pids).length);
    assert.equal(await readStack(copy), undefined);
    rmSync(copy, { recursive: true });
  });

  it('ends the stack when it was removed', async () => {
    const aside = await makeStackFolder();
    const other = join(aside, '.intake');
    const { pids } = await up(other);
    rmSync(other, { recursive: true, force: true });
    await stopStack(other);
    assert.deepEqual(isUp(pids), []);
    assert.ok(!existsSync(other));
    rmSync(aside, { recursive: true, force: true });
  });

  it('never ends a program that only names it', async () => {
    const words = [
      `notes-about-${stackTag(dir)}.txt`,
      join(dir, 'postgres', 'PG_VERSION'),
      `supervisor.ts --dir ${dir}`,
      `-c cluster_name=${stackTag(dir)}x `,
    ];
    const strangers = words.map((word) => spawn('bash', ['-c', 'exec -a "$0" sleep 60', `vim ${word}`]));
    await sleep(100);
    await stopStack(dir);
    assert.ok(strangers.every(({ pid }) => isAlive(identify(pid!))));
    for (const stranger of strangers) stranger.kill();
  });

  it('restarts a stack of an older version by itself and says so, and refuses data of a newer one', async () => {
    const { pids } = stack;
    const { supervisor, children } = readSupervisor(dir)!;
    writeSupervisor(dir, { supervisor, children }); // all that 0.3.0 wrote
    stack = await up();
    assert.match(lines[0]!, /^Restarting the stack: Intake 0\.3\.0 or older becomes \d/);
    assert.deepEqual(isUp(pids), []);
    const settings = readSettings(dir)!;
    for (const newer of [{ version: '99.0.0' }, { schema: '99999999999999' }]) {
      await stopStack(dir);
      writeSettings(dir, { ...settings, ...newer });
      await assert.rejects(up(), { code: 'STACK_FAILED', message: /are of Intake .*; this is /, remedy: /or newer/ });
    }
    writeSettings(dir, { ...settings, ...ownRelease() });
  });

  it('tells whether its worker was started a moment ago, so that nobody is asked to start one', async () => {
    const place = await makeStackFolder();
    const comesUp = (worker: boolean, failing: number, secondsAgo: number): boolean => {
      writeSettings(place, { ...readSettings(dir)!, worker });
      writeSupervisor(place, { ...readSupervisor(dir)!, children: { worker: { exits: failing, failing } } });
      const time = Date.now() / 1000 - secondsAgo;
      utimesSync(join(place, 'supervisor.json'), time, time);
      return workerComesUp(place);
    };
    assert.equal(workerComesUp(place), false);
    assert.deepEqual(
      [comesUp(true, 0, 1), comesUp(true, 0, 300), comesUp(true, 3, 1), comesUp(false, 0, 1)],
      [true, false, false, false],
    );
    rmSync(place, { recursive: true });
  });

  it('is purged with all that a stack made in it, after that was named, and with nothing else', async () => {
    const aside = await makeStackFolder();
    const other = join(aside, '.intake');
    const { pids } = await up(other);
    writeFileSync(join(other, 'mine.txt'), 'mine');
    const named: string[] = [];
    assert.equal(
      await purgeStack(
        aside,
        () => undefined,
        (path) => named.push(path),
      ),
      false,
    );
    assert.equal(
      await purgeStack(
        other,
        () => undefined,
        (path) => named.push(path),
      ),
      true,
    );
    assert.deepEqual([isUp(pids), named], [[], [other]]);
    assert.deepEqual(execFileSync('ls', ['-A', other], { encoding: 'utf8' }), 'mine.txt\n');
    rmSync(aside, { recursive: true, force: true });
  });
});

describe('the folder of a stack of root, where only root may enter', function () {
  this.timeout(120_000);
  let closed: string;
  const lines: string[] = [];
  const up = async (name: string): Promise<Stack> => {
    lines.length = 0;
    mkdirSync(join(closed, name), { recursive: true });
    return ensureStack({
      dir: join(closed, name, '.intake'),
      ports: ANY_PORTS,
      worker: false,
      onStep: (line) => lines.push(line),
    });
  };
  const placeOf = (name: string): string => dirname(readSettings(join(closed, name, '.intake'))!.postgres.dataDir);
  const countIn = async (stack: Stack): Promise<unknown> =>
    (await query(stack, 'SELECT count(*)::integer AS n FROM kept').catch(() => [{ n: 'none' }]))[0];

  before(async function () {
    if (process.getuid?.() !== 0) skip(this, 'only root runs PostgreSQL as another user');
    closed = await makeStackFolder();
    chmodSync(closed, 0o700);
  });
  after(async () => {
    if (!closed) return;
    for (const name of ['a', 'b', 'c'])
      await purgeStack(
        join(closed, name, '.intake'),
        () => undefined,
        () => undefined,
      );
    rmSync(closed, { recursive: true, force: true });
  });

  it('has its database outside, whatever the umask; a copy gets a copy of it, a new one a new one, and all is purged', async () => {
    const umask = process.umask(0o077);
    const a = await up('a').finally(() => process.umask(umask));
    const place = placeOf('a');
    assert.match(place, /^\/var\/lib\/intake\/intake-/);
    await query(a, 'CREATE TABLE kept (id integer)');
    execFileSync('cp', ['-a', join(closed, 'a'), join(closed, 'b')]);
    await assert.rejects(up('b'), {
      code: 'STACK_FAILED',
      message: /is a copy of .* in use/,
      remedy: /intake down --dir/,
    });

    await stopStack(a.dir);
    const b = await up('b');
    assert.match(lines[0]!, /^This folder is a copy of .*\/a\/\.intake: its database is copied/);
    await query(b, 'INSERT INTO kept VALUES (1)');
    chmodSync(place, 0o700); // as an older version left it with a strict umask
    assert.deepEqual([await countIn(b), await countIn(await up('a'))], [{ n: 1 }, { n: 0 }]);
    assert.deepEqual([placeOf('a') === place, placeOf('b') === place], [true, false]);

    await stopStack(a.dir);
    rmSync(a.dir, { recursive: true });
    const anew = await up('a');
    assert.match(lines[0]!, new RegExp(`^A database of an earlier folder at this path is left in ${place}`));
    assert.deepEqual(await countIn(anew), { n: 'none' });
    const named: string[] = [];
    await purgeStack(
      anew.dir,
      () => undefined,
      (path) => named.push(path),
    );
    assert.equal(named.length, 3);
    assert.ok(named.includes(place) && named.every((path) => !existsSync(path)));
    assert.deepEqual(await countIn(b), { n: 1 });
  });
});

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await reached())) await sleep(50);
}

async function query(stack: Stack, text: string): Promise<unknown[]> {
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}
