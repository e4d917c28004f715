/** A body read to its batch, or to what is wrong with it, as both travel between threads. */
import type { DateOrder } from '../../values/date.ts';
import type { Issue, ProblemCode } from '../problem.ts';
import { Problem } from '../problem.ts';
import { parseBatch, type Batch } from './batch.ts';

export interface BatchJob {
  readonly body: Uint8Array;
  readonly order: DateOrder;
}

export interface BatchReading {
  /** The sender's own id, as soon as it is known. */
  readonly correlationId?: string;
  /** `rows`: as JSON, for whoever needs them. */
  readonly batch?: Omit<Batch, 'rows'> & { readonly rows: string };
  readonly problem?: { readonly code: ProblemCode; readonly message: string; readonly issues: readonly Issue[] };
}

export function readBatch({ body, order }: BatchJob): BatchReading {
  let own: { correlationId?: string } = {};
  try {
    const { rows, ...head } = parseBatch(body, order, (correlationId) => (own = { correlationId }));
    return { ...own, batch: { ...head, rows: JSON.stringify(rows()) } };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, message, issues } = error;
    return { ...own, problem: { code, message, issues } };
  }
}
