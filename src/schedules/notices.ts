/**
 * Work that failed, and times at which a schedule began nothing, as notices: told once, whoever looks and however many workers do.
 * Temporal remembers: a notice is a workflow whose id is its subject, so nothing is kept here.
 */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../messages/attributeNames.ts';
import { WORK, type NoticeEntry, type NoticeInput } from '../messages/notices.ts';
import { failureOf } from '../temporal/outcome.ts';
import { inQuery } from '../temporal/queues.ts';
import type { ScheduleView } from './view.ts';

/** Failures so close to each other are one notice. */
const GROUP_MS = 30_000;
/** Temporal's visibility is some seconds late. */
const LATE_MS = 15_000;
/** What failed while no worker ran is told when one does; Temporal keeps ids for a day at least. */
const LOOKED_BACK_MS = 12 * 3_600_000;

export interface NoticesOptions {
  readonly client: Client;
  readonly taskQueue: string;
}

/** Notices of failures up to now. @param since where the last look ended. @returns where this one did. */
export async function noticeFailures(
  { client, taskQueue }: NoticesOptions,
  since: number | undefined,
): Promise<number> {
  const until = Math.floor((Date.now() - LATE_MS) / GROUP_MS) * GROUP_MS;
  const from = since ?? until - LOOKED_BACK_MS;
  if (from >= until) return from;
  const types = Object.keys(WORK).map((type) => `'${type}'`);
  const query =
    `TaskQueue = ${inQuery(taskQueue)} AND WorkflowType IN (${types.join(', ')}) AND ` +
    `ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated') AND ` +
    `CloseTime >= '${new Date(from).toISOString()}' AND CloseTime < '${new Date(until).toISOString()}'`;
  const groups = new Map<number, NoticeEntry[]>();
  for await (const info of client.workflow.list({ query })) {
    if (!isTold(info)) continue;
    const group = Math.floor(info.closeTime!.getTime() / GROUP_MS) * GROUP_MS;
    const entries = groups.get(group) ?? [];
    groups.set(group, entries);
    entries.push(await failedEntry(client, info));
  }
  for (const [group, entries] of groups) {
    const at = new Date(group + GROUP_MS).toISOString();
    await tell(client, taskQueue, `notice/failed/${taskQueue}/${at}`, at, summed(entries));
  }
  return until;
}

/** Notices of times at which schedules began nothing. */
export async function noticeMissed(
  { client, taskQueue }: NoticesOptions,
  views: readonly ScheduleView[],
): Promise<void> {
  for (const view of views.filter(({ missing, paused }) => missing && !paused)) {
    const { id, workflow, missed, skipped } = view;
    const entry: NoticeEntry = {
      event: 'missed',
      what: WORK[workflow],
      schedule: id,
      count: missed + skipped,
      next_step: `See what kept it: intake schedule show ${id}. Make up for it: intake schedule trigger ${id}`,
    };
    await tell(client, taskQueue, `notice/missed/${id}/${missed + skipped}`, new Date().toISOString(), [entry]);
  }
}

/** Children are told of by their parents; dry runs and verifications have somebody who looks at them. */
const isTold = ({ parentExecution, workflowId, closeTime }: WorkflowExecutionInfo): boolean =>
  !parentExecution?.workflowId && closeTime !== undefined && !/\/(dry|verify)$/.test(workflowId);

async function failedEntry(
  client: Client,
  { workflowId, runId, type, searchAttributes }: WorkflowExecutionInfo,
): Promise<NoticeEntry> {
  const what = WORK[type as keyof typeof WORK];
  const [, schedule = null] = /^schedule\/(.+)-\d{4}-\d\d-\d\dT[\d:.]+Z$/.exec(workflowId) ?? [];
  const error = await client.workflow
    .getHandle(workflowId, runId)
    .result()
    .then(
      () => undefined,
      (cause: unknown) => (cause instanceof WorkflowFailedError ? failureOf(cause, what).error : undefined),
    );
  const see = schedule
    ? `intake schedule show ${schedule}`
    : what === 'import'
      ? 'intake runs failed'
      : 'intake doctor';
  const attribute = (name: keyof typeof SEARCH_ATTRIBUTES): object => {
    const [value] = searchAttributes[SEARCH_ATTRIBUTES[name]] ?? [];
    return typeof value === 'string' ? { [name]: value } : {};
  };
  return {
    event: 'failed',
    what,
    schedule,
    ...attribute('kind'),
    ...attribute('source'),
    ...attribute('tenant'),
    ...(error ? { code: error.code } : {}),
    count: 1,
    next_step: `${error ? `${error.remedy} ` : ''}See: ${see}`,
  };
}

/** Failures alike are one entry. */
function summed(entries: readonly NoticeEntry[]): NoticeEntry[] {
  const sums = new Map<string, NoticeEntry>();
  for (const entry of entries) {
    const key = JSON.stringify({ ...entry, count: 0 });
    sums.set(key, { ...entry, count: (sums.get(key)?.count ?? 0) + 1 });
  }
  return [...sums.values()];
}

async function tell(
  client: Client,
  taskQueue: string,
  id: string,
  at: string,
  entries: readonly NoticeEntry[],
): Promise<void> {
  const input: NoticeInput = { taskQueue, notice: { id, at, entries } };
  try {
    await client.workflow.start('sendNotice', {
      workflowId: id,
      taskQueue,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: 'notice: what failed or did not begin',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
