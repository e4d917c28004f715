/** Why nobody speaks gRPC at an address: asked of the socket and of TLS, since gRPC itself only says that time ran out. */
import { readFile } from 'node:fs/promises';
import { connect as connectSocket, isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type ConnectionOptions } from 'node:tls';
import type { TemporalConfig } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { grpcProxy } from '../settings/proxy.ts';

const PROBE_MS = 3_000;
/** A server tells a client that its certificate does not please it after the handshake. */
const VERDICT_MS = 500;

/** What stands in the way of a connection; undefined when a socket and TLS find nothing. */
export async function probeTemporal(temporal: TemporalConfig): Promise<IntakeError | undefined> {
  const { address, tlsCert, tlsKey, apiKey } = temporal;
  if (grpcProxy(address)) return undefined; // the proxy's answer is the connection's
  const at = new URL(`tcp://${address}`);
  const place = { host: at.hostname.replace(/^\[|\]$/g, ''), port: Number(at.port) };
  const options: ConnectionOptions = {
    ...place,
    ...(isIP(place.host) ? {} : { servername: place.host }),
    ALPNProtocols: ['h2'],
  };
  const reached = await socketFault(place);
  if (reached)
    return new IntakeError('TEMPORAL_UNAVAILABLE', `Temporal takes no connection at ${address} (${reached})`, {
      remedy: 'Start Temporal, or check TEMPORAL_ADDRESS and what lies between; an import that runs goes on.',
    });
  const refuse = (message: string, remedy: string) =>
    new IntakeError('CONFIG_INVALID', `${message} at ${address}`, { remedy });
  if (!tlsCert && !apiKey && (await speaksHttp1(place)))
    return refuse(
      'A web server answers in the place of Temporal',
      'Check the port in TEMPORAL_ADDRESS: that of the gRPC frontend, usually 7233.',
    );
  if (!tlsCert && !apiKey)
    return /^$|alert/i.test((await tlsFault({ ...options, rejectUnauthorized: false })) ?? '')
      ? refuse(
          'Temporal speaks TLS, and this connection does not,',
          'Set TEMPORAL_API_KEY, or TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY; or check the port in TEMPORAL_ADDRESS.',
        )
      : undefined;
  const pair = tlsCert && tlsKey ? { cert: await readFile(tlsCert), key: await readFile(tlsKey) } : {};
  const fault = await tlsFault({ ...options, ...pair });
  if (!fault) return undefined;
  if (/wrong version number|packet length too long|EPROTO.*(unknown protocol)|ECONNRESET/i.test(fault))
    return refuse(
      `Temporal speaks no TLS, and TEMPORAL_API_KEY or TEMPORAL_TLS_CERT ask for it (${fault}),`,
      'Unset them for a cluster without TLS, or check the port in TEMPORAL_ADDRESS.',
    );
  if (/alert/i.test(fault))
    return new IntakeError(
      'TEMPORAL_DENIED',
      `Temporal refuses the certificate of TEMPORAL_TLS_CERT at ${address} (${fault})`,
    );
  return refuse(
    `The certificate of Temporal is not trusted (${fault})`,
    'Check the host in TEMPORAL_ADDRESS. An authority of your own: SSL_CERT_FILE for workers, and GRPC_DEFAULT_SSL_ROOTS_FILE_PATH for all else.',
  );
}

/** @throws IntakeError CONFIG_INVALID for a pair that is none. */
export function checkCertificatePair(cert: Buffer, key: Buffer): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new IntakeError(
      'CONFIG_INVALID',
      `TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY are no certificate and its key (${reason})`,
      {
        cause,
        remedy: 'Give PEM files: the certificate, and the key that it was made with, without a passphrase.',
      },
    );
  }
}

function socketFault(place: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectSocket({ ...place, timeout: PROBE_MS });
    const end = (fault?: string) => {
      socket.destroy();
      resolve(fault);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('ETIMEDOUT'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** What a client of gRPC says first; a server of HTTP/1 answers it with an error of its own. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

function speaksHttp1(place: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ ...place, timeout: PROBE_MS }, () => socket.write(HTTP2_PREFACE, 'latin1'));
    const end = (said?: Buffer) => {
      socket.destroy();
      resolve(said?.toString('latin1', 0, 7) === 'HTTP/1.');
    };
    socket.once('data', end);
    for (const event of ['timeout', 'error', 'end']) socket.once(event, () => end());
  });
}

/** The reason of a handshake that fails, or of a server that hangs up on the certificate that it got. */
function tlsFault(options: ConnectionOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls(options);
    const end = (fault?: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(fault);
    };
    const timer = setTimeout(end, PROBE_MS, 'ETIMEDOUT');
    socket.once('secureConnect', () => setTimeout(end, VERDICT_MS));
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      end(
        code === undefined
          ? message
          : `${code}: ${(/SSL routines:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message).trim()}`,
      ),
    );
  });
}
