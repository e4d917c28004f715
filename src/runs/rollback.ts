/** Withdrawing what a run imported; what was edited since stays and is listed. */
import { IntakeError } from '../errors.ts';
import type { Connections } from './connections.ts';
import type { Backend } from '../database/backend.ts';
import type { Arguments } from '../database/functions.ts';
import { fewerRows } from '../database/sqlError.ts';
import type { Rollback, RollbackProgress, Run } from '../database/rows.ts';
import { findRun } from './findRun.ts';

/** Rows of a part. */
const PART_ROWS = 10_000;

/** What a rollback would do now; nothing is changed. @throws IntakeError ROLLBACK_REFUSED for a run that is running or imported nothing. */
export async function previewRollback(connections: Connections, run: Run): Promise<Rollback> {
  await refuseIfUnfit(connections, run);
  const backend = await connections.backend();
  const inParts = fewerRows(PART_ROWS);
  for (let former: object | null = null; ;) {
    const found: Preview = await inParts((max_rows) => previewPart(backend, { run_id: run.id, former, max_rows }));
    const { done, ...preview } = found;
    if (done) return { ...NOTHING, ...preview };
    former = preview;
  }
}

type Preview = Rollback & { readonly done: boolean };

const previewPart = (backend: Backend, args: Arguments<'preview_rollback'>): Promise<Preview> =>
  backend.call('preview_rollback', args);

/**
 * Withdraws a run in parts, each a transaction of its own; who is interrupted goes on with the same call.
 * @param reason kept with the run.
 * @param onProgress hears how far it is after each part but the last.
 * @throws IntakeError ROLLBACK_REFUSED for a run that is running or imported nothing, USAGE without a reason.
 */
export async function rollBackRun(
  connections: Connections,
  run: Run,
  reason: string,
  onProgress: (progress: RollbackProgress) => void = () => undefined,
): Promise<Rollback> {
  if (!reason.trim())
    throw new IntakeError('USAGE', 'The reason is empty', {
      remedy: 'Say why, in a few words: it is kept with the run.',
    });
  await refuseIfUnfit(connections, run);
  const backend = await connections.backend();
  const inParts = fewerRows(PART_ROWS);
  for (;;) {
    const progress = await inParts((max_rows) => backend.call('rollback_rows', { run_id: run.id, reason, max_rows }));
    if (progress.done) {
      const { metadata } = await findRun(connections, run.id);
      return { ...NOTHING, ...metadata.rollback, rows_affected: progress.rows_affected };
    }
    onProgress(progress);
  }
}

const NOTHING = { rows_affected: 0, removed: 0, inherited: 0, kept_edited: { count: 0 } } as const;

async function refuseIfUnfit(connections: Connections, run: Run): Promise<void> {
  if (run.status === 'duplicate') {
    throw new IntakeError('ROLLBACK_REFUSED', `Run ${run.id} was a rejected duplicate and imported nothing`, {
      remedy: run.metadata.duplicate_of ? `Its batch is run ${run.metadata.duplicate_of}.` : 'Nothing to do.',
    });
  }
  if (await isRunning(connections, run)) {
    throw new IntakeError('ROLLBACK_REFUSED', `Run ${run.id} is still running`, {
      remedy: `Cancel it first: intake cancel ${run.id}.`,
    });
  }
}

async function isRunning(connections: Connections, { status, worker_id: workflowId }: Run): Promise<boolean> {
  if (status !== 'processing' && status !== 'pending') return false;
  if (!workflowId) return false;
  const client = await connections.temporal();
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
