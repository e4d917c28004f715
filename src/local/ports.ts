/** Ports of the embedded stack on 127.0.0.1: which are free, which answer. */
import { connect } from 'node:net';
import { freePort } from '../observability/freePort.ts';

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

const NAMES: Readonly<Record<keyof Ports, string>> = {
  temporal: 'Temporal',
  ui: 'Temporal UI',
  postgres: 'PostgreSQL',
  api: 'the Supabase API',
  metrics: 'the metrics',
  gateway: 'gateway and dashboard',
};

/** The wanted ports where they are free, else free ones of the system's choice, which is said. */
export async function choosePorts(wanted: Ports, onStep: (line: string) => void): Promise<Ports> {
  const chosen = await Promise.all(
    (Object.entries(wanted) as [keyof Ports, number][]).map(async ([name, port]) => {
      const free = await freePort(port);
      if (port !== 0 && free !== port) onStep(`Port ${port} is taken: ${NAMES[name]} at ${free}`);
      return [name, free] as const;
    }),
  );
  return Object.fromEntries(chosen) as unknown as Ports;
}

/** Whether something listens on the port. */
export const answers = async (port: number): Promise<boolean> => (await probe(port)) !== undefined;

/** `starting`: it is there and takes no connections yet, as during its recovery from a crash. */
export type PostgresState = 'accepts' | 'starting' | 'down';

/** What PostgreSQL says on a port: it asks for authentication once it takes connections, and refuses while it starts or ends. */
export async function postgresState(port: number): Promise<PostgresState> {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + parameters.length, 0);
  startup.writeInt32BE(196_608, 4); // protocol 3.0
  const answer = (await probe(port, Buffer.concat([startup, parameters]))) ?? '';
  if (answer.startsWith('R')) return 'accepts';
  return answer.startsWith('E') && answer.includes('C57P03') ? 'starting' : 'down';
}

/** What the port answers to a request, or an empty text once it is connected; undefined: nothing does. */
function probe(port: number, request?: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (answer: string | undefined): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(2000, () => finish(undefined));
    socket.once('error', () => finish(undefined));
    socket.once('close', () => resolve(undefined));
    socket.once('connect', () => (request ? socket.write(request) : finish('')));
    socket.once('data', (data: Buffer) => finish(data.toString('latin1')));
  });
}
