/** What becomes of connections whose request has not arrived whole: when it is answered early, and when the gateway stops. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** What an answered client may go on sending, to be thrown away. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

/** @returns a function that ends the connections on which no whole request waits for its answer. */
export function watchConnections(server: Server): () => void {
  const requests = new Map<Socket, IncomingMessage | undefined>();
  server.on('connection', (socket: Socket) => {
    requests.set(socket, undefined);
    socket.once('close', () => requests.delete(socket));
    // Called by the server when an answer has said `Connection: close`.
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      const request = requests.get(socket);
      if (request && !request.complete) linger(socket, request);
      else destroySoon();
    };
  });
  // Ahead of the listener that answers.
  server.prependListener('request', (request, response) => {
    const { socket } = request;
    requests.set(socket, request);
    response.once('close', () => requests.has(socket) && requests.set(socket, undefined));
  });
  return () => {
    for (const [socket, request] of requests) if (!request?.complete) socket.destroy();
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
