/** Ports of the embedded stack on 127.0.0.1: which are free, which answer. */
import { connect, createServer } from 'node:net';

export interface Ports {
  readonly temporal: number;
  readonly ui: number;
  readonly postgres: number;
  readonly api: number;
  /** The worker's metrics. */
  readonly metrics: number;
  readonly gateway: number;
}

export const USUAL_PORTS: Ports = {
  temporal: 7233,
  ui: 8233,
  postgres: 54322,
  api: 54321,
  metrics: 9464,
  gateway: 8787,
};

/** The wanted ports where they are free, else free ones of the system's choice. */
export async function choosePorts(wanted: Ports): Promise<Ports> {
  const chosen = await Promise.all(
    Object.entries(wanted).map(async ([name, port]) => [name, await freePort(port as number)]),
  );
  return Object.fromEntries(chosen) as Ports;
}

/** The wanted port if it is free, else a free one; 0 is any. */
export function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      if (taken && wanted !== 0) resolve(freePort(0));
      else reject(error);
    });
    server.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });
}

/** Whether something listens on the port. */
export function answers(port: number): Promise<boolean> {
  return probe(port);
}

/** Whether PostgreSQL takes connections: it asks for authentication instead of refusing while it starts or recovers. */
export function postgresAccepts(port: number): Promise<boolean> {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + parameters.length, 0);
  startup.writeInt32BE(196_608, 4); // protocol 3.0
  return probe(port, Buffer.concat([startup, parameters]), 'R');
}

function probe(port: number, request?: Buffer, expected?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (result: boolean): void => {
      resolve(result);
      socket.destroy();
    };
    socket.setTimeout(2000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => (request ? socket.write(request) : finish(true)));
    socket.once('data', (data: Buffer) => finish(data.toString('latin1', 0, 1) === expected));
  });
}
