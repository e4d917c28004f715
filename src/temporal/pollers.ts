/** Who asks a task queue for work. Temporal remembers a poller for minutes after its end. */
import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';

/** A poll lasts up to 60 s. */
const RECENT_MS = 70_000;

/** How the worker inside a command names itself: it ends with the command, so nobody else can rely on it. */
export const COMMAND_IDENTITY = `command:${process.pid}@${hostname()}`;

/** A client of any kind: what asks the service of a namespace. */
export interface ServiceClient {
  readonly workflowService: Client['workflowService'];
  readonly options: { readonly namespace: string };
}

/** Whether a worker, other than one inside a command, asks a task queue for work. */
export async function isPolled(
  { workflowService, options: { namespace } }: ServiceClient,
  name: string,
  type: 'activity' | 'workflow' = 'activity',
): Promise<boolean> {
  const taskQueueType = type === 'workflow' ? 1 : 2;
  const { pollers } = await workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
  const recently = Date.now() - RECENT_MS;
  return pollers.some(
    ({ lastAccessTime, identity }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > recently && mayLive(identity ?? ''),
  );
}

/** The SDK's usual identity is `pid@host`: a process of this host can be looked for. */
function mayLive(identity: string): boolean {
  if (identity.startsWith('command:')) return false;
  const [, pid, host] = /^(\d+)@(.+)$/.exec(identity) ?? [];
  if (!pid || host !== hostname()) return true;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
