/**
 * Bodies read to batches, on threads: parsing a body of many names takes a second, in which nobody else would be answered. The same bytes
 * again, as a schedule's retry or a hundred clients send them, are known by their hash and not parsed again.
 */
import { hash } from 'node:crypto';
import pLimit, { type LimitFunction } from 'p-limit';
import { Piscina } from 'piscina';
import { Problem } from '../problem.ts';
import type { ProjectRow } from '../../sources/projects/row.ts';
import type { DateOrder } from '../../values/date.ts';
import type { Batch } from './batch.ts';
import { readBatch, type BatchJob, type BatchReading } from './readBatch.ts';

export interface KnownBatch extends Omit<Batch, 'rows'> {
  readonly rows: () => Promise<readonly ProjectRow[]>;
}

/** Reads bodies, and keeps of the last good one of each tenant everything but its rows. */
export interface BatchReader {
  /**
   * @param tenantId whose bearer came along.
   * @param correlate see parseBatch.
   * @throws Problem UNAUTHORIZED for another tenant's batch; those of `parseBatch`.
   */
  read(tenantId: string, body: Buffer, order: DateOrder, correlate?: (id: string) => void): Promise<KnownBatch>;
  close(): Promise<void>;
}

/** Below this a thread costs more than it saves. */
const SMALL = 64 * 1024;
/** One may be busy with what a tenant sends to keep it busy. */
const THREADS = 2;

export function createBatchReader(): BatchReader {
  const last = new Map<string, { readonly bytes: string; readonly head: Omit<Batch, 'rows'> }>();
  const turns = new Map<string, LimitFunction>();
  const pool = new Piscina({
    filename: new URL(`./batchThread.${import.meta.url.split('.').pop()}`, import.meta.url).href,
    minThreads: 1,
    maxThreads: THREADS,
    idleTimeout: 10_000,
    resourceLimits: { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 },
  });
  // A thread loads its code with its first job, which is longer than a batch takes to read: no client waits for that.
  const loaded = pool.run({ body: Buffer.from('{}'), order: 'dmy' } satisfies BatchJob).catch(() => undefined);

  /** One body of a tenant at a time: the other thread is for the others. */
  async function onThread(tenantId: string, job: BatchJob): Promise<BatchReading> {
    if (job.body.length < SMALL) return readBatch(job);
    const turn = turns.get(tenantId) ?? pLimit(1);
    turns.set(tenantId, turn);
    try {
      return (await turn(() => pool.run(job))) as BatchReading;
    } finally {
      if (turn.activeCount + turn.pendingCount === 0) turns.delete(tenantId);
    }
  }

  async function parsed(tenantId: string, job: BatchJob, correlate?: (id: string) => void): Promise<KnownBatch> {
    const { correlationId, batch, problem } = await onThread(tenantId, job);
    if (correlationId) correlate?.(correlationId);
    if (problem) throw new Problem(problem.code, problem.message, { issues: problem.issues });
    const { rows, ...head } = batch!;
    return { ...head, rows: async () => JSON.parse(rows) as ProjectRow[] };
  }

  return {
    async read(tenantId, body, order, correlate) {
      const bytes = `${order} ${hash('sha256', body, 'base64')}`;
      const known = last.get(tenantId);
      if (known?.bytes === bytes) {
        if (known.head.correlationId) correlate?.(known.head.correlationId);
        return { ...known.head, rows: async () => (await parsed(tenantId, { body, order })).rows() };
      }
      const batch = await parsed(tenantId, { body, order }, correlate);
      if (batch.tenantId !== tenantId)
        throw new Problem('UNAUTHORIZED', 'The bearer is that of another tenant', {
          issues: [{ path: 'tenant_id', message: 'not the tenant of the bearer' }],
        });
      const { rows, ...head } = batch;
      last.set(tenantId, { bytes, head });
      return { ...head, rows };
    },
    async close() {
      await loaded;
      await pool.destroy();
    },
  };
}
