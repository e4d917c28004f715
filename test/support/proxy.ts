/** An HTTP proxy as a company has it: it opens tunnels to the hosts it knows and refuses everything else. */
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

export interface Proxy {
  /** Variables of an environment that uses it. */
  readonly env: Record<string, string>;
  /** `host:port` of every tunnel that was asked for. */
  readonly asked: readonly string[];
  close(): void;
}

/** @param known ports of this machine by the `host:port` that they are asked for as. */
export async function startProxy(known: Readonly<Record<string, number>> = {}): Promise<Proxy> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(403).end();
  });
  server.on('connect', (request, socket, head) => {
    asked.push(request.url ?? '');
    const port = known[request.url ?? ''];
    if (port === undefined) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    for (const end of [socket, target]) end.on('error', () => void (socket.destroy(), target.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { http_proxy: url, https_proxy: url, NODE_USE_ENV_PROXY: '1' },
    asked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
