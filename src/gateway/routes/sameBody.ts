/** The same bytes again, as a schedule's retry or a hundred clients send them, are known by their hash and not parsed again. */
import { hash } from 'node:crypto';
import { parseBatch, type Batch } from './batch.ts';
import { Problem } from '../problem.ts';

/** Reads bodies, and keeps of the last good one of each tenant everything but its rows. */
export interface BatchReader {
  /** @param tenantId whose bearer came along. @throws Problem UNAUTHORIZED for another tenant's batch; those of `parseBatch`. */
  read(tenantId: string, body: Buffer): Batch;
}

export function createBatchReader(): BatchReader {
  const last = new Map<string, { readonly bytes: string; readonly head: Omit<Batch, 'rows'> }>();
  return {
    read(tenantId, body) {
      const bytes = hash('sha256', body, 'base64');
      const known = last.get(tenantId);
      if (known?.bytes === bytes) return { ...known.head, rows: () => parseBatch(body).rows() };
      const batch = parseBatch(body);
      if (batch.tenantId !== tenantId)
        throw new Problem('UNAUTHORIZED', 'The bearer is that of another tenant', {
          issues: [{ path: 'tenant_id', message: 'not the tenant of the bearer' }],
        });
      const { rows, ...head } = batch;
      last.set(tenantId, { bytes, head });
      return { ...head, rows };
    },
  };
}
