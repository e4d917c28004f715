/**
 * SQLSTATE and transport faults -> Intake's codes. The original stays as cause, for the redacted log only.
 *
 * Only what the database itself refused, by a SQLSTATE, ends an import: drivers, pools, poolers and proxies have no word for
 * it, and what they say is tried again.
 */
import { IntakeError, type ErrorCode } from '../errors.ts';

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
  ['PGRST2', 'DATABASE_SCHEMA', 'The API does not know a function'],
  ['PGRST106', 'DATABASE_SCHEMA', 'The API does not expose schema ingest'],
  ['PGRST0', 'DATABASE_UNAVAILABLE', 'The API does not reach its database'],
  ['PGRST3', 'DATABASE_DENIED', 'The API refuses the key'],
  ['42501', 'DATABASE_DENIED', 'The role has not the right to do this'],
  ['28', 'DATABASE_DENIED', 'The database refuses the user or the password'],
  ['3D000', 'DATABASE_DENIED', 'The database does not exist'],
];

/** Our own SQLSTATEs by their messages: the embedded API drops codes it does not know. */
const OWN_STATES = [
  ['IN001', /the run was taken over, ended or rolled back/],
  ['IN002', /no (live )?import run /],
] as const;

/** Five characters with a digit among them: EPIPE is none. PostgREST has codes of its own. */
const REFUSAL = /^(?=.*\d)[0-9A-Z]{5}$|^PGRST/;

/** Poolers that have no connection left say so with XX000, an internal error. */
const POOLER_FULL = /max clients|max_client_conn|query_wait_timeout|checkout timeout|check out|server conn/i;

/** Supabase's pooler, older and newer words; the SQLSTATE (XX000) says nothing. */
const UNKNOWN_TENANT = /tenant or user not found|tenant\/user .*not found/i;

const unknownTenant = (cause: unknown): IntakeError =>
  new IntakeError('DATABASE_DENIED', 'The pooler does not know the project or its user (Tenant or user not found)', {
    cause,
    remedy:
      "Copy DATABASE_URL from the project's Connect dialog: the pooler's user is postgres.<project-ref>, its host is the one of the project's region; " +
      'a paused or deleted project is unknown to it, too.',
  });

/** @param status HTTP status where there was one. */
export function sqlError(cause: unknown, status?: number): IntakeError {
  if (cause instanceof IntakeError) return cause;
  const { code = '', message = '' } = (typeof cause === 'object' && cause !== null ? cause : {}) as {
    code?: string;
    message?: string;
  };
  const state = OWN_STATES.find(([, text]) => text.test(message))?.[0] ?? String(code);
  if (UNKNOWN_TENANT.test(message)) return unknownTenant(cause);
  for (const [prefix, error, text] of BY_STATE) {
    if (state.startsWith(prefix)) return new IntakeError(error, `${text} (${state})`, { cause });
  }
  if (REFUSAL.test(state) && !(state === 'XX000' && POOLER_FULL.test(message)))
    return new IntakeError('DATABASE_REFUSED', `The database refused a statement (${state})`, { cause });
  if (status === 401 || status === 403)
    return new IntakeError('DATABASE_DENIED', `The API refuses the key (${status})`, { cause });
  if (status === 413) return new IntakeError('DATABASE_REFUSED', 'A proxy takes no body of this size (413)', { cause });
  if (cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError)
    return new IntakeError('INTERNAL', 'An unexpected error; the log of the worker has it', { cause });
  return status
    ? new IntakeError('DATABASE_UNAVAILABLE', `The API answers ${status}`, { cause })
    : new IntakeError('DATABASE_UNAVAILABLE', 'The database cannot be reached', { cause });
}
