/**
 * gateway/: The HTTP program. It has no rule about rows: `sources/projects` has it.
 *
 * Composition root of the gateway: connections, routes, and a server that slow and large requests do not bring down.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { isLoopback } from '../settings/proxy.ts';
import { openBackends } from '../database/backends/open.ts';
import type { Config } from '../config.ts';
import { IntakeError } from '../errors.ts';
import { connectTemporal } from '../temporal/connect.ts';
import { flushTraces } from '../observability/traces.ts';
import { createApp } from './app.ts';
import { createBearers, type StoredTenants } from './limits/bearers.ts';
import { createByteBudget } from './limits/budget.ts';
import { watchConnections } from './limits/connections.ts';
import { createDashboard } from './dashboard/dashboard.ts';
import { targetText } from '../settings/target.ts';
import { createMerges } from './routes/merges.ts';
import { createGatewayMetrics } from './metrics.ts';
import { createRateLimiter, USUAL_RATE, type RateLimit } from './limits/rateLimit.ts';
import { createRefusals, problemOf } from './refusals.ts';
import { createBatchReader } from './routes/sameBody.ts';
import pLimit from 'p-limit';

export interface GatewayOptions {
  readonly rate?: RateLimit;
  /** See MergesOptions. */
  readonly patienceMs?: number;
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
const BODIES = 128 * 1024 * 1024;
/** Batches between body and database at a time. */
const BATCHES = 4;
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
  const backends = await openBackends(config);
  const backend = backends.get(config.backend);
  const client = await connectTemporal(config);
  const { connection } = client;
  const readTenants = async (): Promise<StoredTenants> => {
    const [rows, dateOrders] = await Promise.all([backend.call('live_bearers', {}), backend.call('date_orders', {})]);
    const bearers = rows.map(({ tenant_id, bearer_sha256, expires_at }) => ({
      tenantId: tenant_id,
      sha256: bearer_sha256,
      ...(expires_at === null ? {} : { expiresAt: Date.parse(expires_at) }),
    }));
    return { bearers, dateOrders };
  };
  const ready = (): Promise<boolean> =>
    Promise.race([
      Promise.all([
        readTenants(),
        connection.withDeadline(Date.now() + READY_MS, () => connection.workflowService.getSystemInfo({})),
      ]).then(
        () => true,
        () => false,
      ),
      new Promise<boolean>((resolve) => setTimeout(resolve, READY_MS, false).unref()),
    ]);

  let stopping = false;
  const metrics = createGatewayMetrics();
  const reader = createBatchReader();
  const app = createApp({
    bearers: createBearers(config.projectsBearers, readTenants),
    reader,
    merges: createMerges({
      ...{ client, backend, taskQueue: config.taskQueue, target: targetText(config), log },
      onMerged: metrics.counted,
      ...waits,
    }),
    metrics,
    budget: createByteBudget(BODIES),
    slots: pLimit(BATCHES),
    limitRate: createRateLimiter(rate),
    backend,
    alerts: config.alerts,
    allowedOrigins: config.allowedOrigins,
    isOwnName: config.environment === 'embedded' ? isLoopback : undefined,
    supabase: config.supabase,
    ready,
    log,
    dashboard: createDashboard({ config, client, backends, log, stopping: () => stopping }),
    stopping: () => stopping,
  });
  const server = createServer(
    {
      headersTimeout: Math.min(HEAD_MS, requestMs),
      requestTimeout: requestMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 500,
      requireHostHeader: false, // refused below, with words
    },
    getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      autoCleanupIncoming: false,
      errorHandler: () => refusals.refusal(),
    }),
  );
  const refusals = createRefusals(server, metrics, log);
  server.maxConnections = SOCKETS;
  const close = async (): Promise<void> => {
    await Promise.all([connection.close(), backends.close(), reader.close(), flushTraces()]);
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
  const cutUnfinished = watchConnections(server, problemOf, refusals.refuse);
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

function listen(server: Server, { gateway }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new IntakeError(
          'CONFIG_INVALID',
          `INTAKE_PORT: ${gateway.host}:${gateway.port} cannot be used (${cause.code})`,
          { cause, remedy: 'Choose another INTAKE_PORT.' },
        ),
      );
    });
    server.listen(gateway, resolve);
  });
}
