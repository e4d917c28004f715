/** Answers to what never becomes a request of a handler: the server itself refuses it, in the gateway's words. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { GatewayMetrics } from './metrics.ts';
import { describeError, Problem, type ProblemCode } from './problem.ts';

const BY_CODE: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request did not arrive whole in time'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['PAYLOAD_TOO_LARGE', 'The chunk extensions are too large'],
};

/** What is wrong with a connection, from the error that Node's server gives. */
export function problemOf({ code = '' }: NodeJS.ErrnoException): Problem {
  const [known, message] = BY_CODE[code] ?? ['MALFORMED_REQUEST', 'The request is not HTTP as its headers announce it'];
  return new Problem(known, message);
}

export interface Refusals {
  /** Writes the answer to a connection without a request, and closes it. */
  refuse(socket: Socket, problem: Problem): void;
  /** The answer to a request whose address or host cannot be read. */
  refusal(): Response;
}

/** Each refusal is counted and logged as the answers of handlers are. */
export function createRefusals(server: Server, metrics: GatewayMetrics, log: Logger): Refusals {
  const say = (problem: Problem): { status: number; body: string; headers: Record<string, string> } => {
    const correlationId = randomUUID();
    const { status, body } = describeError(problem, correlationId);
    metrics.answered('none', status, 0);
    log.info({ route: 'none', status, code: problem.code, correlationId }, 'request refused');
    return {
      status,
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-correlation-id': correlationId,
        connection: 'close',
      },
    };
  };
  server.on('checkExpectation', (_request, response) => {
    const { status, body, headers } = say(new Problem('EXPECTATION_FAILED', 'This Expect is not known'));
    response.writeHead(status, headers).end(body);
  });
  return {
    refuse(socket, problem) {
      if (!socket.writable) return void socket.destroy();
      const { status, body, headers } = say(problem);
      const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body) }).map(
        ([name, value]) => `${name}: ${value}\r\n`,
      );
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    },
    refusal() {
      const { status, body, headers } = say(new Problem('MALFORMED_REQUEST', 'The host or the address is not valid'));
      return new Response(body, { status, headers });
    },
  };
}
