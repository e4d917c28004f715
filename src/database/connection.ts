/** How every connection of ours reaches the database: one reading of DATABASE_URL, TLS as libpq means it. */
import { readFile } from 'node:fs/promises';
import { getCACertificates, type ConnectionOptions } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import { IntakeError } from '../errors.ts';
import { parseDatabaseAddress, type DatabaseAddress } from '../settings/databaseAddress.ts';
import { sqlError } from './sqlError.ts';
import { offersTls, shownCertificate } from './tlsProbe.ts';

const CONNECT_MS = 10_000;

/** @throws IntakeError CONFIG_INVALID. */
export function databaseAddress(databaseUrl: string): DatabaseAddress {
  const address = parseDatabaseAddress(databaseUrl, process.env);
  if (typeof address === 'string') throw new IntakeError('CONFIG_INVALID', `DATABASE_URL: ${address}`);
  return address;
}

/**
 * The settings of a connection.
 * @throws IntakeError CONFIG_INVALID for a certificate that cannot be read.
 */
export async function connectionConfig(databaseUrl: string): Promise<ClientConfig> {
  const address = databaseAddress(databaseUrl);
  const { host, port, user, password, database, options } = address;
  return {
    host,
    port,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(options === undefined ? {} : { options }),
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'intake',
    ssl: (await encrypts(address)) ? await tlsOptions(address) : false,
  };
}

/** A connection that is open. @throws IntakeError for anything that stands in its way. */
export async function openConnection(databaseUrl: string, name = 'intake'): Promise<Client> {
  const client = new Client({ ...(await connectionConfig(databaseUrl)), application_name: name });
  client.on('error', () => undefined); // the next query says it
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw await databaseFault(error, databaseAddress(databaseUrl));
  }
}

/** `prefer` and `allow` take what the server offers; a socket is never encrypted. */
async function encrypts({ host, port, sslMode }: DatabaseAddress): Promise<boolean> {
  if (sslMode === 'disable' || host.startsWith('/')) return false;
  return sslMode === 'prefer' || sslMode === 'allow' ? offersTls(host, port) : true;
}

/**
 * What each mode verifies: from verify-ca on the chain, verify-full also the host. `require` with a certificate of an
 * authority is verify-ca, as in libpq.
 */
async function tlsOptions(address: DatabaseAddress): Promise<ConnectionOptions> {
  const { sslMode, sslRootCert, sslCert, sslKey } = address;
  const verifies = sslMode.startsWith('verify') || (sslMode === 'require' && sslRootCert !== undefined);
  const ca =
    sslRootCert === 'system' ? getCACertificates('system') : sslRootCert && (await pem('sslrootcert', sslRootCert));
  return {
    rejectUnauthorized: verifies,
    ...(ca ? { ca } : {}),
    ...(sslCert ? { cert: await pem('sslcert', sslCert) } : {}),
    ...(sslKey ? { key: await pem('sslkey', sslKey) } : {}),
    ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

const pem = (parameter: string, path: string): Promise<Buffer> =>
  readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new IntakeError('CONFIG_INVALID', `DATABASE_URL: ${parameter} ${path} cannot be read (${cause.code})`, {
      cause,
      remedy: 'Give the path of a PEM file that the user of this process may read.',
    });
  });

/** A fault of a connection, like `sqlError`; of a refused certificate it names host, holder, issuer and end. */
export async function databaseFault(error: unknown, { host, port }: DatabaseAddress): Promise<IntakeError> {
  const fault = sqlError(error, undefined, host);
  if (fault.code !== 'DATABASE_TLS') return fault;
  const certificate = await shownCertificate(host, port);
  const at = fault.message.includes(host) ? '' : ` (${host}:${port})`;
  const shown = certificate ? `; it shows the certificate ${certificate}` : '';
  return new IntakeError('DATABASE_TLS', `${fault.message}${at}${shown}`, { cause: fault.cause, remedy: fault.remedy });
}
