/** A server in front of the embedded API that answers as the hosted one does when something is wrong, and else passes requests on. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a client gets instead of the upstream's answer. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | object;
  /** The connection is reset: before an answer, or in the middle of the upstream's. */
  readonly reset?: 'before' | 'within';
  /** The upstream's body, cut to half of its length, ends as if it were whole. */
  readonly cut?: boolean;
  /** Milliseconds before any of it. */
  readonly after?: number;
}

export interface Fault {
  readonly path: RegExp;
  readonly method?: string;
  readonly answer: Answer;
  /** How often; then requests pass. Without it always. */
  readonly times?: number;
  /** Whether the request takes effect before the answer is lost. */
  readonly effect?: boolean;
}

export interface FaultServer {
  readonly url: string;
  /** What is wrong from now on, in place of what was; counts begin anew. */
  set(...faults: Fault[]): void;
  /** How often each fault was given. */
  given(): number[];
  stop(): Promise<void>;
}

/** @param upstream address of the API. */
export async function startFaultServer(upstream: string): Promise<FaultServer> {
  let faults: { readonly fault: Fault; given: number }[] = [];

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const met = faults.find(
      ({ fault, given }) =>
        fault.path.test(url) &&
        (fault.method ?? method) === method &&
        given < (fault.times ?? Number.POSITIVE_INFINITY),
    );
    if (met) met.given++;
    const answer = met?.fault.answer;
    if (answer?.after) await sleep(answer.after);
    if (answer?.reset === 'before') return void request.socket.resetAndDestroy();
    const passes = !answer || met?.fault.effect || answer.reset === 'within' || answer.cut;
    const real = passes ? await pass(upstream, request, Buffer.concat(chunks)) : undefined;
    if (!answer) return void response.writeHead(real!.status, real!.headers).end(real!.body);
    if (answer.reset === 'within' || answer.cut) {
      const { status, headers, body } = real!;
      const half = body.subarray(0, Math.floor(body.length / 2));
      if (answer.cut) return void response.writeHead(status, { ...headers, 'content-length': half.length }).end(half);
      response.writeHead(status, { ...headers, 'content-length': body.length });
      response.write(half);
      await sleep(20); // so that the head arrives
      return void request.socket.resetAndDestroy();
    }
    const { status = 200, headers = {}, body = '' } = answer;
    const type = typeof body === 'string' ? 'text/html' : 'application/json';
    response
      .writeHead(status, { 'content-type': type, ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (...next) => void (faults = next.map((fault) => ({ fault, given: 0 }))),
    given: () => faults.map(({ given }) => given),
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const HOP = new Set([
  'connection',
  'host',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'content-encoding',
  'expect',
]);
const withoutHop = (headers: Iterable<[string, string]>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => !HOP.has(name.toLowerCase())));

async function pass(upstream: string, request: IncomingMessage, body: Buffer) {
  const { method = 'GET', url = '/', headers } = request;
  const sent = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const response = await fetch(`${upstream}${url}`, {
    method,
    headers: withoutHop(sent),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    headers: { ...withoutHop(response.headers.entries()), 'content-length': bytes.length },
    body: response.status === 204 ? Buffer.alloc(0) : bytes,
  };
}
