/** How to reach Temporal, the same for clients and workers. */
import { readFile } from 'node:fs/promises';
import type { TemporalConfig } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { checkCertificatePair } from './probe.ts';

export interface ConnectOptions {
  readonly address: string;
  readonly tls?: { clientCertPair: { crt: Buffer; key: Buffer } } | true;
  readonly apiKey?: string;
}

/** mTLS with a certificate pair, TLS with an API key (Temporal Cloud), else plain. */
export async function connectOptions({ address, apiKey, tlsCert, tlsKey }: TemporalConfig): Promise<ConnectOptions> {
  if (tlsCert && tlsKey) {
    const [crt, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]).catch((cause) => {
      throw new IntakeError('CONFIG_INVALID', 'TEMPORAL_TLS_CERT or TEMPORAL_TLS_KEY cannot be read', { cause });
    });
    checkCertificatePair(crt, key);
    return { address, tls: { clientCertPair: { crt, key } }, ...(apiKey ? { apiKey } : {}) };
  }
  return apiKey ? { address, apiKey, tls: true } : { address };
}
