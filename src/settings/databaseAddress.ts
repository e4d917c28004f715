/** DATABASE_URL, read strictly and once: what it holds is never guessed, and what is wrong with it is said without any part of it. */

/** As libpq has them. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

export interface DatabaseAddress {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslMode: SslMode;
  /** Paths of PEM files; of the authority also `system`. */
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  /** Command-line options for the server (`-c name=value`). */
  readonly options: string | undefined;
}

/** Parameters of other programs and of libpq that change nothing here. */
const OTHERS = new Set(
  (
    'application_name fallback_application_name client_encoding connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count ' +
    'tcp_user_timeout target_session_attrs channel_binding gssencmode krbsrvname pgbouncer supa schema connection_limit pool_timeout ' +
    'uselibpqcompat prepareThreshold sslcompression sslsni'
  ).split(' '),
);

const ESCAPES = 'write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25';
const FORM = 'write it as postgresql://user:password@host:5432/database';
const HOST = /^(\[[\da-f:.]+(%25[\w.-]+)?\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?)$/i;

/** @returns the address, or what is wrong with it and how to write it. */
export function parseDatabaseAddress(text: string, env: NodeJS.ProcessEnv = {}): DatabaseAddress | string {
  const [, rest] = /^postgres(?:ql)?:\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (rest === undefined) return FORM;
  const end = /[/?#]|$/.exec(rest)!.index;
  const [authority, tail] = [rest.slice(0, end), rest.slice(end)];
  const at = authority.lastIndexOf('@');
  const login = at < 0 ? '' : authority.slice(0, at);
  // A second @, or one behind the host, is a password that nobody escaped.
  if (login.includes('@') || tail.includes('@') || tail.includes('#'))
    return `user or password hold characters that end them; ${ESCAPES}`;
  if (/%(?![\da-f]{2})/i.test(rest)) return `it holds a % that escapes nothing; ${ESCAPES}`;
  if (/[\s<>\\^`{|}"]/.test(rest)) return 'it holds blanks or characters that a URL has escaped; write a blank as %20';
  const decoded = decode([login, tail]);
  if (!decoded) return `its escapes are no UTF-8; ${ESCAPES}`;

  const place = authority.slice(at + 1);
  if (place.includes(',')) return 'it names several hosts; give one';
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(place) ?? [];
  if (host !== '' && !HOST.test(host)) return `its host is none; ${FORM}`;
  const [path = '', query = ''] = tail.split('?', 2);
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys())
    if (
      !OTHERS.has(name) &&
      !['host', 'port', 'user', 'password', 'dbname', 'options', 'sslnegotiation'].includes(name) &&
      !/^ssl(mode|rootcert|cert|key)$/.test(name)
    )
      return `Intake does not know its parameter ${/^\w{1,40}$/.test(name) ? name : '(unreadable)'}; remove it`;
  const given = (name: string): string | undefined => parameters.get(name) || undefined;

  const portText = given('port') ?? (port || '5432');
  if (!/^\d{1,5}$/.test(portText) || Number(portText) < 1 || Number(portText) > 65_535)
    return 'its port is no number from 1 to 65535';
  if (path.slice(1).includes('/')) return `its database is a path; ${FORM}`;
  const where = given('host') ?? (host.replace(/^\[|\]$/g, '') || 'localhost');
  const sslMode = given('sslmode') ?? env['PGSSLMODE'] ?? (isLocal(where) ? 'disable' : 'require');
  if (!isSslMode(sslMode)) return `sslmode is one of ${SSL_MODES.join(', ')}`;
  const sslRootCert = given('sslrootcert') ?? (env['PGSSLROOTCERT'] || undefined);
  if (sslRootCert === 'system' && sslMode !== 'verify-full') return 'sslrootcert=system wants sslmode=verify-full';
  const colon = login.indexOf(':');
  return {
    host: where,
    port: Number(portText),
    user: given('user') ?? (part(colon < 0 ? login : login.slice(0, colon)) || undefined),
    password: given('password') ?? (colon < 0 ? undefined : part(login.slice(colon + 1))),
    database: given('dbname') ?? (part(path.slice(1)) || undefined),
    sslMode,
    sslRootCert,
    sslCert: given('sslcert') ?? (env['PGSSLCERT'] || undefined),
    sslKey: given('sslkey') ?? (env['PGSSLKEY'] || undefined),
    options: given('options'),
  };
}

const isSslMode = (text: string): text is SslMode => (SSL_MODES as readonly string[]).includes(text);

/** This host itself: nobody listens in between. */
const isLocal = (host: string): boolean =>
  host.startsWith('/') || /^(localhost\.?|127\.\d+\.\d+\.\d+|::1|0:0:0:0:0:0:0:1)$/i.test(host);

const part = (text: string): string => decodeURIComponent(text);

function decode(texts: readonly string[]): readonly string[] | undefined {
  try {
    return texts.map(part);
  } catch {
    return undefined;
  }
}

/** The address as it may be shown: without the password, and nothing where it cannot be read. */
export function shownDatabaseAddress(text: string): string {
  const address = parseDatabaseAddress(text);
  if (typeof address === 'string') return 'postgresql://***';
  const { host, port, user, password, database } = address;
  const login = user === undefined ? '' : `${encodeURIComponent(user)}${password === undefined ? '' : ':***'}@`;
  const place = host.startsWith('/') ? '' : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `postgresql://${login}${place}/${encodeURIComponent(database ?? '')}${host.startsWith('/') ? `?host=${host}` : ''}`;
}
