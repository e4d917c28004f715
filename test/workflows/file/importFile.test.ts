import { strict as assert } from 'node:assert';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBackends } from '../../../src/database/backends/open.ts';
import { importResult } from '../../../src/imports/follow.ts';
import { findRun } from '../../../src/runs/findRun.ts';
import { rejectLines } from '../../../src/runs/rejectFile.ts';
import { startImport } from '../../../src/imports/start.ts';
import { workflowIdOf } from '../../../src/imports/request.ts';
import { contentOf, forget, historiesOf, payloadsOf, plaintiffsCsv, type Place } from '../../support/imports.ts';
import { withPlace } from '../../support/suite.ts';

const MANY_PARTS = { chunkBytes: 4096, partitionRows: 40 };

for (const backend of ['postgres', 'supabase'] as const) {
  describe(`importFile on the ${backend} backend`, function () {
    this.timeout(60_000);
    let place: Place;
    withPlace(backend, (opened) => (place = opened));
    afterEach(() => forget(place.sql));

    const tables = async () =>
      Object.fromEntries(
        await Promise.all(
          [
            'ingest.import_runs',
            'ingest.import_run_steps',
            'ingest.plaintiffs_raw',
            'ingest_stage.chunks',
            'ingest_stage.plaintiffs',
            'public.plaintiffs',
          ].map(
            async (table) =>
              [table, (await place.sql.unsafe(`SELECT count(*) AS n FROM ${table}`))[0]!['n'] as number] as const,
          ),
        ),
      );
    const stageIsEmpty = async () => {
      const found = await tables();
      return found['ingest_stage.chunks'] === 0 && found['ingest_stage.plaintiffs'] === 0;
    };

    it('counts in a dry run what a commit then does, and leaves no row', async () => {
      const path = await place.file(plaintiffsCsv(300));
      const dry = await place.run(await place.input({ path, mode: 'dry-run' }, MANY_PARTS));
      assert.equal(dry.status, 'dry_run');
      assert.equal(dry.runId, null);
      assert.ok(
        Object.values(await tables()).every((n) => n === 0),
        JSON.stringify(await tables()),
      );
      const commit = await place.run(await place.input({ path }, MANY_PARTS));
      assert.equal(commit.status, 'completed', JSON.stringify(commit.error));
      assert.deepEqual(dry.counts, commit.counts);
      assert.deepEqual(dry.codes, commit.codes);
      assert.ok(await stageIsEmpty());
    });

    it('refuses what is asked of another database than its own, with both names, before anything is written', async () => {
      const input = await place.input({ path: await place.file(plaintiffsCsv(3)) });
      const asked = { ...input, target: 'postgres at elsewhere/app', databaseId: 'f'.repeat(32) };
      const { error } = await place.run(asked);
      assert.equal(error?.code, 'DATABASE_MISMATCH');
      assert.match(
        error!.message,
        new RegExp(`^The command is for postgres at elsewhere/app, this worker for ${backend} at `),
      );
      assert.equal((await tables())['ingest.import_runs'], 0);
      const [own] = await place.sql`SELECT ingest.database_identity() AS id`;
      const done = await place.run({ ...asked, databaseId: own!['id'] as string });
      assert.equal(done.status, 'completed', JSON.stringify(done.error));
    });

    if (backend === 'postgres')
      it('refuses what keeps its objects elsewhere than this worker, with both places, before anything is written', async () => {
        const objects = { id: 'of-another', name: '/srv/elsewhere' };
        const input = await place.input({ path: await place.file(plaintiffsCsv(3)) });
        const { error } = await place.run({ ...input, objects });
        assert.equal(error?.code, 'DATABASE_MISMATCH');
        const { objectsDir } = place.config;
        assert.match(
          error!.message,
          new RegExp(`^The command keeps objects in /srv/elsewhere, this worker on .+ in ${objectsDir}$`),
        );
        assert.match(error!.remedy, /INTAKE_OBJECTS_DIR/);
        assert.equal((await tables())['ingest.import_runs'], 0);
        const backends = await openBackends(place.config);
        const own = await backends.get('postgres').objects.identity();
        const done = await place.run({ ...input, objects: { id: own!.id, name: '/the/same/mounted/elsewhere' } });
        assert.equal(done.status, 'completed', JSON.stringify(done.error));
        await writeFile(join(objectsDir, '.store'), 'of-another\n');
        const run = await findRun({ backend: async () => backends.get('postgres') } as never, done.runId!);
        await assert.rejects(rejectLines({ backend: async () => backends.get('postgres') } as never, run), {
          code: 'DATABASE_MISMATCH',
          message: /The run keeps its file in \/the\/same/,
        });
        await rm(join(objectsDir, '.store'));
        await backends.close();
      });

    it('takes names of any length: the id of its workflow stays under 255 bytes and is the same each time', async () => {
      const path = await place.file(plaintiffsCsv(3), `${backend}-long.csv`);
      const request = {
        path,
        batchId: `${'Été #4/2026 '.repeat(100)}${backend}`,
        sourceSystem: `${'Müller & Söhne '.repeat(20)}`,
      };
      const input = await place.input(request);
      assert.ok(Buffer.byteLength(`${workflowIdOf(input)}/verify`) < 255, workflowIdOf(input));
      assert.equal(workflowIdOf(await place.input(request)), workflowIdOf(input));
      assert.notEqual(
        workflowIdOf(await place.input({ ...request, batchId: `${request.batchId}2` })),
        workflowIdOf(input),
      );
      assert.equal((await place.run(input)).status, 'completed');
      const [run] = await place.sql`SELECT source_batch_id, source_system FROM ingest.import_runs`;
      assert.deepEqual({ ...run }, { source_batch_id: request.batchId, source_system: request.sourceSystem });
    });

    it('answers a finished batch as a duplicate, under any name, and touches no row', async () => {
      const text = plaintiffsCsv(30);
      const first = await place.run(await place.input({ path: await place.file(text, 'one.csv') }));
      const before = (await contentOf(place.sql)) as { raw: unknown };
      const again = await place.run(await place.input({ path: await place.file(text, 'copy.csv') }));
      assert.deepEqual(
        [again.status, again.duplicateOf, again.original?.filename],
        ['duplicate', first.runId, 'one.csv'],
      );
      assert.deepEqual(((await contentOf(place.sql)) as { raw: unknown }).raw, before.raw);
      const dry = await place.run(await place.input({ path: await place.file(text, 'dry.csv'), mode: 'dry-run' }));
      assert.deepEqual([dry.status, dry.duplicateOf], ['dry_run', first.runId]);
    });

    it('goes on when its work folder can be written again', async () => {
      const work = join(place.dir, 'work');
      await rm(work, { recursive: true, force: true });
      await writeFile(work, 'no folder');
      const handle = await startImport(place.client, await place.input({ path: await place.file(plaintiffsCsv(9)) }));
      const failure = async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure;
      let code: string | null | undefined;
      while (!code) code = (await failure())?.applicationFailureInfo?.type;
      await rm(work);
      assert.deepEqual([code, (await importResult(handle)).status], ['DISK_UNAVAILABLE', 'completed']);
    });

    it('ends with OBJECT_CORRUPT where storage changed a part, and stores that one again the next time', async () => {
      const input = await place.input({ path: await place.file(plaintiffsCsv(60)) }, { chunkBytes: 4096 });
      const stopped = await place.run({ ...input, options: { ...input.options, maxErrors: { rows: 0 } } });
      assert.equal(stopped.error?.code, 'TOO_MANY_ERRORS');
      const backends = await openBackends(place.config);
      const { objects } = backends.get(backend);
      const folder = stopped.storagePath!.replace(/^imports\//, '');
      const size = (await objects.list(folder)).get('part-00001')!;
      await objects.put(`${folder}/part-00001`, Buffer.alloc(size, 'x'));
      await backends.close();
      assert.equal((await place.run(input)).error?.code, 'OBJECT_CORRUPT');
      assert.equal((await place.run(input)).status, 'completed');
    });

    it('names the run that holds the batch, since when, and what to do', async () => {
      const input = await place.input({ path: await place.file(plaintiffsCsv(3)) });
      const { sourceSystem, batchId, fileHash, filename } = input;
      const [held] = await place.sql`
        SELECT run_id FROM ingest.claim_import_run(${sourceSystem}, ${batchId}, ${fileHash}, ${filename}, 'plaintiffs', 'by hand')`;
      const report = await place.run(input);
      const id = held!['run_id'] as string;
      assert.deepEqual([report.status, report.error?.code, report.runId], ['in_progress', 'IN_PROGRESS', id]);
      assert.match(
        report.error!.message,
        new RegExp(
          `^Another worker is processing this batch: run ${id} since \\d{4}-.* UTC, last heard of \\d{4}-.* UTC$`,
        ),
      );
      assert.match(report.error!.remedy, new RegExp(`intake runs show ${id} .* intake cancel ${id} .*30 minutes`));
    });

    it('leaves the same content in many chunks and parts as in one', async () => {
      const path = await place.file(plaintiffsCsv(600));
      const whole = await place.run(await place.input({ path }));
      const expected = await contentOf(place.sql);
      assert.deepEqual([whole.phases.parse?.total, whole.phases.upsert?.total], [1, 1]);
      await forget(place.sql);
      const parts = await place.run(await place.input({ path }, MANY_PARTS));
      assert.ok(parts.phases.parse!.total > 5 && parts.phases.upsert!.total > 5);
      assert.deepEqual(await contentOf(place.sql), expected);
    });

    it('lets the lowest row of a key win, in whatever chunk the others are', async () => {
      const lines = ['name,address'];
      for (let i = 0; i < 600; i++)
        lines.push(`${i % 3 ? 'Filler ' + i : ['Twin', ' TWIN', 'twin '][(i % 9) / 3]},row ${i} ${'x'.repeat(40)}`);
      const report = await place.run(await place.input({ path: await place.file(lines.join('\n')) }, MANY_PARTS));
      assert.deepEqual(report.counts, { fetched: 600, inserted: 401, updated: 0, skipped: 199, errored: 0 });
      const [twin] = await place.sql`SELECT address FROM public.plaintiffs WHERE lower(btrim(name)) = 'twin'`;
      assert.match(twin!['address'] as string, /^row 0 /);
      const originals = await place.sql`
        SELECT DISTINCT o.row_index FROM ingest.plaintiffs_raw r JOIN ingest.plaintiffs_raw o ON o.id = r.duplicate_of WHERE r.status = 'skipped'`;
      assert.deepEqual(
        originals.map((row) => row['row_index'] as number),
        [0],
      );
    });

    it('is told in Temporal UI: search attributes, summaries of it and of each activity, current details', async () => {
      const path = await place.file(plaintiffsCsv(120), 'shown.csv');
      const handle = await startImport(place.client, await place.input({ path, sourceSystem: 'jbi' }, MANY_PARTS));
      const { runId } = await importResult(handle);
      const found = await handle.describe();
      const attributes = Object.fromEntries(
        found.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
      );
      assert.equal(attributes['IntakeKind'], 'plaintiffs');
      assert.equal(attributes['IntakeSource'], 'jbi');
      assert.equal(attributes['IntakeStatus'], 'completed');
      assert.match((await found.staticSummary())!, /plaintiffs from jbi, shown\.csv/);
      const details = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
      assert.match(details.currentDetails!, new RegExp(`completed.*${runId}`));
      assert.match(details.currentDetails!, /^- ✓ reconcile - 1 of 1 - [\d.]+ s$/m);
      const [history] = await historiesOf(place.client, handle);
      const summaries = history!
        .events!.filter(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled)
        .map(({ userMetadata }) => String(payloadsOf(userMetadata)[0]));
      assert.deepEqual(
        summaries.filter((summary) => !/^"[a-z]/.test(summary)),
        [],
      );
      assert.ok(summaries.includes('"part 2 of 3: rows go to the tables"'), summaries.join());
      assert.ok(summaries.includes('"chunk 1 of 2: rows are checked and staged"'), summaries.join());
    });

    it('answers a dry run that refuses its file without a workflow that failed', async () => {
      const bad = await place.file('nothing,known\n1,2\n');
      const many = await place.file(`name,email\n${'A,no address\n'.repeat(5)}`);
      for (const [path, options, code] of [
        [bad, {}, 'MISSING_COLUMNS'],
        [many, { maxErrors: { rows: 1 } }, 'TOO_MANY_ERRORS'],
      ] as const) {
        const handle = await startImport(place.client, await place.input({ path, mode: 'dry-run', options }));
        const { status, error } = await importResult(handle);
        assert.deepEqual([status, error?.code], ['failed', code]);
        assert.equal((await handle.describe()).status.name, 'COMPLETED');
      }
      const commit = await startImport(place.client, await place.input({ path: bad }));
      assert.equal((await importResult(commit)).error?.code, 'MISSING_COLUMNS');
      assert.equal((await commit.describe()).status.name, 'FAILED');
    });

    it('stops at --max-errors before production, and imports with a higher limit under the same run', async () => {
      const path = await place.file(plaintiffsCsv(300));
      const stopped = await place.run(await place.input({ path, options: { maxErrors: { rows: 3 } } }, MANY_PARTS));
      assert.deepEqual([stopped.status, stopped.error?.code], ['failed', 'TOO_MANY_ERRORS']);
      const found = await tables();
      assert.deepEqual([found['public.plaintiffs'], found['ingest.plaintiffs_raw']], [0, 300]);
      const landed =
        await place.sql`SELECT status, count(*) AS n FROM ingest.plaintiffs_raw GROUP BY status ORDER BY status`;
      assert.deepEqual(
        landed.map((row) => row['status'] as string),
        ['failed', 'pending'],
      );

      const done = await place.run(await place.input({ path, options: { maxErrors: { percent: 50 } } }, MANY_PARTS));
      assert.deepEqual([done.status, done.runId], ['completed', stopped.runId]);
      const after = await contentOf(place.sql);
      await forget(place.sql);
      const plainly = await place.run(await place.input({ path }, MANY_PARTS));
      assert.deepEqual(done.counts, plainly.counts);
      assert.deepEqual(after, await contentOf(place.sql));
    });

    it('rejects records of any size beside good rows, and gives their bytes back', async () => {
      const cells = ','.repeat(1_000_000);
      const long = `Long,${'x'.repeat(10_000_000)},"${'y'.repeat(1_000_001)}"`;
      const quoted = `"${'a""\n'.repeat(500_000)}",b@c.example,x`;
      const text = `name,email,note\nAnn,a@b.example,x\n${cells}\n${long}\nBob,,\n${quoted}\nCy,,\n`;
      const input = await place.input({ path: await place.file(text) });
      const report = await place.run(input);
      assert.equal(report.status, 'completed', JSON.stringify(report.error));
      assert.deepEqual(report.codes, { RECORD_TOO_LARGE: 2, FIELD_TOO_LARGE: 1 });
      assert.deepEqual([report.counts.inserted, report.counts.errored], [3, 3]);
      const backends = await openBackends(place.config);
      const connections = { temporal: async () => place.client, backend: async () => backends.get(backend) };
      const run = await findRun(connections, report.runId as string);
      const pieces: Buffer[] = [];
      for await (const piece of await rejectLines(connections, run)) pieces.push(Buffer.from(piece));
      await backends.close();
      const lines = Buffer.concat(pieces)
        .toString()
        .split(/,\d+,[A-Z]+_TOO_LARGE,(?:"[^"\n]*"|[^,"\n]*),[-0-9a-f]{36}\n/);
      assert.ok(lines.length === 4 && lines[3] === '');
      assert.ok(lines[0] === `name,email,note,_line,_code,_error,_run\n${cells}`);
      assert.ok(lines[1] === long && lines[2] === quoted);
      const dry = await place.run({ ...input, mode: 'dry-run', rejectsPath: `${input.path}.rejects` });
      assert.deepEqual(dry.codes, report.codes);
      const written = await readFile(`${input.path}.rejects`, 'utf8');
      assert.ok(
        written ===
          Buffer.concat(pieces)
            .toString()
            .replaceAll(report.runId as string, ''),
      );
    });

    it('writes what rows say otherwise of a dry run, in parts as a commit notes it', async () => {
      const people = (phone: string) =>
        Array.from({ length: 120 }, (_, i) => `Ann ${i},ann${i}@example.com,555401${phone}${100 + i}\n`).join('');
      const head = 'name,email,phone\n';
      const first = await place.run(await place.input({ path: await place.file(head + people('1')) }, MANY_PARTS));
      assert.equal(first.status, 'completed', JSON.stringify(first.error));
      const rows = people('2') + 'New One,n@example.com,5554019001\nNew One,n@example.com,5554019002\n';
      const input = await place.input({ path: await place.file(head + rows) }, MANY_PARTS);
      const differencesPath = `${input.path}.differences`;
      const dry = await place.run({ ...input, mode: 'dry-run', differencesPath });
      assert.equal(dry.status, 'dry_run', JSON.stringify(dry.error));
      assert.deepEqual([dry.effects?.['differing'], dry.effects?.['differing_in_file']], [121, 1]);
      const written = (await readFile(differencesPath, 'utf8')).trimEnd().split('\n').slice(1);
      const report = await place.run(input);
      assert.deepEqual([report.counts, report.effects], [dry.counts, dry.effects]);
      const noted = await place.sql`
        SELECT line_number || ',public.plaintiffs,' || CASE WHEN status = 'in_file' THEN '' ELSE production_id::text END || ',' || field
          || ',' || file_value || ',' || database_value || ',' || status AS line FROM ingest.differences WHERE import_run_id = ${report.runId}`;
      assert.deepEqual(written.sort(), noted.map(({ line }) => line as string).sort());
      assert.ok(written.includes('123,public.plaintiffs,,phone,5554019002,5554019001,in_file'));
      assert.ok(await stageIsEmpty());
    });

    it('says which other code page letters look like, wherever the first of them is, and takes it when it is named', async () => {
      const names = Buffer.from('Mehmet \xdeahin,\nAy\xfee K\xfdl\xfd\xe7,\nMustafa A\xf0ao\xf0lu,\n', 'latin1');
      for (const plain of ['', `Ann Lee,${'x'.repeat(1000)}\n`.repeat(1200)]) {
        const path = await place.file(`name,note\n${plain}`);
        await appendFile(path, names);
        const input = await place.input({ path, mode: 'dry-run' });
        const dry = await place.run(input);
        const { plan, remarks } = dry;
        assert.deepEqual({ ...plan?.remarks, ...remarks }['OTHER_CODE_PAGE'], {
          count: 1,
          detail: 'windows-1254 (Turkish)',
        });
        const named = await place.run(
          await place.input({ path, mode: 'dry-run', options: { encoding: 'windows-1254' } }),
        );
        assert.equal(named.plan?.remarks?.['OTHER_CODE_PAGE'], undefined);
      }
    });

    it('stops a commit in an order of dates that nobody stated and the dates do not fit, before it claims anything', async () => {
      const dates = ['03/04/2024', '25/12/2023', '30/01/2024', '05/06/2024'];
      const rows = dates.map((date, i) => `C-${i},Ann ${i},10.00,${date}\n`).join('');
      const path = await place.file(`case_number,party_name,judgment_amount,judgment_date\n${rows}`);
      const request = { kind: 'jbi', path } as const;
      const dry = await place.run(await place.input({ ...request, mode: 'dry-run' }));
      assert.deepEqual(
        [dry.counts.errored, dry.remarks?.['OTHER_DATE_ORDER']],
        [2, { count: 2, of: 4, line: 3, detail: 'dmy' }],
      );
      const failure = await place.run(await place.input(request));
      assert.deepEqual([failure.error?.code, failure.runId], ['DATE_ORDER_UNCLEAR', null]);
      assert.match(failure.error!.message, /^2 of 4 dates only fit dmy/);
      assert.match(failure.error!.remedy, /--date-order dmy/);
      assert.equal((await tables())['ingest.import_runs'], 0);
      const stated = await place.run(await place.input({ ...request, options: { dateOrder: 'mdy' } }));
      assert.deepEqual([stated.status, stated.counts.errored], ['completed', 2]);
    });

    it('reads through titles, blank rows, the header again, columns of one name and a delimiter too many', async () => {
      const text = 'Clients of May\n,,,\nName,Notes,Notes\nAnn,a,b,\n,,,\nname,notes,notes,\nBob,c,,\n';
      const input = await place.input({ path: await place.file(text) });
      const dry = await place.run({ ...input, mode: 'dry-run', rejectsPath: `${input.path}.rejects` });
      const report = await place.run(input);
      assert.deepEqual(
        [report.status, report.counts.inserted, report.codes, report.remarks?.['BLANK_ROWS']],
        ['completed', 2, { HEADER_AGAIN: 1 }, { count: 1, line: 5 }],
      );
      assert.deepEqual([dry.counts, dry.codes, dry.remarks], [report.counts, report.codes, report.remarks]);
      assert.deepEqual(Object.keys(report.plan?.remarks ?? {}), ['TRAILING_DELIMITERS', 'TITLE_ROWS']);
      const raw = await place.sql`SELECT line_number, raw_payload FROM ingest.plaintiffs_raw ORDER BY row_index`;
      assert.deepEqual(
        raw.map((row) => [row['line_number'], row['raw_payload']]),
        [
          [4, { Name: 'Ann', Notes: 'a', 'Notes 2': 'b' }],
          [6, { Name: 'name', Notes: 'notes', 'Notes 2': 'notes' }],
          [7, { Name: 'Bob', Notes: 'c', 'Notes 2': '' }],
        ],
      );
      const rejects = await readFile(`${input.path}.rejects`, 'utf8');
      assert.match(
        rejects,
        /^Clients of May\n,,,\nName,Notes,Notes,_line,_code,_error,_run\nname,notes,notes,6,HEADER_AGAIN,/,
      );
      const again = await place.run(await place.input({ path: await place.file(rejects) }));
      assert.deepEqual([again.status, again.codes], ['completed', { HEADER_AGAIN: 1 }]);
      const verified = await place.run({ ...input, mode: 'verify', relatedRunId: report.runId as string });
      assert.equal(verified.status, 'verified', JSON.stringify([verified.error, verified.comparison]));
    });

    it('fails on a missing column before it claims anything', async () => {
      const report = await place.run(await place.input({ path: await place.file('firm,email\nA,a@example.com\n') }));
      assert.deepEqual([report.status, report.error?.code], ['failed', 'MISSING_COLUMNS']);
      assert.equal((await tables())['ingest.import_runs'], 0);
    });

    it('fails when the file is another one than was started, and when it changes on the way', async () => {
      const path = await place.file(plaintiffsCsv(300));
      const input = await place.input({ path }, MANY_PARTS);
      await appendFile(path, 'Late,,,,\n');
      assert.equal((await place.run(input)).error?.code, 'CHANGED_FILE');

      // Changed between the full pass and the use of its chunks: parts stored earlier are skipped by name and size.
      const text = plaintiffsCsv(3000);
      const changing = await place.file(text);
      const dry = await place.input({ path: changing, mode: 'dry-run' }, { chunkBytes: 4096, window: 1 });
      const handle = await startImport(place.client, dry);
      while (((await handle.query<{ phases: { parse?: { done: number } } }>('progress')).phases.parse?.done ?? 0) < 1)
        await sleep(10);
      await writeFile(changing, text.replaceAll('Person', 'Nosrep'));
      assert.equal((await importResult(handle)).error?.code, 'CHANGED_FILE');
      assert.ok(await stageIsEmpty());
    });

    it('is cancelled into a failed run, and goes on under its id', async () => {
      const path = await place.file(plaintiffsCsv(900));
      const input = await place.input({ path }, { chunkBytes: 16_384, partitionRows: 60, window: 1 });
      const handle = await startImport(place.client, input);
      while (((await handle.query<{ phases: { upsert?: { done: number } } }>('progress')).phases.upsert?.done ?? 0) < 2)
        await sleep(10);
      await handle.cancel();
      const cancelled = await importResult(handle);
      assert.equal(cancelled.status, 'cancelled');
      const [run] = await place.sql`SELECT id, status, error_details ->> 'type' AS type FROM ingest.import_runs`;
      assert.deepEqual([run!['status'], run!['type']], ['failed', 'cancelled']);
      assert.ok(await stageIsEmpty());
      // Begun with other options: refused before it is claimed, with both values, and nothing changes.
      const before = await place.sql`SELECT * FROM ingest.import_runs`;
      for (const [options, said] of [
        [{ dateOrder: 'dmy' }, '--date-order mdy there, dmy here'],
        [{ nullWords: ['n/a'] }, '--null-words not given there, n/a here'],
        [{ decodeHtml: true }, '--decode-html not given there, given here'],
        [{ map: { email: 'contact_email' } }, '--map not given there, email=contact_email here'],
      ] as const) {
        const other = await place.run({ ...input, options: { ...input.options, ...options } });
        assert.deepEqual([other.status, other.error?.code, other.runId], ['failed', 'OPTIONS_DIFFER', null]);
        assert.ok(other.error?.message.includes(`${run!['id']} of this batch had begun with other options: ${said}`));
        assert.match(other.error!.remedy, /intake resume/);
      }
      assert.deepEqual(await place.sql`SELECT * FROM ingest.import_runs`, before);
      const resumed = await place.run(input);
      assert.deepEqual([resumed.status, resumed.runId, resumed.counts.fetched], ['completed', run!['id'], 900]);
      const content = await contentOf(place.sql);
      await forget(place.sql);
      await place.run(await place.input({ path }));
      assert.deepEqual(content, await contentOf(place.sql));
    });

    it('ends at its next effect when an operator fails the run by hand, and starts again', async () => {
      const input = await place.input(
        { path: await place.file(plaintiffsCsv(900)) },
        { chunkBytes: 65_536, partitionRows: 50, window: 1 },
      );
      const handle = await startImport(place.client, input);
      while ((await place.sql`SELECT FROM ingest.import_run_steps`).length < 2) await sleep(10);
      await place.sql`UPDATE ingest.import_runs SET status = 'failed', error_details = '{"manual_abort": true}'::jsonb`;
      const aborted = await importResult(handle);
      assert.deepEqual([aborted.status, aborted.error?.code], ['failed', 'LEASE_LOST']);
      const [run] = await place.sql`SELECT id, status, error_details FROM ingest.import_runs`;
      assert.deepEqual([run!['status'], run!['error_details']], ['failed', { manual_abort: true }]);
      const again = await place.run(input);
      assert.deepEqual([again.status, again.runId, again.counts.fetched], ['completed', run!['id'], 900]);
    });

    it('keeps every cell out of its histories and every payload small', async () => {
      const rows = Array.from(
        { length: 400 },
        (_, i) => `Zyxwv ${i},qqsecret${i}@example.com,${i % 5 ? '555 010 8642' : '12'},Xylophonweg ${i}`,
      );
      const path = await place.file(`name,email,phone,address\n${rows.join('\n')}\n`);
      const handle = await startImport(place.client, await place.input({ path }, MANY_PARTS));
      await importResult(handle);
      for (const { events } of await historiesOf(place.client, handle)) {
        for (const event of events!) {
          for (const data of payloadsOf(event)) {
            assert.ok(data.length < 64 * 1024, `${data.length} bytes`);
            assert.doesNotMatch(data.toString(), /zyxwv|qqsecret|5550108642|xylophonweg/i);
          }
        }
      }
    });

    if (backend === 'postgres') {
      it('continues as new when its history grows, and stays exact', async function () {
        this.timeout(120_000);
        const header = 'name,address\n';
        const path = await place.file(
          header + Array.from({ length: 620 }, (_, i) => `P${i % 600},${'y'.repeat(60)}\n`).join(''),
        );
        const input = await place.input(
          { path, mode: 'dry-run' },
          { chunkBytes: 80, partitionRows: 1000, window: 16, sharedObjects: false },
        );
        const handle = await startImport(place.client, input);
        const report = await importResult(handle);
        assert.deepEqual(report.counts, { fetched: 620, inserted: 600, updated: 0, skipped: 20, errored: 0 });
        const executions = await historiesOf(place.client, handle);
        assert.ok(executions.length > 1);
        for (const { events } of executions) assert.ok(events!.length < 2000, String(events!.length));
        assert.equal(workflowIdOf(input), handle.workflowId);
      });
    }
  });
}
