/** Why no answer came from a host: DNS, IPv6, a refused connection, TLS. The same for the database's protocol and for HTTP. */
import { IntakeError, type ErrorCode } from '../errors.ts';

export interface TransportOptions {
  /** What did not answer, as the sentence begins: `The database`, `The API`, `Storage`. */
  readonly who: string;
  /** Code of what is tried again. */
  readonly code: ErrorCode;
  /** The setting that names the host. */
  readonly setting: string;
  /** As the setting has it, where the caller knows. */
  readonly host?: string | undefined;
}

interface NodeFault {
  readonly code?: string;
  readonly name?: string;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly hostname?: string;
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
}

/** A project's direct host has an IPv6 address alone, unless the project has bought one of IPv4. */
const DIRECT_HOST = /^db\.[a-z0-9]+\.supabase\.(co|red)$/;
const DNS = /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/;
const NO_ROUTE = /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/;
const REFUSED = /^ECONNREFUSED$/;
const SLOW = /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/;
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_|UNSPECIFIED|CRL_|EE_KEY|CA_)/;
const NO_TLS = /server does not support SSL/;
const TLS = /^(ERR_SSL_|ERR_TLS_|EPROTO)/;

/** An error and its causes, outermost first; of several attempts at addresses, all. */
function* chain(error: unknown): Generator<NodeFault> {
  if (typeof error !== 'object' || error === null) return;
  const fault = error as NodeFault;
  yield fault;
  for (const inner of fault.errors ?? []) yield* chain(inner);
  yield* chain(fault.cause);
}

/** What a fault of the transport means. The caller knows already that no answer came. */
export function transportFault(error: unknown, { who, code, setting, host: asked }: TransportOptions): IntakeError {
  const found = [...chain(error)].find((fault) => typeof fault.code === 'string' && !/^UND_ERR$/.test(fault.code));
  const timedOut = [...chain(error)].some(({ name: kind }) => kind === 'TimeoutError');
  const name = found?.code ?? (timedOut ? 'ETIMEDOUT' : '');
  const host = asked ?? found?.hostname ?? found?.host ?? found?.address ?? '';
  const at = host ? ` at ${host}${found?.port ? `:${found.port}` : ''}` : '';
  const is = (message: string, remedy: string, as: ErrorCode = code) =>
    new IntakeError(as, `${who} ${message}`, { cause: error, remedy });

  if (DIRECT_HOST.test(host) && (DNS.test(name) || NO_ROUTE.test(name)))
    return is(
      `is reachable over IPv6 alone, and this host has none (${host}, ${name})`,
      `Take the pooler's address from the project's Connect dialog for ${setting} (session pooler, user postgres.<project-ref>), or give the project an IPv4 address.`,
    );
  if (DNS.test(name))
    return is(
      `has a name that cannot be resolved${host ? `: ${host}` : ''} (${name})`,
      `Check the host in ${setting} and the DNS of this host; a paused or deleted Supabase project has no name. It is retried.`,
    );
  if (NO_ROUTE.test(name))
    return is(
      `cannot be reached${at}: there is no route to it (${name})`,
      `Check the network of this host; an IPv6 address needs IPv6 here (Supabase: use the pooler's host in ${setting}). It is retried.`,
    );
  if (CERTIFICATE.test(name))
    return is(
      `has a certificate that is not trusted${at} (${name})`,
      setting === 'DATABASE_URL'
        ? `Give the certificate of its authority: sslmode=verify-full&sslrootcert=FILE in ${setting} (Supabase: Database settings, SSL configuration, Download certificate), or PGSSLROOTCERT.`
        : `Give the certificate of its authority by NODE_EXTRA_CA_CERTS=FILE, or correct ${setting}.`,
      'DATABASE_TLS',
    );
  if (NO_TLS.test(found?.message ?? (error as NodeFault)?.message ?? ''))
    return is(
      'speaks no TLS, and this connection asks for it',
      `Let the server speak TLS; within a network that you trust say so: sslmode=disable in ${setting}.`,
      'DATABASE_TLS',
    );
  if (TLS.test(name))
    return is(
      `does not speak TLS as asked${at} (${name})`,
      setting === 'DATABASE_URL'
        ? `Check host and port in ${setting}; a server without TLS needs sslmode=disable said.`
        : `Check the scheme (http or https) and the port in ${setting}.`,
      'DATABASE_TLS',
    );
  if (REFUSED.test(name))
    return is(
      `takes no connection${at} (${name})`,
      `Start it, or check host and port in ${setting}; a firewall may refuse, too. It is retried.`,
    );
  if (SLOW.test(name))
    return is(`does not answer in time${at} (${name})`, `Check host, port and firewall for ${setting}. It is retried.`);
  return is(
    `broke off the connection${name ? ` (${name})` : ''}`,
    `Nothing to do: it is retried. When it stays so, check what lies between this host and ${setting}.`,
  );
}
