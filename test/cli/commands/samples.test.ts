import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KINDS } from '../../../src/kinds/index.ts';
import { startCli, type Cli, type Ended, type Json } from '../cli.ts';
import { skip } from '../../support/skip.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe('the bundled samples', function () {
  this.timeout(120_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
  });
  after(() => cli.stop());

  it('of every kind are imported by npm start, dry and committed, as often as it is run, and into the embedded stack alone', async () => {
    const first = await cli.json('demo', '--exit');
    const kinds = KINDS.map(({ name }) => name);
    assert.deepEqual(
      first.document.imports.map(({ kind, status }: Json) => [kind, status]),
      kinds.flatMap((kind) => [
        [kind, 'dry_run'],
        [kind, 'completed'],
      ]),
    );
    assert.equal(first.code, 0);
    for (let i = 0; i < 10; i += 2)
      assert.deepEqual(first.document.imports[i].counts, first.document.imports[i + 1].counts);
    // A deployment that is configured is left alone: nothing listens at these addresses.
    const again = await cli.start(['demo', '--exit'], {
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      TEMPORAL_NAMESPACE: 'production',
      DATABASE_URL: 'postgresql://intake@127.0.0.1:1/production',
      INTAKE_OBJECTS_DIR: '/nonexistent/objects',
    }).ended;
    assert.match(again.stderr, /A deployment is configured \(TEMPORAL_ADDRESS, .*nothing goes there/);
    assert.equal(again.code, 0);
    assert.match(
      again.stdout,
      /^\nkind +read +new +skipped +rejected +seconds\n(?:-+ +)+-*\n(?:[a-z-]+ +[1-9]\d+ +0 .*\n){5}That is fine: .*\n\nIntake is up\.\n/,
    );
    assert.ok(again.stdout.split('\n').length < 30, again.stdout);
    const whole = await cli.run('demo', '--exit', '--verbose');
    assert.equal(whole.stdout.match(/^DUPLICATE BATCH: /gm)?.length, 4, whole.stdout);
    assert.match(
      whole.stdout,
      /^intake import search-results samples\/search-results --tag sample --commit\n(?:Into: .*\n)?Import COMPLETED: 38 fetched, 0 inserted, 37 skipped, 1 errored$/m,
    );
    assert.match(whole.stdout, /^Intake is up\.$/m);
  });

  it('withdraws judgments with all that followed from them, and says so', async () => {
    const runs = (await cli.json('runs', '--kind', 'jbi', '--status', 'completed')).document;
    const { code, stdout } = await cli.run('rollback', runs[0].id, '--reason', 'a sample');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^Rolled back run \S+: 250 rows affected, 219 judgments removed, 0 inherited by other runs, 0 kept because edited or in use\n(?: {2}In: .*\n)? {2}Also removed: 71 plaintiffs, 135 contacts, \d+ tasks, \d+ status history entries, 438 queued jobs\n/,
    );
    const again = await cli.json('rollback', runs[0].id, '--reason', 'a sample');
    assert.deepEqual(
      [again.document.removed, again.document.effects.plaintiffs, again.document.effects.jobs],
      [219, 71, 438],
    );
  });

  describe('by make', () => {
    const make = (...args: string[]): Promise<Ended> => {
      const env = { ...process.env, INTAKE_DIR: cli.stack.dir };
      const child = spawn('make', [...args, `INTAKE=${process.execPath} bin/intake.mjs`], { cwd: ROOT, env });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
      return new Promise((resolve, reject) =>
        child.once('error', reject).once('close', (code) => resolve({ code, ...output })),
      );
    };
    before(async function () {
      await make('--version').catch(() => skip(this, 'no make on PATH'));
    });

    for (const [target, backend, storage] of [
      ['import_scrape_states', 'supabase', 'supabase'],
      ['import_scrape_states_local', 'postgres', 'local'],
    ] as const) {
      it(`${target} commits into the ${backend} backend`, async () => {
        const { code, stdout, stderr } = await make(
          target,
          'STATES_DIR=samples/search-results',
          `IMPORT_TAG=${target}`,
        );
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^Import COMPLETED: 38 fetched, 35 inserted, 2 skipped, 1 errored$/m);
        const found = await cli.query(
          `
          select i.storage_type, count(*)::int as n, r.metadata #>> '{input,batchSize}' as size, r.metadata #>> '{input,maxWorkers}' as workers
          from public.images i join ingest.import_runs r on r.id = i.import_run_id where r.metadata ->> 'tag' = $1 group by 1, 3, 4`,
          [target],
        );
        assert.deepEqual(found, [{ storage_type: storage, n: 34, size: '25', workers: '16' }]);
      });
    }

    it('asks for the directory', async () => {
      const { code, stderr } = await make('import_scrape_states_local', 'IMPORT_TAG=x');
      assert.equal(code, 2);
      assert.match(stderr, /^USAGE: Which directory\?/m);
    });
  });
});
