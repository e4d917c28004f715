/** What a suite has from before its tests until after them. */
import type postgres from 'postgres';
import { connect } from './sqlImport.ts';
import { createDatabase, type TestDatabase } from './stack.ts';

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
