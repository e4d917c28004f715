import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCli, type Cli } from '../cli.ts';

const FILE =
  'stage_application,delivery_partner,residential,address\r\nSTG-1,Nobody Civil,3,1 Elm St\r\nSTG-2,,"many",2 Elm St\r\nSTG-3,Unassigned,,3 Elm St\r\nSTG-1,,4,9 Elm St\r\n';

describe('intake import projects', function () {
  this.timeout(60_000);
  let cli: Cli;
  let path: string;
  before(async () => {
    cli = await startCli();
    path = await cli.file('projects.csv', FILE);
    await cli.query("insert into ingest.tenants (tenant_id) values ('TELCO')");
  });
  after(() => cli.stop());

  it('says in a dry run what it would do to whose projects, and how to do it', async () => {
    const { code, stdout } = await cli.run('import', 'projects', path, '--tenant', 'TELCO');
    assert.equal(code, 0);
    assert.match(stdout, /^Import DRY_RUN: 4 fetched, 2 inserted, 1 skipped, 1 errored$/m);
    assert.match(stdout, /^ {2}Rejected: BAD_COUNT 1; /m);
    assert.match(stdout, /^ {2}Anomalies: 1 \(DUPLICATE_ROW 1\)$/m);
    assert.match(stdout, /import it with: intake import projects \S+ --tenant TELCO --commit$/m);
    assert.deepEqual(await cli.query('select count(*)::int as n from public.projects'), [{ n: 0 }]);
  });

  it('takes the tenant under either name, from one word only, and not for other kinds', async () => {
    for (const [words, message] of [
      [['projects', path, '--tenant', 'A', '--source-system', 'B'], /More than one source system/],
      [['projects', path, '--tenant', '*'], /A tenant cannot be called \*/],
      [['projects', path, '--tenant', 'T'.repeat(101)], /100 characters at most; this one has 101/],
      [['projects', path, '--tenant', ' '], /A name is empty/],
      [['plaintiffs', path, '--tenant', 'A'], /'plaintiffs' has no tenants/],
    ] as const) {
      const { code, stderr } = await cli.run('import', ...words);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
    for (const option of ['--tenant', '--source-system']) {
      assert.equal((await cli.json('import', 'projects', path, option, ' TELCO ')).document.source_system, 'TELCO');
    }
    assert.equal((await cli.json('import', 'project', path)).document.source_system, 'projects');
    for (const mistyped of [['--tenant', 'TELKO'], []]) {
      const { code, stderr } = await cli.run('import', 'projects', path, ...mistyped, '--commit');
      assert.equal(code, 2);
      assert.match(stderr, /TENANT_UNKNOWN: There is no tenant (TELKO|projects)\. .*intake tenants add/);
    }
    assert.deepEqual(await cli.query('select count(*)::int as n from ingest.import_runs'), [{ n: 0 }]);
  });

  it('imports, gives its rejects back byte for byte, and withdraws what it wrote', async () => {
    const { document } = await cli.json('import', 'projects', path, '--tenant', 'TELCO', '--commit');
    assert.deepEqual(
      [document.status, document.counts],
      ['completed', { fetched: 4, inserted: 2, updated: 0, skipped: 1, errored: 1 }],
    );
    assert.deepEqual(document.metadata.effects, {
      anomalies: 1,
      DUPLICATE_ROW: 1,
      org_memberships_upserted: 0,
      user_memberships_upserted: 0,
      memberships_removed: 0,
      values_cleared: 0,
    });
    assert.deepEqual(await cli.query('select address from public.projects order by stage_application'), [
      { address: '9 Elm St' },
      { address: '3 Elm St' },
    ]);

    const rejects = join(cli.stack.dir, 'projects-rejects.csv');
    assert.equal((await cli.run('rejects', document.run_id, '-o', rejects)).code, 0);
    assert.match(await readFile(rejects, 'utf8'), /STG-2,,"many",2 Elm St,3,BAD_COUNT,/);

    const smoke = await cli.json('smoke', document.run_id);
    assert.equal(
      smoke.document.result,
      'PASS',
      JSON.stringify(smoke.document.checks.filter(({ ok }: { ok: boolean }) => !ok)),
    );
    assert.equal((await cli.json('verify', document.run_id)).code, 0);

    const { code, stdout } = await cli.run('rollback', document.run_id, '--reason', 'test');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /4 rows affected, 2 projects removed, 0 brought back to what they were, 0 inherited by other runs, 0 kept because edited\n(?: {2}In: .*\n)? {2}Also removed: 1 anomalies$/m,
    );
  });
});
