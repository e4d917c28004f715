import { strict as assert } from 'node:assert';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCli, type Cli } from '../cli.ts';

const FILE =
  'stage_application,delivery_partner,residential,address\r\nSTG-1,Nobody Civil,3,1 Elm St\r\nSTG-2,,"many",2 Elm St\r\nSTG-3,Unassigned,,3 Elm St\r\nSTG-1,,4,9 Elm St\r\n';

describe('intake import projects', function () {
  this.timeout(120_000);
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
      /4 rows affected, 2 projects removed, 0 brought back to what they were, 0 inherited by other runs, 0 kept because edited or in use\n(?: {2}In: .*\n)? {2}Also removed: 1 anomalies$/m,
    );
  });

  it('reads one file the same in every way in: import, push, a schedule of its folder, and POST', async () => {
    const columns = [
      ...['stage_application', 'stage_application_created', 'eFscd', 'latitude', 'longitude', 'residential'],
      ...['premises_count', 'delivery_partner', 'developer_class', 'address', 'fod_id'],
    ];
    const dates = [
      '03/04/2025',
      '2025-04-03',
      '3 Apr 2025',
      '3-Apr-2025',
      '3.4.2025',
      '',
      '2025-04-03T09:30:00Z',
      'Apr 3, 2025',
    ];
    const rows = [...dates, '03/04/2024', '12/11/2025', '05/06/2025 00:00'].map((date, i) => [
      ...[`STG-${i}`, date, dates[(i * 3) % dates.length]!, ['-37.740', '-37.7400', '', '+12.5'][i % 4]!],
      ...[
        ['144.494', '144', ''][i % 3]!,
        ['3', '12.0', '', '007'][i % 4]!,
        `${i}`,
        ['Unassigned', '', 'Nobody Civil'][i % 3]!,
      ],
      ...[
        ['Class 1', ' class 3 ', ''][i % 3]!,
        ['1 Elm St, Kestrel', 'Zweite Straße "B"'][i % 2]!,
        ['FOD-1', '0042', ''][i % 3]!,
      ],
    ]);
    const quoted = (cell: string) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const csv = [columns, ...rows].map((cells) => cells.map(quoted).join(',')).join('\n');
    const post = async (tenant: string, bearer: string) => {
      const body = {
        tenant_id: tenant,
        batch_id: tenant,
        rows: rows.map((cells) => Object.fromEntries(cells.map((cell, i) => [columns[i], cell]))),
      };
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
      const answer = await fetch(`${cli.stack.gateway}/import-projects`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      assert.equal(answer.status, 200, await answer.text());
    };
    const contentOf = async (tenant: string) =>
      (
        await cli.query(
          'select to_jsonb(p) as row from public.projects p where tenant_id = $1 order by stage_application',
          [tenant],
        )
      ).map(({ row }) =>
        Object.fromEntries(
          Object.entries(row).filter(([name]) => !/^(id|tenant_id|staging_id|.*_at|.*_by)$/.test(name)),
        ),
      );
    for (const order of ['dmy', 'mdy'] as const) {
      const said = order === 'dmy' ? [] : ['--date-order', order];
      const readable = order === 'dmy' ? csv : csv.replaceAll('3.4.2025', '03/04/2025');
      const bearers = new Map<string, string>();
      for (const way of ['import', 'push', 'schedule', 'post'])
        bearers.set(
          way,
          (await cli.json('tenants', 'add', `${way}-${order}`, ...(way === 'post' ? said : []))).document.bearer,
        );
      const file = await cli.file(`ways-${order}.csv`, readable);
      const imported = await cli.run('import', 'projects', file, '--tenant', `import-${order}`, ...said, '--commit');
      assert.match(
        imported.stdout,
        /^Import COMPLETED: 11 fetched, 11 inserted, 0 skipped, 0 errored$/m,
        imported.stderr,
      );
      const pushed = await cli.run('projects', 'push', file, '--tenant', `push-${order}`, ...said);
      assert.equal(pushed.code, 0, pushed.stderr);
      await mkdir(join(cli.folder, order));
      await writeFile(join(cli.folder, order, 'today.csv'), readable);
      const { document } = await cli.json(
        ...[
          'schedule',
          'add',
          'projects',
          '--tenant',
          `schedule-${order}`,
          '--from',
          order,
          '--timezone',
          'UTC',
          ...said,
        ],
      );
      await cli.run('schedule', 'trigger', document.id);
      await post(`post-${order}`, bearers.get('post')!);
      const expected = await contentOf(`import-${order}`);
      assert.equal(expected.length, 11);
      assert.equal(expected[0]!['stage_application_created'], order === 'dmy' ? '2025-04-03' : '2025-03-04');
      while ((await contentOf(`schedule-${order}`)).length < 11) await sleep(200);
      for (const way of ['push', 'schedule', 'post'])
        assert.deepEqual(await contentOf(`${way}-${order}`), expected, way);
    }
    // A tenant's order may be changed, and counts from the next batch on.
    const { document } = await cli.json('tenants', 'add', 'changes');
    assert.equal((await cli.json('tenants', 'set', 'changes', '--date-order', 'mdy')).code, 0);
    await sleep(5_100); // what a gateway may not know yet
    await post('changes', document.bearer);
    const [changed] = await contentOf('changes');
    assert.equal(changed!['stage_application_created'], '2025-03-04');
    assert.equal((await cli.run('tenants', 'set', 'nobody', '--date-order', 'mdy')).code, 2);
  });
});
