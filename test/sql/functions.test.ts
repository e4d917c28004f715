import { strict as assert } from 'node:assert';
import { globSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type postgres from 'postgres';
import { checkBackend, type Check } from '../../src/cli/checks/check.ts';
import type { Backend } from '../../src/database/backend.ts';
import { postgresBackend } from '../../src/database/backends/postgres.ts';
import { FUNCTIONS } from '../../src/database/functions.ts';
import type { SqlFunction } from '../../src/database/signature.ts';
import { USER_FUNCTIONS } from '../../src/gateway/userFunctions.ts';
import { KINDS } from '../../src/kinds/index.ts';
import { POLICIES, STATEMENT_LIMITS } from '../../src/messages/policies.ts';
import { COMMON_COLUMNS } from '../../src/staging/stageRows.ts';
import { withDatabase } from '../support/suite.ts';

const MAPS: Readonly<Record<string, Readonly<Record<string, SqlFunction>>>> = {
  ingest: FUNCTIONS,
  public: USER_FUNCTIONS,
};

describe('what Intake knows of the database', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((connection) => (sql = connection));

  for (const [schema, functions] of Object.entries(MAPS)) {
    it(`has each function of ${schema} that it calls, with these arguments, these types and these defaults`, async () => {
      const rows = await sql<{ fn: string; name: string; type: string; optional: boolean }[]>`
        SELECT p.proname AS fn, a.name, format_type(p.proargtypes[a.nth - 1], NULL) AS type, a.nth > p.pronargs - p.pronargdefaults AS optional
        FROM pg_proc p CROSS JOIN LATERAL unnest(p.proargnames[1:p.pronargs]) WITH ORDINALITY a(name, nth)
        WHERE p.pronamespace = ${schema}::regnamespace AND p.proname IN ${sql(Object.keys(functions))}`;
      const known = await sql<{ fn: string }[]>`
        SELECT proname AS fn FROM pg_proc WHERE pronamespace = ${schema}::regnamespace AND proname IN ${sql(Object.keys(functions))}`;
      assert.deepEqual(
        Object.keys(functions).filter((name) => !known.some(({ fn }) => fn === name)),
        [],
      );
      const found = Map.groupBy(rows, ({ fn }) => fn);
      const written = (name: string, type: string, optional: boolean): string =>
        `${name} ${type}${optional ? ' (may be left out)' : ''}`;
      for (const [name, { args }] of Object.entries(functions)) {
        assert.deepEqual(
          Object.entries(args)
            .map(([argument, { sql: type, optional = false }]) => written(argument, type, optional))
            .sort(),
          (found.get(name) ?? []).map((argument) => written(argument.name, argument.type, argument.optional)).sort(),
          name,
        );
      }
    });
  }

  it('has the stage columns of every kind', async () => {
    for (const { name, table, stageColumns } of KINDS) {
      const columns = await sql<{ name: string }[]>`
        SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass(${`ingest_stage.${table}`}) AND attnum > 0 AND NOT attisdropped`;
      const there = new Set(columns.map((column) => column.name));
      const needed = ['stage_id', 'chunk', ...COMMON_COLUMNS, ...stageColumns];
      assert.deepEqual(
        needed.filter((column) => !there.has(column)),
        [],
        `${name}: ingest_stage.${table}`,
      );
    }
  });

  it('has the tables that a kind calls personal, and the column of its runs', async () => {
    for (const { name, table, personalTables, runColumn = 'import_run_id' } of KINDS) {
      for (const personal of personalTables) {
        const [found] = await sql`SELECT to_regclass(${personal}) IS NOT NULL AS there`;
        assert.ok(found!['there'], `${name}: ${personal}`);
      }
      const [column] = await sql`
        SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(${`public.${table}`}) AND attname = ${runColumn} AND attnum > 0`;
      assert.ok(column, `${name}: public.${table}.${runColumn}`);
    }
  });
});

describe('doctor', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  let backend: Backend;
  withDatabase((connection, { databaseUrl }) => {
    sql = connection;
    backend = postgresBackend({ databaseUrl, objectsDir: tmpdir() });
  });
  after(() => backend.close());
  const functions = async (): Promise<Check | undefined> =>
    (await checkBackend('database', async () => backend)).find(({ name }) => name === 'functions');

  it('names functions with other arguments, and those that are missing, also steps of a kind', async () => {
    assert.match((await functions())!.detail, /^\d+ in schema ingest$/);
    await sql`DROP FUNCTION ingest.revoke_roles`;
    await sql`CREATE FUNCTION ingest.revoke_roles(person text, role text, tenant_id text) RETURNS integer LANGUAGE sql AS 'SELECT 0'`;
    const { ok, detail, remedy } = (await functions())!;
    assert.deepEqual(
      [ok, detail, remedy],
      [false, "Other arguments than this Intake's, in schema ingest: revoke_roles", 'Run `intake migrate`.'],
    );
    await sql`ALTER FUNCTION ingest.rollback_judgments RENAME TO former_rollback`;
    assert.equal((await functions())!.detail, 'Missing in schema ingest: rollback_judgments');
    await sql`ALTER FUNCTION ingest.former_rollback RENAME TO rollback_judgments`;
    await sql`DROP FUNCTION ingest.revoke_roles`;
    await sql`CREATE FUNCTION ingest.revoke_roles(email text, role text, tenant_id text) RETURNS integer LANGUAGE sql AS 'SELECT 0'`;
    await sql`DELETE FROM ingest.import_kinds WHERE kind = 'jbi'`;
    assert.equal((await functions())!.detail, 'Kinds that are not registered: jbi');
  });
});

describe('the source', () => {
  it('limits functions that it calls, and no other', () => {
    const limited = [...Object.keys(STATEMENT_LIMITS), ...Object.values(POLICIES).flatMap(({ calls }) => calls)];
    assert.deepEqual(
      limited.filter((name) => !(name in FUNCTIONS)),
      [],
    );
  });

  it('calls functions of the database through the maps alone: only health stands in a statement, none in an address', () => {
    const places = globSync('src/**/*.ts').flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => !/^\s*(?:\*|\/\*|\/\/)/.test(line) && /\/rpc\/\w|\bingest\.(?!health\(\))\w+\(/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    assert.deepEqual(places, []);
  });
});
