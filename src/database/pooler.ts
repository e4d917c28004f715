/** What poolers say in the database's place: Supavisor's words all have the SQLSTATE XX000, those of PgBouncer that of a broken connection. */
import { IntakeError } from '../errors.ts';

interface Said {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly severity?: string | undefined;
}

/** Newer ones stand before the sentence, in brackets. */
const wordOf = (message: string): string | undefined => /^\((E[A-Z]+)\)/.exec(message)?.[1];

const FULL = /^(EMAXCONN|EMAXPOOLS|ECHECKOUT|EPOOLCHECKOUT)/;
const FULL_TEXT =
  /max clients reached|max client connections reached|max_client_conn|check ?out|query_wait_timeout|no more connections allowed/i;
const BREAKER = /^ECIRCUITBREAKER/;
const WANTS_TLS = /^ESSLREQUIRED|SSL connection is required|no encryption|SSL off/i;
const DENIES = /^(EADDRNOTALLOWED|EBANNED|EINVALIDUSERINFO|ENOIDENTIFIER|EMULTIPLEUSERS|EJITUNAUTHORIZED)$/;
const UNKNOWN = /tenant or user not found|tenant\/user .*not found/i;
/** An open circuit breaker closes by itself, later than a full pool empties. */
const BREAKER_MS = 30_000;

const CONNECT = "Copy DATABASE_URL from the project's Connect dialog: ";

/** Whether a pooler in transaction mode met a statement that another connection prepared, or its limit of them. */
export const isUnprepared = (error: unknown): boolean => {
  const { code, message = '' } = (error ?? {}) as Said;
  return code === '42P05' || code === '26000' || /^\(EMAXPREPARED/.test(message);
};

/** What a pooler's word means; undefined when these are the database's own. */
export function poolerFault(cause: unknown): IntakeError | undefined {
  const { code = '', message = '', severity } = (cause ?? {}) as Said;
  const word = wordOf(message);
  const name = word ?? code;
  const ofPooler = word !== undefined || code === 'XX000' || /^(08|53)/.test(code);
  if (UNKNOWN.test(message))
    return new IntakeError(
      'DATABASE_DENIED',
      'The pooler does not know the project or its user (Tenant or user not found)',
      {
        cause,
        remedy: `${CONNECT}the pooler's user is postgres.<project-ref>, its host is the one of the project's region; a paused or deleted project is unknown to it, too.`,
      },
    );
  if (WANTS_TLS.test(word ?? message) && (ofPooler || code.startsWith('28')))
    return new IntakeError('DATABASE_TLS', `The database takes encrypted connections only (${name})`, {
      cause,
      remedy: 'Remove sslmode=disable from DATABASE_URL (or PGSSLMODE), or say sslmode=require.',
    });
  if (isUnprepared(cause))
    return new IntakeError('DATABASE_UNAVAILABLE', `A pooler keeps no prepared statements (${name})`, { cause });
  if (!ofPooler) return undefined;
  if (FULL.test(name) || FULL_TEXT.test(message))
    return new IntakeError('DATABASE_UNAVAILABLE', `The pooler has no free connection (${name})`, {
      cause,
      remedy:
        'It is waited for. Fewer workers make room, a larger pool size, or the transaction pooler (port 6543 in DATABASE_URL).',
    });
  if (BREAKER.test(name))
    return new IntakeError('DATABASE_UNAVAILABLE', `The pooler refuses connections for a while (${name})`, {
      cause,
      retryAfterMs: BREAKER_MS,
      remedy:
        'It is waited for. Too many failed logins or connections opened its circuit breaker: check the password of every client of this database.',
    });
  if (word && DENIES.test(word))
    return new IntakeError('DATABASE_DENIED', `The pooler refuses this client (${word})`, {
      cause,
      remedy: `${CONNECT}user and host are the pooler's; an address may be missing in the project's network restrictions.`,
    });
  // Whatever else ends a connection with an internal error: the statement was not refused.
  if (word ?? (severity === 'FATAL' && code.startsWith('XX')))
    return new IntakeError('DATABASE_UNAVAILABLE', `The pooler has lost the database (${name})`, { cause });
  return /db_termination|connection to database closed|pool.*terminat|DbHandler exited/i.test(message) &&
    code === 'XX000'
    ? new IntakeError('DATABASE_UNAVAILABLE', `The pooler has lost the database (${name})`, { cause })
    : undefined;
}
