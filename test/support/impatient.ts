/** Interceptors of the workflows for tests, which cannot wait: a silent activity is given up soon, and a push keeps no pace. */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

const HEARTBEAT_MS = 2000;

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) =>
        next({ ...input, options: { ...input.options, heartbeatTimeout: HEARTBEAT_MS } }),
      startTimer: (input, next) =>
        input.options?.summary === 'one request a second' ? Promise.resolve() : next(input),
    },
  ],
});
