/** A fault of a connection to the database, with what its server's certificate says where TLS was refused. */
import { IntakeError } from '../errors.ts';
import type { DatabaseAddress } from '../settings/databaseAddress.ts';
import { sqlError } from './sqlError.ts';
import { shownCertificate } from './tlsProbe.ts';

/** Like `sqlError`; of a refused certificate it names host, holder, issuer and end. */
export async function databaseFault(error: unknown, { host, port }: DatabaseAddress): Promise<IntakeError> {
  const fault = sqlError(error, undefined, host);
  if (fault.code !== 'DATABASE_TLS') return fault;
  const certificate = await shownCertificate(host, port);
  const at = fault.message.includes(host) ? '' : ` (${host}:${port})`;
  const shown = certificate ? `; it shows the certificate ${certificate}` : '';
  return new IntakeError('DATABASE_TLS', `${fault.message}${at}${shown}`, { cause: fault.cause, remedy: fault.remedy });
}
