/** One suite over both backends: what differs between them is transport only. */
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type postgres from 'postgres';
import stageRows from '../../../src/staging/stageRows.ts';
import type { Backend, StagedChunk } from '../../../src/database/backend.ts';
import { postgresBackend } from '../../../src/database/backends/postgres.ts';
import { supabaseBackend } from '../../../src/database/backends/supabase.ts';
import { KINDS } from '../../../src/kinds/index.ts';
import { plaintiffs } from '../../../src/kinds/plaintiffs.ts';
import { COMMON_COLUMNS } from '../../../src/staging/stageRows.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker } from '../../../src/worker.ts';
import { contentOfTrees, openTrees, storedHashes, writeGenerated } from '../../support/directoryImport.ts';
import { GATEWAY, STORAGE } from '../../support/hosted/answers.ts';
import { startFaultServer, type Fault, type FaultServer } from '../../support/hosted/faultServer.ts';
import { openPlace } from '../../support/imports.ts';
import { JBI, PLAINTIFFS, SIMPLICITY } from '../../support/judgmentsFile.ts';
import { PROJECTS } from '../../support/projectsFile.ts';
import { connect } from '../../support/sqlImport.ts';
import { createDatabase, sharedStack, startApi, type TestApi, type TestDatabase } from '../../support/stack.ts';

const NAMES = ['postgres', 'supabase'] as const;
const ODD = [
  'back\\slash',
  'a\\nb',
  'tab\tin',
  'line\nbreak',
  'cr\rin',
  '"quoted"',
  "it's",
  '👩‍👧 é',
  '\\N',
  '\\.',
  'NULL',
  '{"a": [1]}',
  '[1,2]',
  'null',
  '\\x41',
  '\\u0041',
  '=1+1',
  '\u0001',
];

/** What hosted Supabase answers on a bad day; an import meets each of them and comes to the same tables. */
const BAD_DAY: readonly Fault[] = [
  { path: /rpc\/open_import_run/, answer: GATEWAY.brokeOff, times: 1 },
  { path: /rpc\/stage_chunk/, answer: GATEWAY.portal, times: 1 },
  { path: /rpc\/stage_chunk/, answer: GATEWAY.badGateway, effect: true, times: 1 },
  { path: /rpc\/upsert_partition/, answer: GATEWAY.slow, effect: true, times: 1 },
  { path: /storage.*(images|parts|trees)/, method: 'POST', answer: STORAGE.duplicate, effect: true, times: 1 },
  { path: /storage/, method: 'POST', answer: GATEWAY.brokeOff, times: 1 },
  { path: /storage/, method: 'GET', answer: GATEWAY.brokeOff, times: 1 },
  { path: /storage/, method: 'GET', answer: GATEWAY.cut, times: 1 },
];

interface Site {
  readonly faults: FaultServer;
  readonly database: TestDatabase;
  readonly api: TestApi;
  readonly sql: postgres.Sql;
  readonly dir: string;
}

async function openSite(): Promise<Site> {
  const database = await createDatabase();
  const dir = await mkdtemp(join(tmpdir(), 'intake-contract-'));
  const api = await startApi(database.databaseUrl);
  const faults = await startFaultServer(api.url);
  return { faults, database, api: { ...api, url: faults.url }, sql: connect(database.databaseUrl), dir };
}

async function closeSite({ faults, database, api, sql, dir }: Site): Promise<void> {
  await sql.end();
  await faults.stop();
  await api.stop();
  await database.drop();
  await rm(dir, { recursive: true, force: true });
}

for (const name of NAMES) {
  describe(`the ${name} backend`, function () {
    this.timeout(60_000);
    let site: Site;
    let backend: Backend;

    before(async () => {
      site = await openSite();
      const { database, api, dir } = site;
      backend =
        name === 'postgres'
          ? postgresBackend({ databaseUrl: database.databaseUrl, objectsDir: dir })
          : supabaseBackend({ url: api.url, serviceKey: api.serviceRoleKey });
    });
    after(async () => {
      await backend?.close();
      if (site) await closeSite(site);
    });

    const chunkOf = (cells: readonly string[], stageId: string = randomUUID(), chunk = 0): StagedChunk => {
      const csv = Buffer.from(cells.map((cell, i) => `"${cell.replaceAll('"', '""')}",p${i}@example.com\n`).join(''));
      const staged = stageRows({
        bytes: csv,
        format: backend.format,
        kind: 'plaintiffs',
        sourceSystem: 'csv',
        dateOrder: 'mdy',
        map: {},
        nullWords: [],
        header: ['name', 'email'],
        encoding: 'utf-8',
        delimiter: ',',
        newline: 'lf',
        line: 2,
        firstRow: 0,
        partitions: 1,
        stageId,
        chunk,
      } as Parameters<typeof stageRows>[0]);
      const { payload, rows, errored } = staged;
      return {
        stageId,
        kind: 'plaintiffs',
        table: 'plaintiffs',
        chunk,
        columns: [...COMMON_COLUMNS, ...plaintiffs.stageColumns],
        rows,
        errored,
        payload,
      };
    };
    const staged = async (stageId: string) =>
      (await site.sql`SELECT count(*) AS n FROM ingest_stage.plaintiffs WHERE stage_id = ${stageId}`)[0]![
        'n'
      ] as number;
    const claim = (batch: string, token: string = randomUUID(), worker = 'w') =>
      backend.call('open_import_run', {
        source_system: 'csv',
        source_batch_id: batch,
        file_hash: batch,
        filename: 'f.csv',
        import_kind: 'plaintiffs',
        worker_id: worker,
        claim_token: token,
        parent_run_id: null,
        storage_path: null,
        metadata: { batch_name: batch, nested: [1, 'two', null] },
      });
    const part = async (cells: readonly string[], batch: string = randomUUID()) => {
      const { run_id, lease } = await claim(batch);
      const chunk = chunkOf(cells);
      await backend.stage(chunk);
      return { run_id, lease, stage_id: chunk.stageId, chunks: 1, part: 0 };
    };

    it('gives scalars, documents and composites as JSON', async () => {
      assert.equal(
        await backend.call('find_completed_run', { source_system: 'no', source_batch_id: 'no', file_hash: 'no' }),
        null,
      );
      const { run_id } = await claim('json');
      assert.equal(await backend.call('heartbeat_import_run', { run_id }), true);
      const [row] = await site.sql`SELECT metadata FROM ingest.import_runs WHERE id = ${run_id}`;
      assert.deepEqual(row!['metadata'], { batch_name: 'json', nested: [1, 'two', null] });
      await site.sql`UPDATE ingest.import_runs SET claim_token = NULL WHERE id = ${run_id}`;
      const [found] = [await backend.call('reconcile_import_run', { run_id })].flat();
      assert.equal(found!.is_valid, true);
    });

    it('stages a chunk once, however often and at once it is sent', async () => {
      const chunk = chunkOf(ODD);
      await backend.stage(chunk);
      await backend.stage(chunk);
      assert.equal(await staged(chunk.stageId), ODD.length);
      const other = chunkOf(ODD);
      // Of two at once one may be ended by the other and has to come again.
      await Promise.allSettled([backend.stage(other), backend.stage(other)]);
      await backend.stage(other);
      assert.equal(await staged(other.stageId), ODD.length);
    });

    it('carries every odd cell as it is', async () => {
      const request = await part(ODD);
      await backend.call('upsert_partition', request);
      const rows = await site.sql`
        SELECT plaintiff_name, raw_payload ->> 'name' AS payload FROM ingest.plaintiffs_raw WHERE import_run_id = ${request.run_id} ORDER BY row_index`;
      assert.deepEqual(
        rows.map((row) => row['payload'] as string),
        ODD,
      );
      assert.deepEqual(
        rows.map((row) => (row['plaintiff_name'] as string).trim()),
        ODD.map((cell) => cell.trim()),
      );
    });

    it('stages in pieces what the time limit of the database cuts off, in place of what another attempt has left of other content', async () => {
      await site.sql.unsafe(`
        ALTER FUNCTION ingest.begin_piece(uuid, text, integer, integer, integer, jsonb) RENAME TO begin_in_time;
        CREATE FUNCTION ingest.begin_piece(uuid, text, integer, rows integer, integer, piece jsonb DEFAULT NULL) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF rows > 2 THEN RAISE 'canceling statement due to statement timeout' USING errcode = '57014'; END IF;
          RETURN ingest.begin_in_time($1, $2, $3, $4, $5, $6);
        END $$;
        GRANT EXECUTE ON FUNCTION ingest.begin_piece(uuid, text, integer, integer, integer, jsonb) TO service_role`);
      try {
        const [chunk, former] = [chunkOf(ODD), chunkOf(['older', 'rows'])];
        const { stageId } = chunk;
        const begun = { content: 'of former', before: 0, more: true };
        await site.sql`SELECT ingest.begin_in_time(${stageId}, 'plaintiffs', 0, 2, 0, ${site.sql.json(begun)})`;
        await backend.stage(former);
        await site.sql`UPDATE ingest_stage.plaintiffs SET stage_id = ${stageId} WHERE stage_id = ${former.stageId}`;
        const whole = async () =>
          (await site.sql`SELECT ingest.lock_whole_stage(${stageId}, 1) AS whole`)[0]!['whole'] as boolean;
        assert.equal(await whole(), false);
        assert.equal(await backend.stage(chunk), 2);
        assert.equal(await whole(), true);
        await backend.stage(chunk);
        const rows = await site.sql`
          SELECT raw_payload ->> 'name' AS name FROM ingest_stage.plaintiffs WHERE stage_id = ${stageId} ORDER BY row_index`;
        assert.deepEqual(
          rows.map((row) => row['name'] as string),
          ODD,
        );
      } finally {
        await site.sql.unsafe(`
          DROP FUNCTION ingest.begin_piece(uuid, text, integer, integer, integer, jsonb);
          ALTER FUNCTION ingest.begin_in_time(uuid, text, integer, integer, integer, jsonb) RENAME TO begin_piece`);
      }
    });

    it('promotes a part once, however often and at once it is asked', async () => {
      const request = await part(['Once A', 'Once B', 'once a']);
      const answers = await Promise.all([1, 2, 3].map(() => backend.call('upsert_partition', request)));
      assert.deepEqual(new Set(answers.map(({ inserted, skipped }) => `${inserted} ${skipped}`)), new Set(['3 0']));
      const [n] =
        await site.sql`SELECT count(*) AS n FROM ingest.plaintiffs_raw WHERE import_run_id = ${request.run_id}`;
      assert.equal(n!['n'], 3);
    });

    it('tells a stage that the database lost', async () => {
      const request = await part(['Lost']);
      await site.sql`TRUNCATE ingest_stage.chunks, ingest_stage.plaintiffs`;
      assert.deepEqual(await backend.call('upsert_partition', request), { stage_lost: true });
    });

    it('refuses the effects of a lost lease with LEASE_LOST, not to be retried', async () => {
      const batch = randomUUID();
      const request = await part(['Taken'], batch);
      await site.sql`UPDATE ingest.import_runs SET updated_at = now() - interval '31 minutes' WHERE id = ${request.run_id}`;
      assert.equal((await claim(batch, randomUUID(), 'other')).claim_status, 'claimed');
      await assert.rejects(backend.call('upsert_partition', request), { code: 'LEASE_LOST', retryable: false });
    });

    it('maps what goes wrong to codes', async () => {
      await assert.rejects(backend.call('no_such_function' as 'health', {}), { code: 'DATABASE_SCHEMA' });
      await assert.rejects(backend.call('read_rejects', { run_id: randomUUID() }), { code: 'RUN_NOT_FOUND' });
      const { databaseUrl } = site.database;
      const [away, wrong] =
        name === 'postgres'
          ? [databaseUrl.replace(/:\d+\//, ':1/'), databaseUrl.replace(/:[^:@]+@/, ':wrong@')].map((url) =>
              postgresBackend({ databaseUrl: url, objectsDir: site.dir }),
            )
          : [
              { url: 'http://127.0.0.1:1', serviceKey: 'x' },
              { url: site.api.url, serviceKey: 'wrong' },
            ].map(supabaseBackend);
      for (const [faulty, code] of [
        [away!, 'DATABASE_UNAVAILABLE'],
        [wrong!, 'DATABASE_DENIED'],
      ] as const) {
        await assert.rejects(faulty.call('heartbeat_import_run', { run_id: randomUUID() }), { code });
        await assert.rejects(faulty.stage(chunkOf(['x'])), { code });
        await faulty.close();
      }
    });

    it('keeps objects: whole, listed with their sizes, a missing one told', async () => {
      const { objects } = backend;
      const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
      const folder = randomUUID();
      assert.equal((await objects.list(folder)).size, 0);
      await objects.put(`${folder}/part-00000`, bytes);
      await objects.put(`${folder}/part-00000`, bytes);
      await objects.put(`${folder}/part-00001`, Buffer.alloc(100_000, 7));
      assert.deepEqual(await objects.get(`${folder}/part-00000`), bytes);
      assert.deepEqual([...(await objects.list(folder))].sort(), [
        ['part-00000', 6],
        ['part-00001', 100_000],
      ]);
      await assert.rejects(objects.get(`${folder}/none`), { code: 'OBJECT_MISSING' });
      await rm(join(name === 'postgres' ? site.dir : join(site.api.storageDir, 'imports'), folder, 'part-00001'));
      await assert.rejects(objects.get(`${folder}/part-00001`), { code: 'OBJECT_MISSING' });
      for (const path of ['part-00001', 'none']) await objects.remove(`${folder}/${path}`);
      assert.deepEqual([...(await objects.list(folder)).keys()], ['part-00000']);
    });
  });
}

describe('the postgres backend under load', function () {
  this.timeout(60_000);
  let site: Site;
  before(async () => (site = await openSite()));
  after(() => closeSite(site));

  it('lets callers wait for their turn, longer than a connection may take', async () => {
    const backend = postgresBackend({
      databaseUrl: site.database.databaseUrl,
      objectsDir: site.dir,
      permits: 2,
      connectMs: 200,
    });
    await backend.call('heartbeat_import_run', { run_id: randomUUID() });
    const calls = await site.sql.begin(async (sql) => {
      await sql`LOCK TABLE ingest.import_runs`;
      const waiting = Array.from({ length: 9 }, () => backend.call('heartbeat_import_run', { run_id: randomUUID() }));
      await Promise.race([...waiting, sql`SELECT pg_sleep(1)`]);
      return waiting;
    });
    assert.deepEqual(
      await Promise.all(calls),
      calls.map(() => false),
    );
    await backend.close();
  });

  it('tells calls of one function with other arguments apart', async () => {
    const backend = postgresBackend({ databaseUrl: site.database.databaseUrl, objectsDir: site.dir, permits: 1 });
    assert.deepEqual(
      await backend.call('list_jobs', { run_id: null, max_rows: 1 }),
      await backend.call('list_jobs', { max_rows: 1 }),
    );
    await backend.close();
  });
});

describe('the two backends', () => {
  const odd = ODD.map((cell, i) => `"${cell.replaceAll('"', '""')} ${i}"`);
  const subjects = new Map([PLAINTIFFS, SIMPLICITY, JBI, PROJECTS].map((subject) => [subject.kind, subject]));
  for (const { name: kind } of KINDS.filter(({ reads }) => reads === 'csv')) {
    it(`leave the same tables after the same import of ${kind}, whatever hosted Supabase answers meanwhile`, async () => {
      const subject = subjects.get(kind);
      assert.ok(subject, 'a file of this kind, and what its import leaves, beside those of the others');
      const { temporal } = await sharedStack();
      const contents = [];
      for (const name of NAMES) {
        const site = await openSite();
        const place = await openPlace({
          temporal,
          databaseUrl: site.database.databaseUrl,
          ...(name === 'supabase' ? { supabase: site.api } : {}),
        });
        const worker = await startWorker(place.config, createLogger('fatal'));
        site.faults.set(...BAD_DAY);
        const path = await place.file(subject.csv(120) + odd.map(subject.record).join(''), 'same.csv');
        const report = await place.run(await place.input({ path, kind }, { chunkBytes: 4096, partitionRows: 50 }));
        assert.equal(report.status, 'completed', JSON.stringify(report.error));
        contents.push(await subject.contentOf(site.sql, place));
        if (name === 'supabase')
          assert.ok(site.faults.given().filter(Boolean).length >= 7, String(site.faults.given()));
        await worker.shutdown();
        await place.close();
        await closeSite(site);
      }
      assert.deepEqual(contents[0], contents[1]);
    });
  }

  it('leave the same tables and images after the same import of search-results', async () => {
    const root = await mkdtemp(join(tmpdir(), 'intake-tree-'));
    writeGenerated(root, { seed: 11, files: 56, imageBytes: 2000, dirtEvery: 4 });
    const contents = [];
    for (const name of NAMES) {
      const trees = await openTrees(name, { hosted: true });
      trees.faults?.set(...BAD_DAY);
      const report = await trees.run(root, {
        batchSize: 5,
        verifyWrites: true,
        sliceFiles: 10,
        tuning: { partitionRows: 20 },
      });
      assert.equal(report.status, 'completed', JSON.stringify(report.error));
      contents.push({ ...(await contentOfTrees(trees.sql)), stored: await storedHashes(trees.sql, trees.backend) });
      if (trees.faults) assert.ok(trees.faults.given().filter(Boolean).length >= 7, String(trees.faults.given()));
      await trees.close();
    }
    await rm(root, { recursive: true });
    assert.ok(contents[0]!.stored.length > 30);
    assert.deepEqual(contents[0], contents[1]);
  });
});
