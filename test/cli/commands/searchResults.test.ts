import { strict as assert } from 'node:assert';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { startCli, type Cli, type Json } from '../cli.ts';
import { commitScrapes, onTerminal, scrapes } from '../scrapes.ts';

const HEADER = 'item,kind,line,_code,_error,_run';

describe('intake import search-results', function () {
  this.timeout(90_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
  });
  after(() => cli.stop());

  const importOf = (directory: string, tag: string, ...options: string[]) => [
    'import',
    'search-results',
    '--states-dir',
    directory,
    '--tag',
    tag,
    ...options,
  ];
  const decisions = (stderr: string): Json[] =>
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
      .filter(({ action }) => action);

  it('ends a dry run with the command that commits, and a commit with dataset, files, images and what failed', async () => {
    const directory = scrapes(cli, 'sum up', { 'FL/A': {}, 'FL/B': { image: null } });
    const dry = await cli.run(...importOf(directory, 'sum'));
    assert.match(
      dry.stdout,
      /^Import DRY_RUN: 2 fetched, 2 inserted, 0 skipped, 0 errored\n[^]*Nothing was written; import it with: intake import search-results --states-dir 'sum up' --tag sum --commit$/m,
    );
    const { code, stdout, stderr } = await cli.run(...importOf(directory, 'sum', '--commit'));
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}Dataset: {2}sum, ID \d+$/m);
    assert.match(stdout, /^ {2}Images: {3}1 uploaded, 0 in storage already, 1 missing, 0 of no file$/m);
    assert.match(stdout, /^ {2}Failed: {3}1 \(IMAGE_MISSING 1\); intake rejects \S+ -o rejects\.csv$/m);
    assert.match(stderr, /^SHA256: completed \(\d+\.\ds\)[^]*^UPLOAD: completed \(\d+\.\ds\)[^]*^IMPORT: completed/m);
  });

  it('draws the display of the runbook on a terminal', async () => {
    const directory = scrapes(cli, 'box', {
      'FL/A': {},
      'FL/B': { image: null },
      'GA/C': { changes: { issue_date: '45 Juno' } },
    });
    const { stderr } = await cli.start(importOf(directory, 'box-tag', '--commit'), onTerminal('stderr')).ended;
    const box = stderr
      .replaceAll(/\x1b\[[0-9;]*[A-Za-z]/g, '')
      .trimEnd()
      .split('\n')
      .slice(-14);
    const expected = [
      /^=+$/,
      /^📊 Import Progress: box-tag \(Dataset ID: \d+\)$/,
      /^=+$/,
      /^⏱️ {2}Elapsed: 0m \d\ds {2}\| {2}Backend: postgres {2}\| {2}Run: [0-9a-f]{8}$/,
      /^📁 Total Files: 3 {2}\| {2}Images: 2$/,
      /^$/,
      /^📊 Phase Summary:$/,
      /^ {2}✅ PLANNING: completed \(\d+\.\ds\)$/,
      /^ {2}✅ SHA256: completed/,
      /^ {2}✅ UPLOAD: completed/,
      /^ {2}✅ IMPORT: completed/,
      /^$/,
      /^❌ Failed Items: 2 \(IMAGE_MISSING 1, BAD_DATE 1\)$/,
      /^=+$/,
    ];
    for (const [i, pattern] of expected.entries()) assert.match(box[i] ?? '', pattern, box.join('\n'));
  });

  it('tells dataset, files, images and failed items in Temporal UI', async () => {
    const run = await commitScrapes(cli, scrapes(cli, 'ui', { 'FL/A': {}, 'FL/B': { image: null } }), 'ui');
    const connection = await Connection.connect({ address: cli.stack.temporal });
    try {
      const { currentDetails } = await new Client({ connection }).workflow
        .getHandle(run.workflow_id)
        .query<{ currentDetails: string }>('__temporal_workflow_metadata');
      assert.match(
        currentDetails,
        new RegExp(`^Dataset ${run.metadata.dataset_id} · 2 files · 1 images · 1 failed items$`, 'm'),
      );
    } finally {
      await connection.close();
    }
  });

  it('logs what became of each record with --debug-log, in the order of the files, without values', async () => {
    const directory = scrapes(cli, 'log', {
      'FL/A': {},
      'FL/B': { numbers: ['b1', 'b2'] },
      'FL/C': { changes: { expiration_date: 'soonish' } },
      'FL/D': { name: 'FL/A', numbers: ['FL/A'] },
    });
    const first = await cli.run(...importOf(directory, 'log', '--commit', '--debug-log'));
    assert.deepEqual(
      decisions(first.stderr).map(({ msg }) => msg),
      [
        'Inserted record: FL/A_parse.json #1',
        'Inserted record: FL/B_parse.json #1',
        'Inserted record: FL/B_parse.json #2',
        'Failed (BAD_DATE): FL/C_parse.json #1',
        'Skipped (duplicate search): FL/D_parse.json #1',
      ],
    );
    const later = scrapes(cli, 'log-later', {
      'FL/A': { at: '2025-09-01T08:00:00' },
      'FL/B': { at: '2025-07-01T08:00:00', numbers: ['b1'] },
    });
    const second = await cli.run(...importOf(later, 'log', '--commit', '--debug-log'));
    const told = decisions(second.stderr);
    assert.deepEqual(
      told.map(({ msg }) => msg),
      ['Updated record: FL/A_parse.json #1', 'Skipped (older): FL/B_parse.json #1'],
    );
    assert.ok(
      told.every(
        ({ search_result_id: id, level, workflow }) =>
          id && level === 'debug' && workflow.startsWith('import/search-results/'),
      ),
    );
    for (const { stderr } of [first, second]) assert.doesNotMatch(stderr, /BIRCH|Main St|Tampa/i);
  });

  it('gives failed items as CSV, each once, with cells that no spreadsheet takes for a formula', async () => {
    const directory = scrapes(cli, 'rejects', {
      '=1+1': { changes: { issue_date: 'never, ever' } },
      'FL/Many': { numbers: ['m1', 'm2', 'm3'], image: null },
      'FL/Torn': '{"metadata": ',
      'FL/Zz': { numbers: ['m1'], changes: { license_status: 'Another' } },
    });
    const run = await commitScrapes(cli, directory, 'rejects');
    assert.deepEqual(run.counts, { fetched: 6, inserted: 3, updated: 0, skipped: 0, errored: 3 });
    const { stdout } = await cli.run('rejects', run.run_id);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/"[^"]*"/, '...').split(','));
    assert.deepEqual(
      lines.map(([item, kind, line, code, , of]) => [item, kind, line, code, of]),
      [
        ['item', 'kind', 'line', '_code', '_run'],
        ["'=1+1_parse.json", 'licence', '1', 'BAD_DATE', run.run_id],
        ['FL/Many_parse.json', 'image', '1', 'IMAGE_MISSING', run.run_id],
        ['FL/Torn_parse.json', 'json', '0', 'INVALID_JSON', run.run_id],
        ['FL/Zz_parse.json', 'licence', '1', 'CONFLICT_IN_RUN', run.run_id],
      ],
    );
    assert.match(stdout, /\/search_result\/licenses\/0\/issue_date must be a date/);
    assert.doesNotMatch(stdout, /never, ever/);
    const { document } = await cli.json('rejects', run.run_id);
    assert.deepEqual(
      document.rejects.map(({ item, kind, line, code }: Json) => [item, kind, line, code]),
      [
        ['=1+1_parse.json', 'licence', 1, 'BAD_DATE'],
        ['FL/Many_parse.json', 'image', 1, 'IMAGE_MISSING'],
        ['FL/Torn_parse.json', 'json', 0, 'INVALID_JSON'],
        ['FL/Zz_parse.json', 'licence', 1, 'CONFLICT_IN_RUN'],
      ],
    );
    const written = await cli.run('rejects', run.run_id, '-o', 'items.csv');
    assert.match(
      written.stdout,
      /^4 failed items of run \S+ written to items\.csv \(BAD_DATE 1, IMAGE_MISSING 1, INVALID_JSON 1, CONFLICT_IN_RUN 1\)\n.*--states-dir \S+rejects --tag rejects --commit\n$/,
    );
    await cli.run(...importOf(directory, 'rejects', '--rejects', 'dry.csv'));
    const [committed, dry] = await Promise.all(
      ['items.csv', 'dry.csv'].map((name) => readFile(join(cli.folder, name), 'utf8')),
    );
    assert.equal(committed?.split('\n')[0], HEADER);
    assert.equal(committed, stdout);
    assert.equal(dry, stdout.replaceAll(run.run_id, ''));
  });

  it('shows values of rejected records to a terminal alone', async () => {
    const directory = scrapes(cli, 'values', {
      'FL/A': { changes: { issue_date: 'Smarch\u001b[2J', pharmacy_name: 'SECRET PHARMACY' } },
    });
    const run = await commitScrapes(cli, directory, 'values');
    const refused = await cli.run('rejects', run.run_id, '--show-values');
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.match(
      refused.stderr,
      /^USAGE: --show-values shows values to a terminal only\. Run it on a terminal, [^\n]*\n$/,
    );
    for (const more of [['--json'], ['-o', 'values.csv']]) {
      assert.equal(
        (await cli.start(['rejects', run.run_id, '--show-values', ...more], onTerminal('stdout')).ended).code,
        2,
        more[0],
      );
    }
    const { code, stdout, stderr } = await cli.start(
      ['rejects', run.run_id, '--show-values', '--debug'],
      onTerminal('stdout'),
    ).ended;
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      /^FL\/A_parse\.json #1 {2}BAD_DATE\n[^]*"pharmacy_name": "SECRET PHARMACY"[^]*"issue_date": "Smarch\\u001b\[2J"/,
    );
    const csv = await cli.json(
      'import',
      'plaintiffs',
      await cli.file('values.csv', 'name,email\nSecret Person,no\u009baddress\n'),
      '--commit',
    );
    assert.equal((await cli.run('rejects', csv.document.run_id, '--show-values')).code, 2);
    const shown = await cli.start(['rejects', csv.document.run_id, '--show-values'], onTerminal('stdout')).ended;
    assert.match(
      shown.stdout,
      /^Line 2 {2}BAD_EMAIL\n {2}[^\n]+\n {4}name,email\n {4}Secret Person,no\\u009baddress\n1 rejected/,
    );
    assert.equal(shown.stderr, '');
  });

  it('is withdrawn and looked at in its own words', async () => {
    const directory = scrapes(cli, 'words', { 'FL/A': {}, 'FL/B': {}, 'FL/C': { image: null } });
    const first = await commitScrapes(cli, directory, 'words');
    const second = await commitScrapes(
      cli,
      scrapes(cli, 'words-later', { 'FL/A': { at: '2025-10-01T00:00:00' } }),
      'words',
    );
    const smoke = await cli.run('smoke', second.run_id);
    assert.deepEqual([smoke.code, smoke.stdout.trimEnd().split('\n').at(-1)], [0, 'PASS'], smoke.stdout);
    assert.match(
      smoke.stdout,
      /sql {2}dragonfly_app {2}ingest\.import_runs 1, public\.search_results 1, public\.datasets 1, public\.images 1$/m,
    );
    await cli.query("update public.search_results set license_status = 'mine' where license_number = 'FL/B'");
    const back = await cli.run('rollback', second.run_id, '--reason', 'later');
    assert.match(
      back.stdout,
      /1 rows affected, 0 search results removed, 1 brought back to what they were, 0 inherited by other runs, 0 kept because edited or in use/,
    );
    const { document } = await cli.json('rollback', first.run_id, '--reason', 'all');
    const { removed, restored, kept_edited: kept, effects } = document;
    assert.deepEqual(
      [removed, restored, kept.count, kept.search_result_ids.length, effects.files_forgotten],
      [2, 0, 1, 1, 2],
    );
  });

  it('is verified with the images of files that were skipped, too, and finds one that storage has lost', async () => {
    const directory = scrapes(cli, 'verify', {
      'FL/A': {},
      'FL/B': { name: 'FL/A', numbers: ['FL/A'] },
      'FL/C': { image: 4711 },
    });
    const run = await commitScrapes(cli, directory, 'verify');
    const good = await cli.json('verify', run.run_id);
    assert.deepEqual(
      [good.code, good.document.rows, good.document.missing, good.document.different, good.document.images_failed],
      [0, 3, 0, 0, 0],
      JSON.stringify(good.document),
    );
    const [{ storage_path: path }] = await cli.query(
      "select i.storage_path from public.images i join public.search_results r on r.id = i.search_result_id where r.license_number = 'FL/C' and i.import_run_id = $1",
      [run.run_id],
    );
    await rm(join(cli.stack.objectsDir, path));
    const { code, stdout, stderr } = await cli.run('verify', run.run_id);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^VERIFY_FAILED: 3 rows compared, 0 missing, 0 different, 0 edited since, 1 images missing or damaged/m,
    );
    assert.match(stdout, /^ {2}FL\/C\.png: OBJECT_MISSING /m);
  });

  it('fails when images are shown to somebody', async () => {
    const run = await commitScrapes(cli, scrapes(cli, 'leak', { 'FL/A': {} }), 'leak');
    await cli.query('grant select on public.images to anon');
    await cli.query('create policy leak on public.images for select to anon using (true)');
    try {
      const { code, document } = await cli.json('smoke', run.run_id);
      assert.deepEqual([code, document.result], [1, 'FAIL']);
      assert.deepEqual(
        [...new Set(document.checks.filter(({ ok }: Json) => !ok).map(({ role, name }: Json) => `${role} ${name}`))],
        ['anon public.images'],
      );
    } finally {
      await cli.query('drop policy leak on public.images');
      await cli.query('revoke select on public.images from anon');
    }
  });

  describe('in the words of the runbook', () => {
    it('says No JSON files found, with exit code 2', async () => {
      const directory = scrapes(cli, 'none', {});
      for (const options of [[], ['--commit']]) {
        const { code, stderr } = await cli.run(
          ...importOf('.', 'none', '--single-file', 'none_parse.json', ...options),
        );
        assert.equal(code, 2);
        assert.match(stderr, /^EMPTY_DIRECTORY: No JSON files found/m);
      }
      assert.equal((await cli.run(...importOf(directory, 'none'))).code, 2);
    });

    it('reads a single file whatever its name', async () => {
      await cli.file('odd-name.json', '{}');
      const { code, stdout } = await cli.run(...importOf('.', 'odd', '--single-file', 'odd-name.json'));
      assert.equal(code, 0);
      assert.match(stdout, /SCHEMA_MISMATCH/);
    });

    it('says Dataset creation failed, with exit code 1', async () => {
      const directory = scrapes(cli, 'dataset', { 'FL/A': {} });
      await cli.query('alter table public.datasets rename to away');
      try {
        const { code, stderr } = await cli.run(...importOf(directory, 'dataset', '--commit'));
        assert.equal(code, 1);
        assert.match(stderr, /^DATABASE_SCHEMA: Dataset creation failed: A table is missing/m);
      } finally {
        await cli.query('alter table public.away rename to datasets');
      }
    });

    it('says Image upload failed as long as storage refuses, and goes on when it does not', async () => {
      const directory = scrapes(cli, 'upload', { 'FL/A': {} });
      const images = join(cli.stack.objectsDir, 'images');
      await rename(images, `${images}.away`);
      await writeFile(images, '');
      const importing = cli.start(importOf(directory, 'upload', '--commit'));
      let told = '';
      importing.onError((text) => (told += text));
      while (!/^STORAGE_UNAVAILABLE: Image upload failed: .*; it is tried again$/m.test(told)) await sleep(100);
      await rm(images);
      await rename(`${images}.away`, images);
      const { code, stdout } = await importing.ended;
      assert.deepEqual(
        [code, stdout.split('\n')[0]],
        [0, 'Import COMPLETED: 1 fetched, 1 inserted, 0 skipped, 0 errored'],
      );
    });

    it('says Batch import failed of records that the database refuses, and has the others', async () => {
      const directory = scrapes(cli, 'refused', { 'FL/A': {}, 'FL/B': { numbers: ['poison'] }, 'FL/C': {} });
      await cli.query("alter table public.search_results add constraint no_poison check (license_number <> 'poison')");
      try {
        const { code, stdout, stderr } = await cli.run(...importOf(directory, 'refused', '--commit'));
        assert.deepEqual(
          [code, stdout.split('\n')[0]],
          [0, 'Import COMPLETED: 3 fetched, 2 inserted, 0 skipped, 1 errored'],
        );
        const [, runId] =
          /^REFUSED_ROW: Batch import failed for 1 record that the database refused; the others are in\. intake rejects (\S+) /m.exec(
            stderr,
          ) ?? [];
        const { document } = await cli.json('rejects', runId as string);
        assert.deepEqual(
          document.rejects.map(({ item, kind, code }: Json) => [item, kind, code]),
          [['FL/B_parse.json', 'licence', 'REFUSED_ROW']],
        );
      } finally {
        await cli.query('alter table public.search_results drop constraint no_poison');
      }
    });

    it('says Batch import failed with exit code 1 when nothing can be staged', async () => {
      const directory = scrapes(cli, 'stage', { 'FL/A': {} });
      await cli.query("alter table ingest_stage.search_results add constraint refuse check (dataset_tag <> 'stage')");
      try {
        const { code, stdout, stderr } = await cli.run(...importOf(directory, 'stage', '--commit'));
        assert.equal(code, 1);
        assert.match(stdout, /^Import FAILED: /);
        assert.match(stderr, /^DATABASE_REFUSED: Batch import failed: /m);
      } finally {
        await cli.query('alter table ingest_stage.search_results drop constraint refuse');
      }
    });
  });
});
