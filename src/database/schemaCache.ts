/** PostgREST knows functions from a cache, which may be minutes behind the database after a migration. */
import { IntakeError } from '../errors.ts';
import { FUNCTIONS, type FunctionName } from './functions.ts';
import type { Health } from './rows.ts';
import type { SqlFunction } from './signature.ts';

/** How long an API is waited for that has not loaded its schema anew. */
const PATIENCE_MS = 120_000;
/** Asked so long ago that it is another story. */
const FORGOTTEN_MS = 60_000;
const AGAIN_MS = 5_000;

/** A function, table or column that the API does not find in its cache. */
const STALE = /^PGRST20[245]$/;

const codeOf = (cause: unknown): string => String((cause as { code?: unknown } | null)?.code ?? '');
export const isStale = (error: unknown): error is IntakeError =>
  error instanceof IntakeError && STALE.test(codeOf(error.cause));

/** Whether the database has a function with the arguments that this Intake gives it. */
export function hasFunction({ functions }: Pick<Health, 'functions'>, fn: string): boolean {
  const wanted = (FUNCTIONS as Readonly<Record<string, SqlFunction>>)[fn]?.args ?? {};
  return fn in functions && Object.keys(wanted).every((name) => functions[fn]!.includes(name));
}

export interface SchemaCache {
  /** What an error means that says the cache has no such function: not yet, not at all, or the API does not load it. */
  judge(error: IntakeError, fn: FunctionName): Promise<IntakeError>;
}

/**
 * @param ask the database itself; undefined when it cannot be asked.
 * @param now for tests.
 */
export function watchSchemaCache(ask: () => Promise<Health | undefined>, now: () => number = Date.now): SchemaCache {
  const seen = new Map<string, { first: number; last: number }>();
  return {
    async judge({ cause }, fn) {
      const code = codeOf(cause);
      const health = await ask().catch(() => undefined);
      if (health && !hasFunction(health, fn))
        return new IntakeError(
          'DATABASE_SCHEMA',
          `The database has no function ${fn} as this Intake calls it (${code})`,
          {
            cause,
          },
        );
      const time = now();
      const before = seen.get(fn);
      const first = before && time - before.last < FORGOTTEN_MS ? before.first : time;
      seen.set(fn, { first, last: time });
      const remedy =
        "Run `intake migrate` (it ends with notify pgrst, 'reload schema'), or restart PostgREST; on hosted Supabase it loads by itself within minutes.";
      if (time - first < PATIENCE_MS)
        return new IntakeError(
          'DATABASE_UNAVAILABLE',
          `The API has not loaded its schema anew: it does not know ${fn} yet (${code})`,
          {
            cause,
            remedy: `It is asked again for two minutes. ${remedy}`,
            retryAfterMs: AGAIN_MS,
          },
        );
      return new IntakeError(
        'DATABASE_SCHEMA',
        health
          ? `The API has not loaded its schema anew: the database has function ${fn} (${code})`
          : `The API does not know function ${fn}, and the database could not be asked whether it has it (${code})`,
        { cause, remedy },
      );
    },
  };
}
