/** What keeps a stack from working is said in one line with its cause and a remedy: nothing is waited for in silence. */
import { strict as assert } from 'node:assert';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readSupervisor, writeSupervisor, logFile, makeStackDirectory } from '../../src/local/state.ts';
import { identify } from '../../src/local/processes.ts';
import { watchStack } from '../../src/local/watch.ts';
import { makeStackFolder } from '../support/stack.ts';
import { skip } from '../support/skip.ts';

const run = promisify(execFile);
const INTAKE = fileURLToPath(new URL('../../bin/intake.mjs', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../../samples/plaintiffs.csv', import.meta.url));

describe('a stack that cannot work', function () {
  this.timeout(120_000);
  let parent: string;
  let dir: string;
  const intake = `'${process.execPath}' '${INTAKE}'`;
  /** A script in a mount namespace of its own. @returns what it printed. */
  const inside = async (script: string, ...isolate: string[]): Promise<string> =>
    (await run('unshare', [...isolate, 'bash', '-c', script])).stdout;

  beforeEach(async () => {
    parent = await makeStackFolder();
    dir = join(parent, '.intake');
  });
  afterEach(async () => {
    await run(process.execPath, [INTAKE, 'down', '--dir', dir]);
    rmSync(parent, { recursive: true, force: true });
  });

  before(function () {
    if (!process.env['INTAKE_TEST_MACHINE']) skip(this, 'they take minutes: set INTAKE_TEST_MACHINE=1');
  });

  function needs(context: Mocha.Context, ...isolate: string[]): void {
    try {
      execFileSync('unshare', [...isolate, 'true'], { stdio: 'ignore' });
    } catch {
      skip(context, 'unshare needs root or the right to make namespaces');
    }
  }

  it('ends an import that waits for a worker which keeps ending, with the first line that says why', async () => {
    const script = `ulimit -v 4000000; exec ${intake} import plaintiffs '${SAMPLE}' --dir '${dir}' --commit --json`;
    const { code, stdout } = (await run('bash', ['-c', script]).catch((error: unknown) => error)) as {
      code: number;
      stdout: string;
    };
    const { status, error } = JSON.parse(stdout);
    assert.deepEqual([code, status, error.code], [1, 'failed', 'STACK_FAILED']);
    assert.match(error.message, /^worker keeps ending: .*(memory|CodeRange).*worker\.log\)$/i);
    assert.match(error.remedy, /^Give it more memory/);
  });

  it('ends an import whose disk becomes full, and is stopped by `intake down` nevertheless', async function () {
    needs(this, '-m');
    const said = await inside(
      `mount -t tmpfs -o size=90m,mode=711 tmpfs '${parent}'
       ${intake} up --dir '${dir}' > '/dev/null' 2>&1; echo up $?
       dd if=/dev/zero of='${parent}/filler' bs=1M > /dev/null 2>&1
       ${intake} import plaintiffs '${SAMPLE}' --dir '${dir}' --commit 2>&1; echo import $?
       ${intake} down --dir '${dir}' 2>&1; echo down $?
       ${intake} up --dir '${dir}' 2>&1; echo up $?
       ${intake} down --dir '${dir}' > /dev/null 2>&1; true`,
      '-m',
    );
    assert.match(said, /^up 0$/m);
    // Whoever meets it first says so: the database, or who watches the stack.
    const full =
      /STACK_FAILED: The disk is full: \d+ MB are free for .*free some, then try again|DATABASE_FULL: .* Free disk space/g;
    assert.equal(said.match(full)?.length, 2, said);
    assert.match(said, /import 1\n[^]*The stack is down; its data stays\.\ndown 0\n[^]*up 1\n/);
  });

  for (const [what, mount, words] of [
    [
      'no file entries left',
      'size=400m,nr_inodes=700,mode=711 tmpfs "$PLACE"',
      /No space left.*Free disk space and file entries/,
    ],
    ['almost no shared memory', 'size=64k tmpfs /dev/shm', /shared memory.*Give this machine more shared memory/],
  ] as const) {
    it(`names ${what} when it comes up`, async function () {
      needs(this, '-m');
      const said = await inside(
        `PLACE='${parent}'; mount -t tmpfs -o ${mount}; ${intake} up --dir '${dir}' 2>&1; echo up $?`,
        '-m',
      );
      assert.match(said, /^STACK_FAILED: The database cannot be made: .*initdb\.log/m);
      assert.match(said, words);
      assert.match(said, /up 1\n$/);
    });
  }

  it('tells root of a user namespace without other users to run as an ordinary one', async function () {
    needs(this, '-rn');
    if (process.getuid?.() !== 0) skip(this, 'the test makes its folder as another user there');
    const said = await inside(`${intake} up --dir '${dir}' 2>&1; echo up $?`, '-rn');
    assert.match(said, /STACK_FAILED: PostgreSQL refuses to run as root.* Run it as an ordinary user/);
    assert.match(said, /up 1\n$/);
  });

  it('names the folders when neither HOME nor TMPDIR can be written to', async function () {
    needs(this, '-m');
    const said = await inside(
      `mkdir '${parent}/closed'; mount -t tmpfs -o ro tmpfs '${parent}/closed'; export HOME='${parent}/closed' TMPDIR=/nonexistent XDG_CACHE_HOME=
       ${intake} import plaintiffs '${SAMPLE}' --dir '${dir}' --commit 2>&1; echo import $?; umount '${parent}/closed'`,
      '-m',
    );
    assert.match(
      said,
      /STACK_FAILED: Neither the home folder nor the one for temporary files can be written to: .*Set HOME or TMPDIR/,
    );
    assert.match(said, /import 1\n$/);
  });

  it('is said to stay up when its first start is interrupted, with exit code 130', async () => {
    const child = spawn(process.execPath, [INTAKE, 'up', '--dir', dir], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (text.includes('Starting Temporal')) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.match(said, new RegExp(`Interrupted\\. What has started of the stack in ${dir} stays up; stop it: .*down`));
    assert.equal(code, 130);
  });
});

describe('the watch over a stack', () => {
  it('tells of a part that began to end again and again after it did, and not of one that was well for long', async () => {
    const dir = await makeStackFolder();
    makeStackDirectory(dir);
    const supervisor = identify(process.pid)!;
    const write = (exits: number, failing: number, more: object = {}): void =>
      writeSupervisor(dir, { supervisor, children: { worker: { exits, failing }, ...more } });
    writeFileSync(logFile(dir, 'worker'), 'error: of a former start\n');
    write(7, 5);
    const watch = watchStack(dir, () => undefined, { without: ['gateway'] });
    const first = (ms: number) =>
      Promise.race([
        watch.failed.catch((error: Error) => error.message),
        new Promise((resolve) => setTimeout(() => resolve('nothing'), ms)),
      ]);
    write(8, 1, { gateway: { exits: 9, failing: 9 } });
    assert.equal(await first(2_500), 'nothing');
    assert.equal(readSupervisor(dir)?.children.worker?.exits, 8);
    writeFileSync(logFile(dir, 'worker'), 'starting\nerror: no such module\nat x.js:1\n', { flag: 'a' });
    write(12, 5);
    assert.match(String(await first(10_000)), /^worker keeps ending: error: no such module \(.*worker\.log\)$/);
    watch.stop();
    rmSync(dir, { recursive: true });
  });
});
