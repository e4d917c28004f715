/** Ports of 127.0.0.1 that nobody listens on. */
import { createServer } from 'node:net';

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
