import { strict as assert } from 'node:assert';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';
import { projectFile } from '../docs/environment.ts';
import { connect } from '../support/sqlImport.ts';
import { createDatabase, giveBundle, sharedStack, type TestDatabase } from '../support/stack.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = [
  'src',
  'supabase',
  'scripts',
  'samples',
  'schemas',
  'assets',
  'bin',
  'test',
  'package.json',
  'tsconfig.json',
  '.mocharc.json',
];

interface Ended {
  readonly code: number;
  readonly output: string;
}

describe('docs/kinds.md, followed to its end', function () {
  this.timeout(180_000);
  let dir: string;
  let database: TestDatabase;
  let sql: postgres.Sql;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'intake-kind-'));
    for (const name of COPIED) await cp(join(ROOT, name), join(dir, name), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
    database = await createDatabase();
    sql = connect(database.databaseUrl);
    const { temporal } = await sharedStack();
    await giveBundle(join(dir, '.intake'));
    env = {
      ...process.env,
      INTAKE_DIR: join(dir, '.intake'),
      TEMPORAL_ADDRESS: temporal,
      DATABASE_URL: database.databaseUrl,
      INTAKE_TASK_QUEUE: `kind-${process.pid}`,
      INTAKE_HOST: 'here',
    };
  });
  after(async () => {
    await sql.end();
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const run = (program: string, args: readonly string[], input = ''): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile(program, args, { cwd: dir, env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
      child.stdin?.end(input);
    });
  const node = (...args: string[]): Promise<Ended> => run(process.execPath, args);
  const intake = (...args: string[]): Promise<Ended> => node('bin/intake.mjs', ...args);
  const kindTest = (): Promise<Ended> => node('node_modules/mocha/bin/mocha.js', 'test/kinds/payments.test.ts');

  it('makes a kind from nothing, whose file is imported, skipped, passed on and withdrawn', async () => {
    const page = projectFile('docs/kinds.md');
    const begun = await node('scripts/new-kind.ts', 'payments');
    assert.equal(begun.code, 0, begun.output);
    assert.notEqual((await kindTest()).code, 0, 'the test of a new kind fails until it says what a row is');
    const [, patch = ''] = /^```diff\n(.*?)^```/ms.exec(page) ?? [];
    const applied = await run('git', ['apply', '-'], patch);
    assert.equal(applied.code, 0, applied.output);
    const tested = await kindTest();
    assert.equal(tested.code, 0, tested.output);

    assert.equal((await node('scripts/migrations.ts')).code, 0);
    const migrated = await intake('migrate');
    assert.equal(migrated.code, 0, migrated.output);

    const worker = spawn(process.execPath, ['bin/intake.mjs', 'worker'], { cwd: dir, env, stdio: 'ignore' });
    try {
      const counts = async (...args: string[]): Promise<string> => {
        const { output } = await intake('import', 'payments', 'samples/payments.csv', ...args);
        const line = /^Import .*$/m.exec(output)?.[0];
        return line === undefined || line.includes('FAILED') ? output : line;
      };
      assert.equal(await counts(), 'Import DRY_RUN: 2 fetched, 1 inserted, 0 skipped, 1 errored');
      assert.equal(await counts('--commit'), 'Import COMPLETED: 2 fetched, 1 inserted, 0 skipped, 1 errored');
      assert.deepEqual(
        [...(await sql`SELECT reference, amount::text, paid_on::text FROM public.payments`)].map((row) => ({ ...row })),
        [{ reference: 'A-1', amount: '1234.50', paid_on: '2026-03-04' }],
      );
      assert.equal(
        await counts('--batch-id', 'again', '--commit'),
        'Import COMPLETED: 2 fetched, 0 inserted, 1 skipped, 1 errored',
      );
      const runs = await sql<{ id: string }[]>`SELECT id FROM ingest.import_runs ORDER BY created_at`;
      const back = async (id: string): Promise<string> => (await intake('rollback', id, '--reason', 'a test')).output;
      assert.match(await back(runs[0]!.id), /2 rows affected, 0 payments removed, 1 inherited by other runs/);
      assert.match(await back(runs[1]!.id), /2 rows affected, 1 payments removed, 0 inherited/);
    } finally {
      worker.kill();
    }
  });
});
