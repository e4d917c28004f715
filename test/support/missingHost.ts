/** Interceptors of the workflows for a test of hosts that are gone: a fraction of a second stands for minutes. */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

const SHORT_MS = 200;

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) =>
        next(
          input.options.scheduleToStartTimeout
            ? { ...input, options: { ...input.options, scheduleToStartTimeout: SHORT_MS } }
            : input,
        ),
    },
  ],
});
