/** What a suite has from before its tests until after them. */
import type postgres from 'postgres';
import type { BackendName } from '../../src/config.ts';
import type { RunningWorker } from '../../src/worker.ts';
import { openPlace, type Place } from './imports.ts';
import { connect } from './sqlImport.ts';
import { startTestWorker } from './worker.ts';
import { createDatabase, sharedStack, startApi, type TestApi, type TestDatabase } from './stack.ts';

/** A database of the suite's own, migrated and empty; `opened` gets a connection to it. */
export function withDatabase(opened: (sql: postgres.Sql, database: TestDatabase) => void): void {
  let database: TestDatabase;
  let sql: postgres.Sql;
  before(async () => {
    database = await createDatabase();
    sql = connect(database.databaseUrl);
    opened(sql, database);
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });
}

/** A place to import in on a backend, and a worker. */
export function withPlace(backend: BackendName, opened: (place: Place) => void): void {
  let database: TestDatabase | undefined;
  let api: TestApi | undefined;
  let place: Place | undefined;
  let worker: RunningWorker | undefined;
  before(async () => {
    const { temporal } = await sharedStack();
    database = await createDatabase();
    api = backend === 'supabase' ? await startApi(database.databaseUrl) : undefined;
    place = await openPlace({ temporal, databaseUrl: database.databaseUrl, ...(api ? { supabase: api } : {}) });
    worker = await startTestWorker(place.config);
    opened(place);
  });
  after(async () => {
    await worker?.shutdown();
    await place?.close();
    await api?.stop();
    await database?.drop();
  });
}
