/** GET /anomalies and POST /anomalies/alerts of runbook 003. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { z } from 'zod';
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
}

const SEVERITIES = ['error', 'warning', 'info'] as const;
/** What Supabase's API gives at once; the newest come first. */
const MAX_ANOMALIES = 1000;

/** Two weeks, as the view of recent anomalies. */
export const querySchema = z.object({
  windowHours: z.coerce
    .number('not a number')
    .int('not a whole number')
    .min(1, 'less than 1')
    .max(336, 'more than 336')
    .default(24),
  tenant: z
    .string()
    .trim()
    .max(200, 'longer than 200 characters')
    .optional()
    .transform((tenant) => tenant || undefined),
  severity: z
    .string()
    .optional()
    .transform((list) =>
      (list ?? '')
        .split(',')
        .map((severity) => severity.trim().toLowerCase())
        .filter(Boolean),
    )
    .pipe(z.array(z.enum(SEVERITIES, `not of ${SEVERITIES.join(', ')}`))),
  stats: z
    .string()
    .optional()
    .transform((stats) => stats !== undefined && !/^(false|0|no)$/i.test(stats)),
});

/** The anomalies that the signed-in person may see, newest first, or their counts. Their token is Supabase's to judge. */
export async function getAnomalies(c: Context<GatewayEnv>, { supabase }: AnomaliesOptions): Promise<Response> {
  const user = asUser(supabase, bearerOf(c));
  const query = querySchema.safeParse(c.req.query());
  if (!query.success) {
    const issues = query.error.issues.map(({ path: [name], message }) => issueOf({ path: [name ?? ''], message }));
    throw new Problem('INVALID_QUERY', `${issues[0]!.path} is ${issues[0]!.message}`, { issues });
  }
  const { windowHours, tenant, severity, stats } = query.data;
  if (!stats) {
    const choice = {
      p_window_hours: windowHours,
      p_tenant: tenant ?? null,
      p_severity: severity.length > 0 ? severity : null,
    };
    return c.json(await user.call('fn_anomalies_for_operator', choice, { limit: MAX_ANOMALIES }));
  }
  const counts = await user.call('fn_anomalies_stats', {
    p_window_hours: windowHours,
  });
  return c.json(
    counts.filter(
      (entry) =>
        (tenant === undefined || entry.tenant_id === tenant) &&
        (severity.length === 0 || severity.includes(entry.severity)),
    ),
  );
}

/** Totals to the webhook: 202 with what was sent, 204 when there is no webhook or there are too few. */
export async function postAlert(
  c: Context<GatewayEnv>,
  { backend, alerts, supabase, metrics }: AnomaliesOptions,
): Promise<Response> {
  const token = bearerOf(c);
  if (!supabase || !isSame(token, supabase.serviceKey)) {
    // Totals are those of all tenants: roles in one of them do not open this.
    const tenants = await asUser(supabase, token).call('fn_require_operator', {});
    if (!tenants.includes('*')) throw new Problem('FORBIDDEN', 'Alerts are for operators of all tenants');
  }
  const { outcome, document } = await alertOnCount(backend, alerts).catch((error: unknown) => {
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
