/** The one place for timeouts and retries of activities, each with its reason. */
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';
import { ERRORS } from '../errors.ts';

/** What an operator must mend fails at once; everything else is transient and is retried until it works or is cancelled. */
const retry = {
  initialInterval: '500 ms',
  backoffCoefficient: 2,
  // Activities ask for their own, jittered delay; this caps the wait after a worker that vanished.
  maximumInterval: '30 s',
  nonRetryableErrorTypes: Object.entries(ERRORS)
    .filter(([, rule]) => rule.kind === 'fatal')
    .map(([code]) => code),
};

/** Long enough for a busy machine, short enough that a lost worker is noticed while an operator watches. */
const heartbeatTimeout = '20 s';

/** One transaction or one small file read. */
export const STEP = { startToCloseTimeout: '15 min', heartbeatTimeout, retry } satisfies ActivityOptions;

/** A pass over the whole file: 10 GB over a slow disk take their time. */
export const FULL_PASS = { startToCloseTimeout: '12 h', heartbeatTimeout, retry } satisfies ActivityOptions;

/** A call or two to the database, made by the worker of the workflow itself: no way over the server, a marker in the history. */
export const BRIEF = {
  startToCloseTimeout: '2 min',
  localRetryThreshold: '10 s',
  retry,
} satisfies LocalActivityOptions;

/** After so many events an execution continues as new; a workflow stays well under 2,000. */
export const EVENTS_PER_EXECUTION = 1200;

/** One POST to the gateway (runbook 003): five attempts, after 1, 2, 4 and 8 s unless the gateway names a time; it merges for up to 110 s. */
export const POST = {
  startToCloseTimeout: '4 min',
  heartbeatTimeout,
  retry: { ...retry, initialInterval: '1 s', maximumInterval: '16 s', maximumAttempts: 5 },
} satisfies ActivityOptions;

/** What depends on somebody else's server: half an hour of attempts, then the run fails and says so. */
export const PATIENT = { ...FULL_PASS, retry: { ...retry, maximumAttempts: 60 } } satisfies ActivityOptions;

/** The same while somebody waits for it. */
export const BRISK = { ...STEP, retry: { ...retry, maximumAttempts: 2 } } satisfies ActivityOptions;
