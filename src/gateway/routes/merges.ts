/** One batch of a tenant at a time: answered from what is merged already, joined where it is running, else merged by a workflow. */
import type { Client } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BatchAnswer } from '../../messages/merge.ts';
import type { Backend } from '../../database/backend.ts';
import { IntakeError } from '../../errors.ts';
import type { MergeInput } from '../../messages/merge.ts';
import { projects } from '../../kinds/projects.ts';
import { mergeOptions } from '../../messages/startOptions.ts';
import { temporalFault } from '../../temporal/fault.ts';
import { failureOf } from '../../temporal/outcome.ts';
import { startOrAttach } from '../../temporal/start.ts';
import type { KnownBatch as ReadBatch } from './sameBody.ts';
import type { MergeOutcome } from '../metrics.ts';
import { Problem } from '../problem.ts';

export interface MergesOptions {
  readonly client: Client;
  readonly backend: Backend;
  readonly taskQueue: string;
  /** The database, for people. */
  readonly target: string;
  readonly log: Logger;
  /** Told of every batch that was put down here, when it is merged: also when nobody waits for it any more. */
  readonly onMerged: (answer: BatchAnswer) => void;
  /** How long a request waits for its merge, which goes on in any case; milliseconds. */
  readonly patienceMs?: number;
}

export interface Merged {
  readonly answer: BatchAnswer;
  readonly how: MergeOutcome;
}

/** A batch under the correlation id of its request, when it brings none. */
type KnownBatch = ReadBatch & { readonly correlationId: string };

export interface Merges {
  /**
   * Resolves when the rows are no longer needed: they stand in the database, or somebody brought them before.
   * @throws Problem TENANT_BUSY; IntakeError for what the database says.
   */
  submit(batch: KnownBatch): Promise<Submitted>;
}

export interface Submitted {
  /** @throws Problem MERGE_PENDING; IntakeError for what the database or Temporal says. */
  answer(): Promise<Merged>;
}

/** A batch that waits longer than this has lost the gateway that put it down, before it started the workflow. */
const ORPHANED_SECONDS = 5;

export function createMerges({
  client,
  backend,
  taskQueue,
  target,
  log,
  onMerged,
  patienceMs = 110_000,
}: MergesOptions): Merges {
  const running = new Map<string, { readonly checksum: string; readonly merged: Promise<Merged> }>();

  let databaseId: Promise<string | null> | undefined;
  const ownDatabase = (): Promise<string | null> =>
    (databaseId ??= backend.call('database_identity', {}).catch((error: unknown) => {
      databaseId = undefined;
      throw error;
    }));

  const start = async (tenantId: string, checksum: string) => {
    const id = await ownDatabase();
    const input: MergeInput = {
      backend: backend.name,
      tenantId,
      checksum,
      taskQueue,
      target,
      ...(id === null ? {} : { databaseId: id }),
    };
    return startOrAttach(client, 'mergeProjects', input, mergeOptions(input, projects.name));
  };

  /** What is merged already, or nothing: then the batch stands in the database. */
  async function putDown({
    tenantId,
    checksum,
    batchId,
    source,
    correlationId,
    rows,
  }: KnownBatch): Promise<Merged | { readonly isNew: boolean }> {
    const reference = { tenant_id: tenantId, batch_checksum: checksum };
    const former = await backend.call('replay_project_batch', reference);
    if (former) return { answer: former, how: 'replayed' };
    const waiting = await backend.call('store_project_batch', {
      ...reference,
      batch_id: batchId,
      source,
      correlation_id: correlationId,
      rows: await rows(),
    });
    if (waiting.checksum === checksum) return { isNew: waiting.is_new };
    if (waiting.age_seconds > ORPHANED_SECONDS) {
      await start(tenantId, waiting.checksum).catch((err: unknown) =>
        log.warn({ err }, 'a waiting batch could not be started'),
      );
    }
    throw busy();
  }

  async function run(tenantId: string, checksum: string, isNew: boolean): Promise<Merged> {
    try {
      const handle = await start(tenantId, checksum);
      const answer = (await handle.result()) as BatchAnswer;
      if (isNew) onMerged(answer);
      return { answer, how: isNew ? 'merged' : 'joined' };
    } catch (error) {
      throw mergeError(error);
    }
  }

  return {
    async submit(batch) {
      const { tenantId, checksum } = batch;
      const flight = running.get(tenantId);
      if (flight && flight.checksum !== checksum) throw busy();
      if (flight) return { answer: async () => ({ ...(await patiently(flight.merged, patienceMs)), how: 'joined' }) };
      const placed = putDown(batch);
      const merged = placed
        .then((found) => ('answer' in found ? found : run(tenantId, checksum, found.isNew)))
        .finally(() => running.delete(tenantId));
      merged.catch(() => undefined); // told to those who wait; there may be none any more
      running.set(tenantId, { checksum, merged });
      await placed;
      return { answer: () => patiently(merged, patienceMs) };
    },
  };
}

const busy = (): Problem =>
  new Problem('TENANT_BUSY', 'Another batch of this tenant is being merged', { retryAfter: 1 });

async function patiently<T>(merged: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Problem('MERGE_PENDING', 'The batch is safe, but its merge takes long', { retryAfter: 5 })),
      ms,
    );
  });
  try {
    return await Promise.race([merged, late]);
  } finally {
    clearTimeout(timer);
  }
}

function mergeError(error: unknown): IntakeError {
  if (!(error instanceof WorkflowFailedError))
    return (
      temporalFault(error) ?? new IntakeError('TEMPORAL_UNAVAILABLE', 'Temporal does not answer', { cause: error })
    );
  const { status, error: failure, cause } = failureOf(error, 'merge');
  const { code, message, remedy } = failure;
  return status === 'failed'
    ? new IntakeError(code, message, { cause, remedy })
    : new IntakeError('INTERNAL', message, { cause, remedy: 'Post the batch again.' });
}
