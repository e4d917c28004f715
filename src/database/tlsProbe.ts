/** What a server says about TLS to whoever asks: whether it speaks it, and the certificate that it shows. */
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';

const PROBE_MS = 5_000;
/** The message by which a client of PostgreSQL asks for TLS; the answer is one letter. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = 'S'.charCodeAt(0);

/** Whether a PostgreSQL server or pooler speaks TLS. One that does not answer is asked again by the connection, which says why. */
export const offersTls = (host: string, port: number): Promise<boolean> =>
  probe<boolean>(host, port, (_, answer, end) => end(answer === YES)).then((offered) => offered ?? false);

/** Holder, issuer and end of the certificate that it shows; undefined when it shows none. */
export const shownCertificate = (host: string, port: number): Promise<string | undefined> =>
  probe<string>(host, port, (socket, answer, end) => {
    if (answer !== YES) return end(undefined);
    const secure = connectTls({ socket, rejectUnauthorized: false, ...(isIP(host) ? {} : { servername: host }) });
    secure.on('error', () => end(undefined));
    secure.once('secureConnect', () => end(described(secure.getPeerCertificate())));
  });

function probe<T>(
  host: string,
  port: number,
  ask: (socket: Socket, answer: number | undefined, end: (found: T | undefined) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port });
    const end = (found?: T) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(end, PROBE_MS);
    for (const event of ['error', 'close']) socket.once(event, () => end());
    socket.once('connect', () => socket.write(SSL_REQUEST));
    socket.once('data', (data) => ask(socket, data[0], end));
  });
}

function described({ subject, issuer, subjectaltname, valid_to }: PeerCertificate): string | undefined {
  const first = (name: string | string[] | undefined): string => [name ?? '?'].flat()[0] as string;
  return (
    subject &&
    `of ${subjectaltname ?? first(subject.CN)}, issued by ${first(issuer?.CN ?? issuer?.O)}, valid until ${valid_to}`
  );
}
