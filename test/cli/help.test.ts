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
const INTAKE = fileURLToPath(new URL('../../bin/intake.mjs', import.meta.url));

describe('intake', function () {
  this.timeout(30_000);
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
    cpSync(INTAKE, join(folder, 'clone/bin/intake.mjs'));
    symlinkSync('bin/intake.mjs', join(folder, 'clone/intake'));
    cpSync(join(folder, 'clone/bin'), join(folder, 'app/node_modules/@a/intake/bin'), { recursive: true });
    symlinkSync('../@a/intake/bin/intake.mjs', join(folder, 'app/node_modules/.bin/intake'));
  });
  after(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });
  const at = (installation: string, cwd: string) => programName(join(folder, installation), join(folder, cwd));

  it('name the program by a path that can be typed there, or by its name where it is linked: no registry is asked', () => {
    assert.equal(at('clone', 'clone'), './intake');
    assert.equal(at('clone', 'clone/deep'), '../intake');
    assert.equal(at('clone', '.'), 'intake');
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
