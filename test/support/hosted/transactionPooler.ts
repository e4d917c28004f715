/** A pooler in transaction mode: each transaction of a client goes to the next of two connections, whatever was prepared where. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import pg from 'pg';

/** The bytes of one message each, with its type; what is incomplete is kept for the next call. */
function framer(): (data: Buffer) => { readonly type: string; readonly bytes: Buffer }[] {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const found = [];
    while (rest.length >= 5 && rest.length >= rest.readInt32BE(1) + 1) {
      const length = rest.readInt32BE(1) + 1;
      found.push({ type: String.fromCharCode(rest[0]!), bytes: rest.subarray(0, length) });
      rest = rest.subarray(length);
    }
    return found;
  };
}

interface Server {
  readonly stream: Socket;
  client: ((bytes: Buffer) => void) | undefined;
}

export interface TransactionPooler {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param upstream address of the database. */
export async function startTransactionPooler(upstream: string): Promise<TransactionPooler> {
  const logins = [1, 2].map(() => new pg.Client({ connectionString: upstream }));
  const servers: Server[] = [];
  for (const client of logins) {
    client.on('error', () => undefined);
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    stream.removeAllListeners('data');
    const server: Server = { stream, client: undefined };
    stream.on('data', (data) => server.client?.(data));
    servers.push(server);
  }
  const waiting: (() => void)[] = [];
  const sockets = new Set<Socket>();

  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    socket.once('data', () => {
      // AuthenticationOk, ReadyForQuery
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]));
      const frames = framer();
      let held: Server | undefined;
      let unanswered = 0;
      const queue: Buffer[] = [];
      const flush = (): void => {
        if (!held) return;
        for (const bytes of queue.splice(0)) held.stream.write(bytes);
      };
      const take = (): void => {
        const free = servers.findIndex(({ client }) => client === undefined);
        if (free < 0) return void waiting.push(take);
        [held] = servers.splice(free, 1) as [Server];
        servers.push(held); // the next transaction takes the other one
        const answers = framer();
        held.client = (data) => {
          for (const { type, bytes } of answers(data)) {
            socket.write(bytes);
            if (type !== 'Z') continue;
            unanswered--;
            if (unanswered > 0 || bytes[5] !== 0x49) continue; // within a transaction
            held!.client = undefined;
            held = undefined;
            waiting.shift()?.();
          }
        };
        flush();
      };
      socket.on('close', () => {
        if (!held) return;
        const left = held; // its client is gone within a transaction
        const answers = framer();
        left.client = (data) => {
          if (!answers(data).some(({ type, bytes }) => type === 'Z' && bytes[5] === 0x49)) return;
          left.client = undefined;
          waiting.shift()?.();
        };
        left.stream.write(Buffer.from('Q\0\0\0\x0drollback\0', 'latin1'));
      });
      socket.on('data', (data) => {
        for (const { type, bytes } of frames(data)) {
          if (type === 'X') return void socket.end();
          if ('QSF'.includes(type)) unanswered++;
          queue.push(bytes);
          if (!held && queue.length === 1) take();
        }
        flush();
      });
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    url: `postgresql://anybody:any@127.0.0.1:${port}/any`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      for (const { stream } of servers) stream.destroy();
      await new Promise((done) => listener.close(done));
    },
  };
}
