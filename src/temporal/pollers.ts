/** Who asks a task queue for work. Temporal remembers a poller for minutes after its end. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Place } from '../messages/place.ts';

/** A poll lasts up to 60 s. */
const RECENT_MS = 70_000;
const SKEW_MS = 5_000;
const POLL_MS = 5_000;

/** How the worker inside a command names itself: it ends with the command, so nobody else can rely on it. */
export const COMMAND_IDENTITY = `command:${process.pid}@${hostname()}`;

/** How a worker names itself: the SDK's usual name, and which database and objects it has. */
export const workerIdentity = ({ databaseId, objects }: Place): string =>
  [
    `${process.pid}@${hostname()}`,
    ...(databaseId ? [`database=${databaseId}`] : []),
    ...(objects ? [`objects=${objects.id}`] : []),
  ].join(' ');

/** What a worker says of itself, with what it did not say left out. */
export function placeOfWorker(identity: string): { name: string; databaseId?: string; objectsId?: string } {
  const [name = '', ...words] = identity.split(' ');
  const said = Object.fromEntries(words.map((word) => word.split('=')));
  const { database, objects } = said as Record<string, string | undefined>;
  return { name, ...(database ? { databaseId: database } : {}), ...(objects ? { objectsId: objects } : {}) };
}

/** A client of any kind: what asks the service of a namespace. */
export interface ServiceClient {
  readonly connection: Pick<Client['connection'], 'withAbortSignal' | 'withDeadline'>;
  readonly workflowService: Client['workflowService'];
  readonly options: { readonly namespace: string };
}

/**
 * Names of the workers, other than those inside commands, that ask a task queue for work.
 * @param now the clock of this host; where it seems to be off, that of the server decides.
 */
export async function workersOf(
  client: ServiceClient,
  name: string,
  type: 'activity' | 'workflow' = 'activity',
  now: () => number = Date.now,
): Promise<string[]> {
  const pollers = (await pollersOf(client, name, type)).filter(({ identity }) => mayLive(identity));
  const freshAt = (time: number) => pollers.filter(({ at }) => at > time - RECENT_MS);
  const fresh = (time: number) => freshAt(time).length > 0;
  const local = now();
  // A clock that is right has polls of the last minute, and none of the future.
  const doubtful = pollers.length > 0 && (!fresh(local) || pollers.some(({ at }) => at > local + SKEW_MS));
  return freshAt(doubtful ? local + (await serverAhead(client, now)) : local).map(({ identity }) => identity);
}

/** Whether there is one. */
export const isPolled = async (...args: Parameters<typeof workersOf>): Promise<boolean> =>
  (await workersOf(...args)).length > 0;

/** How far the clock of the server is ahead of this one, milliseconds: it stamps a poll of our own. */
async function serverAhead(client: ServiceClient, now: () => number): Promise<number> {
  const name = `intake-clock-${randomUUID()}`;
  const asked = now();
  const { connection, workflowService, options } = client;
  const over = new AbortController();
  const poll = () =>
    workflowService.pollActivityTaskQueue({
      namespace: options.namespace,
      taskQueue: { name },
      identity: COMMAND_IDENTITY,
    });
  // A poll without a time limit is refused.
  const polling = connection
    .withAbortSignal(over.signal, () => connection.withDeadline(Date.now() + POLL_MS, poll))
    .catch(() => undefined);
  try {
    for (let look = 0; look < 20; look++) {
      const [own] = await pollersOf(client, name, 'activity');
      if (own) return own.at - asked;
      await sleep(50);
    }
    return 0;
  } finally {
    over.abort();
    await polling;
  }
}

async function pollersOf(
  { workflowService, options: { namespace } }: ServiceClient,
  name: string,
  type: 'activity' | 'workflow',
): Promise<{ at: number; identity: string }[]> {
  const taskQueueType = type === 'workflow' ? 1 : 2;
  const { pollers } = await workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
  return pollers.map(({ lastAccessTime, identity }) => ({
    at: Number(lastAccessTime?.seconds ?? 0) * 1000 + (lastAccessTime?.nanos ?? 0) / 1e6,
    identity: identity ?? '',
  }));
}

/** The SDK's usual identity is `pid@host`: a process of this host can be looked for. */
function mayLive(identity: string): boolean {
  if (identity.startsWith('command:')) return false;
  const [, pid, host] = /^(\d+)@(\S+)/.exec(identity) ?? [];
  if (!pid || host !== hostname()) return true;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
