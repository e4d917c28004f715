/** The migrations of the package, and which of them a database has. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';

const FOLDER = new URL('../../supabase/migrations/', import.meta.url);
/** How a migration begins that is made from supabase/schemas; until 0.5.0 it may change. */
export const GENERATED = '-- Generated from';

export interface Migration {
  /** The timestamp that begins the file's name. */
  readonly version: string;
  readonly name: string;
  readonly path: string;
}

/** Texts of recorded migrations by their versions; undefined where the Supabase CLI recorded single statements. */
export type Recorded = ReadonlyMap<string, string | undefined>;

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

export const textOf = ({ path }: Migration): string => readFileSync(path, 'utf8');

/** Those that are not recorded, and generated ones that were recorded with another text. */
export function pendingOf(wanted: readonly Migration[], recorded: Recorded): Migration[] {
  return wanted.filter((migration) => {
    const text = recorded.get(migration.version);
    return !recorded.has(migration.version) || (text?.startsWith(GENERATED) && text !== textOf(migration));
  });
}

/** What is recorded in a database, which may have no such table yet. */
export async function recordedMigrations(sql: postgres.Sql | postgres.TransactionSql): Promise<Recorded> {
  const [table] = await sql`SELECT to_regclass('supabase_migrations.schema_migrations') IS NOT NULL AS exists`;
  if (!table?.['exists']) return new Map();
  const rows = await sql<{ version: string; text: string | null }[]>`
    SELECT version, CASE WHEN cardinality(statements) = 1 THEN statements[1] END AS text FROM supabase_migrations.schema_migrations`;
  return new Map(rows.map(({ version, text }) => [version, text ?? undefined]));
}

/** Runs a migration and records it, in the caller's transaction. */
export async function execute(
  transaction: postgres.TransactionSql,
  migration: Migration,
  onStep?: (line: string) => void,
): Promise<void> {
  const { version, name } = migration;
  onStep?.(`Migrating: ${version}_${name}`);
  const text = textOf(migration);
  await transaction.unsafe(text);
  await transaction`
    INSERT INTO supabase_migrations.schema_migrations (version, statements, name) VALUES (${version}, ARRAY[${text}::text], ${name})
    ON CONFLICT (version) DO UPDATE SET statements = excluded.statements, name = excluded.name`;
}
