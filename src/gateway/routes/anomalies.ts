/** GET /anomalies and POST /anomalies/alerts of runbook 003. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { alertOnCount } from '../../anomalies/alert.ts';
import type { Backend } from '../../database/backend.ts';
import type { AlertsConfig, SupabaseConfig } from '../../config.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { issueOf, Problem } from '../problem.ts';
import type { GatewayEnv } from '../request.ts';
import { asUser } from '../userClient.ts';

export interface AnomaliesOptions {
  readonly backend: Backend;
  readonly alerts: AlertsConfig;
  /** Undefined: nobody can sign in, and there is no service key. */
  readonly supabase: SupabaseConfig | undefined;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

const SEVERITIES = ['error', 'warning', 'info'] as const;
/** What Supabase's API gives at once. */
const MAX_ANOMALIES = 1000;
/** Of a page: rank, time, row and id of its last anomaly. */
export const CURSOR = /^[123]_-?\d{1,12}(\.\d{1,6})?_\d{1,9}_[0-9a-f-]{36}$/;

/** Decimal digits; `0x10` and `1e1` are none. */
const whole = (most: number, usual: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\s*\d{1,9}\s*$/, 'not a whole number'),
      v.transform(Number),
      v.minValue(1, 'less than 1'),
      v.maxValue(most, `more than ${most}`),
    ),
    String(usual),
  );
const text = v.pipe(v.string(), v.trim(), v.maxLength(200, 'longer than 200 characters'));

/** Two weeks, as the view of recent anomalies. */
const querySchema = v.object({
  windowHours: whole(336, 24),
  tenant: v.optional(text, ''),
  severity: v.optional(
    v.pipe(
      v.string(),
      v.transform((list) =>
        list
          .split(',')
          .map((severity) => severity.trim().toLowerCase())
          .filter(Boolean),
      ),
      v.array(v.picklist(SEVERITIES, `not of ${SEVERITIES.join(', ')}`)),
    ),
    '',
  ),
  stats: v.optional(
    v.pipe(
      v.string(),
      v.transform((stats) => !/^(false|0|no)$/i.test(stats)),
    ),
    'false',
  ),
  limit: whole(MAX_ANOMALIES, MAX_ANOMALIES),
  after: v.optional(v.pipe(text, v.regex(CURSOR, 'not the next of a page'))),
});
const KNOWN = Object.keys(querySchema.entries);
/** They may come more than once: then they mean all of it. */
const LISTS: ReadonlySet<string> = new Set(['severity']);

function readQuery(c: Context<GatewayEnv>): v.InferOutput<typeof querySchema> {
  const given = c.req.queries();
  const issues = Object.entries(given).flatMap(([name, values]) =>
    !KNOWN.includes(name)
      ? [{ path: name.slice(0, 50), message: `not known; known are ${KNOWN.join(', ')}` }]
      : values.length > 1 && !LISTS.has(name)
        ? [{ path: name, message: 'given more than once' }]
        : [],
  );
  const query = v.safeParse(
    querySchema,
    Object.fromEntries(KNOWN.flatMap((name) => (given[name] ? [[name, given[name].join(',')]] : []))),
    { abortPipeEarly: true },
  );
  if (query.success && issues.length === 0) return query.output;
  issues.push(...(query.issues ?? []).map(({ path, message }) => issueOf({ path: path && [path[0]], message })));
  throw new Problem('INVALID_QUERY', `${issues[0]!.path} is ${issues[0]!.message}`, { issues: issues.slice(0, 20) });
}

/**
 * The anomalies that the signed-in person may see, the worst first, or their counts. Their token is Supabase's to judge. An array, as
 * runbook 003 has it: the link to the next page and the total are headers.
 */
export async function getAnomalies(c: Context<GatewayEnv>, { supabase }: AnomaliesOptions): Promise<Response> {
  const user = asUser(supabase, bearerOf(c));
  const { windowHours, tenant, severity, stats, limit, after } = readQuery(c);
  if (!stats) {
    const { anomalies, next, total } = await user.call('fn_anomalies_page', {
      p_window_hours: windowHours,
      p_tenant: tenant || null,
      p_severity: severity.length > 0 ? severity : null,
      p_limit: limit,
      p_after: after ?? null,
    });
    c.header('x-total-count', String(total));
    if (next !== null) {
      const query = new URLSearchParams(c.req.url.split('?')[1] ?? '');
      query.set('after', next);
      c.header('link', `<?${query}>; rel="next"`);
    }
    return c.json(anomalies);
  }
  const counts = await user.call('fn_anomalies_stats', { p_window_hours: windowHours });
  return c.json(
    counts
      .filter(
        (entry) =>
          (!tenant || entry.tenant_id === tenant) && (severity.length === 0 || severity.includes(entry.severity)),
      )
      .map((entry) => ({ ...entry, most_recent: new Date(entry.most_recent).toISOString() })),
  );
}

/** Totals to the webhook: 202 with what was sent, 204 when there is no webhook or there are too few. */
export async function postAlert(
  c: Context<GatewayEnv>,
  { backend, alerts, supabase, metrics, log }: AnomaliesOptions,
): Promise<Response> {
  const token = bearerOf(c);
  if (!supabase || !isSame(token, supabase.serviceKey)) {
    // Totals are those of all tenants: roles in one of them do not open this.
    const tenants = await asUser(supabase, token).call('fn_require_operator', {});
    if (!tenants.includes('*')) throw new Problem('FORBIDDEN', 'Alerts are for operators of all tenants');
  }
  const { outcome, document } = await alertOnCount(backend, alerts, { log }).catch((error: unknown) => {
    metrics.alerted('failed');
    throw error;
  });
  metrics.alerted(outcome);
  return outcome === 'sent' ? c.json(document, 202) : c.body(null, 204);
}

function bearerOf(c: Context<GatewayEnv>): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  if (token === undefined)
    throw new Problem('UNAUTHORIZED', 'No token', {
      remedy: 'Send the access token of a signed-in person: Authorization: Bearer <token>.',
    });
  return token;
}

/** In the same time, whatever they have in common. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
