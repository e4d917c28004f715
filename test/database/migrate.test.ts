import { strict as assert } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { migrate } from '../../src/database/migrate.ts';
import { createDatabase } from '../support/stack.ts';
import type { TestDatabase } from '../support/stack.ts';

describe('migrate', () => {
  let database: TestDatabase;
  let folder: URL;
  let sql: postgres.Sql;
  const write = (name: string, text: string): Promise<void> => writeFile(new URL(name, folder), text);
  const names = async (options: { check?: boolean } = {}): Promise<string[]> =>
    (await migrate(database.databaseUrl, { folder, ...options })).map(({ name }) => name);

  before(async () => {
    database = await createDatabase();
    folder = pathToFileURL(`${await mkdtemp(join(tmpdir(), 'intake-migrations-'))}/`);
    sql = postgres(database.databaseUrl, { max: 2, onnotice: () => undefined });
    await write('29990101000001_first.sql', 'CREATE TABLE one (id integer); INSERT INTO one VALUES (1);');
    await write('29990101000002_second.sql', 'ALTER TABLE one ADD COLUMN extra text;');
    await write('notes.txt', 'no migration');
  });
  after(async () => {
    await sql.end();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('lists what is pending without applying it', async () => {
    assert.deepEqual(await names({ check: true }), ['first', 'second']);
    assert.deepEqual([...(await sql`SELECT to_regclass('one') AS found`)], [{ found: null }]);
  });

  it('applies in order, each once, also when two run at the same time', async () => {
    const [one, two] = await Promise.all([names(), names()]);
    assert.deepEqual([...one, ...two].sort(), ['first', 'second']);
    assert.deepEqual([...(await sql`SELECT id, extra FROM one`)], [{ id: 1, extra: null }]);
    assert.deepEqual(await names(), []);
  });

  it('asks PostgREST to load its schema anew, also when nothing is pending', async () => {
    const heard: string[] = [];
    const { unlisten } = await sql.listen('pgrst', (payload) => heard.push(payload));
    await names();
    await sql`SELECT 1`;
    while (heard.length === 0) await new Promise((wake) => setTimeout(wake, 5));
    await names({ check: true });
    await unlisten();
    assert.deepEqual(heard, ['reload schema']);
  });

  it('records migrations as the Supabase CLI does', async () => {
    const rows = await sql`
      SELECT version, name, cardinality(statements) AS n FROM supabase_migrations.schema_migrations WHERE version > '2999' ORDER BY version`;
    assert.deepEqual(
      [...rows],
      [
        { version: '29990101000001', name: 'first', n: 1 },
        { version: '29990101000002', name: 'second', n: 1 },
      ],
    );
  });

  it('leaves nothing of a migration that fails, and keeps those before it', async () => {
    await write('29990101000003_third.sql', 'CREATE TABLE three (id integer);');
    await write('29990101000004_fourth.sql', 'CREATE TABLE four (id integer); SELECT 1 / 0;');
    await assert.rejects(names(), { code: '22012' });
    const tables = await sql`SELECT to_regclass('three')::text AS three, to_regclass('four')::text AS four`;
    assert.deepEqual([...tables], [{ three: 'three', four: null }]);
    assert.deepEqual(await names({ check: true }), ['fourth']);
  });
});
