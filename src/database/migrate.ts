/** Applies `supabase/migrations` and records them where the Supabase CLI does, so that both agree on what is done. */
import type { Client } from 'pg';
import { carryOver, generatedOf, needsCarrying } from './carryOver.ts';
import { openConnection } from './connection.ts';
import { isDamaged } from './damage.ts';
import { execute, listMigrations, pendingOf, recordedMigrations, type Migration, type Recorded } from './migrations.ts';

/** Any fixed number; one migration at a time per database. */
const LOCK = 7_261_443_921;

export interface MigrateOptions {
  /** Only list what is pending. */
  readonly check?: boolean;
  readonly onStep?: (line: string) => void;
  /** Kinds that are to be registered. */
  readonly kinds?: readonly string[];
  /** Another folder than the package's own, for tests. */
  readonly folder?: URL;
}

/**
 * Brings a database up to date, each migration in one transaction with its record; a database of an earlier version below
 * 0.5.0, or one that lacks what is recorded, is carried over first, in one transaction.
 * @returns the migrations applied, or with `check` those pending.
 * @throws the driver's error of the statement that failed; earlier migrations stay applied.
 * @throws IntakeError DATABASE_SCHEMA when the database has only a part of 0.3.0.
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<Migration[]> {
  const client = await openConnection(databaseUrl, 'intake migrate');
  try {
    const wanted = listMigrations(options.folder);
    const recorded = await recordedMigrations(client);
    const recordedPending = pendingOf(wanted, recorded);
    const damaged =
      recordedPending.length === 0 && options.folder === undefined && (await isDamaged(client, options.kinds));
    const pending = damaged ? generatedOf(wanted) : recordedPending;
    if (options.check) return pending;
    const done =
      damaged || (pending.length > 0 && needsCarrying(wanted, recorded)) ? await carry(client, wanted, options) : [];
    for (const migration of pending) {
      if (!done.includes(migration) && (await apply(client, migration, options.onStep))) done.push(migration);
    }
    // PostgREST of one's own does not notice by itself; hosted Supabase would after a while.
    await client.query("NOTIFY pgrst, 'reload schema'");
    return done;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Nothing when another process carried the database over while this one waited for the lock. */
function carry(client: Client, wanted: readonly Migration[], { kinds, onStep }: MigrateOptions): Promise<Migration[]> {
  return alone(client, async (transaction, recorded) =>
    needsCarrying(wanted, recorded) || (await isDamaged(transaction, kinds))
      ? carryOver(transaction, wanted, recorded, onStep)
      : [],
  );
}

/** False when another process applied it while this one waited for the lock. */
function apply(client: Client, migration: Migration, onStep?: (line: string) => void): Promise<boolean> {
  return alone(client, async (transaction, recorded) => {
    if (recorded.has(migration.version)) return false;
    await execute(transaction, migration, onStep);
    return true;
  });
}

/** One transaction that nobody else migrates beside, with what is recorded by then. */
async function alone<T>(client: Client, work: (transaction: Client, recorded: Recorded) => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    // Held to the end of the transaction: it works through a transaction pooler, too.
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS supabase_migrations;
      CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text)`);
    const done = await work(client, await recordedMigrations(client));
    await client.query('COMMIT');
    return done;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // the connection may be gone
    throw error;
  }
}
