import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import {
  contentOf,
  forget,
  openPlace,
  plaintiffsCsv,
  spawnWorker,
  type Place,
  type WorkerProcess,
} from '../support/imports.ts';
import { createDatabase, sharedStack, startApi, type TestApi, type TestDatabase } from '../support/stack.ts';

const OF_THE_FILE = ['plan', 'hash', 'upload'];

describe('two hosts that share only Temporal, the database and Storage', function () {
  this.timeout(90_000);
  let database: TestDatabase;
  let api: TestApi;
  let place: Place;
  let otherDir: string;
  let withFile: WorkerProcess;
  let without: WorkerProcess;

  before(async () => {
    const stack = await sharedStack();
    database = await createDatabase();
    api = await startApi(database.databaseUrl);
    place = await openPlace({ temporal: stack.temporal, databaseUrl: database.databaseUrl, supabase: api });
    otherDir = await mkdtemp(join(tmpdir(), 'intake-other-'));
    const shared = { ...place.env };
    delete shared['INTAKE_OBJECTS_DIR'];
    delete shared['DATABASE_URL'];
    // The host of the file serves its own queue only, as a client without a whole worker does.
    withFile = spawnWorker(shared, 'files');
    without = spawnWorker({ ...shared, INTAKE_DIR: otherDir, INTAKE_HOST: 'elsewhere' });
  });
  after(async () => {
    await Promise.all([withFile?.stop(), without?.stop()]);
    await place?.close();
    await api?.stop();
    await database?.drop();
    await rm(otherDir, { recursive: true, force: true });
  });
  afterEach(() => forget(place.sql));

  it('the one without the file does most of the work, and never reads it', async () => {
    const path = await place.file(plaintiffsCsv(600));
    const input = await place.input({ path }, { chunkBytes: 4096, partitionRows: 60 });
    assert.equal(input.tuning.sharedObjects, true);
    const handle = await startImport(place.client, input);
    const report = await importResult(handle);
    assert.equal(report.status, 'completed', JSON.stringify(report.error));

    const { events } = await handle.fetchHistory();
    const nameOf = new Map(
      events!.flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) =>
        scheduled ? [[String(eventId), scheduled.activityType!.name!] as const] : [],
      ),
    );
    const done = events!.flatMap(({ activityTaskStartedEventAttributes: started }) =>
      started
        ? [{ name: nameOf.get(String(started.scheduledEventId))!, by: started.identity!.replace('command:', '') }]
        : [],
    );
    const pid = ({ process }: WorkerProcess) => `${process.pid}@`;
    const [atFile, elsewhere] = [withFile, without].map((worker) =>
      done.filter(({ by }) => by.startsWith(pid(worker))),
    );
    assert.deepEqual(
      [...new Set(done.filter(({ name }) => OF_THE_FILE.includes(name)).map(({ by }) => by.startsWith(pid(withFile))))],
      [true],
    );
    assert.ok(elsewhere!.every(({ name }) => !OF_THE_FILE.includes(name)));
    assert.equal(atFile!.length + elsewhere!.length, done.length);
    assert.ok(elsewhere!.length > 3 * atFile!.length, `${elsewhere!.length} elsewhere, ${atFile!.length} at the file`);
    assert.ok(elsewhere!.filter(({ name }) => name === 'parse').length >= 2);

    const content = (await contentOf(place.sql)) as { raw: unknown[] };
    assert.equal(content.raw.length, 600);
  });
});
