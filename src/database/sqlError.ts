/**
 * SQLSTATE and transport faults -> Intake's codes. The original stays as cause, for the redacted log only.
 *
 * Only what the database itself refused, by a SQLSTATE, ends an import: drivers, pools, poolers and proxies have no word for
 * it, and what they say is tried again.
 */
import { IntakeError, type ErrorCode } from '../errors.ts';
import { poolerFault } from './pooler.ts';
import { transportFault } from './transport.ts';

/** Longer prefixes first; a SQLSTATE that is not here is a refusal, which nobody retries. */
const BY_STATE: readonly (readonly [prefix: string, code: ErrorCode, message: string])[] = [
  ['IN001', 'LEASE_LOST', 'The run was taken over, ended or rolled back by someone else'],
  ['IN002', 'RUN_NOT_FOUND', 'There is no such import run'],
  ['40P01', 'DATABASE_BUSY', 'The transaction met a deadlock'],
  ['40', 'DATABASE_BUSY', 'The transaction met a concurrent one'],
  ['25P', 'DATABASE_BUSY', 'The transaction was ended by a time limit'],
  ['55P03', 'DATABASE_BUSY', 'A lock was not available'],
  ['57014', 'DATABASE_BUSY', 'The statement was cancelled or timed out'],
  ['57P', 'DATABASE_UNAVAILABLE', 'The database is restarting'],
  ['08', 'DATABASE_UNAVAILABLE', 'The connection to the database broke'],
  ['53100', 'DATABASE_FULL', 'The disk of the database is full'],
  ['53', 'DATABASE_UNAVAILABLE', 'The database has no resources left'],
  ['58', 'DATABASE_UNAVAILABLE', 'The database met a system error'],
  ['25006', 'DATABASE_UNAVAILABLE', 'The database is read-only now'],
  ['42P01', 'DATABASE_SCHEMA', 'A table is missing'],
  ['42883', 'DATABASE_SCHEMA', 'A function is missing'],
  ['42703', 'DATABASE_SCHEMA', 'A column is missing'],
  ['3F000', 'DATABASE_SCHEMA', 'A schema is missing'],
  ['PGRST203', 'DATABASE_SCHEMA', 'The API knows two functions of that name'],
  ['PGRST2', 'DATABASE_SCHEMA', 'The API does not know a function'],
  ['PGRST106', 'DATABASE_SCHEMA', 'The API does not expose schema ingest'],
  ['PGRST125', 'DATABASE_SCHEMA', 'The API does not know this path'],
  ['PGRST0', 'DATABASE_UNAVAILABLE', 'The API does not reach its database'],
  ['PGRST3', 'DATABASE_DENIED', 'The API refuses the key'],
  ['42501', 'DATABASE_DENIED', 'The role lacks the privilege to do this'],
  ['28', 'DATABASE_DENIED', 'The database refuses the user or the password'],
  ['3D000', 'DATABASE_DENIED', 'The database does not exist'],
];

/** Where the code's own remedy leads elsewhere. */
const REMEDIES: Readonly<Record<string, string>> = {
  PGRST106:
    'Add `ingest` to the exposed schemas: project settings, Data API (or `api.schemas` in supabase/config.toml, PGRST_DB_SCHEMAS).',
  PGRST125: "Check SUPABASE_URL: it is the project's address without a path, like https://<project-ref>.supabase.co.",
  '42501':
    'Use the secret key (SUPABASE_SERVICE_ROLE_KEY), or give the user of DATABASE_URL the role dragonfly_app; `intake migrate` grants the rest.',
  '57014':
    "It is tried again. When it stays so, let statements run longer (alter role service_role set statement_timeout = '120s', or that of DATABASE_URL's user), or make parts smaller: INTAKE_PARTITION_ROWS.",
  '28P01': 'Check user and password in DATABASE_URL; for a pooler the user is postgres.<project-ref>.',
  '3D000': 'Check the name of the database at the end of DATABASE_URL; on hosted Supabase it is postgres.',
};

type OwnCode = 'RUN_CONFLICT' | 'DATABASE_REFUSED' | 'OPTIONS_DIFFER';

/** What a sentence of our own is about, raised with what to do as its hint where the API carries that. */
const OWN_SENTENCES: Readonly<Record<string, OwnCode>> = {
  IN004: 'RUN_CONFLICT',
  IN006: 'DATABASE_REFUSED',
  IN007: 'OPTIONS_DIFFER',
};

function ownSentence(code: OwnCode, cause: unknown, message: string): IntakeError {
  const { hint } = cause as { hint?: string | null };
  const sentence = message.replace(/^(\w*error: )+/i, '');
  const text = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
  return new IntakeError(code, text, { cause, ...(hint ? { remedy: hint } : {}) });
}

/** What the database says where a row of another table keeps one from going. */
const REFERRED = /on table "([^"]+)" violates [\w ]*constraint "([^"]+)" on table "([^"]+)"/;

/** Five characters with a digit among them: EPIPE is none. PostgREST has codes of its own. */
const REFUSAL = /^(?=.*\d)[0-9A-Z]{5}$|^PGRST/;

/**
 * @param status HTTP status where there was one.
 * @param host of DATABASE_URL, where the caller knows it.
 */
export function sqlError(cause: unknown, status?: number, host?: string): IntakeError {
  if (cause instanceof IntakeError) return cause;
  const { code = '', message = '' } = (typeof cause === 'object' && cause !== null ? cause : {}) as {
    code?: string;
    message?: string;
  };
  const state = String(code);
  const pooler = poolerFault(cause);
  if (pooler) return pooler;
  const own = OWN_SENTENCES[state];
  if (own) return ownSentence(own, cause, message);
  for (const [prefix, error, text] of BY_STATE) {
    if (!state.startsWith(prefix)) continue;
    const remedy = REMEDIES[state];
    return new IntakeError(error, `${text} (${state})`, { cause, ...(remedy ? { remedy } : {}) });
  }
  const referrer = state === '23503' ? REFERRED.exec(message) : null;
  if (referrer) {
    const [, table, constraint, by] = referrer;
    return new IntakeError('DATABASE_REFUSED', `Table ${by} refers to rows of ${table} that are to go (23503)`, {
      cause,
      remedy: `Give the foreign key ${constraint} of ${by} ON DELETE CASCADE or SET NULL, or delete the rows that refer; then give the command again.`,
    });
  }
  if (REFUSAL.test(state))
    return new IntakeError('DATABASE_REFUSED', `The database refused a statement (${state})`, { cause });
  if (status === 401 || status === 403)
    return new IntakeError('DATABASE_DENIED', `The API refuses the key (${status})`, { cause });
  if (status === 413)
    return new IntakeError('REQUEST_TOO_LARGE', 'A gateway in front of the API takes no request of this size (413)', {
      cause,
    });
  if (cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError)
    return new IntakeError('INTERNAL', 'An unexpected error; the log of the worker has it', { cause });
  return status
    ? new IntakeError('DATABASE_UNAVAILABLE', `The API answers ${status}`, { cause })
    : transportFault(cause, { who: 'The database', code: 'DATABASE_UNAVAILABLE', setting: 'DATABASE_URL', host });
}

/** Whether the database ended a statement at its time limit. */
export const isTimeLimit = (error: unknown): boolean =>
  error instanceof IntakeError && (error.cause as { readonly code?: unknown } | undefined)?.code === '57014';

/**
 * Calls that do so many rows at most: made again for fewer while the database ends them at its time limit.
 * @param most rows of the first.
 */
export function fewerRows(most: number): <T>(call: (rows: number) => Promise<T>) => Promise<T> {
  let rows = most;
  return async (call) => {
    for (;;) {
      try {
        return await call(rows);
      } catch (error) {
        if (!isTimeLimit(error) || rows === 1) throw error;
        rows = Math.ceil(rows / 4);
      }
    }
  };
}
