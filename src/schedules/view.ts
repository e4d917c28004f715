/** What schedules look like to an operator: what they do and when, their next times, their last runs and how these ended. */
import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleExecutionResult,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Place } from '../messages/place.ts';
import type { AlertsInput, RetentionInput, ScheduledImportInput, ScheduledPushInput } from '../messages/schedules.ts';
import { failureOf, type FailedWorkflow } from '../temporal/outcome.ts';
import { found } from './change.ts';
import { POLICIES, retentionInWords, type ScheduledWorkflow } from './definitions.ts';
import { timesOf, timesText, type Times } from './times.ts';
import { brokenBy, faultIn } from './faults.ts';
import { ERRORS, IntakeError, type ErrorCode } from '../errors.ts';

export interface ScheduleRun {
  /** ISO times. */
  readonly scheduled_at: string;
  readonly started_at: string;
  readonly workflow_id: string;
  /** Of the workflow: running, completed, failed, cancelled, ...; unknown when Temporal has forgotten it. */
  readonly status: string;
  /** `CODE: message` of one that failed, or of a step that is tried again. */
  readonly error: string | null;
  /** What an operator does about it. */
  readonly next_step: string | null;
}

export interface ScheduleView {
  readonly id: string;
  readonly workflow: ScheduledWorkflow;
  /** Of the deployment whose it is. */
  readonly task_queue: string;
  /** `projects of TELCO from /srv/telco` */
  readonly what: string;
  /** `daily at 17:00 Australia/Adelaide` */
  readonly when: string;
  readonly time_zone: string;
  readonly paused: boolean;
  readonly note: string | null;
  readonly overlap: string;
  readonly catchup_hours: number;
  /** What somebody made otherwise than Intake makes it. */
  readonly differs: readonly string[];
  /** Why it cannot do its work; null when nothing is wrong with it. */
  readonly broken: string | null;
  /** What an operator does about that. */
  readonly mend: string | null;
  readonly next: readonly { readonly at: string; readonly local: string }[];
  /** The last first. */
  readonly runs: readonly ScheduleRun[];
  readonly taken: number;
  readonly missed: number;
  readonly skipped: number;
  /** Whether a time has passed since the last run at which nothing began. */
  readonly missing: boolean;
}

/**
 * The schedules of one deployment, by their ids: another one may use the same namespace, with a task queue of its own.
 * @param runs how many of the last runs of each.
 * @param own the place of who looks: what is for another one is broken.
 */
export async function listSchedules(
  client: Client,
  taskQueue: string,
  runs = 1,
  own: Place = {},
): Promise<ScheduleView[]> {
  const ids: string[] = [];
  for await (const { scheduleId, action } of client.schedule.list())
    if (action && action.workflowType in POLICIES) ids.push(scheduleId);
  const views = await Promise.all(ids.sort().map((id) => describeSchedule(client, id, runs, own).catch(gone)));
  return views.filter((view) => view?.task_queue === taskQueue) as ScheduleView[];
}

/** Removed since it was listed. */
function gone(error: unknown): undefined {
  if (!(error instanceof IntakeError) || error.code !== 'SCHEDULE_NOT_FOUND') throw error;
}

/** @throws IntakeError SCHEDULE_NOT_FOUND. */
export async function describeSchedule(client: Client, id: string, runs = 10, own: Place = {}): Promise<ScheduleView> {
  const description = await found(id, client.schedule.getHandle(id).describe());
  const { spec, action, state, policies, info } = description;
  const times = timesOf(spec);
  const timeZone = times && 'at' in times ? times.timeZone : 'UTC';
  return {
    id,
    workflow: action.workflowType as ScheduledWorkflow,
    task_queue: action.taskQueue,
    what: whatOf(description),
    when: timesText(times),
    time_zone: timeZone,
    paused: state.paused,
    note: state.note || null,
    overlap: policies.overlap ?? 'SKIP',
    catchup_hours: policies.catchupWindow / 3_600_000,
    differs: differencesOf(description, times),
    ...brokenBy(description, own),
    next: info.nextActionTimes.map((at) => ({ at: at.toISOString(), local: localText(at, timeZone) })),
    runs: await Promise.all(
      info.recentActions
        .slice(-runs)
        .reverse()
        .map((taken) => runOf(client, taken)),
    ),
    taken: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
    missing: isMissing(info),
  };
}

/** Temporal counts what was missed and does not say when: a gap before the next run tells that it was lately. */
function isMissing(info: ScheduleDescription['info']): boolean {
  const { recentActions, nextActionTimes, createdAt, numActionsMissedCatchupWindow, numActionsSkippedOverlap } = info;
  const [next, following] = nextActionTimes.map((at) => at.getTime());
  if (numActionsMissedCatchupWindow + numActionsSkippedOverlap === 0 || !next || !following) return false;
  const last = (recentActions.at(-1)?.scheduledAt ?? createdAt).getTime();
  return next - last > 1.5 * (following - next);
}

/** The same when a change has reached it, which takes Temporal a moment; as it is after five seconds all the same. */
export async function describeChanged(
  client: Client,
  id: string,
  changed: (view: ScheduleView) => boolean,
): Promise<ScheduleView> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const view = await describeSchedule(client, id);
    if (changed(view) || Date.now() > deadline) return view;
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

function differencesOf({ action, policies }: ScheduleDescription, times: Times | undefined): string[] {
  const usual = POLICIES[action.workflowType as ScheduledWorkflow];
  if (!usual) return [`it starts ${action.workflowType}, which is no workflow of Intake's schedules`];
  const hours = policies.catchupWindow / 3_600_000;
  return [
    ...(times ? [] : ['its times are its own']),
    ...(policies.overlap === usual.overlap ? [] : [`overlaps: ${policies.overlap}, usually ${usual.overlap}`]),
    ...(hours === usual.catchupHours
      ? []
      : [`missed times: ${hours} h are made up for, usually ${usual.catchupHours} h`]),
    ...(policies.pauseOnFailure ? ['it is paused by a failure'] : []),
  ];
}

function whatOf(description: ScheduleDescription): string {
  const { workflowType, args } = description.action;
  const fault = faultIn(description);
  if (fault) return `${workflowType}: ${fault}`;
  const [input] = (args ?? []) as unknown[];
  switch (workflowType as ScheduledWorkflow) {
    case 'scheduledPush':
      return `projects of ${(input as ScheduledPushInput).tenantId} from ${(input as ScheduledPushInput).from}`;
    case 'scheduledImport':
      return `${(input as ScheduledImportInput).request.mode} of ${(input as ScheduledImportInput).request.kind} from ${(input as ScheduledImportInput).request.path}`;
    case 'retention':
      return retentionInWords(input as RetentionInput);
    default:
      return `alerts about anomalies of the last ${(input as AlertsInput).windowHours} h`;
  }
}

async function runOf(
  { workflow }: Client,
  {
    scheduledAt,
    takenAt,
    action: {
      workflow: { workflowId, firstExecutionRunId },
    },
  }: ScheduleExecutionResult,
): Promise<ScheduleRun> {
  const lookAt = (runId?: string): Promise<{ status: string; raw?: RawExecution }> =>
    workflow
      .getHandle(workflowId, runId)
      .describe()
      .then(
        ({ status: { name }, raw }) => ({ status: name.toLowerCase(), raw }),
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return { status: 'unknown' };
          throw error;
        },
      );
  // By its own id: runs of the same time, triggered in one second or filled back again, have one workflow id.
  const first = await lookAt(firstExecutionRunId);
  const { status, raw } = first.status === 'continued_as_new' ? await lookAt() : first;
  const fault =
    status === 'failed'
      ? await workflow.result(workflowId, firstExecutionRunId).then(() => null, faultOf)
      : raw && pendingFault(raw);
  return {
    scheduled_at: scheduledAt.toISOString(),
    started_at: takenAt.toISOString(),
    workflow_id: workflowId,
    status,
    error: fault ? `${fault.code}: ${fault.message}` : null,
    next_step: fault?.remedy ?? null,
  };
}

type RawExecution = WorkflowExecutionDescription['raw'];
type Fault = FailedWorkflow['error'];

function faultOf(error: unknown): Fault | null {
  if (!(error instanceof WorkflowFailedError)) return null;
  const { status, error: failure } = failureOf(error, 'run');
  return status === 'failed' ? failure : null;
}

/** Why the last attempt at a step of a run failed that goes on. */
function pendingFault({ pendingActivities }: RawExecution): Fault | null {
  const failure = pendingActivities?.find(({ lastFailure }) => lastFailure)?.lastFailure;
  const code = failure?.applicationFailureInfo?.type ?? '';
  if (!failure || !(code in ERRORS)) return null;
  const [own] = failure.applicationFailureInfo?.details?.payloads ?? [];
  const remedy = own ? defaultPayloadConverter.fromPayload<string>(own) : ERRORS[code as ErrorCode].remedy;
  return { code: code as ErrorCode, message: `${failure.message ?? ''}, it is tried again`, remedy };
}

/** `Sat 2026-10-03 17:00 +0930` */
function localText(at: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'longOffset',
  });
  const { weekday, year, month, day, hour, minute, timeZoneName } = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, value]),
  ) as Record<string, string>;
  return `${weekday!.replace('.', '')} ${year}-${month}-${day} ${hour}:${minute} ${timeZoneName!.replace('GMT', '').replace(':', '') || '+0000'}`;
}
