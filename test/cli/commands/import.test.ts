import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mapKey } from '../../../src/sources/csv/headerNames.ts';
import { plaintiffsCsv, slowCsv, SLOW, startCli, type Cli, type Ended, type Json } from '../cli.ts';

const FIELDS = [
  'run_id',
  'workflow_id',
  'target',
  'kind',
  'source_system',
  'source_batch_id',
  'batch_name',
  'source_reference',
  'filename',
  'file_hash',
  'dry_run',
  'status',
  'duplicate_of',
  'counts',
  'storage_path',
  'started_at',
  'finished_at',
  'duration_seconds',
  'phases',
  'columns',
  'differences',
  'error',
  'metadata',
];

describe('intake import', function () {
  this.timeout(60_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
  });
  after(() => cli.stop());

  const rowsOf = async (runId: string): Promise<Json[]> =>
    cli.query(
      'select status, count(*)::int as n from ingest.plaintiffs_raw where import_run_id = $1 group by 1 order by 1',
      [runId],
    );

  it('writes nothing unless told to, and says what a commit would do', async () => {
    const file = await cli.file('dry.csv', plaintiffsCsv('dry', 20));
    const { code, stdout } = await cli.run('import', 'plaintiffs', file);
    assert.equal(code, 0);
    assert.match(stdout, /^Import DRY_RUN: 20 fetched, 20 inserted, 0 skipped, 0 errored\n/);
    assert.deepEqual(await cli.query("select id from ingest.import_runs where filename = 'dry.csv'"), []);
    const { stdout: committed } = await cli.run('import', 'plaintiff', '--csv', file, '--commit', '--quiet');
    assert.equal(committed, 'Import COMPLETED: 20 fetched, 20 inserted, 0 skipped, 0 errored\n');
  });

  it('gives the same counts dry and committed, and every field of its document', async () => {
    const text = `${plaintiffsCsv('both', 30)}both Holdings 1,office1@both.example.com\nbroken,not an address\n,nobody@example.com\n`;
    const file = await cli.file('both.csv', text);
    const dry = await cli.json('import', 'plaintiffs', file, '--source-system', 'lab', '--batch-name', 'First');
    const commit = await cli.json('import', 'plaintiffs', file, '--source', 'lab', '--batch-name', 'First', '--commit');
    assert.deepEqual([dry.code, commit.code], [0, 0]);
    assert.deepEqual(dry.document.counts, { fetched: 33, inserted: 30, updated: 0, skipped: 1, errored: 2 });
    assert.deepEqual(commit.document.counts, dry.document.counts);
    for (const { document } of [dry, commit]) assert.deepEqual(Object.keys(document), FIELDS);
    assert.deepEqual(commit.document.columns[0], {
      header: 'plaintiff_name',
      column: 'plaintiff_name',
      suggestion: null,
    });
    const { run_id, status, dry_run, source_system, batch_name, source_reference, filename, phases } = commit.document;
    assert.deepEqual(
      [status, dry_run, source_system, batch_name, source_reference, filename],
      ['completed', false, 'lab', 'First', 'First', 'both.csv'],
    );
    assert.deepEqual([dry.document.status, dry.document.run_id, dry.document.dry_run], ['dry_run', null, true]);
    assert.deepEqual(phases.parse, {
      status: 'completed',
      seconds: phases.parse.seconds,
      done: 1,
      total: 1,
      failed: 2,
      skipped: 0,
    });
    assert.deepEqual(await rowsOf(run_id), [
      { status: 'failed', n: 2 },
      { status: 'promoted', n: 30 },
      { status: 'skipped', n: 1 },
    ]);
  });

  it('answers DUPLICATE BATCH for the same content under any name, with exit code 0', async () => {
    const content = plaintiffsCsv('again', 5);
    const first = await cli.json('import', 'plaintiffs', await cli.file('again.csv', content), '--commit');
    const copy = await cli.file('copy.csv', content);
    const { code, stdout } = await cli.run('import', 'plaintiffs', copy, '--commit');
    assert.equal(code, 0);
    const hash = first.document.file_hash.slice(0, 16);
    const [line, when] = stdout.split('\n');
    assert.equal(
      line,
      `DUPLICATE BATCH: File 'copy.csv' with hash ${hash}... has already been imported. No action taken.`,
    );
    assert.ok(when?.includes(`'again.csv' by run ${first.document.run_id} on 2`), when);
    const { document } = await cli.json('import', 'plaintiffs', copy, '--commit');
    assert.deepEqual([document.status, document.duplicate_of], ['duplicate', first.document.run_id]);
    const dry = await cli.run('import', 'plaintiffs', copy);
    assert.match(
      dry.stdout,
      new RegExp(`DRY_RUN: 5 fetched, 0 inserted, 5 skipped[^]*run ${first.document.run_id} has imported this batch`),
    );
  });

  it('names missing columns, the headers found and the one that is close', async () => {
    const file = await cli.file('missing.csv', 'plantiff_name,e-mail\nAnn,ann@example.com\n');
    const { code, stderr } = await cli.run('import', 'plaintiffs', file, '--commit');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^MISSING_COLUMNS: Missing required columns: \{'plaintiff_name'\}; headers found: plantiff_name, e-mail; did you mean --map "plantiff_name=plaintiff_name"/m,
    );
    const mended = await cli.json('import', 'plaintiffs', file, '--map', 'plantiff_name=plaintiff_name');
    assert.equal(mended.document.counts.inserted, 1);
  });

  const unusable: Record<string, [string | Buffer | undefined, string]> = {
    'an empty file': ['', 'EMPTY_FILE'],
    'a file with a header only': ['plaintiff_name,email\n', 'EMPTY_FILE'],
    'two headers of one name': ['plaintiff_name,email,email\nAnn,a@example.com,b@example.com\n', 'DUPLICATE_HEADER'],
    'a missing file': [undefined, 'FILE_NOT_FOUND'],
  };
  for (const [what, [content, code]] of Object.entries(unusable)) {
    it(`refuses ${what} with ${code} and exit code 2`, async () => {
      const name = `${code}-${what.length}.csv`;
      if (content !== undefined) await cli.file(name, content);
      const { code: exit, document } = await cli.json('import', 'plaintiffs', name, '--commit');
      assert.deepEqual([exit, document.status, document.error.code], [2, 'failed', code]);
      assert.deepEqual(Object.keys(document), FIELDS);
      assert.ok(document.error.remedy);
    });
  }

  it('refuses a directory, an unknown kind and wrong options with exit code 2 and one line', async () => {
    const cases: [string[], string][] = [
      [['import', 'plaintiffs', '.'], 'NOT_A_FILE'],
      [['import', 'horses', 'x.csv'], 'USAGE'],
      [['import', 'plaintiffs'], 'USAGE'],
      [['import', 'plaintiffs', 'x.csv', '--sideways'], 'USAGE'],
      [['import', 'plaintiffs', 'x.csv', '--max-errors', 'some'], 'USAGE'],
      [['impotr', 'plaintiffs'], 'USAGE'],
    ];
    const ended = await Promise.all(cases.map(([args]) => cli.run(...args)));
    for (const [i, { code, stderr, stdout }] of ended.entries()) {
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^${cases[i]?.[1]}: [^\\n]+\\n$`));
    }
  });

  it('rejects rows with NUL, invalid UTF-8 and an unclosed quote by line, and keeps the rows around them', async () => {
    const content = Buffer.concat([
      Buffer.from('plaintiff_name,email\nÄnne First,first@dirt.example.com\nNul\0Nul,nul@dirt.example.com\nBroken '),
      Buffer.from([0xff, 0xfe, 0xc3]),
      Buffer.from(
        ' Text,bytes@dirt.example.com\nFine Middle,middle@dirt.example.com\n"Open Quote,quote@dirt.example.com\n',
      ),
      Buffer.from('After One,one@dirt.example.com\nAfter Two,two@dirt.example.com\n'),
    ]);
    const file = await cli.file('dirt.csv', content);
    const { document } = await cli.json('import', 'plaintiffs', file, '--encoding', 'utf-8', '--commit');
    assert.equal(document.status, 'completed', JSON.stringify(document.error));
    assert.deepEqual(document.metadata.rejects, { NUL_BYTE: 1, INVALID_ENCODING: 1, UNBALANCED_QUOTE: 1 });
    const rejects = await cli.json('rejects', document.run_id);
    assert.deepEqual(
      rejects.document.rejects.map(({ line, code }: Json) => [line, code]),
      [
        [3, 'NUL_BYTE'],
        [4, 'INVALID_ENCODING'],
        [6, 'UNBALANCED_QUOTE'],
      ],
    );
    assert.equal(document.counts.inserted, 4);
  });

  it('stops at --max-errors with nothing in a production table, and the rejects can be had', async () => {
    const file = await cli.file('limit.csv', `${plaintiffsCsv('limit', 10)}A,nope\nB,nope\nC,nope\n`);
    const { code, stdout, stderr } = await cli.run('import', 'plaintiffs', file, '--max-errors', '2', '--commit');
    assert.equal(code, 1);
    assert.match(stdout, /^Import FAILED: 13 fetched, /);
    assert.match(stderr, /^TOO_MANY_ERRORS: 3 of 13 rows/m);
    const [run] = await cli.query("select id, status from ingest.import_runs where filename = 'limit.csv'");
    assert.equal(run.status, 'failed');
    assert.deepEqual(await rowsOf(run.id), [
      { status: 'failed', n: 3 },
      { status: 'pending', n: 10 },
    ]);
    assert.deepEqual(await cli.query('select id from public.plaintiffs where import_run_id = $1', [run.id]), []);
    assert.equal((await cli.json('rejects', run.id)).document.rejects.length, 3);
    assert.equal((await cli.run('import', 'plaintiffs', file, '--max-errors', '25%', '--dry-run')).code, 0);
  });

  it('makes one run and one set of rows of many starts at once', async () => {
    const file = await cli.file('many.csv', plaintiffsCsv('many', 50));
    const ended = await Promise.all(
      Array.from({ length: 20 }, () => cli.json('import', 'plaintiffs', file, '--commit')),
    );
    assert.ok(ended.every(({ code }) => code === 0));
    assert.equal(new Set(ended.map(({ document }) => document.run_id)).size, 1);
    assert.deepEqual(
      await cli.query(
        "select count(*)::int as n from ingest.import_runs where filename = 'many.csv' and status = 'completed'",
      ),
      [{ n: 1 }],
    );
    assert.deepEqual(await rowsOf(ended[0]?.document.run_id), [{ status: 'promoted', n: 50 }]);
  });

  it('prints commands that run as they are printed, with every option that decides, the stack and the quotes', async () => {
    await mkdir(join(cli.folder, 'linked'));
    await symlink(
      fileURLToPath(new URL('../../../bin/intake.cjs', import.meta.url)),
      join(cli.folder, 'linked', 'intake'),
    );
    await symlink(cli.stack.dir, join(cli.folder, 'my stack'));
    const env = {
      ...process.env,
      PATH: `${join(cli.folder, 'linked')}:${process.env['PATH']}`,
      INTAKE_DIR: '/nonexistent',
    };
    /** In a shell, as somebody pastes it. */
    const shell = (line: string) =>
      new Promise<Ended>((resolve) =>
        execFile('/bin/sh', ['-c', line], { cwd: cli.folder, env }, (error, stdout, stderr) =>
          resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
        ),
      );
    const text = 'Our clients;;\nClient "A";Mail;Tel\nPaste Co;p@paste.example.com;nichts\nBad Co;nope;\n';
    const file = await cli.file("it's a file.csv", text);
    const dry = await shell(
      `intake import plaintiffs "${file}" --dir 'my stack' --map 'Client "A"=plaintiff_name' --map Mail=contact_email --source-system "O'Neil & Sons" --null-words nichts,leer --header-row 2 --delimiter ';' --encoding utf-8 --batch-id 'B 1' --batch-name "May's" --source-reference R-1 --date-order dmy --max-errors '60%' --decode-html --skip-jobs --backend postgres`,
    );
    assert.match(dry.stdout, /^Import DRY_RUN: 2 fetched, 1 inserted, 0 skipped, 1 errored$/m, dry.stderr);
    const [, commit] = /import it with: (intake .*)$/m.exec(dry.stdout)!;
    const committed = await shell(commit!);
    assert.match(
      committed.stdout,
      /^Import COMPLETED: 2 fetched, 1 inserted, 0 skipped, 1 errored$/m,
      `${commit} ${committed.stderr}`,
    );
    const [run] = await cli.query(
      "select id, source_system, metadata -> 'input' as input from ingest.import_runs where source_batch_id = 'B 1'",
    );
    assert.deepEqual(
      [run.source_system, run.input.batchName, run.input.sourceReference, run.input.backend, run.input.options],
      [
        "O'Neil & Sons",
        "May's",
        'R-1',
        'postgres',
        {
          map: { [mapKey('Client "A"')]: 'plaintiff_name', [mapKey('Mail')]: 'contact_email' },
          encoding: 'utf-8',
          delimiter: ';',
          dateOrder: 'dmy',
          maxErrors: { percent: 60 },
          headerRow: 2,
          nullWords: ['nichts', 'leer'],
          decodeHtml: true,
          skipJobs: true,
        },
      ],
    );
    const [, rejects] = /^ {2}Rejected: .*; (intake .*)$/m.exec(committed.stdout)!;
    const written = await shell(rejects!);
    const [, mend] = /Mend them, then: (intake .*)$/m.exec(written.stdout)!;
    const lines = await readFile(join(cli.folder, 'rejects.csv'), 'utf8');
    await writeFile(join(cli.folder, 'rejects.csv'), lines.replace('nope', 'mended@paste.example.com'));
    const mended = await shell(mend!);
    assert.match(
      mended.stdout,
      /^Import COMPLETED: 1 fetched, 1 inserted, 0 skipped, 0 errored$/m,
      `${mend} ${mended.stderr}`,
    );
    const shown = await shell(`intake runs show ${run.id} --dir 'my stack'`);
    const next = [...shown.stdout.matchAll(/^ {2}(intake .*)$/gm)].map(([, line]) => line!);
    assert.equal(next.length, 4, shown.stdout);
    for (const line of next.filter((each) => !each.includes(' rejects '))) {
      const { code, stderr } = await shell(line);
      assert.equal(code, 0, `${line}: ${stderr}`);
    }
    const detached = await shell(`${commit!.replace("'B 1'", 'other')} --detach`);
    const [, watch] = /Watch it: +(intake .*)$/m.exec(detached.stdout)!;
    const watched = await shell(watch!);
    assert.match(watched.stdout, /^Import COMPLETED: /m, `${watch} ${watched.stderr}`);

    // Remedies, on the terminal and in documents: of another kind, of a run, of what doctor finds wrong.
    const leads = await cli.file("lead's.csv", 'LeadID,PlaintiffName,JudgmentAmount,IndexNumber\n1,Lead Co,10,I-1\n');
    const other = await shell(`intake import plaintiffs "${leads}" --dir 'my stack' --json`);
    const [, asSimplicity] = /: (intake .*);/.exec(JSON.parse(other.stdout).error.remedy)!;
    assert.match((await shell(asSimplicity!)).stdout, /^Import DRY_RUN: 1 fetched, 1 inserted/, asSimplicity);
    const bad = await cli.file('all bad.csv', 'name,email\nBad Co,nope\nWorse Co,no\n');
    const stopped = await shell(`intake import plaintiffs "${bad}" --dir 'my stack' --max-errors 1 --commit`);
    const [, listed] = /`(intake [^`]*)`/.exec(stopped.stderr)!;
    assert.match((await shell(`${listed!} -o two.csv`)).stdout, /2 rows|2 rejected/, listed);
    const unknown = await shell("intake runs show 00000000 --dir 'my stack' --json");
    const [, list] = /`(intake [^`]*)`/.exec(JSON.parse(unknown.stdout).error.remedy)!;
    assert.equal((await shell(list!)).code, 0, list);
    await shell("intake tenants add 'T 1' --dir 'my stack'");
    const projects = await cli.file('day 1.csv', 'stage_application\nA1\nA2\n');
    const pushing = await shell(
      `intake projects push "${projects}" --tenant 'T 1' --batch-size 1 --dir 'my stack' --detach`,
    );
    const [, follow] = /Watch it: +(intake .*)$/m.exec(pushing.stdout)!;
    assert.match((await shell(follow!)).stdout, /^Push COMPLETED: 2 of 2 batches/m, follow);
    const added = await shell(
      `intake schedule add projects --tenant 'T 1' --from "${cli.folder}" --timezone UTC --dir 'my stack'`,
    );
    assert.equal(added.code, 0, added.stderr);
    const paused = await shell("intake schedule pause 'projects-T 1' --dir 'my stack'");
    const [, show] = /See its runs: (intake .*)$/m.exec(paused.stdout) ?? [
      undefined,
      "intake schedule show 'projects-T 1' --dir 'my stack'",
    ];
    assert.equal((await shell(show!)).code, 0, show);
  });

  it('attaches a second process to the running import', async () => {
    const file = await cli.file('attach.csv', slowCsv('attach'));
    const first = cli.start(['import', 'plaintiffs', file, '--commit', '--json'], SLOW);
    while ((await cli.query("select id from ingest.import_runs where filename = 'attach.csv'")).length === 0)
      await sleep(50);
    const second = await cli.start(['import', 'plaintiffs', file, '--commit'], SLOW).ended;
    assert.match(second.stderr, /^Attached to the running import$/m);
    assert.match(second.stdout, /^Import COMPLETED: 8000 fetched, 8000 inserted/);
    const { run_id } = JSON.parse((await first.ended).stdout);
    assert.ok(second.stdout.includes(run_id));
  });

  it('attaches to no import that runs with other options, says which and how to stop it, and drops none', async () => {
    const file = await cli.file('others.csv', slowCsv('others', 24_000));
    const first = cli.start(['import', 'plaintiffs', file, '--commit', '--max-errors', '7', '--json'], SLOW);
    while ((await cli.query("select id from ingest.import_runs where filename = 'others.csv'")).length === 0)
      await sleep(50);
    const again = async (...more: string[]) =>
      (await cli.start(['import', 'plaintiffs', file, '--commit', ...more], SLOW).ended) as Ended;
    const limit = ['--max-errors', '7'];
    for (const [more, said] of [
      [[], '--max-errors 7 there, not given here'],
      [['--max-errors', '5%'], '--max-errors 7 there, 5% here'],
      [[...limit, '--map', 'email=contact_email'], '--map not given there, email=contact_email here'],
      [[...limit, '--backend', 'supabase'], '--backend '],
      [[...limit, '--skip-jobs'], '--skip-jobs not given there, given here'],
      [[...limit, '--date-order', 'dmy'], '--date-order mdy there, dmy here'],
      [[...limit, '--batch-name', 'May'], '--batch-name not given there, May here'],
    ] as [string[], string][]) {
      const { code, stderr } = await again(...more);
      if (said === '--backend ' && code === 0) continue; // it is the configured one
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^OPTIONS_DIFFER: others\.csv is being imported with other options: /m);
      assert.ok(stderr.includes(said), stderr);
      assert.match(
        stderr,
        /intake .*runs watch import\/plaintiffs\/\S+, or stop it: intake .*cancel import\/plaintiffs\//,
      );
    }
    // The same in other words, and under another name, is the same import.
    assert.match((await again('--dry-run', ...limit)).stderr, /exclude/);
    const copy = await cli.file('copy-of-others.csv', slowCsv('others', 24_000));
    const same = await cli.start(['import', 'plaintiff', copy, ...limit, '--date-order', 'mdy', '--commit'], SLOW)
      .ended;
    assert.match(same.stderr, /^Attached to the running import$/m);
    assert.equal(JSON.parse((await first.ended).stdout).status, 'completed');
  });

  it('lets a batch belong to its kind: as another one it is refused with both names, dry and committed', async () => {
    const header = 'case_number,party_name,judgment_amount,PlaintiffName,IndexNumber,JudgmentAmount';
    const file = await cli.file('kinds.csv', `${header}\nK-1,Kind Co,10.00,Kind Co,K-1,10.00\n`);
    const options = ['--source-system', 'kinds', '--skip-jobs'];
    const map = (...pairs: string[]) => pairs.flatMap((pair) => ['--map', pair]);
    const first = await cli.json(
      'import',
      'plaintiffs',
      file,
      ...options,
      ...map('party_name=plaintiff_name'),
      '--commit',
    );
    assert.equal(first.code, 0, JSON.stringify(first.document.error));
    for (const commit of [[], ['--commit']]) {
      const { code, document } = await cli.json(
        'import',
        'jbi',
        file,
        ...options,
        ...map('PlaintiffName=party_name', 'JudgmentAmount=judgment_amount'),
        ...commit,
      );
      assert.deepEqual([code, document.error?.code], [2, 'OPTIONS_DIFFER'], JSON.stringify(document.error));
      assert.match(document.error.message, new RegExp(`run ${first.document.run_id} of kind plaintiffs.* as jbi`, 'i'));
      assert.match(document.error.remedy, /--batch-id/);
    }
    const other = await cli.json(
      'import',
      'jbi',
      file,
      ...options,
      ...map('PlaintiffName=party_name', 'JudgmentAmount=judgment_amount'),
      '--batch-id',
      'other',
      '--commit',
    );
    assert.equal(other.document.status, 'completed', JSON.stringify(other.document.error));
  });

  it('leaves running what was begun when a command is interrupted, with exit code 130 and the way back: import, watch, verify, rollback', async () => {
    const file = await cli.file('interrupt.csv', plaintiffsCsv('interrupt', 11_000));
    /** Interrupts the command as soon as it has written such a line. */
    const interrupted = async (until: RegExp, ...args: string[]): Promise<string> => {
      const started = cli.start(args, { ...SLOW, INTAKE_CHUNK_BYTES: '16384' });
      started.onError((text) => until.test(text) && started.interrupt());
      const { code, stdout, stderr } = await started.ended;
      assert.equal(code, 130, stdout + stderr);
      return /^Interrupted.*/m.exec(stderr)?.[0] ?? stderr;
    };
    const said = await interrupted(/^CLAIM/m, 'import', 'plaintiffs', file, '--commit');
    const [, workflowId = ''] =
      /^Interrupted: the import goes on\. Watch it: intake runs watch (\S+) /.exec(said) ?? [];
    assert.match(
      await interrupted(/^(?:PLAN|HASH|CLAIM|UPLOAD|PARSE|UPSERT)/m, 'runs', 'watch', workflowId),
      new RegExp(`the import goes on\\. Watch it: intake runs watch ${workflowId} `),
    );
    const watched = await cli.run('runs', 'watch', workflowId);
    assert.deepEqual(
      [watched.code, watched.stdout.split('\n')[0]],
      [0, 'Import COMPLETED: 11000 fetched, 11000 inserted, 0 skipped, 0 errored'],
    );
    const [{ id }] = await cli.query("select id from ingest.import_runs where filename = 'interrupt.csv'");
    assert.match(
      await interrupted(/^HASH/m, 'verify', id),
      /^Interrupted: the verification goes on\. Watch it: intake runs watch \S+\/verify - stop it: intake cancel \S+\/verify$/,
    );
    assert.match(
      await interrupted(/^Rolling back: /m, 'rollback', id, '--reason', "it's wrong"),
      /^Interrupted: what is withdrawn stays so, .* Finish it: intake rollback \S+ --reason 'it'\\''s wrong'$/,
    );
    // Its last part may have ended all the same.
    const rest = await cli.run('rollback', id, '--reason', "it's wrong");
    assert.match(`${rest.stdout}${rest.stderr}`, /11,000 rows affected|was rolled back already/);
  });

  it('reads the files of a host without a worker, one command after another, and says when interrupted who is waited for', async () => {
    const { temporal, databaseUrl } = cli.stack;
    const env = { ...SLOW, TEMPORAL_ADDRESS: temporal, DATABASE_URL: databaseUrl, INTAKE_HOST: 'without-worker' };
    const run = async (...args: string[]) => cli.start(args, env).ended;
    const runIds: string[] = [];
    for (const name of ['first', 'second']) {
      const file = await cli.file(`alone-${name}.csv`, plaintiffsCsv(`alone-${name}`, 5));
      const { code, stdout, stderr } = await run('import', 'plaintiffs', file, '--commit', '--json');
      assert.equal(code, 0, stderr);
      runIds.push(JSON.parse(stdout).run_id);
    }
    assert.equal((await run('verify', runIds[1]!)).code, 0);

    const file = await cli.file('alone-slow.csv', slowCsv('alone-slow'));
    const interrupted = cli.start(['import', 'plaintiffs', file, '--commit'], env);
    while ((await cli.query("select id from ingest.import_runs where filename = 'alone-slow.csv'")).length === 0)
      await sleep(50);
    interrupted.interrupt();
    const { code, stderr } = await interrupted.ended;
    assert.equal(code, 130);
    assert.match(stderr, /^Interrupted: nobody else reads the files of this host\. .* waits .* intake worker /m);
  });
});
