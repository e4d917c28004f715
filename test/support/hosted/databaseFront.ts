/** A server in front of PostgreSQL that speaks TLS or refuses it, and answers a login as a pooler does. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Said {
  readonly code: string;
  readonly message: string;
  readonly severity?: string;
}

export interface FrontOptions {
  /** Key and certificate; without them it says that it has no TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Refuses who comes in plain text. */
  readonly tlsOnly?: Said;
}

export interface DatabaseFront {
  readonly port: number;
  /** The upstream's address with this port, and host and parameters where given. */
  url(parameters?: string, host?: string): string;
  /** Answers so many logins with this. */
  refuse(said: Said, times: number): void;
  /** Logins so far: with TLS, without. */
  readonly logins: { tls: number; plain: number };
  stop(): Promise<void>;
}

const SSL_REQUEST = 80877103;

/** ErrorResponse of the protocol. */
function errorResponse({ code, message, severity = 'FATAL' }: Said): Buffer {
  const fields = `S${severity}\0V${severity}\0C${code}\0M${message}\0\0`;
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(Buffer.byteLength(fields) + 4, 1);
  return Buffer.concat([head, Buffer.from(fields)]);
}

/** @param upstream address of the database. */
export async function startDatabaseFront(
  upstream: string,
  { tls, tlsOnly }: FrontOptions = {},
): Promise<DatabaseFront> {
  const target = new URL(upstream);
  const sockets = new Set<Socket>();
  const logins = { tls: 0, plain: 0 };
  let refused: { readonly said: Said; times: number } | undefined;

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const login = (socket: Socket, first: Buffer, encrypted: boolean): void => {
    logins[encrypted ? 'tls' : 'plain']++;
    const said = !encrypted && tlsOnly ? tlsOnly : refused && refused.times-- > 0 ? refused.said : undefined;
    if (said) return void socket.end(errorResponse(said));
    const server = connect(Number(target.port), target.hostname);
    keep(server);
    server.write(first);
    socket.pipe(server).pipe(socket);
    socket.on('close', () => server.destroy());
  };
  const server = createServer((socket) => {
    keep(socket);
    socket.once('data', (first) => {
      if (first.readInt32BE(4) !== SSL_REQUEST) return login(socket, first, false);
      if (!tls) {
        socket.write('N');
        return void socket.once('data', (next) => login(socket, next, false));
      }
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, ...tls });
      secure.on('error', () => socket.destroy());
      secure.once('data', (next) => login(secure, next, true));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    logins,
    url: (parameters = '', host = target.hostname) =>
      `postgresql://${target.username}:${target.password}@${host}:${port}${target.pathname}${parameters && `?${parameters}`}`,
    refuse: (said, times) => void (refused = { said, times }),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
