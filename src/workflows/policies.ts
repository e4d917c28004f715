/** Activities as workflows call them: each under its policy, on any worker, on the host of a file, or in the workflow's own worker. */
import {
  ActivityFailure,
  ApplicationFailure,
  proxyActivities,
  proxyLocalActivities,
  TimeoutFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import {
  HOST_ASKED_AGAIN,
  HOST_START,
  INTERACTIVE_ATTEMPTS,
  policyOf,
  type ActivityName,
} from '../messages/policies.ts';
import { summaryOf } from '../messages/summaries.ts';
import { now } from './execution.ts';

/** After so many events an execution continues as new; a workflow stays well under 2,000. */
export const EVENTS_PER_EXECUTION = 1200;

/** Patch: executions that began before 0.4.0 neither cancel the other activities of a failed window nor await those that are cancelled. */
export const END_TOGETHER = 'activities-end-together';

export interface ProxyOptions {
  readonly taskQueue: string;
  /** Of the host that holds a file. */
  readonly fileQueue?: string;
  readonly hostPatience?: keyof typeof HOST_ASKED_AGAIN;
  /** Told when no worker of the host takes a task, and when one does again. */
  readonly onWaiting?: (waiting: Waiting | undefined) => void;
  /** Somebody waits for the answer: a service that does not answer is told, not waited for. */
  readonly interactive?: boolean | undefined;
  /** Whether an activity that is cancelled has ended before the workflow goes on; the SDK's own choice is not to wait. */
  readonly awaitCancelled?: boolean;
  /** What Temporal UI says beside the activity, where the caller knows more than its arguments do. */
  readonly summary?: string;
}

export interface Waiting {
  readonly queue: string;
  /** ISO; when the task was first offered. */
  readonly since: string;
}

export interface ActivityProxies {
  readonly anyWorker: Activities;
  readonly fileHost: Activities;
  /** A call or two to the database, made by the worker of the workflow itself: no server round trip, recorded as a marker. */
  readonly local: Activities;
}

export function activityProxies(options: ProxyOptions): ActivityProxies {
  const { taskQueue, fileQueue = taskQueue } = options;
  return {
    anyWorker: byName(
      (name, summary) => proxyActivities<Activities>({ ...optionsOf(name, options), summary, taskQueue })[name] as Work,
      options,
    ),
    fileHost: byName((name, summary) => {
      const bound = { ...optionsOf(name, options), summary, taskQueue: fileQueue };
      if (bound.scheduleToCloseTimeout) return proxyActivities<Activities>(bound)[name] as Work;
      const within = (scheduleToStartTimeout: number) =>
        proxyActivities<Activities>({ ...bound, scheduleToStartTimeout })[name] as Work;
      return onHost(within, fileQueue, options);
    }, options),
    local: byName((name, summary) => {
      const { startToCloseTimeout, retry, cancellationType } = optionsOf(name, options);
      const local = {
        ...(cancellationType ? { cancellationType } : {}),
        summary,
        startToCloseTimeout: startToCloseTimeout!,
        retry: retry!,
        localRetryThreshold: '10 s' as const,
      };
      return proxyLocalActivities<Activities>(local)[name] as Work;
    }, options),
  };
}

function optionsOf(name: ActivityName, { interactive, awaitCancelled }: Partial<ProxyOptions>): ActivityOptions {
  const { startToClose, heartbeat, backOff, attempts: usual, scheduleToClose } = policyOf(name);
  const attempts = interactive ? INTERACTIVE_ATTEMPTS : usual;
  return {
    ...(awaitCancelled ? { cancellationType: 'WAIT_CANCELLATION_COMPLETED' } : {}),
    startToCloseTimeout: startToClose,
    heartbeatTimeout: heartbeat,
    ...(scheduleToClose ? { scheduleToCloseTimeout: scheduleToClose } : {}),
    retry: {
      // Failures ask for their own, jittered delay; these are for a worker that vanished.
      initialInterval: backOff.first,
      backoffCoefficient: 2,
      maximumInterval: backOff.longest,
      ...(attempts ? { maximumAttempts: attempts } : {}),
    },
  };
}

type Work = (...args: unknown[]) => Promise<unknown>;

/** Each call with its summary. */
const byName = (
  activity: (name: ActivityName, summary: string) => Work,
  { summary }: Pick<ProxyOptions, 'summary'>,
): Activities =>
  new Proxy(
    {},
    {
      get:
        (_, name: ActivityName): Work =>
        (...args) =>
          activity(name, summary ?? summaryOf(name, args[0]))(...args),
    },
  ) as Activities;

/** A host that is gone takes no task: that is said, and waited for as long as a person may need to bring it back. */
function onHost(
  within: (scheduleToStart: number) => Work,
  queue: string,
  { hostPatience = 'import', onWaiting = () => undefined }: Partial<ProxyOptions>,
): Work {
  return async (...args) => {
    const since = now();
    for (let asked = 0; ; asked++) {
      try {
        const answer = await within(asked === 0 ? HOST_START.first : HOST_START.again)(...args);
        if (asked > 0) onWaiting(undefined);
        return answer;
      } catch (error) {
        if (!neverStarted(error)) throw error;
        if (asked >= HOST_ASKED_AGAIN[hostPatience]) {
          const message = `No worker takes tasks of ${queue}, asked since ${since}`;
          throw ApplicationFailure.nonRetryable(message, 'HOST_UNAVAILABLE');
        }
        onWaiting({ queue, since });
      }
    }
  };
}

const neverStarted = (error: unknown): boolean =>
  error instanceof ActivityFailure &&
  error.cause instanceof TimeoutFailure &&
  error.cause.timeoutType === 'SCHEDULE_TO_START';
