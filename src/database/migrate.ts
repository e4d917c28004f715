/** Applies `supabase/migrations` and records them where the Supabase CLI does, so that both agree on what is done. */
import postgres from 'postgres';
import { carryOver, needsCarrying } from './carryOver.ts';
import { execute, listMigrations, pendingOf, recordedMigrations, type Migration, type Recorded } from './migrations.ts';

/** Any fixed number; one migration at a time per database. */
const LOCK = 7_261_443_921;

export interface MigrateOptions {
  /** Only list what is pending. */
  readonly check?: boolean;
  readonly onStep?: (line: string) => void;
  /** Another folder than the package's own, for tests. */
  readonly folder?: URL;
}

/**
 * Brings a database up to date, each migration in one transaction with its record; a database of an earlier version below
 * 0.5.0 is carried over first, in one transaction.
 * @returns the migrations applied, or with `check` those pending.
 * @throws the driver's error of the statement that failed; earlier migrations stay applied.
 * @throws IntakeError DATABASE_SCHEMA when the database has only a part of 0.3.0.
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<Migration[]> {
  const sql = postgres(databaseUrl, { max: 1, prepare: false, onnotice: () => undefined });
  try {
    const wanted = listMigrations(options.folder);
    const recorded = await recordedMigrations(sql);
    const pending = pendingOf(wanted, recorded);
    if (options.check || pending.length === 0) return pending;
    const done = needsCarrying(wanted, recorded) ? await carry(sql, wanted, options.onStep) : [];
    for (const migration of pending) {
      if (!done.includes(migration) && (await apply(sql, migration, options.onStep))) done.push(migration);
    }
    return done;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Nothing when another process carried the database over while this one waited for the lock. */
function carry(sql: postgres.Sql, wanted: readonly Migration[], onStep?: (line: string) => void): Promise<Migration[]> {
  return alone(sql, async (transaction, recorded) =>
    needsCarrying(wanted, recorded) ? carryOver(transaction, wanted, recorded, onStep) : [],
  );
}

/** False when another process applied it while this one waited for the lock. */
function apply(sql: postgres.Sql, migration: Migration, onStep?: (line: string) => void): Promise<boolean> {
  return alone(sql, async (transaction, recorded) => {
    if (recorded.has(migration.version)) return false;
    await execute(transaction, migration, onStep);
    return true;
  });
}

/** One transaction that nobody else migrates beside, with what is recorded by then. */
function alone<T>(
  sql: postgres.Sql,
  work: (transaction: postgres.TransactionSql, recorded: Recorded) => Promise<T>,
): Promise<T> {
  return sql.begin(async (transaction) => {
    // Held to the end of the transaction: it works through a transaction pooler, too.
    await transaction`SELECT pg_advisory_xact_lock(${LOCK})`;
    await transaction.unsafe(`
      CREATE SCHEMA IF NOT EXISTS supabase_migrations;
      CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text)`);
    return work(transaction, await recordedMigrations(transaction));
  }) as Promise<T>;
}
