/** A workflow that cannot go on: its tasks fail, or nobody asks for them. Temporal knows it; the workflow itself answers nothing. */
import type { WorkflowHandle } from '@temporalio/client';
import { isPolled, type ServiceClient } from './pollers.ts';

export interface Standstill {
  /** `failing`: its workflow task fails again and again. `unserved`: no worker polls its task queue. */
  readonly reason: 'failing' | 'unserved';
  /** ISO time. */
  readonly since: string;
  /** What is so, as one sentence. */
  readonly message: string;
}

/** Attempts of a workflow task that are no hiccup. */
const ATTEMPTS = 3;
/** A worker that is there takes a task sooner. */
const UNTAKEN_MS = 10_000;
/** State of an activity that no worker has taken. */
const SCHEDULED = 1;

interface Timestamp {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}
const millis = ({ seconds, nanos }: Timestamp): number => Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;

/** Undefined when it goes on, or is not there. */
export async function standstillOf(handle: WorkflowHandle): Promise<Standstill | undefined> {
  const { client } = handle;
  const { raw, taskQueue, runId } = await handle.describe();
  const task = raw.pendingWorkflowTask;
  if (task && Number(task.attempt ?? 1) > ATTEMPTS) {
    const since = isoOf(task.originalScheduledTime ?? task.scheduledTime);
    const words = await failureWords(client, handle.workflowId, runId);
    return { reason: 'failing', since, message: `Its workflow cannot go on since ${since}: ${words}` };
  }
  const waits = [
    ...(task && !task.startedTime ? [{ queue: taskQueue, type: 'workflow' as const, from: task.scheduledTime }] : []),
    ...(raw.pendingActivities ?? [])
      .filter(({ state }) => state === SCHEDULED)
      .map((activity) => ({
        queue: activity.activityOptions?.taskQueue?.name || taskQueue,
        type: 'activity' as const,
        from: activity.scheduledTime,
      })),
  ];
  for (const { queue, type, from } of waits) {
    if (!from || Date.now() - millis(from) < UNTAKEN_MS || (await isPolled(client, queue, type))) continue;
    const since = isoOf(from);
    return { reason: 'unserved', since, message: `No worker polls task queue '${queue}': it waits since ${since}` };
  }
  return undefined;
}

const isoOf = (time: Timestamp | null | undefined): string => new Date(time ? millis(time) : Date.now()).toISOString();

/** Why its latest workflow task failed: from the end of its history. */
async function failureWords(client: ServiceClient, workflowId: string, runId: string): Promise<string> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 20,
  });
  const failed = history?.events?.find(({ workflowTaskFailedEventAttributes: found }) => found);
  const { failure } = failed?.workflowTaskFailedEventAttributes ?? {};
  const words = `${failure?.message ?? ''} ${failure?.cause?.message ?? ''}`;
  if (/TMPRL1100|nondetermini|non-determini/i.test(words))
    return 'the release of the workers does not fit its history (TMPRL1100)';
  if (/search ?attribute/i.test(words)) return 'search attributes of Intake are not registered';
  // The first line alone: it names places of the program, no values.
  return words.trim().split('\n')[0]!.slice(0, 160) || 'its workflow task fails';
}

/** Begins a running workflow anew with its first task; what it has done stays done, since its claim is the same. */
export async function restart(
  { workflowService, options: { namespace } }: ServiceClient,
  workflowId: string,
): Promise<void> {
  const workflowExecution = { workflowId };
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: workflowExecution,
    maximumPageSize: 20,
  });
  const events = history?.events ?? [];
  const first =
    events.find(({ workflowTaskCompletedEventAttributes: found }) => found) ??
    events.find(({ workflowTaskStartedEventAttributes: found }) => found) ??
    events.find(({ workflowTaskScheduledEventAttributes: found }) => found);
  await workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution,
    reason: 'intake resume --restart',
    requestId: crypto.randomUUID(),
    workflowTaskFinishEventId: first?.eventId ?? null,
    // What was sent to the former attempt (signals, updates) is not sent to this one.
    resetReapplyExcludeTypes: [1, 2, 3],
  });
}
