/** How runs that are not over really are: at work, at a standstill, or lost by Temporal. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { IntakeError } from '../errors.ts';
import type { Row } from '../database/rows.ts';
import type { Connections } from './connections.ts';

/** `running`; `FAILING`, `UNSERVED`: see `Standstill`; `ORPHANED`: no workflow works on it. */
export type ConditionName = 'running' | 'FAILING' | 'UNSERVED' | 'ORPHANED';

export interface Condition {
  readonly name: ConditionName;
  readonly message: string | null;
  readonly remedy: string | null;
}

const isOpen = (status: unknown): boolean => status === 'processing' || status === 'pending';

export interface OpenRun {
  readonly id: string;
  readonly status: string;
  readonly worker_id: string | null;
}

/** Undefined for a run that is over, or that no workflow ever worked on. */
export async function conditionOf(connections: Connections, run: OpenRun): Promise<Condition | undefined> {
  const { id, status, worker_id: workflowId } = run;
  if (!isOpen(status) || !workflowId?.startsWith('import/')) return undefined;
  const client = await connections.temporal();
  const [{ WorkflowNotFoundError }, { standstillOf }] = await Promise.all([
    import('@temporalio/client'),
    import('../temporal/standstill.ts'),
  ]);
  const handle = client.workflow.getHandle(workflowId);
  try {
    if ((await handle.describe()).status.name !== 'RUNNING') return orphaned(id);
    const found = await standstillOf(handle);
    if (!found || (found.reason === 'unserved' && connections.workerComesUp?.()))
      return { name: 'running', message: null, remedy: null };
    return found.reason === 'failing'
      ? {
          name: 'FAILING',
          message: found.message,
          remedy: `Begin it again; what is done stays done: intake resume ${id} --restart`,
        }
      : { name: 'UNSERVED', message: found.message, remedy: 'Start one: intake worker.' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return orphaned(id);
    throw error;
  }
}

const orphaned = (id: string): Condition => {
  const { message, remedy } = orphanedError(id);
  return { name: 'ORPHANED', message, remedy };
};

/** Most runs in progress that are looked at. */
const MOST = 200;

/** Runs in progress with how they are; of those that Intake's workflows work on. */
export async function openConditions(connections: Connections): Promise<(Condition & { readonly id: string })[]> {
  const rows = await (await connections.backend()).call('report', { name: 'in-progress', max_rows: MOST });
  const atOnce = pLimit(8);
  const found = await Promise.all(
    rows.map((row) =>
      atOnce(async () => {
        const condition = await conditionOf(connections, row as never);
        return condition && { ...condition, id: String(row['id']) };
      }),
    ),
  );
  return found.filter((one) => one !== undefined);
}

/** `2 running, 1 ORPHANED` */
export function conditionCounts(found: readonly Condition[]): string {
  const count = (name: ConditionName) => found.filter((one) => one.name === name).length;
  return (['running', 'ORPHANED', 'FAILING', 'UNSERVED'] as const)
    .filter((name) => count(name) > 0)
    .map((name) => `${count(name)} ${name}`)
    .join(', ');
}

/** What is said of a run that is in progress in the database, and that no workflow works on. */
export const orphanedError = (id: string): IntakeError =>
  new IntakeError(
    'ORPHANED',
    `Temporal has no workflow that works on run ${id}: it was ended from outside, or Temporal lost its state`,
    {
      remedy: `\`intake resume ${id}\` goes on with it where it stopped; nothing is doubled.`,
    },
  );

/** `intake cancel` ends a workflow that stands still a moment before its run. */
const RELEASED_MS = 3_000;

/** The run that a workflow which is over left behind. */
export async function leftBehind(connections: Connections, workflowId: string): Promise<IntakeError | undefined> {
  for (const end = Date.now() + RELEASED_MS; ;) {
    const orphan = await orphanOf(connections, workflowId);
    if (!orphan || Date.now() > end) return orphan;
    await sleep(250);
  }
}

async function orphanOf(connections: Connections, workflowId: string): Promise<IntakeError | undefined> {
  const rows = await (await connections.backend()).call('report', { name: 'in-progress', max_rows: 1000 });
  const [row] = rows.filter(({ worker_id: worker }: Row) => worker === workflowId);
  return row && orphanedError(String(row['id']));
}
