/** Applies `supabase/migrations` and records them where the Supabase CLI does, so that both agree on what is done. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';

const FOLDER = new URL('../../supabase/migrations/', import.meta.url);
/** Any fixed number; one migration at a time per database. */
const LOCK = 7_261_443_921;

export interface Migration {
  /** The timestamp that begins the file's name. */
  readonly version: string;
  readonly name: string;
  readonly path: string;
}

export interface MigrateOptions {
  /** Only list what is pending. */
  readonly check?: boolean;
  readonly onStep?: (line: string) => void;
  /** Another folder than the package's own, for tests. */
  readonly folder?: URL;
}

/** The migrations of the package, in the order of their versions. */
export function listMigrations(folder: URL = FOLDER): Migration[] {
  const files = readdirSync(folder)
    .filter((file) => /^\d+_.+\.sql$/.test(file))
    .sort();
  return files.map((file) => {
    const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(file) as unknown as [string, string, string];
    return { version, name, path: fileURLToPath(new URL(file, folder)) };
  });
}

/**
 * Brings a database up to date, each migration in one transaction with its record.
 * @returns the migrations applied, or with `check` those pending.
 * @throws the driver's error of the statement that failed; earlier migrations stay applied.
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<Migration[]> {
  const sql = postgres(databaseUrl, { max: 1, prepare: false, onnotice: () => undefined });
  try {
    const wanted = listMigrations(options.folder);
    const pending = withoutApplied(wanted, await appliedVersions(sql));
    if (options.check || pending.length === 0) return pending;
    const done: Migration[] = [];
    for (const migration of pending) if (await apply(sql, migration, options.onStep)) done.push(migration);
    return done;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const withoutApplied = (all: readonly Migration[], applied: ReadonlySet<string>): Migration[] =>
  all.filter(({ version }) => !applied.has(version));

async function appliedVersions(sql: postgres.Sql): Promise<Set<string>> {
  const [table] = await sql`SELECT to_regclass('supabase_migrations.schema_migrations') IS NOT NULL AS exists`;
  if (!table?.['exists']) return new Set();
  const rows = await sql<{ version: string }[]>`SELECT version FROM supabase_migrations.schema_migrations`;
  return new Set(rows.map(({ version }) => version));
}

/** False when another process applied it while this one waited for the lock. */
function apply(
  sql: postgres.Sql,
  { version, name, path }: Migration,
  onStep?: (line: string) => void,
): Promise<boolean> {
  return sql.begin(async (transaction) => {
    // Held to the end of the transaction: it works through a transaction pooler, too.
    await transaction`SELECT pg_advisory_xact_lock(${LOCK})`;
    await transaction.unsafe(`
      CREATE SCHEMA IF NOT EXISTS supabase_migrations;
      CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text)`);
    const [known] = await transaction`SELECT FROM supabase_migrations.schema_migrations WHERE version = ${version}`;
    if (known) return false;
    onStep?.(`Migrating: ${version}_${name}`);
    const text = readFileSync(path, 'utf8');
    await transaction.unsafe(text);
    await transaction`
      INSERT INTO supabase_migrations.schema_migrations (version, statements, name)
      VALUES (${version}, ARRAY[${text}::text], ${name})`;
    return true;
  }) as Promise<boolean>;
}
