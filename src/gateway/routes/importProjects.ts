/**
 * gateway/routes/: Runbook 003 over HTTP: batches, anomalies, alerts, and their description.
 *
 * POST /import-projects of runbook 003.
 */
import type { Context } from 'hono';
import type { Backend } from '../../database/backend.ts';
import type { Bearers } from '../limits/bearers.ts';
import { withBody } from './body.ts';
import type { ByteBudget } from '../limits/budget.ts';
import type { Merges } from './merges.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { Problem } from '../problem.ts';
import type { GatewayEnv } from '../request.ts';
import type { BatchReader } from './sameBody.ts';
import type { LimitFunction } from 'p-limit';
import { projects } from '../../kinds/projects.ts';

export interface ImportOptions {
  readonly bearers: Bearers;
  /** @throws Problem RATE_LIMITED. */
  readonly limitRate: (tenantId: string) => void;
  readonly budget: ByteBudget;
  /** For batches on their way from a body to the database: rows take several times the memory of their bytes. */
  readonly slots: LimitFunction;
  readonly reader: BatchReader;
  readonly merges: Merges;
  readonly backend: Backend;
  readonly metrics: GatewayMetrics;
}

/** Nothing is read of the body before the secret is known to open a tenant. */
export async function importProjects(
  c: Context<GatewayEnv>,
  { bearers, limitRate, budget, slots, reader, merges, metrics, backend }: ImportOptions,
): Promise<Response> {
  const [, secret] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  const tenantId = secret === undefined ? undefined : await bearers.tenantOf(secret);
  if (tenantId === undefined) throw new Problem('UNAUTHORIZED', 'The bearer is missing or not known');
  c.set('tenantId', tenantId);
  limitRate(tenantId);
  const order = (await bearers.dateOrderOf(tenantId)) ?? projects.dateOrder;

  const { submitted, started, ignoredFields, remarks, requestBatchId } = await withBody(
    c.env.incoming,
    budget.hold(tenantId),
    async (body) => {
      const began = performance.now();
      // Before a slot is taken: bodies of a tenant wait for each other, and nobody else for them.
      const batch = await reader.read(tenantId, body, order, (id) => useCorrelation(c, id));
      metrics.received(batch.rowCount, body.length, (performance.now() - began) / 1000);
      c.set('rows', batch.rowCount);
      return slots(async () => ({
        ignoredFields: batch.ignoredFields,
        remarks: batch.remarks,
        requestBatchId: batch.batchId,
        started: performance.now(),
        submitted: await merges.submit({ ...batch, correlationId: c.get('correlationId') }),
      }));
    },
  );
  const {
    how,
    answer: { batch_id, metrics: counts },
  } = await submitted.answer();
  await backend.call('note_answer', {
    tenant_id: tenantId,
    batch_id: requestBatchId,
    correlation_id: c.get('correlationId'),
    staging_id: counts.staging_id,
    outcome: how,
  });
  const noticed = Object.entries(remarks).map(([code, { count, row }]) => ({ code, count, row: row ?? null }));
  metrics.merged(how, (performance.now() - started) / 1000);
  return c.json({
    batch_id,
    correlation_id: c.get('correlationId'),
    tenant_id: tenantId,
    replayed: how === 'replayed',
    ignored_fields: ignoredFields,
    ...(noticed.length > 0 ? { remarks: noticed } : {}),
    metrics: counts,
  });
}

/** A batch's own id is that of its request, whatever the header says. */
function useCorrelation(c: Context<GatewayEnv>, id: string): void {
  const { correlationId, correlationAsked } = c.var;
  if (correlationAsked !== undefined && correlationId !== id) c.set('correlationUnused', 'the batch has its own');
  c.set('correlationId', id);
}
