/** `GET /metrics` for Prometheus and `GET /healthz`, on the address that was configured. */
import { createServer } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { ListenAddress } from '../config.ts';

/** How often a taken address is tried again: the former worker may be ending still. */
const AGAIN_MS = 5_000;
const CORE_MS = 2_000;

export interface MetricsServerOptions {
  readonly address: ListenAddress;
  readonly registry: Registry;
  /** Port of 127.0.0.1 on which Temporal's SDK shows its own metrics; they stand on the same page. */
  readonly corePort: number;
  readonly healthy: () => boolean;
  readonly log: Logger;
}

export interface MetricsServer {
  close(): Promise<void>;
}

/** A taken address does not keep a worker from working: it is tried again until it is free. */
export function serveMetrics({ address, registry, corePort, healthy, log }: MetricsServerOptions): MetricsServer {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? '' : body);
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, 'text/plain', 'only GET\n');
    else if (path === '/healthz') answer(healthy() ? 200 : 503, 'text/plain', healthy() ? 'ok\n' : 'stopping\n');
    else if (path === '/metrics') {
      Promise.all([registry.metrics(), coreMetrics(corePort)]).then(
        (pages) => answer(200, registry.contentType, pages.join('')),
        (err) => {
          log.warn({ err }, 'metrics could not be collected');
          answer(500, 'text/plain', 'metrics could not be collected\n');
        },
      );
    } else answer(404, 'text/plain', 'see /metrics and /healthz\n');
  });
  let again: NodeJS.Timeout | undefined;
  let told = false;
  const listen = () => server.listen(address);
  server.on('listening', () => log.info(address, 'metrics are served'));
  server.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (!told) log.warn({ ...address, code }, 'metrics: the address cannot be used; it is tried again');
    told = true;
    again = setTimeout(listen, AGAIN_MS).unref();
  });
  listen();
  return {
    async close() {
      clearTimeout(again);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Empty when they cannot be had: ours are shown then. */
async function coreMetrics(port: number): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(CORE_MS) });
    return response.ok ? await response.text() : '';
  } catch {
    return '';
  }
}
