/** Routes of the gateway and what surrounds each: ids, security headers, measures, errors. */
import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { cors } from 'hono/cors';
import { matchedRoutes } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import { getAnomalies, postAlert, type AnomaliesOptions } from './routes/anomalies.ts';
import type { Dashboard } from './dashboard/dashboard.ts';
import { importProjects, type ImportOptions } from './routes/importProjects.ts';
import { openApi } from './routes/openapi.ts';
import { describeError, Problem } from './problem.ts';
import { asksForPage, type GatewayEnv } from './request.ts';
import { brokenOff, isGone } from './limits/connections.ts';

export interface AppOptions extends ImportOptions, AnomaliesOptions {
  /** Whether database and Temporal answer. */
  readonly ready: () => Promise<boolean>;
  /** Whether the gateway stops: its connections are closed with their answers. */
  readonly stopping: () => boolean;
  readonly log: Logger;
  /** Names under which it answers; any name unless given. */
  readonly isOwnName?: ((host: string) => boolean) | undefined;
  /** Pages of these may call the routes for programs. */
  readonly allowedOrigins: readonly string[];
  readonly dashboard: Dashboard;
}

/** Where runbook 003's clients post: Supabase serves functions below this path. */
const FUNCTIONS = '/functions/v1';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const CSP = "default-src 'none'; frame-ancestors 'none'";

/** What supabase-js sends with `functions.invoke`, and what a page has to read. No cookies: bearers are sent by hand. */
const browsers = (origin: readonly string[]) =>
  cors({
    origin: [...origin],
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['authorization', 'apikey', 'x-client-info', 'content-type', 'x-correlation-id', 'x-region'],
    exposeHeaders: ['x-correlation-id', 'x-correlation-id-ignored', 'retry-after', 'link', 'x-total-count'],
    maxAge: 600,
  });

/** The path as it was registered, without the ids in it. */
const routeOf = (c: Context): string => matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path ?? 'none';

export function createApp(options: AppOptions): Hono<GatewayEnv> {
  const { allowedOrigins, isOwnName = () => true, dashboard, metrics, ready, stopping, log } = options;
  const app = new Hono<GatewayEnv>();
  app.use(secureHeaders({ xFrameOptions: 'DENY', referrerPolicy: 'same-origin' }));
  app.use(async (c, next) => {
    const started = performance.now();
    const asked = c.req.header('x-correlation-id');
    const usable = asked !== undefined && UUID.test(asked);
    c.set('correlationId', usable ? asked.toLowerCase() : randomUUID());
    if (asked !== undefined) c.set('correlationAsked', asked);
    if (asked !== undefined && !usable) c.set('correlationUnused', 'not a UUID');
    await next();
    const unused = c.get('correlationUnused');
    if (unused) c.header('x-correlation-id-ignored', unused);
    if (!c.res.headers.has('content-security-policy')) c.header('content-security-policy', CSP);
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    c.header('x-correlation-id', c.get('correlationId'));
    // What is left of a body is not read.
    if (stopping() || !c.env.incoming.complete) c.header('connection', 'close');
    const { status } = c.res;
    const route = routeOf(c);
    const seconds = (performance.now() - started) / 1000;
    metrics.answered(route, status, seconds);
    const { correlationId, tenantId, rows } = c.var;
    const received = isGone(c.env.incoming) ? { received: c.env.incoming.socket.bytesRead } : {};
    log[status >= 500 ? 'warn' : 'info'](
      {
        method: c.req.method,
        route,
        status,
        tenant: tenantId,
        rows,
        ms: Math.round(seconds * 1000),
        correlationId,
        ...(unused ? { correlationIdIgnored: unused } : {}),
        ...received,
      },
      'request',
    );
  });
  // A body that cannot arrive whole any more: whoever waits for it would wait for ever.
  app.use((c, next) => Promise.race([next(), brokenOff(c.env.incoming)]));
  const answerError = (thrown: Error, c: Context<GatewayEnv>): Response => {
    const error = isGone(c.env.incoming)
      ? new Problem('CLIENT_GONE', 'The client closed the connection before its request was whole')
      : thrown;
    const { status, body } = describeError(error, c.get('correlationId'));
    if (status >= 500)
      log.error({ code: body.error.code, correlationId: c.get('correlationId'), err: error }, 'request failed');
    if (error instanceof Problem && error.retryAfter !== undefined) c.header('retry-after', String(error.retryAfter));
    if (error instanceof Problem && error.allow !== undefined) c.header('allow', error.allow);
    if (status === 401) c.header('www-authenticate', 'Bearer');
    return c.json(body, status as 400);
  };
  app.onError(answerError);
  // Not thrown: that would pass by what surrounds a route.
  const answerProblem = (problem: Problem, c: Context<GatewayEnv>) =>
    asksForPage(c) ? dashboard.fault(problem, c) : answerError(problem, c);
  app.notFound((c) => answerProblem(new Problem('NOT_FOUND', 'There is no such page'), c));
  // A page whose name leads to this machine (DNS rebinding) is no page of ours.
  app.use((c, next) =>
    isOwnName(c.req.header('host') ?? '')
      ? next().then(() => undefined)
      : Promise.resolve(answerProblem(new Problem('WRONG_HOST', 'The gateway has another name'), c)),
  );
  // No text of the database has it.
  app.use((c, next) =>
    Object.values(c.req.queries())
      .flat()
      .some((value) => value.includes('\0'))
      ? Promise.resolve(answerProblem(new Problem('INVALID_QUERY', 'A parameter holds the character NUL'), c))
      : next().then(() => undefined),
  );

  app.route('/', dashboard.routes);
  for (const root of ['', FUNCTIONS]) {
    if (allowedOrigins.length > 0)
      for (const path of ['/import-projects', '/anomalies', '/anomalies/alerts'])
        app.use(root + path, browsers(allowedOrigins));
    app.post(`${root}/import-projects`, (c) => importProjects(c, options));
    app.get(`${root}/anomalies`, (c) => getAnomalies(c, options));
    app.post(`${root}/anomalies/alerts`, (c) => postAlert(c, options));
  }
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => ((await ready()) ? c.text('ok\n') : c.text('not ready\n', 503)));
  app.get('/metrics', async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  );
  app.get('/openapi.json', (c) => c.json(openApi()));
  for (const [path, allow] of methodsOf(app)) {
    app.all(path, () => {
      throw new Problem('METHOD_NOT_ALLOWED', `This page takes ${allow}`, { allow });
    });
  }
  return app;
}

/** What each path takes, as the header Allow says it. */
function methodsOf({ routes }: Hono<GatewayEnv>): Map<string, string> {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of routes) {
    if (method === 'ALL') continue;
    const known = methods.get(path) ?? new Set();
    methods.set(path, known.add(method));
    if (method === 'GET') known.add('HEAD');
  }
  return new Map([...methods].map(([path, known]) => [path, [...known].sort().join(', ')]));
}
