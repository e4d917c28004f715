/** What becomes of connections whose request has not arrived whole: when it is answered early, cannot arrive any more, and when the gateway stops. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Problem } from '../problem.ts';

/** What an answered client may go on sending, to be thrown away. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/** Reset, or ended within a request. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);

interface Open {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const breaks = new WeakMap<IncomingMessage, PromiseWithResolvers<never>>();

function breakOf(request: IncomingMessage): PromiseWithResolvers<never> {
  const known = breaks.get(request);
  if (known) return known;
  const made = Promise.withResolvers<never>();
  made.promise.catch(() => undefined); // there may be nobody who waits
  breaks.set(request, made);
  return made;
}

/** Rejects with the reason when the rest of a request cannot arrive: it took too long, or is not HTTP. */
export const brokenOff = (request: IncomingMessage): Promise<never> => breakOf(request).promise;

/** Whether the client closed the connection before its request was whole. */
export const isGone = (request: IncomingMessage): boolean => request.destroyed && !request.complete;

/**
 * @param refuse answers on a connection without a request that a handler knows, then closes it.
 * @returns a function that ends the connections on which no whole request waits for its answer.
 */
export function watchConnections(
  server: Server,
  problemOf: (error: NodeJS.ErrnoException) => Problem,
  refuse: (socket: Socket, problem: Problem) => void,
): () => void {
  const requests = new Map<Socket, Open | undefined>();
  server.on('connection', (socket: Socket) => {
    requests.set(socket, undefined);
    socket.once('close', () => requests.delete(socket));
    // Called by the server when an answer has said `Connection: close`.
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      const open = requests.get(socket);
      if (open && !open.request.complete) linger(socket, open.request);
      else destroySoon();
    };
  });
  // Ahead of the listener that answers.
  server.prependListener('request', (request, response) => {
    const { socket } = request;
    requests.set(socket, { request, response });
    response.once('close', () => requests.has(socket) && requests.set(socket, undefined));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const open = requests.get(socket);
    if (!socket.writable || GONE.has(error.code ?? '') || socket.bytesRead === 0) {
      socket.destroy();
    } else if (!open) {
      refuse(socket, problemOf(error));
    } else if (open.request.complete) {
      open.response.once('close', () => refuse(socket, problemOf(error)));
    } else {
      breakOf(open.request).reject(problemOf(error));
    }
  });
  return () => {
    for (const [socket, open] of requests) if (!open?.request.complete) socket.destroy();
  };
}

/** Closing at once would reset the connection while the client still sends, and the answer would be lost to it. */
function linger(socket: Socket, request: IncomingMessage): void {
  const end = (): void => {
    socket.destroy();
  };
  const late = setTimeout(end, LINGER_MS);
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) end();
  });
  request.once('end', end);
  socket.once('end', end).once('close', () => clearTimeout(late));
  socket.end();
  request.resume();
}
