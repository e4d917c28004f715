/** The migrations of the package, and which of them a database has. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ClientBase } from 'pg';

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
export async function recordedMigrations(client: ClientBase): Promise<Recorded> {
  const { rows: tables } = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('supabase_migrations.schema_migrations') IS NOT NULL AS exists",
  );
  if (!tables[0]?.exists) return new Map();
  const { rows } = await client.query<{ version: string; text: string | null }>(`
    SELECT version, CASE WHEN cardinality(statements) = 1 THEN statements[1] END AS text FROM supabase_migrations.schema_migrations`);
  return new Map(rows.map(({ version, text }) => [version, text ?? undefined]));
}

/** Runs a migration and records it, in the caller's transaction. */
export async function execute(
  transaction: ClientBase,
  migration: Migration,
  onStep?: (line: string) => void,
): Promise<void> {
  const { version, name } = migration;
  onStep?.(`Migrating: ${version}_${name}`);
  const text = textOf(migration);
  await transaction.query(text);
  await transaction.query(
    `INSERT INTO supabase_migrations.schema_migrations (version, statements, name) VALUES ($1, ARRAY[$2::text], $3)
     ON CONFLICT (version) DO UPDATE SET statements = excluded.statements, name = excluded.name`,
    [version, text, name],
  );
}
