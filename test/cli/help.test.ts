import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { programName } from '../../src/cli/programName.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const INTAKE = fileURLToPath(new URL('../../bin/intake.cjs', import.meta.url));

describe('intake', function () {
  this.timeout(90_000); // a process for every subcommand
  const said = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [INTAKE, ...args])).stdout.split('\n')[0]!;

  it('answers the words that people try first, with exit code 0', async () => {
    assert.match(await said(), /^Usage: intake /);
    assert.equal(await said('help'), await said('--help'));
    assert.match(await said('help', 'import'), /^Usage: intake import /);
    for (const words of ['-v', 'version', '--version']) assert.match(await said(words), /^\d+\.\d+\.\d+$/);
  });

  it('takes options before the command, and never the value of one for it', async () => {
    for (const words of [
      ['--dir', 'schema', 'runs'],
      ['--env', 'worker', 'runs'],
      ['--source', 'demo', 'runs'],
      ['--tenant', 'up', 'import'],
    ])
      assert.match(await said(...words, '--help'), new RegExp(`^Usage: intake ${words[2]} `));
    const { stdout } = await run(process.execPath, [INTAKE, '--no-color', '--dir', 'runs', 'schema', 'jbi']);
    assert.match(stdout, /judgment_amount/);
  });

  const ended = async (...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> =>
    run(process.execPath, [INTAKE, ...args], {
      cwd: tmpdir(),
      env: { ...process.env, INTAKE_DIR: join(tmpdir(), 'no-such-stack') },
    }).then(
      (said) => ({ ...said, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => error,
    );

  it('has a help of its own for every subcommand, with an example, and refuses what belongs to another', async () => {
    const words = { runs: 11, users: 4, tenants: 4, schedule: 9, anomalies: 3, retention: 3, queue: 2, projects: 2 };
    for (const [command, count] of Object.entries(words)) {
      const { stdout } = await ended(command, '--help');
      const listed = [
        ...stdout
          .split('Commands:\n')[1]!
          .split('\n\n')[0]!
          .matchAll(/^ {2}([a-z-]+) /gm),
      ].map(([, name]) => name!);
      assert.equal(listed.length, count, stdout);
      for (const name of [listed[0]!, listed.at(-1)!]) {
        const help = (await ended(command, name, '--help')).stdout;
        assert.match(help, new RegExp(`^Usage: intake ${command} ${name} `));
        assert.match(help, new RegExp(`\\nExample:\n {2}intake ${command} ${name}`));
        assert.match(help, /--json/);
      }
    }
    assert.doesNotMatch((await ended('schedule', 'show', '--help')).stdout, /--runs-days/);
    assert.match((await ended('runs', 'show', '1f0c9a2e', '--status', 'failed')).stderr, /unknown option '--status'/);
    assert.match((await ended('schedule', 'add', 'alerts', '--tenant', 'T')).stderr, /alerts does not take --tenant/);
  });

  it('groups the options of an import by kind, the common ones first', async () => {
    const { stdout } = await ended('import', '--help');
    const headings = [...stdout.matchAll(/^(\S.*):$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings.slice(1, 7), [
      'What people use most',
      'Of every kind',
      'Of files (plaintiffs, simplicity, jbi, projects)',
      'Of simplicity, jbi',
      'Of projects',
      'Of search-results',
    ]);
  });

  it('suggests what was meant: commands, subcommands, kinds', async () => {
    for (const [words, said] of [
      [['rnus'], /Did you mean runs\?\)\. See \S+\/intake --help\./],
      [['runs', 'shwo'], /'shwo' means nothing to .*intake runs \(did you mean 'show'\?\)/],
      [['schedule', 'backfil', 'x'], /did you mean 'backfill'\?/],
      [['users', 'ad', 'a@example.com'], /'ad' means nothing to .*Use one of: list, add, remove, passwd/],
      [['help', 'nosuch'], /unknown command 'nosuch'/],
      [['import', 'plaintif', 'x.csv'], /did you mean 'plaintiffs'\?/],
      [['import', 'simplicty', 'x.csv'], /Unknown kind 'simplicty' \(did you mean 'simplicity'\?\)/],
      [['runs', '--kind', 'plaintifs'], /Unknown kind 'plaintifs' \(did you mean 'plaintiffs'\?\)/],
    ] as const) {
      const { code, stderr } = await ended(...words);
      assert.equal(code, 2);
      assert.match(stderr, said);
    }
  });

  it('takes options in any place, and no value of one for a command', async () => {
    for (const words of [
      ['--dir', 'schema', 'runs'],
      ['--source', 'doctor', '--json', 'runs', 'latest'],
      ['runs', '--limit', '3', 'latest', '--source', 'show'],
      ['--quiet', 'runs', '--status', 'failed'],
    ]) {
      const { stdout, stderr } = await ended(...words);
      assert.match(`${stdout}${stderr}`, /CONFIG_INVALID.*There is no stack in/);
    }
  });

  it('completes commands, subcommands, kinds, options and their values', async () => {
    for (const shell of ['bash', 'zsh', 'fish', 'powershell'])
      assert.match((await ended('completion', shell)).stdout, /intake['" ]+complete|intake complete/, shell);
    for (const [words, expected] of [
      [['ru'], /^runs\t/m],
      [['runs', 'l'], /^latest\t/m],
      [['import', 'pl'], /^plaintiffs/m],
      [['runs', 'list', '--sta'], /^--status\t/m],
      [['runs', 'list', '--status', ''], /^rolled_back/m],
    ] as const)
      assert.match((await ended('complete', '--', ...words)).stdout, expected);
    assert.equal((await ended('completion', 'tcsh')).code, 2);
  });

  it('starts on the installed Node when the one that runs it was replaced by an upgrade', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'intake-node-'));
    const node = join(folder, 'node');
    cpSync(process.execPath, node);
    const script = `require('fs').rmSync(process.execPath); process.argv.splice(1, 0, ${JSON.stringify(INTAKE)}); import(process.argv[1])`;
    const { stdout } = await run(node, ['-e', script, '--', 'worker', '--help']);
    assert.match(stdout, /^Usage: intake worker/);
    rmSync(folder, { recursive: true });
  });
});

describe('printed commands', () => {
  let folder: string;
  let path: string | undefined;
  before(() => {
    path = process.env['PATH'];
    process.env['PATH'] =
      `${join((folder = realpathSync(mkdtempSync(join(tmpdir(), 'intake-name-')))), 'on-path')}:/x/node_modules/.bin`;
    for (const name of ['clone/bin', 'clone/deep', 'app/node_modules/.bin', 'app/node_modules/@a/intake', 'on-path'])
      mkdirSync(join(folder, name), { recursive: true });
    cpSync(INTAKE, join(folder, 'clone/bin/intake.cjs'));
    symlinkSync('bin/intake.cjs', join(folder, 'clone/intake'));
    cpSync(join(folder, 'clone/bin'), join(folder, 'app/node_modules/@a/intake/bin'), { recursive: true });
    symlinkSync('../@a/intake/bin/intake.cjs', join(folder, 'app/node_modules/.bin/intake'));
  });
  after(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });
  const at = (installation: string, cwd: string) => programName(join(folder, installation), join(folder, cwd));

  it('name the program by a path that can be typed there, or by its name where it is linked: no registry is asked', () => {
    assert.equal(at('clone', 'clone'), './intake');
    assert.equal(at('clone', 'clone/deep'), '../intake');
    assert.equal(at('clone', '.'), join(folder, 'clone/intake'));
    assert.equal(at('app/node_modules/@a/intake', 'app'), './node_modules/.bin/intake');
    symlinkSync(join(folder, 'clone/intake'), join(folder, 'on-path/intake'));
    assert.equal(at('clone', 'clone'), 'intake');
    assert.equal(at('app/node_modules/@a/intake', 'app'), './node_modules/.bin/intake'); // another one is on PATH
  });

  it('and those of pages let no runner ask a registry', () => {
    const files = globSync(['README.md', 'Makefile', '{docs,src,ops,.vscode}/**/*.{md,ts,json,yml}'], { cwd: ROOT });
    assert.ok(files.length > 300, String(files.length));
    const runners = /\b(?:npx|npm exec|pnpm dlx|yarn dlx|bunx) (?:--?\S+ )*(?:@\w+\/)?intake\b/;
    assert.deepEqual(
      files.filter((file) => runners.test(readFileSync(join(ROOT, file), 'utf8'))),
      [],
    );
  });
});
