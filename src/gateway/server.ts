/** Composition root of the gateway: connections, routes, and a server that slow and large requests do not bring down. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { openBackends } from '../backends/open.ts';
import type { Config } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { connectTemporal } from '../imports.ts';
import { flushTraces } from '../traces.ts';
import { createApp } from './app.ts';
import { createBearers, type Bearer } from './bearers.ts';
import { createByteBudget } from './body.ts';
import { createMerges } from './merges.ts';
import { createGatewayMetrics } from './metrics.ts';
import { createRateLimiter, USUAL_RATE, type RateLimit } from './rateLimit.ts';

export interface GatewayOptions {
  readonly rate?: RateLimit;
  /** See MergesOptions. */
  readonly patienceMs?: number;
  readonly heartbeatSeconds?: number;
  /** How long a request may take to arrive whole, milliseconds. */
  readonly requestMs?: number;
}

export interface RunningGateway {
  /** Without a slash at its end. */
  readonly url: string;
  /** Takes no more requests, lets those that run end, then closes. */
  shutdown(): Promise<void>;
}

/** Bytes of bodies that are held at once. */
const BODIES = 256 * 1024 * 1024;
const SOCKETS = 2048;
const HEAD_MS = 10_000;
const REQUEST_MS = 30_000;
const READY_MS = 2_000;
/** Longer than a request waits for its merge. */
const DRAIN_MS = 120_000;
/** For requests that are still arriving when the gateway stops: a closed server does not time them out. */
const CUT_MS = 2_000;

/** @throws IntakeError TEMPORAL_UNAVAILABLE, CONFIG_INVALID, also for a taken port. */
export async function startGateway(config: Config, log: Logger, options: GatewayOptions = {}): Promise<RunningGateway> {
  const { rate = USUAL_RATE, requestMs = REQUEST_MS, ...waits } = options;
  const backends = openBackends(config);
  const backend = backends.get(config.backend);
  const client = await connectTemporal(config);
  const { connection } = client;
  const readBearers = async (): Promise<Bearer[]> => {
    const rows = await backend.call<{ tenant_id: string; bearer_sha256: string; expires_at: string | null }[]>('live_bearers', {});
    return rows.map(({ tenant_id, bearer_sha256, expires_at }) => (
      { tenantId: tenant_id, sha256: bearer_sha256, ...(expires_at === null ? {} : { expiresAt: Date.parse(expires_at) }) }));
  };
  const ready = (): Promise<boolean> => Promise.race([
    Promise.all([readBearers(), connection.withDeadline(Date.now() + READY_MS, () => connection.workflowService.getSystemInfo({}))]).then(() => true, () => false),
    new Promise<boolean>((resolve) => setTimeout(resolve, READY_MS, false).unref()),
  ]);

  let stopping = false;
  const app = createApp({
    bearers: createBearers(config.projectsBearers, readBearers),
    merges: createMerges({ client, backend, taskQueue: config.taskQueue, log, ...waits }),
    metrics: createGatewayMetrics(),
    budget: createByteBudget(BODIES),
    limitRate: createRateLimiter(rate),
    ready, log,
    stopping: () => stopping,
  });
  const server = createServer(
    { headersTimeout: Math.min(HEAD_MS, requestMs), requestTimeout: requestMs, keepAliveTimeout: 5_000, connectionsCheckingInterval: 500 },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.maxConnections = SOCKETS;
  const close = async (): Promise<void> => {
    await Promise.all([connection.close(), backends.close(), flushTraces()]);
  };
  try {
    await listen(server, config);
  } catch (error) {
    await close();
    throw error;
  }
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  log.info({ url }, 'gateway started');
  const cutUnfinished = trackUnfinished(server);
  const drain = async (): Promise<void> => {
    stopping = true;
    const cut = setTimeout(cutUnfinished, CUT_MS);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearTimeout(cut);
    clearTimeout(force);
    await close();
  };
  let drained: Promise<void> | undefined;
  return { url, shutdown: () => (drained ??= drain()) };
}

/** @returns a function that ends the connections on which no whole request waits for its answer. */
function trackUnfinished(server: Server): () => void {
  const requests = new Map<Socket, IncomingMessage | undefined>();
  server.on('connection', (socket: Socket) => {
    requests.set(socket, undefined);
    socket.once('close', () => requests.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    requests.set(socket, request);
    response.once('close', () => requests.has(socket) && requests.set(socket, undefined));
  });
  return () => {
    for (const [socket, request] of requests) if (!request?.complete) socket.destroy();
  };
}

function listen(server: Server, { gateway }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new IntakeError('CONFIG_INVALID', `INTAKE_PORT: ${gateway.host}:${gateway.port} cannot be used (${cause.code})`, { cause, remedy: 'Choose another INTAKE_PORT.' }));
    });
    server.listen(gateway, resolve);
  });
}
