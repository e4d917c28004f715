import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { plaintiffsCsv, slowCsv, SLOW, startCli, type Cli, type Json } from '../cli.ts';

describe('the commands over runs', function () {
  this.timeout(60_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
  });
  after(() => cli.stop());

  const commit = async (name: string, content: string | Buffer, ...options: string[]): Promise<Json> =>
    (await cli.json('import', 'plaintiffs', await cli.file(name, content), '--commit', ...options)).document;

  it('gives rejects back byte for byte, and links the mended file to its run', async () => {
    const bad = ['"Quote ""Q"" Ltd, Inc.";not-an-address;=1+1', 'Zweite \u00e4\u00f6\u00fc;@;"two\nlines"'];
    const run = await commit('semi.csv', `name;E-Mail;note\nGood One;good@semi.example.com;x\n${bad.join('\n')}\n`);
    assert.equal(run.counts.errored, 2);
    const { code } = await cli.run('rejects', run.run_id.slice(0, 8), '-o', 'rejects.csv');
    assert.equal(code, 0);
    const [header, ...rows] = (await readFile(join(cli.folder, 'rejects.csv'), 'utf8')).split(/\n(?=[^l])/);
    assert.equal(header, 'name;E-Mail;note;_line;_code;_error;_run');
    assert.ok(
      rows[0]?.startsWith(`${bad[0]};3;BAD_EMAIL;`) && rows[1]?.startsWith(`${bad[1]};4;BAD_EMAIL;`),
      rows.join('\n'),
    );
    const mended = (await readFile(join(cli.folder, 'rejects.csv'), 'utf8'))
      .replace('not-an-address', 'q@semi.example.com')
      .replace(';@;', ';z@semi.example.com;');
    const again = await commit('mended.csv', mended);
    assert.deepEqual(again.counts, { fetched: 2, inserted: 2, updated: 0, skipped: 0, errored: 0 });
    assert.equal(again.metadata.parent_run_id, run.run_id);
    const [row] = await cli.query('select parent_run_id from ingest.import_runs where id = $1', [again.run_id]);
    assert.equal(row.parent_run_id, run.run_id);
  });

  it('writes what known rows say otherwise: of a dry run, of a run, as JSON, and after an update', async () => {
    const [one, two] = ['Dee One,d1@x.example.com,555-401-1000', 'Dee Two,d2@x.example.com,555-401-2000'];
    await commit('first.csv', `name,email,phone\n${one}\n${two}\n`);
    const changed = await cli.file(
      'changed.csv',
      `name,email,phone\n${one}9\n${two}\nDee Three,,\nDee Three,,555-401-3000\n`,
    );
    const dry = await cli.json('import', 'plaintiffs', changed, '--differences', 'dry.csv');
    const run = (await cli.json('import', 'plaintiffs', changed, '--commit')).document;
    const { code, stdout } = await cli.run('runs', 'differences', run.run_id.slice(0, 8), '-o', 'run.csv');
    assert.deepEqual([code, stdout.trim()], [0, `2 differences of run ${run.run_id} written to run.csv`]);
    assert.equal((await cli.run('runs', 'differences', run.run_id, '-o', 'run.csv')).code, 2);
    const read = async (name: string) =>
      (await readFile(join(cli.folder, name), 'utf8'))
        .split('\n')
        .map((line) => line.split(',').toSpliced(2, 1).join(','));
    const lines = [
      '2,public.plaintiffs,phone,55540110009,5554011000,skipped',
      '5,public.plaintiffs,phone,5554013000,,in_file',
    ];
    for (const name of ['dry.csv', 'run.csv']) assert.deepEqual((await read(name)).slice(1, 3).sort(), lines, name);
    const counted = { rows: 2, in_file: 1, fields: { phone: 2 }, updated: {} };
    for (const { differences } of [dry.document, run]) assert.deepEqual(differences, counted);
    const listed = (await cli.json('runs', 'differences', run.run_id)).document;
    assert.deepEqual([listed.run_id, listed.differences.length], [run.run_id, 2]);
    const update = ['--batch-id', 'again', '--on-conflict', 'update', '--commit', '--differences', 'update.csv'];
    assert.equal((await cli.json('import', 'plaintiffs', changed, ...update)).document.counts.updated, 1);
    assert.ok((await read('update.csv')).includes(lines[0]!.replace('skipped', 'applied')));
  });

  it('imports mended rejects as their run was imported, and refuses an option that differs with both values', async () => {
    const given = [
      '--source-system',
      'vendorA',
      '--map',
      'Klient=plaintiff_name',
      '--delimiter',
      'pipe',
      '--null-words',
      'leer',
    ];
    const run = await commit(
      'vendor.csv',
      'Klient|email|notes,a,b\nA Co|nope|1,2,3\nB Co|b@v.example.com|4,5,6\n',
      ...given,
    );
    assert.deepEqual([run.counts.inserted, run.counts.errored], [1, 1]);
    const { stdout } = await cli.run('rejects', run.run_id, '-o', 'vendor-rejects.csv');
    const mended = (await readFile(join(cli.folder, 'vendor-rejects.csv'), 'utf8')).replace('nope', 'a@v.example.com');
    const file = await cli.file('vendor-mended.csv', mended);
    for (const [kind, more, said] of [
      ['plaintiffs', ['--source-system', 'vendorB'], '--source-system vendorA, not vendorB'],
      ['plaintiffs', ['--map', 'email=plaintiff_name'], '--map Klient=plaintiff_name, not email=plaintiff_name'],
      ['plaintiffs', ['--date-order', 'dmy'], '--date-order mdy, not dmy'],
      ['jbi', [], 'kind plaintiffs, not jbi'],
    ] as const) {
      const refused = await cli.json('import', kind, file, ...more, '--commit');
      assert.deepEqual([refused.code, refused.document.error?.code], [2, 'OPTIONS_DIFFER']);
      assert.ok(refused.document.error.message.includes(said), refused.document.error.message);
    }
    const dry = await cli.json('import', 'plaintiffs', file);
    assert.deepEqual([dry.document.counts.inserted, dry.document.source_system], [1, 'vendorA']);
    // Saved by a spreadsheet: another delimiter, a byte order mark, other line ends.
    const saved = `\ufeff${mended.replaceAll('|', '\t').replaceAll('\n', '\r\n')}`;
    assert.equal(
      (await cli.json('import', 'plaintiffs', await cli.file('saved.csv', saved))).document.source_system,
      'vendorA',
    );
    // Rows of another run among them.
    const other = await commit(
      'other.csv',
      'name,email\nC Co|nope\n'.replaceAll('|', ','),
      '--source-system',
      'vendorC',
    );
    const foreign = mended.replace(run.run_id, other.run_id).split('\n')[1]!;
    const mixed = await cli.json(
      'import',
      'plaintiffs',
      await cli.file('mixed.csv', `${mended}${foreign}\n`),
      '--commit',
    );
    assert.deepEqual([mixed.code, mixed.document.error?.code], [2, 'OPTIONS_DIFFER']);
    const gone = foreign.replace(other.run_id, '00000000-0000-4000-8000-000000000000');
    const orphans = await cli.file('orphans.csv', `${mended.split('\n')[0]}\n${gone}\n`);
    assert.match(
      (await cli.run('import', 'plaintiffs', orphans, '--map', 'Klient=plaintiff_name', '--commit')).stdout,
      /^ *Mended: .* which is not in this database any more$/m,
    );
    const again = await commit('vendor-mended.csv', mended);
    assert.deepEqual(
      [again.counts.inserted, again.source_system, again.metadata.parent_run_id],
      [1, 'vendorA', run.run_id],
    );
    // The printed command says the same.
    assert.match(
      stdout,
      /intake .*import plaintiffs vendor-rejects\.csv .*--source-system vendorA .*--map 'Klient=plaintiff_name'/,
    );
  });

  it('lists runs in 80 columns with short ids, shows one with what can be done next, and prints lists as tables, JSON or lines', async () => {
    const run = await commit(
      `${'a long name of a file '.repeat(4)}.csv`,
      plaintiffsCsv('narrow', 3),
      '--source-system',
      'a source of a long name',
    );
    for (const words of [['runs'], ['runs', 'latest'], ['runs', 'stats'], ['runs', 'failed'], ['runs', 'duplicates']]) {
      const { stdout } = await cli.run(...words);
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    }
    const { stdout } = await cli.run('runs', '--source', 'a source of a long name');
    assert.match(
      stdout,
      new RegExp(
        `^id +kind +(?:source +)?file +status +read +new .*began\n.*\n${run.run_id.slice(0, 8)} +plaintiffs .*completed +3 +3 .* \\d\\d:\\d\\d\n$`,
      ),
    );
    const shown = (await cli.run('runs', 'show', run.run_id.slice(0, 8))).stdout;
    assert.match(shown, new RegExp(`^Run ${run.run_id} is completed\n {2}Kind: +plaintiffs from a source`));
    assert.match(shown, /^ {2}Counts: +3 fetched, 3 inserted, 0 updated, 0 skipped, 0 errored$/m);
    assert.match(shown, /\nNext:\n {2}\S*intake .*verify \S+ {2}# compare.*\n/);
    assert.doesNotMatch(shown, /[{}]/);
    const lines = (await cli.run('runs', 'list', '--output', 'jsonl', '--source', 'a source of a long name')).stdout
      .trim()
      .split('\n');
    assert.deepEqual([lines.length, JSON.parse(lines[0]!).id], [1, run.run_id]);
    const { document } = await cli.json('runs', '--source', 'a source of a long name');
    assert.deepEqual(
      JSON.parse((await cli.run('runs', '--output', 'json', '--source', 'a source of a long name')).stdout),
      document,
    );
    assert.match((await cli.run('runs', '--output', 'table')).stdout, /^id +kind/);
    const unknown = await cli.run('runs', '--source', 'a source of a long nam');
    assert.equal(unknown.code, 2);
    assert.match(
      unknown.stderr,
      /No run has the source system '.*' \(did you mean 'a source of a long name'\?\)\. Known ones: /,
    );
  });

  it('gives records that the database refuses back as the file had them, and the rest is in', async () => {
    await cli.query("ALTER TABLE public.plaintiffs ADD CONSTRAINT no_fax CHECK (phone IS DISTINCT FROM '5550000')");
    try {
      const bad = ['"Fax ""F"" Ltd";;555 0000', '"Other\nFax";;555-0000'];
      const lines = ['Fine One;a@fax.example.com;5551234', ...bad, 'Fine Two;b@fax.example.com;'];
      const file = await cli.file('fax.csv', `name;email;phone\n${lines.join('\n')}\n`);
      const { code, stdout, stderr } = await cli.run('import', 'plaintiffs', file, '--commit');
      assert.deepEqual([code, /2 inserted, 0 skipped, 2 errored/.test(stdout)], [0, true], stdout);
      const [, id] =
        /^REFUSED_ROW: .* 2 records that the database refused; the others are in\. intake rejects (\S+) /m.exec(
          stderr,
        ) ?? [];
      assert.ok(id, stderr);
      await cli.run('rejects', id, '-o', 'fax-rejects.csv');
      const rejects = await readFile(join(cli.folder, 'fax-rejects.csv'), 'utf8');
      for (const record of bad) assert.ok(rejects.includes(`\n${record};`), rejects);
      assert.match(rejects, /REFUSED_ROW;the database refuses this record: 23514 no_fax/);
      assert.equal((await cli.run('verify', id, file)).code, 0);
    } finally {
      await cli.query('ALTER TABLE public.plaintiffs DROP CONSTRAINT no_fax');
    }
  });

  it('writes the rejects of a dry run where --rejects says', async () => {
    const file = await cli.file('dryrejects.csv', 'name,email\nA,a@dry.example.com\nB,nope\n');
    await cli.run('import', 'plaintiffs', file, '--rejects', 'dry-rejects.csv');
    assert.match(
      await readFile(join(cli.folder, 'dry-rejects.csv'), 'utf8'),
      /^name,email,_line,_code,_error,_run\nB,nope,3,BAD_EMAIL,[^\n]*,\n$/,
    );
  });

  it('withdraws a run, keeps what was edited, and lets the file be imported again', async () => {
    const content = plaintiffsCsv('undo', 4);
    const run = await commit('undo.csv', content);
    await cli.query(
      "update public.plaintiffs set phone = '2125550100', updated_at = now() where import_run_id = $1 and name = 'undo Holdings 2'",
      [run.run_id],
    );
    const refused = await cli.run('rollback', run.run_id);
    assert.equal(refused.code, 2);
    const { code, document } = await cli.json('rollback', run.run_id, '--reason', 'sent in error');
    assert.equal(code, 0);
    assert.deepEqual([document.rows_affected, document.removed, document.kept_edited.count], [4, 3, 1]);
    assert.equal((await cli.run('reconcile', run.run_id)).code, 2);
    const again = await commit('undo.csv', content);
    assert.equal(again.status, 'completed');
    assert.notEqual(again.run_id, run.run_id);
    assert.equal(again.counts.fetched, 4);
    assert.equal((await cli.run('reconcile', again.run_id)).code, 0);
  });

  it('cancels a running import, refuses to roll it back before, and goes on with it', async () => {
    const file = await cli.file('cancel.csv', slowCsv('cancel'));
    const importing = cli.start(['import', 'plaintiffs', file, '--commit', '--json'], SLOW);
    const runs = () =>
      cli.query("select id, status, error_details from ingest.import_runs where filename = 'cancel.csv'");
    while ((await runs()).length === 0) await sleep(50);
    const [{ id }] = await runs();
    const refused = await cli.run('rollback', id, '--reason', 'too early');
    assert.match(refused.stderr, /^ROLLBACK_REFUSED: /);
    assert.equal((await cli.run('cancel', id)).code, 0);
    const ended = await importing.ended;
    const document = JSON.parse(ended.stdout);
    assert.deepEqual([ended.code, document.status, document.error.code], [1, 'cancelled', 'CANCELLED']);
    const [cancelled] = await runs();
    assert.deepEqual([cancelled.status, cancelled.error_details.type], ['failed', 'cancelled']);
    const resumed = await cli.json('resume', id);
    assert.deepEqual([resumed.code, resumed.document.run_id, resumed.document.status], [0, id, 'completed']);
    assert.deepEqual(resumed.document.counts, { fetched: 8000, inserted: 8000, updated: 0, skipped: 0, errored: 0 });
  });

  it('verifies a file row by row, and finds what was changed in the database', async () => {
    const run = await commit('verify.csv', plaintiffsCsv('verify', 6));
    const good = await cli.json('verify', run.run_id);
    assert.deepEqual([good.code, good.document.rows, good.document.missing, good.document.different], [0, 6, 0, 0]);
    await cli.query(
      "update ingest.plaintiffs_raw set contact_email = 'else@example.com' where import_run_id = $1 and row_index = 3",
      [run.run_id],
    );
    const { code, stderr, stdout } = await cli.run('verify', run.run_id);
    assert.equal(code, 1);
    assert.match(stderr, /^VERIFY_FAILED: 6 rows compared, 0 missing, 1 different/m);
    assert.match(stdout, /Lines: 5$/m);
    const copy = `insert into public.plaintiffs (dedupe_key, source_system, name, import_run_id) values ('copy', 'csv', 'Copy', $1)`;
    await cli.query(copy, [run.run_id]);
    assert.match((await cli.run('verify', run.run_id)).stderr, /, 1 of public\.plaintiffs not from the file\. /);
    const counted = await cli.run('reconcile', run.run_id);
    assert.equal(counted.code, 1);
    assert.match(counted.stdout, /6 found \(0\).*; 1 of public\.plaintiffs name this run, which did not make them/);
    await cli.query(`delete from public.plaintiffs where dedupe_key = 'copy'`, []);
    assert.equal((await cli.run('reconcile', run.run_id)).code, 0);
    const other = await cli.file('other.csv', plaintiffsCsv('verify', 5));
    assert.match((await cli.run('verify', run.run_id, other)).stderr, /^CHANGED_FILE: /);
  });

  it('filters before it counts: the latest of a kind, totals of a status and of a time', async () => {
    await cli.query(`insert into ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, created_at, completed_at, rows_fetched, metadata)
      select 'filters', n::text, 'h', 'old.csv', 'jbi', case when n = 1 then 'failed' else 'completed' end, now() - interval '3 days', now() - interval '3 days', 0, '{"counted": {"total": 0, "inserted": 0}}'::jsonb from generate_series(1, 3) n
      union all select 'filters', 'new' || n, 'h', 'new.csv', 'simplicity', 'completed', now(), now(), 0, '{}'::jsonb from generate_series(1, 25) n`);
    const of = async (...words: string[]): Promise<Json[]> => (await cli.json('runs', ...words)).document;
    assert.equal((await of('latest', '--kind', 'jbi', '--source', 'filters')).length, 3);
    const stats = async (...words: string[]) =>
      (await of('stats', '--source', 'filters', ...words)).map(({ import_kind: kind, runs, failed }) => [
        kind,
        runs,
        failed,
      ]);
    assert.deepEqual(await stats(), [
      ['simplicity', 25, 0],
      ['jbi', 3, 1],
    ]);
    assert.deepEqual(await stats('--status', 'failed'), [['jbi', 1, 1]]);
    assert.deepEqual(await stats('--since', '1d'), [['simplicity', 25, 0]]);
    assert.deepEqual(await of('reconcile-failures', '--source', 'filters'), []);
    await cli.query(
      "update ingest.import_runs set rows_fetched = 5 where source_system = 'filters' and source_batch_id = '2'",
    );
    assert.deepEqual(
      (await of('reconcile-failures', '--source', 'filters')).map(({ delta }) => delta),
      [-5],
    );
    // Of another program, never reconciled: counted once, and then what was counted then.
    const [raw] = await cli.query(
      "insert into ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, rows_fetched, rows_inserted) values ('filters', 'py', 'h', 'py.csv', 'plaintiff', 'completed', 2, 2) returning id",
    );
    await cli.query(
      `insert into ingest.plaintiffs_raw (import_run_id, row_index, plaintiff_name, source_system, dedupe_key) values ('${raw!.id}', 0, 'A', 'filters', 'py-a')`,
    );
    const deltas = async () => (await of('reconcile-failures', '--source', 'filters')).map(({ delta }) => delta);
    assert.deepEqual(await deltas(), [-1, -5]);
    await cli.query(
      `insert into ingest.plaintiffs_raw (import_run_id, row_index, plaintiff_name, source_system, dedupe_key) values ('${raw!.id}', 1, 'B', 'filters', 'py-b')`,
    );
    assert.deepEqual(await deltas(), [-1, -5]);
    assert.equal((await cli.json('reconcile', raw!.id)).document.is_valid, true);
    assert.deepEqual(await deltas(), [-5]);
    await cli.query("delete from ingest.plaintiffs_raw where source_system = 'filters'");
    await cli.query("delete from ingest.import_runs where source_system = 'filters'");
  });

  it('answers the seven operator queries, as the SQL file does', async () => {
    for (const what of [
      'latest',
      'duplicates',
      'reconcile-failures',
      'rollbacks',
      'in-progress',
      'failed',
      'stats',
      'list',
    ]) {
      const { code, document } = await cli.json('runs', what);
      assert.equal(code, 0, what);
      assert.ok(Array.isArray(document), what);
    }
    const rollbacks = (await cli.json('runs', 'rollbacks')).document;
    assert.deepEqual(
      rollbacks.map(({ filename, is_complete }: Json) => [filename, is_complete]),
      [['undo.csv', true]],
    );
    const filtered = (
      await cli.json('runs', '--kind', 'plaintiff', '--status', 'rolled_back', '--since', '1h', '--limit', '5')
    ).document;
    assert.deepEqual(
      filtered.map(({ status }: Json) => status),
      ['rolled_back'],
    );
    const nobody = await cli.json('runs', '--source', 'nobody');
    assert.deepEqual([nobody.code, nobody.document.error.code], [2, 'USAGE']);
    const sql = await readFile(new URL('../../../ops/queries/plaintiff_ingest_moat.sql', import.meta.url), 'utf8');
    const queries = sql
      .replaceAll(/^--.*$/gm, '')
      .split(';')
      .filter((text) => text.trim());
    assert.equal(queries.length, 7);
    for (const query of queries) await cli.query(query);
  });

  it('says RUN_NOT_FOUND with exit code 2 for an id that is none', async () => {
    for (const args of [
      ['runs', 'show', 'deadbeef'],
      ['rejects', 'deadbeef'],
      ['cancel', 'xyz'],
      ['rollback', 'deadbeef', '--reason', 'x'],
      ['runs', 'watch', 'import/plaintiffs/none'],
    ]) {
      const { code, stderr } = await cli.run(...args);
      assert.deepEqual([code, stderr.split(':')[0]], [2, 'RUN_NOT_FOUND'], args.join(' '));
    }
  });

  it('finds the stack healthy, with every secret masked', async () => {
    const { code, document } = await cli.json('doctor');
    assert.equal(code, 0, JSON.stringify(document.checks.filter(({ ok }: Json) => !ok)));
    assert.deepEqual(Object.keys(document.addresses), [
      'temporal',
      'temporal_ui',
      'database_url',
      'supabase_url',
      'gateway',
      'dashboard',
    ]);
    const text = JSON.stringify(document);
    for (const secret of [new URL(cli.stack.databaseUrl).password, cli.stack.serviceRoleKey, cli.stack.anonKey])
      assert.ok(!text.includes(secret));
    assert.deepEqual(await cli.json('migrate', '--check'), { code: 0, document: { pending: [] } });
  });

  it('will not take the embedded stack for a deployment whose settings are missing', async () => {
    const { code, stderr } = await cli.run('runs', '--env', 'prod');
    assert.deepEqual([code, stderr.split(':')[0]], [2, 'CONFIG_INVALID']);
  });
});
