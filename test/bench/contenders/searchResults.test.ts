import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { importFiles } from '../../../bench/contenders/sequential.ts';
import type { Counts } from '../../../bench/contenders/contender.ts';
import { startAfresh } from '../../../bench/database.ts';
import { writeSearchTree } from '../../../bench/generators/searchTree.ts';
import { differences } from '../../../bench/measure.ts';
import { searchResults } from '../../../bench/subjects/searchResults.ts';
import { openBackends } from '../../../src/database/backends/open.ts';
import type { BackendName } from '../../../src/config.ts';
import { createLogger } from '../../../src/observability/log.ts';
import { startWorker, type RunningWorker } from '../../../src/worker.ts';
import { openPlace, type Place } from '../../support/imports.ts';
import { createDatabase, sharedStack, startApi, type TestApi, type TestDatabase } from '../../support/stack.ts';

const FILES = 40;
const SEED = 3;

const CONTENT = `
  select r.search_name, r.search_state, r.search_ts, r.license_number, r.license_status, r.license_name, r.license_type, r.address, r.suite,
         r.city, r.state, r.zip, r.issue_date, r.expiration_date, r.result_status, r.meta, r.raw, i.sha256, i.storage_path, i.storage_type,
         i.file_size, i.content_type
  from public.search_results r left join public.images i on i.search_result_id = r.id
  order by r.search_ts, r.license_number`;

describe('the contenders of the search results benchmark', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  let api: TestApi;
  let client: Client;
  let place: Place;
  let worker: RunningWorker;
  let root: string;

  before(async () => {
    const { temporal } = await sharedStack();
    database = await createDatabase();
    api = await startApi(database.databaseUrl);
    client = new Client({ connectionString: database.databaseUrl });
    await client.connect();
    place = await openPlace({ temporal, databaseUrl: database.databaseUrl, supabase: api });
    worker = await startWorker(place.config, createLogger('fatal'));
    root = join(place.dir, 'tree');
    writeSearchTree(root, { seed: SEED, files: FILES, imageBytes: 3000 });
  });
  after(async () => {
    await worker?.shutdown();
    await place?.close();
    await client?.end();
    await api?.stop();
    await database?.drop();
  });
  beforeEach(() => startAfresh(client));

  interface Row {
    readonly sha256: string;
    readonly storage_path: string;
  }
  const found = async (): Promise<{ counts: Counts; rows: Row[] }> => ({
    counts: await searchResults.count(client),
    rows: (await client.query<Row>(CONTENT)).rows,
  });
  const byIntake = async (backend: BackendName) => {
    const report = await place.run(
      await place.input({ kind: searchResults.kind, path: root, backend, directory: { tag: 'bench' } }),
    );
    assert.equal(report.status, 'completed', JSON.stringify(report.error));
    return found();
  };
  const oneByOne = async (backend: BackendName) => {
    const { databaseUrl } = database;
    await importFiles(
      {
        stack: {
          ...(await sharedStack()),
          databaseUrl,
          supabaseUrl: api.url,
          serviceRoleKey: api.serviceRoleKey,
          objectsDir: place.config.objectsDir,
        },
        file: root,
        count: () => searchResults.count(client),
      },
      backend,
    );
    return found();
  };

  for (const backend of ['postgres', 'supabase'] as const) {
    it(`one file after the other comes to what Intake does of a directory, row for row and image for image: ${backend}`, async () => {
      const sequential = await oneByOne(backend);
      const backends = await openBackends(place.config);
      for (const { sha256, storage_path } of sequential.rows) {
        assert.equal(hash('sha256', await backends.get(backend).objects.get(storage_path), 'hex'), sha256);
      }
      await backends.close();
      await startAfresh(client);
      const intake = await byIntake(backend);
      assert.deepEqual(
        differences([{ name: 'intake', counts: intake.counts }], FILES, (files) => searchResults.expected(files, SEED)),
        [],
      );
      assert.deepEqual(sequential, intake);
    });
  }

  it('one file after the other leaves what is stored: a second time changes nothing', async () => {
    const once = await oneByOne('postgres');
    assert.deepEqual(await oneByOne('postgres'), once);
  });
});
