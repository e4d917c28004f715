/**
 * Temporal UI for names of this machine alone. The UI itself takes any Host, so a page whose name leads to this machine (DNS
 * rebinding) could start workflows through it: it listens where nobody looks, and this stands at its usual port.
 */
import { randomBytes } from 'node:crypto';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { freePort } from '../observability/freePort.ts';
import { isLoopback } from '../settings/proxy.ts';

export interface UiPlace {
  readonly host: string;
  readonly port: number;
}

/** Where the UI itself listens; another loopback address where the system has them all. */
export async function hiddenPlace(): Promise<UiPlace> {
  const [a, b, c] = randomBytes(3);
  const host = process.platform === 'linux' ? `127.${(a! % 254) + 1}.${b!}.${(c! % 254) + 1}` : '127.0.0.1';
  return { host, port: await freePort(0) };
}

/** By no proxy, whatever the environment says. */
const DIRECT = new Agent({ keepAlive: true });

/** Serves the UI of `place` on 127.0.0.1. What the UI does not answer is 502. */
export function startUiFront(port: number, place: UiPlace): Server {
  const server = createServer((incoming, answer) => {
    const { host = '', origin } = incoming.headers;
    if (!isLoopback(host) || (origin !== undefined && !isLoopback(origin.replace(/^\w+:\/\//, '')))) {
      answer.writeHead(403).end('This name is not one of this machine\n');
      return;
    }
    pass(incoming, answer, place);
  });
  server.on('error', (error) => console.error(`Temporal UI at port ${port}: ${error.message}`));
  server.listen(port, '127.0.0.1');
  return server;
}

function pass(incoming: IncomingMessage, answer: ServerResponse, { host, port }: UiPlace): void {
  const { method, url, headers } = incoming;
  const outgoing = request({ agent: DIRECT, host, port, method, path: url, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
    response.on('error', () => answer.destroy());
  });
  outgoing.on('error', () => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end('Temporal UI does not answer yet\n');
  });
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}
