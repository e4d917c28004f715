/** Making, changing and removing schedules. */
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { attributePairs } from '../messages/attributes.ts';
import type { Place } from '../messages/place.ts';
import { IntakeError } from '../errors.ts';
import { POLICIES, type Definition, type ScheduledWorkflow } from './definitions.ts';
import { specOf, type Times } from './times.ts';

/**
 * Makes a schedule.
 * @param replace one of the same id becomes this one; whether it is paused stays.
 * @throws IntakeError USAGE when there is one, or one of another deployment.
 */
export async function addSchedule({ schedule }: Client, definition: Definition, replace = false): Promise<void> {
  const options = optionsOf(definition);
  try {
    await schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await requireOwn({ schedule }, definition.id, definition.taskQueue);
    if (!replace) {
      throw new IntakeError('USAGE', `There is a schedule ${definition.id} already`, {
        remedy: `Change its times with intake schedule set ${definition.id}, or give --replace.`,
      });
    }
    const { spec, action, policies } = options;
    await schedule.getHandle(definition.id).update(({ state }) => ({ spec, action, policies: policies!, state }));
  }
}

/** Deployments that use one namespace have names in common: none changes what another one made. @throws IntakeError USAGE, SCHEDULE_NOT_FOUND. */
export async function requireOwn({ schedule }: Pick<Client, 'schedule'>, id: string, taskQueue: string): Promise<void> {
  const { action } = await found(id, schedule.getHandle(id).describe());
  if (action.taskQueue === taskQueue) return;
  throw new IntakeError('USAGE', `Schedule ${id} is another deployment's: of task queue '${action.taskQueue}'`, {
    remedy: `This one's is '${taskQueue}' (INTAKE_TASK_QUEUE). Give each deployment a namespace of its own.`,
  });
}

/** Other times for what it does. @throws IntakeError SCHEDULE_NOT_FOUND. */
export function setTimes({ schedule }: Client, id: string, times: Times): Promise<void> {
  return found(
    id,
    schedule.getHandle(id).update((before) => {
      const { args = [], ...action } = before.action;
      const [input] = args as [object | undefined];
      if (typeof input !== 'object' || input === null) throw brokenSchedule(id);
      // A window is as long as the time between two of them.
      const fitting =
        'windowHours' in input && 'everyMinutes' in times
          ? { ...input, windowHours: times.everyMinutes / 60 }
          : 'timeZone' in input && 'at' in times
            ? { ...input, timeZone: times.timeZone }
            : input;
      return { ...before, spec: specOf(times), action: { ...action, args: [fitting] } };
    }),
  );
}

/** For the database and the objects of who asks now. @param order orders there what it reads. @throws IntakeError SCHEDULE_NOT_FOUND. */
export async function moveSchedule(
  { schedule }: Client,
  id: string,
  place: Place,
  order: (definition: Pick<Definition, 'workflow' | 'input'>) => Promise<void>,
): Promise<void> {
  const handle = schedule.getHandle(id);
  const { action } = await found(id, handle.describe());
  const [before] = (action.args ?? []) as [Definition['input'] | undefined];
  if (!before) throw brokenSchedule(id);
  const input = { ...before, databaseId: undefined, objects: undefined };
  await order({ workflow: action.workflowType as ScheduledWorkflow, input: before });
  await found(
    id,
    handle.update((now) => ({ ...now, action: { ...now.action, args: [{ ...input, ...place }] } })),
  );
}

const brokenSchedule = (id: string): IntakeError =>
  new IntakeError('USAGE', `Schedule ${id} is broken: its input is missing`, {
    remedy: 'Make it anew: intake schedule add ... --replace.',
  });

/** @param note why; not empty, or nothing happens. */
export const pauseSchedule = ({ schedule }: Client, id: string, note: string): Promise<void> =>
  found(id, schedule.getHandle(id).pause(note));
export const resumeSchedule = ({ schedule }: Client, id: string, note: string): Promise<void> =>
  found(id, schedule.getHandle(id).unpause(note));
export const removeSchedule = ({ schedule }: Client, id: string): Promise<void> =>
  found(id, schedule.getHandle(id).delete());

/** Acts now, beside what is running. */
export const triggerSchedule = ({ schedule }: Client, id: string): Promise<void> =>
  found(id, schedule.getHandle(id).trigger('ALLOW_ALL'));

/** Acts for every time between, one after the other. */
export const backfillSchedule = ({ schedule }: Client, id: string, start: Date, end: Date): Promise<void> =>
  found(id, schedule.getHandle(id).backfill({ start, end, overlap: 'BUFFER_ALL' }));

/** @throws IntakeError SCHEDULE_NOT_FOUND for Temporal's error of that meaning. */
export async function found<T>(id: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError)
      throw new IntakeError('SCHEDULE_NOT_FOUND', `There is no schedule ${id}`, { cause: error });
    throw error;
  }
}

function optionsOf({
  id,
  times,
  workflow,
  taskQueue,
  input,
  summary,
  attributes,
}: Definition): ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>> {
  const { overlap, catchupHours } = POLICIES[workflow];
  return {
    scheduleId: id,
    spec: specOf(times),
    action: {
      type: 'startWorkflow',
      workflowType: workflow,
      workflowId: `schedule/${id}`, // the server appends the time
      taskQueue,
      args: [input],
      staticSummary: summary,
      typedSearchAttributes: attributePairs(attributes),
    },
    policies: { overlap, catchupWindow: catchupHours * 3_600_000, pauseOnFailure: false },
  };
}
