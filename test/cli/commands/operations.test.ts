import { strict as assert } from 'node:assert';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SLOW, startCli, type Cli, type Json } from '../cli.ts';

const HEADER =
  'LeadID,IndexNumber,JudgmentDate,JudgmentAmount,PlaintiffName,PlaintiffAddress,DefendantName,Phone,Email';

/** Judgments of ten plaintiffs that no other tag has; `more` are further rows. */
function judgmentsCsv(tag: string, rows: number, more: readonly string[] = []): string {
  const area = 200 + [...tag].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 799, 0);
  const lines = Array.from({ length: rows }, (_, i) => {
    const who = i % 10;
    return `${i},${tag}-${i},2024-03-01,${1000 + i}.50,${tag} Lender ${who},${who} Dock St,Debtor ${i},${area}555${1000 + who},lender${who}@${tag}.example.com`;
  });
  return `${[HEADER, ...lines, ...more].join('\n')}\n`;
}

describe('row operations and their jobs', function () {
  this.timeout(120_000);
  let cli: Cli;
  before(async () => {
    cli = await startCli();
  });
  after(() => cli.stop());

  const leftovers = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('intake-operations-'));
  const tally = (items: readonly Json[], field: string): Record<string, number> =>
    Object.fromEntries(
      [...new Set(items.map((item) => item[field]))].map((value) => [
        value,
        items.filter((item) => item[field] === value).length,
      ]),
    );

  it('of people who share a phone or an e-mail: each name has its own plaintiff, and both are named; --match contact takes the first', async () => {
    const row = (n: number, name: string, phone: string, email = '') =>
      `${n},share-${n},2024-03-01,${100 + n},${name},,Debtor,${phone},${email}`;
    const content = `${[
      HEADER,
      row(1, 'Gale Hart', '555-401-1000'),
      row(2, 'Boris Lund', '(555) 401-1000'),
      row(3, 'G Hart', '+1 555 401 1000'),
      row(4, 'John Reed', '555-402-1000 x7'),
      row(5, 'Dana Pike', '555-402-1000 ext. 9'),
      row(6, 'Ann Client', '', 'law@share.example.com'),
      row(7, 'Cy Client Jr', '', 'LAW@share.example.com'),
      row(8, 'Cy Client', '', 'law@share.example.com'),
    ].join('\n')}\n`;
    const file = await cli.file('share.csv', content);
    const dry = await cli.json('import', 'simplicity', file);
    assert.deepEqual(dry.document.metadata.match, {
      names: { plaintiffs_created: 7, plaintiffs_matched: 1 },
      contact: { plaintiffs_created: 4, plaintiffs_matched: 4 },
    });
    const { stdout } = await cli.run('import', 'simplicity', file);
    assert.match(
      stdout,
      /7 plaintiffs created, 1 matched with --match names; 4 plaintiffs created, 4 matched with --match contact/,
    );
    assert.match(stdout, /3 rows with an e-mail or phone of a plaintiff whose name differs.*line 3 and line 2/);
    const { document } = await cli.json('import', 'simplicity', file, '--commit');
    const remark = ({ metadata }: Json) => metadata.remarks.find(({ code }: Json) => code === 'SHARED_CONTACT');
    assert.equal(remark(document).count, 3);
    assert.deepEqual(remark(document), remark(dry.document));
    assert.deepEqual(
      document.metadata.row_operations.flatMap(({ line, reason, message }: Json) =>
        reason ? [[line, reason, message.replace(/plaintiff \d+ /, '')]] : [],
      ),
      [
        [3, 'SHARED_CONTACT', 'the phone is also that of (line 2), whose name differs'],
        [8, 'SHARED_CONTACT', 'the e-mail is also that of (line 7), whose name differs'],
        [9, 'SHARED_CONTACT', 'the e-mail is also that of (line 7), whose name differs'],
      ],
    );
    const plain = await cli.file(
      'plain.csv',
      content
        .replaceAll('share-', 'plain-')
        .replaceAll('40', '41')
        .replaceAll('law@', 'plain@')
        .replaceAll('LAW@', 'PLAIN@')
        .replaceAll('Hart', 'Hurst'),
    );
    const contact = await cli.json('import', 'simplicity', plain, '--match', 'contact', '--commit');
    assert.equal(contact.document.counts.inserted, 8);
    const other = await cli.run('import', 'plaintiffs', file, '--match', 'contact');
    assert.equal(other.code, 2);
  });

  it('stand in the document of a commit, row by row, with the sums that the run stored', async () => {
    const file = await cli.file(
      'doc.csv',
      judgmentsCsv('doc', 40, [
        '98,doc-3,2024-03-01,12,doc Lender 3,,Again,,lender3@doc.example.com',
        '99,doc-99,2024-02-30,12,doc Lender 4,,Bad,,lender4@doc.example.com',
      ]),
    );
    const { code, document } = await cli.json('import', 'simplicity', file, '--commit');
    assert.equal(code, 0, JSON.stringify(document.error));
    const {
      row_operations: rows,
      queued_jobs: jobs,
      parse_errors: errors,
      raw_import_log: log,
      ...sums
    } = document.metadata;
    assert.deepEqual(
      rows.map(({ row_index, line }: Json) => [row_index, line]),
      Array.from({ length: 42 }, (_, i) => [i, i + 2]),
    );
    assert.deepEqual(tally(rows, 'action'), { inserted: 40, skipped: 1, failed: 1 });
    assert.deepEqual(
      [rows[40].reason, rows[40].duplicate_of_line, rows[41].reason],
      ['DUPLICATE_IN_FILE', 5, 'BAD_DATE'],
    );
    assert.deepEqual(rows[0].queued_jobs.map(({ kind }: Json) => kind).sort(), ['enforce', 'enrich']);
    assert.ok(
      rows.every(
        ({ action, judgment_id, plaintiff_id, enforcement_initialized }: Json) =>
          action !== 'inserted' || (judgment_id && plaintiff_id && enforcement_initialized),
      ),
    );
    assert.deepEqual(
      jobs,
      rows.flatMap(({ queued_jobs }: Json) => queued_jobs),
    );
    assert.equal(jobs.length, 80);
    assert.ok(errors[0].raw_import_id && errors[0].message);
    assert.deepEqual(errors, [
      { line: 43, code: 'BAD_DATE', message: rows[41].message, raw_import_id: rows[41].raw_import_id },
    ]);
    assert.deepEqual(log, { enabled: true, table: 'public.raw_simplicity_imports', rows_written: 42, failures: [] });
    const [{ summary }] = await cli.query(
      "select metadata -> 'summary' as summary from ingest.import_runs where id = $1",
      [document.run_id],
    );
    for (const name of ['contact_inserts', 'follow_up_tasks', 'enforcement_initializations'])
      assert.deepEqual([sums[name] > 0, sums[name]], [true, summary[name]], name);
    assert.equal(
      rows.reduce((sum: number, row: Json) => sum + row.contact_inserts, 0),
      sums.contact_inserts,
    );
    assert.ok(!JSON.stringify(document.metadata).includes('example.com'));
  });

  it('are the same for a dry run, without the ids that a commit would make, and leave no file behind', async () => {
    const file = await cli.file(
      'dry.csv',
      judgmentsCsv('dry', 30, ['7,dry-7,2024-03-01,abc,dry Lender 3,,X,,', ',,2024-03-01,5,dry Lender 3,,X,,']),
    );
    const before = await leftovers();
    const dry = await cli.json('import', 'simplicity', file);
    const commit = await cli.json('import', 'simplicity', file, '--commit');
    assert.deepEqual([dry.code, dry.document.status, commit.document.status], [0, 'dry_run', 'completed']);
    const same = ({
      row_index,
      line,
      action,
      reason,
      message,
      plaintiff,
      matched_by,
      duplicate_of_line,
      contact_inserts,
      enforcement_initialized,
    }: Json) => ({
      row_index,
      line,
      action,
      reason,
      message,
      plaintiff,
      matched_by,
      duplicate_of_line,
      contact_inserts,
      enforcement_initialized,
    });
    const [planned, done] = [dry.document.metadata, commit.document.metadata];
    assert.deepEqual(planned.row_operations.map(same), done.row_operations.map(same));
    assert.ok(
      planned.row_operations.every(
        ({ judgment_id, raw_import_id }: Json) => judgment_id === null && raw_import_id === null,
      ),
    );
    for (const name of ['contact_inserts', 'follow_up_tasks', 'enforcement_initializations'])
      assert.equal(planned[name], done[name], name);
    assert.deepEqual(
      planned.parse_errors.map(({ code, raw_import_id }: Json) => [code, raw_import_id]),
      [
        ['BAD_AMOUNT', null],
        ['MISSING_VALUE', null],
      ],
    );
    assert.deepEqual(planned.raw_import_log, { enabled: false, table: null, rows_written: 0, failures: [] });
    assert.deepEqual(await leftovers(), before);
  });

  it('are one document of many pages with --pretty alone, over the API, too', async () => {
    const file = await cli.file('many.csv', judgmentsCsv('many', 2200));
    const { code, stdout } = await cli.run(
      'import',
      '--source',
      'simplicity',
      '--csv',
      file,
      '--commit',
      '--pretty',
      '--backend',
      'supabase',
    );
    assert.equal(code, 0);
    const document = JSON.parse(stdout);
    assert.equal(stdout, `${JSON.stringify(document, undefined, 2)}\n`);
    assert.equal(document.metadata.row_operations.length, 2200);
    assert.equal(
      new Set(document.metadata.queued_jobs.map(({ queue, message_id }: Json) => `${queue} ${message_id}`)).size,
      4400,
    );
  });

  it('are none for a duplicate, and stay with the command that started a dry run', async () => {
    const file = await cli.file('slow.csv', judgmentsCsv('slow', 3000));
    const first = cli.start(['import', 'simplicity', file, '--json'], SLOW);
    while ((await cli.query("select from ingest_stage.chunks where kind = 'simplicity'")).length === 0) await sleep(50);
    const second = await cli.start(['import', 'simplicity', file, '--json'], SLOW).ended;
    const started = JSON.parse((await first.ended).stdout);
    assert.equal(started.metadata.row_operations.length, 3000);
    assert.match(second.stderr, /^Attached to the running import$[^]*^The rows of this dry run cannot be shown/m);
    const { row_operations, queued_jobs, parse_errors } = JSON.parse(second.stdout).metadata;
    assert.deepEqual([row_operations, queued_jobs, parse_errors], [null, null, null]);
    await cli.json('import', 'simplicity', file, '--commit');
    const { document } = await cli.json('import', 'simplicity', file, '--commit');
    assert.deepEqual(
      [document.status, document.metadata.row_operations, document.metadata.queued_jobs],
      ['duplicate', [], []],
    );
  });

  it('are those of a run that failed, too: what was rejected, and what waits', async () => {
    const file = await cli.file(
      'limit.csv',
      judgmentsCsv('limit', 5, ['7,limit-7,2024-03-01,abc,limit Lender 3,,X,,']),
    );
    const { code, document } = await cli.json('import', 'simplicity', file, '--commit', '--max-errors', '0');
    const { row_operations, queued_jobs, parse_errors, raw_import_log } = document.metadata;
    assert.deepEqual(
      [code, document.error.code, tally(row_operations, 'action')],
      [1, 'TOO_MANY_ERRORS', { pending: 5, failed: 1 }],
    );
    assert.deepEqual(
      [queued_jobs, parse_errors.length, raw_import_log.enabled, raw_import_log.rows_written],
      [[], 1, true, null],
    );
  });

  it('are summed up in one line for people', async () => {
    const file = await cli.file('people.csv', judgmentsCsv('people', 12));
    const dry = await cli.run('import', 'simplicity', file);
    const commit = await cli.run('import', 'simplicity', file, '--commit');
    for (const { stdout } of [dry, commit]) {
      assert.match(
        stdout,
        /^ {2}Effects: {2}10 plaintiffs created, \d+ matched, \d+ contacts, 10 tasks, 12 enforcement stages, 24 jobs$/m,
      );
    }
  });

  it('queue jobs that can be listed by run and queue, and be purged unless somebody has read them', async () => {
    const imported = await cli.json(
      'import',
      'simplicity',
      await cli.file('jobs.csv', judgmentsCsv('jobs', 6)),
      '--commit',
    );
    const runId = imported.document.run_id;
    const quiet = await cli.json(
      'import',
      'simplicity',
      await cli.file('nojobs.csv', judgmentsCsv('nojobs', 6)),
      '--commit',
      '--skip-jobs',
    );
    assert.deepEqual(quiet.document.metadata.queued_jobs, []);
    const listed = (await cli.json('queue', 'list', '--run', runId.slice(0, 8))).document;
    assert.deepEqual(tally(listed, 'queue'), { enrich: 6, enforce: 6 });
    const ids = (jobs: Json[]) => jobs.map(({ queue, message_id }) => `${queue} ${message_id}`).sort();
    assert.deepEqual(ids(listed), ids(imported.document.metadata.queued_jobs));
    assert.deepEqual((await cli.json('queue', '--run', quiet.document.run_id)).document, []);
    assert.equal((await cli.json('queue', '--queue', 'enrich', '--run', runId, '--limit', '4')).document.length, 4);
    const { stdout } = await cli.run('queue', 'list', '--run', runId, '--queue', 'enforce', '--limit', '6');
    assert.match(stdout, /^queue +message_id +kind +run_id/);
    assert.match(stdout, /There may be more: --limit 60/);
    const [one, two] = listed;
    await cli.query('update public.queue_messages set read_ct = 1 where queue_name = $1 and msg_id = $2', [
      one.queue,
      one.message_id,
    ]);
    await cli.query('select public.pgmq_delete($1, $2)', [two.queue, two.message_id]);
    const purged = await cli.json('queue', 'purge', '--run', runId);
    assert.deepEqual(purged, { code: 0, document: { run_id: runId, deleted: 10, read_already: 1, gone: 1 } });
    assert.deepEqual(ids((await cli.json('queue', 'list', '--run', runId)).document), [
      `${one.queue} ${one.message_id}`,
    ]);
  });

  it('refuse to purge without a run, and a run or queue that is none', async () => {
    for (const [args, expected] of [
      [['queue', 'purge'], 'USAGE'],
      [['queue', 'purge', '--run', 'deadbeef'], 'RUN_NOT_FOUND'],
      [['queue', 'list', '--queue', 'other'], 'USAGE'],
      [['queue', 'empty'], 'USAGE'],
      [['queue', '--limit', '0'], 'USAGE'],
    ] as const) {
      const { code, stderr } = await cli.run(...args);
      assert.deepEqual([code, stderr.split(':')[0]], [2, expected], args.join(' '));
    }
  });

  it('are seen by nobody but those who work with them', async () => {
    const { code, document } = await cli.json('smoke');
    assert.deepEqual(
      [code, document.kind, document.result],
      [0, 'simplicity', 'PASS'],
      JSON.stringify(document.checks.filter(({ ok }: Json) => !ok)),
    );
    assert.ok(
      document.checks.some(
        ({ name, role, found }: Json) => name === 'public.judgments' && role === 'service_role' && found === 6,
      ),
    );
  });
});
