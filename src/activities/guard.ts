/** What surrounds every activity: its heartbeats, the log, metrics, and failures that carry a code and no data. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { ERRORS, IntakeError } from '../errors.ts';
import {
  ATTEMPTS_AT_TIME_LIMIT,
  ATTEMPTS_OF_INTERNAL,
  delayAfter,
  policyOf,
  type ActivityName,
} from '../messages/policies.ts';
import { interruptible } from '../database/interruption.ts';
import { isTimeLimit } from '../database/sqlError.ts';
import type { Metrics } from '../observability/metrics.ts';
import { isCodeReplaced } from './codeOnDisk.ts';
import { measure } from './measure.ts';
import { lastProgress, takeBackAttempt } from './heartbeat.ts';

type Activity = (...args: never[]) => Promise<unknown>;

/** Wraps activities so that they heartbeat while they run and fail with codes only. */
export function guarded<A extends { [name in keyof A]: Activity }>(activities: A, log: Logger, metrics: Metrics): A {
  const wrap =
    (name: string, run: Activity): Activity =>
    async (...args) => {
      const context = Context.current();
      const { heartbeatTimeoutMs, attempt, workflowExecution, isLocal } = context.info;
      const interval = Math.max(1000, (heartbeatTimeoutMs ?? policyOf(name as ActivityName).heartbeat) / 4);
      // A local activity has no heartbeat.
      const heartbeatTimer = isLocal
        ? undefined
        : setInterval(() => context.heartbeat(lastProgress.get(context)), interval);
      const started = performance.now();
      const seconds = () => (performance.now() - started) / 1000;
      try {
        const result = await interruptible(context.cancellationSignal, () => run(...args));
        metrics.activity(name, 'completed', seconds());
        measure(metrics, name, result, args);
        log.debug(
          { activity: name, workflow: workflowExecution?.workflowId, attempt, ms: Math.round(seconds() * 1000) },
          'done',
        );
        return result;
      } catch (error) {
        const cancelled = context.cancellationSignal.aborted;
        takeBackAttempt(context);
        metrics.activity(name, cancelled ? 'cancelled' : 'failed', seconds());
        if (cancelled) throw new CancelledFailure('cancelled');
        const known = failure(timeLimit(error, context), name as ActivityName, attempt, log);
        metrics.activityFailed(name, known.type as string);
        throw known;
      } finally {
        clearInterval(heartbeatTimer);
      }
    };
  return Object.fromEntries(
    Object.entries<Activity>(activities).map(([name, run]) => [name, wrap(name, run)]),
  ) as unknown as A;
}

/** A step that cannot be made smaller, and that the database ends every time, does not go on by itself. */
function timeLimit(error: unknown, context: Context): unknown {
  if (!isTimeLimit(error) || context.info.isLocal) return error;
  const { timeLimits = 0 } = (context.info.heartbeatDetails ?? {}) as { timeLimits?: number };
  context.heartbeat({ ...(lastProgress.get(context) as object), timeLimits: timeLimits + 1 });
  if (timeLimits + 1 < ATTEMPTS_AT_TIME_LIMIT) return error;
  return new IntakeError(
    'DATABASE_TIME_LIMIT',
    `The database has ended a statement of this step ${timeLimits + 1} times at its time limit`,
    {
      cause: error,
    },
  );
}

/** What a full or read-only disk says. Sources and stored objects have codes of their own: this is the work folder. */
const DISK = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EEXIST', 'ENOTDIR', 'EMFILE', 'ENFILE']);

const REPLACED =
  'The program on disk was replaced since the worker began: restart it (intake down, then intake up), then intake resume ID.';

function knownError(error: unknown): IntakeError {
  if (error instanceof IntakeError) return error;
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  // A recursive mkdir says ENOENT of a file system that is read-only.
  return DISK.has(code) || (code === 'ENOENT' && syscall === 'mkdir')
    ? new IntakeError('DISK_UNAVAILABLE', `The work folder of this worker cannot be used (${code})`, { cause: error })
    : new IntakeError('INTERNAL', 'An unexpected error; the log of the worker has it', {
        cause: error,
        ...(isCodeReplaced() ? { remedy: REPLACED } : {}),
      });
}

function failure(error: unknown, activity: ActivityName, attempt: number, log: Logger): ApplicationFailure {
  const known = knownError(error);
  const nonRetryable = known.code === 'INTERNAL' ? attempt >= ATTEMPTS_OF_INTERNAL : !known.retryable;
  log.warn({ activity, attempt, code: known.code, err: known.cause ?? known }, known.message);
  return ApplicationFailure.create({
    type: known.code,
    message: known.line === undefined ? known.message : `${known.message} (line ${known.line})`,
    details: known.remedy === ERRORS[known.code].remedy ? [] : [known.remedy],
    nonRetryable,
    ...(nonRetryable ? {} : { nextRetryDelay: known.retryAfterMs ?? delayAfter(policyOf(activity).backOff, attempt) }),
  });
}
