/** Routes of the gateway and what surrounds each: ids, security headers, measures, errors. */
import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import { parseBatch } from './batch.ts';
import type { Bearers } from './bearers.ts';
import { withBody, type ByteBudget } from './body.ts';
import type { Merges } from './merges.ts';
import type { GatewayMetrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { describeError, Problem } from './problem.ts';

export interface AppOptions {
  readonly bearers: Bearers;
  readonly merges: Merges;
  readonly metrics: GatewayMetrics;
  readonly budget: ByteBudget;
  /** @throws Problem RATE_LIMITED. */
  readonly limitRate: (tenantId: string) => void;
  /** Whether database and Temporal answer. */
  readonly ready: () => Promise<boolean>;
  /** Whether the gateway stops: its connections are closed with their answers. */
  readonly stopping: () => boolean;
  readonly log: Logger;
}

interface Variables {
  /** From the batch, the header X-Correlation-Id, or made here. */
  correlationId: string;
  tenantId?: string;
  rows?: number;
}

export type GatewayEnv = { Bindings: HttpBindings; Variables: Variables };

/** Where runbook 003's clients post: Supabase serves functions below this path. */
const FUNCTIONS = '/functions/v1';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const seconds = (since: number): number => (performance.now() - since) / 1000;

export function createApp(options: AppOptions): Hono<GatewayEnv> {
  const { metrics, ready, stopping, log } = options;
  const app = new Hono<GatewayEnv>();
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }, xFrameOptions: 'DENY', referrerPolicy: 'no-referrer' }));
  app.use(async (c, next) => {
    const started = performance.now();
    const asked = c.req.header('x-correlation-id') ?? '';
    c.set('correlationId', UUID.test(asked) ? asked.toLowerCase() : randomUUID());
    await next();
    c.header('cache-control', 'no-store');
    c.header('x-correlation-id', c.get('correlationId'));
    if (stopping()) c.header('connection', 'close');
    const { status } = c.res;
    const route = status === 404 ? 'none' : c.req.path;
    metrics.answered(route, status, seconds(started));
    const { correlationId, tenantId, rows } = c.var;
    log[status >= 500 ? 'warn' : 'info']({ method: c.req.method, route, status, tenant: tenantId, rows, ms: Math.round(seconds(started) * 1000), correlationId }, 'request');
  });
  app.onError((error, c) => {
    const { status, body } = describeError(error, c.get('correlationId'));
    if (status >= 500) log.error({ code: body.error.code, correlationId: c.get('correlationId'), err: error }, 'request failed');
    if (error instanceof Problem && error.retryAfter !== undefined) c.header('retry-after', String(error.retryAfter));
    if (status === 401) c.header('www-authenticate', 'Bearer');
    if (status === 413) c.header('connection', 'close'); // what is left of the body is not read
    return c.json(body, status as 400);
  });
  app.notFound(() => {
    throw new Problem('NOT_FOUND', 'There is no such page');
  });

  for (const path of ['/import-projects', `${FUNCTIONS}/import-projects`]) app.post(path, (c) => importProjects(c, options));
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => ((await ready()) ? c.text('ok\n') : c.text('not ready\n', 503)));
  app.get('/metrics', async (c) => c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }));
  app.get('/openapi.json', (c) => c.json(openApi()));
  for (const path of new Set(app.routes.filter(({ method }) => method !== 'ALL').map((route) => route.path))) {
    app.all(path, () => {
      throw new Problem('METHOD_NOT_ALLOWED', 'This page has another method');
    });
  }
  return app;
}

/** POST /import-projects: nothing is read of the body before the secret is known to open a tenant. */
async function importProjects(c: Context<GatewayEnv>, { bearers, merges, metrics, budget, limitRate }: AppOptions): Promise<Response> {
  const [, secret] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  const tenantId = secret === undefined ? undefined : await bearers.tenantOf(secret);
  if (tenantId === undefined) throw new Problem('UNAUTHORIZED', 'The bearer is missing or not known');
  c.set('tenantId', tenantId);
  limitRate(tenantId);

  const batch = await withBody(c.env.incoming, tenantId, budget, (body) => {
    const started = performance.now();
    const parsed = parseBatch(body);
    if (parsed.tenantId !== tenantId) throw new Problem('UNAUTHORIZED', 'The bearer is that of another tenant', { issues: [{ path: 'tenant_id', message: 'not the tenant of the bearer' }] });
    metrics.received(parsed.rows.length, body.length, seconds(started));
    return parsed;
  });
  c.set('rows', batch.rows.length);
  if (batch.correlationId) c.set('correlationId', batch.correlationId);

  const started = performance.now();
  const merged = await merges.submit({ ...batch, correlationId: c.get('correlationId') });
  metrics.merged(merged, seconds(started));
  const { batch_id, metrics: counts } = merged.answer;
  return c.json({ batch_id, correlation_id: c.get('correlationId'), tenant_id: tenantId, metrics: counts });
}
