import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { TABLES as OF_PROJECTS, tryAs, type Persona } from '../support/projectsPersonas.ts';
import { withDatabase } from '../support/suite.ts';

const ADMIN = '00000000-0000-4000-8000-000000000001';
const OPERATIONS = ['select', 'insert', 'update', 'delete'] as const;
const ALL = OPERATIONS.join(' ');

/** Signed in with the highest role in every tenant: what is closed to them is closed to everybody who is not the program. */
const PEOPLE: readonly Persona[] = [
  { name: 'anon', role: 'anon' },
  { name: 'admin of every tenant', role: 'authenticated', sub: ADMIN },
];
const PROGRAM: readonly Persona[] = [
  { name: 'dragonfly_app', role: 'dragonfly_app' },
  { name: 'service_role', role: 'service_role' },
];

/** What the program's roles do directly, where that is not everything: the functions of schema ingest write the rest as its owner. */
const LESS: Readonly<Record<string, string>> = {
  'ingest.directory_changes': 'select',
  'ingest.import_kinds': 'select',
  'ingest.kind_models': 'select',
  'ingest.people_changes': 'select',
};
/** Who runs imports lets nobody in. */
const LESS_OF_APP: Readonly<Record<string, string>> = {
  ...LESS,
  'ingest.tenants': 'select',
  'ingest.tenant_bearers': '',
  'public.user_roles': 'select',
};

interface Column {
  readonly name: string;
  readonly type: string;
  /** A value that its check constraint lists, quoted. */
  readonly listed: string | null;
}

describe('row level security of every exposed table', function () {
  this.timeout(120_000);
  let sql: postgres.Sql;
  let tables: string[];
  withDatabase((opened) => (sql = opened));

  before(async () => {
    const found = await sql`
      SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('public', 'ingest') AND c.relkind IN ('r', 'p') ORDER BY 1`;
    tables = found
      .map(({ name }) => (String(name).includes('.') ? String(name) : `public.${name}`))
      .filter((name) => !OF_PROJECTS[name.replace('public.', '')]);
    for (const table of tables) await addRow(table);
    await sql`INSERT INTO public.user_roles (user_id, role) VALUES (${ADMIN}, 'admin')`;
  });

  /** Any row, by itself: without foreign keys and triggers. */
  async function addRow(table: string): Promise<void> {
    if ((await sql.unsafe(`SELECT FROM ${table} LIMIT 1`)).length > 0) return;
    const needed = await sql<Column[]>`
      SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, (
        SELECT substring(pg_get_constraintdef(k.oid) FROM 'ARRAY\\[(''[^'']*'')') FROM pg_constraint k
        WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS listed FROM pg_attribute a
      WHERE a.attrelid = ${table}::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''`;
    const values = needed.map(({ name, type, listed }) => listed ?? anyOf(name, type));
    await sql.begin(async (tx) => {
      await tx`SET LOCAL session_replication_role = replica`;
      await tx.unsafe(
        needed.length > 0
          ? `INSERT INTO ${table} (${needed.map(({ name }) => `"${name}"`).join(', ')}) VALUES (${values.join(', ')}) ON CONFLICT DO NOTHING`
          : `INSERT INTO ${table} DEFAULT VALUES ON CONFLICT DO NOTHING`,
      );
    });
  }

  function anyOf(name: string, type: string): string {
    if (name.endsWith('sha256')) return `repeat('a', 64)`;
    if (type === 'uuid') return 'gen_random_uuid()';
    if (/int|numeric/.test(type)) return '1';
    if (/^timestamp|^date/.test(type)) return 'now()';
    return type === 'jsonb' ? `'{}'` : type === 'boolean' ? 'true' : `'x'`;
  }

  /** The operations that somebody may do on the rows that are there. A constraint that then stands in the way is not a right. */
  async function accessTo(tx: postgres.TransactionSql, table: string, persona: Persona): Promise<string> {
    const columns = (
      await tx<Column[]>`
      SELECT a.attname AS name FROM pg_attribute a
      WHERE a.attrelid = ${table}::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum`
    ).map(({ name }) => `"${name}"`);
    const [row] = await tx.unsafe(`SELECT quote_literal(to_jsonb(t)) AS json FROM ${table} t LIMIT 1`);
    const settable = (
      await tx`
      SELECT a.attname AS name FROM pg_attribute a
      WHERE a.attrelid = ${table}::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a' LIMIT 1`
    )[0]!['name'] as string;
    const statements: Readonly<Record<(typeof OPERATIONS)[number], string>> = {
      select: `SELECT 1 FROM ${table}`,
      insert: `INSERT INTO ${table} (${columns.join(', ')}) OVERRIDING SYSTEM VALUE SELECT ${columns.join(', ')} FROM jsonb_populate_record(null::${table}, ${row!['json']})`,
      update: `UPDATE ${table} SET "${settable}" = "${settable}" RETURNING 1`,
      delete: `DELETE FROM ${table} RETURNING 1`,
    };
    const may: string[] = [];
    for (const operation of OPERATIONS) {
      const found = await tryAs(tx, persona, statements[operation]).catch((error: { code?: string }) => {
        if (!error.code?.startsWith('23')) throw error;
        return ['stopped by a constraint'];
      });
      if (found !== 'no' && (operation === 'insert' || found.length > 0)) may.push(operation);
    }
    return may.join(' ');
  }

  const differences = async (tx: postgres.TransactionSql, table: string): Promise<string[]> => {
    const wrong: string[] = [];
    for (const persona of [...PEOPLE, ...PROGRAM]) {
      const expected = PEOPLE.includes(persona)
        ? ''
        : ((persona.name === 'dragonfly_app' ? LESS_OF_APP : LESS)[table] ?? ALL);
      const found = await accessTo(tx, table, persona);
      if (found !== expected) wrong.push(`${table}, ${persona.name}: '${found}', not '${expected}'`);
    }
    return wrong;
  };
  class Undo extends Error {}
  const undone = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof Undo)) throw error;
      },
    );

  it('opens tables to the roles of the program alone, but those of projects', async () => {
    assert.ok(tables.length > 20);
    await sql.begin(async (tx) => {
      const wrong = [];
      for (const table of tables) wrong.push(...(await differences(tx, table)));
      assert.deepEqual(wrong, []);
    });
  });

  it('needs each policy: without any one of them the above fails', () =>
    undone(
      sql.begin(async (tx) => {
        const policies = await tx<{ table: string; policy: string }[]>`
      SELECT schemaname || '.' || tablename AS table, policyname AS policy FROM pg_policies WHERE schemaname IN ('public', 'ingest')`;
        assert.ok(policies.length > 40);
        // Those of projects are dropped one by one in projectsPolicies.test.ts.
        const others = policies.filter(({ table }) => !OF_PROJECTS[table.replace('public.', '')]);
        assert.deepEqual(
          others.filter(({ table }) => !tables.includes(table)),
          [],
        );
        for (const { table, policy } of others) {
          await undone(
            tx.savepoint(async (point) => {
              await point.unsafe(`DROP POLICY "${policy}" ON ${table}`);
              assert.notDeepEqual(await differences(point, table), [], `${policy} on ${table}`);
              throw new Undo();
            }),
          );
        }
        throw new Undo();
      }),
    ));

  it('finds a table that somebody opens', () =>
    undone(
      sql.begin(async (tx) => {
        await tx`GRANT USAGE ON SCHEMA ingest TO authenticated`;
        await tx`GRANT SELECT ON ingest.projects_raw TO authenticated`;
        assert.deepEqual(await differences(tx, 'ingest.projects_raw'), [], 'row level security hides the rows');
        await tx`CREATE POLICY leak ON ingest.projects_raw FOR SELECT TO authenticated USING (true)`;
        assert.deepEqual(await differences(tx, 'ingest.projects_raw'), [
          `ingest.projects_raw, admin of every tenant: 'select', not ''`,
        ]);
        throw new Undo();
      }),
    ));
});
