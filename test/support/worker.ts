/** The tests' own composition root of a worker; as a program, one that dies where it is told (see failpoints.ts) and whose workflows do not wait. */
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { SLICE_FILES } from '../../src/activities/directory/slice.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import type { Backend } from '../../src/database/backend.ts';
import { POLICIES, type ActivityPolicy } from '../../src/messages/policies.ts';
import { createLogger } from '../../src/observability/log.ts';
import { startWorker, type RunningWorker, type WorkerOptions } from '../../src/worker.ts';
import { workflowBundle } from '../../src/workflows/bundle.ts';
import { currentActivity } from './failpoints.ts';
import { TEST_CACHE } from './stack.ts';

/** JSON files of a slice in a worker of its own process. */
const FEW_FILES = 50;

/** The workflows with interceptors that wait for nothing. */
export const impatientBundle = (): string =>
  workflowBundle(TEST_CACHE, false, [fileURLToPath(new URL('./impatient.ts', import.meta.url))]);

/** Refuses what the policy of an activity does not know of: its time would be reckoned wrongly. */
export function withDeclaredCalls(backend: Backend): Backend {
  const check = (fn: string): void => {
    const activity = currentActivity();
    const policy = activity && (POLICIES as Readonly<Record<string, ActivityPolicy>>)[activity];
    if (!policy || policy.calls.includes(fn)) return;
    const message = `messages/policies.ts does not say that ${activity} calls ${fn}`;
    console.error(message); // the activity's own failure says INTERNAL
    throw ApplicationFailure.nonRetryable(message);
  };
  return {
    ...backend,
    async call(fn, args) {
      check(fn);
      return backend.call(fn, args);
    },
    async stage(chunk) {
      check('stage_chunk');
      return backend.stage(chunk);
    },
  };
}

/** A worker in this process. @param sliceFiles asked when a directory is planned. */
export const startTestWorker = (
  config: Config,
  { sliceFiles = () => SLICE_FILES, ...options }: WorkerOptions & { readonly sliceFiles?: () => number } = {},
): Promise<RunningWorker> =>
  startWorker(config, createLogger('fatal'), {
    ...options,
    adapt: (deps) => ({
      ...deps,
      get sliceFiles() {
        return sliceFiles();
      },
      backend: (name) => withDeclaredCalls(deps.backend(name)),
    }),
  });

if (process.argv[1] === import.meta.filename) {
  const { failpointInterceptor, withFailpoints } = await import('./failpoints.ts');
  const worker = await startWorker(loadConfig(), createLogger('warn'), {
    ...(process.argv[2] === 'files' ? { only: 'files' } : {}),
    activityInterceptors: [failpointInterceptor],
    workflowBundle: impatientBundle(),
    adapt: (deps) => ({
      ...deps,
      sliceFiles: FEW_FILES,
      backend: (name) => withFailpoints(withDeclaredCalls(deps.backend(name))),
    }),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void worker.shutdown());
  await worker.done;
}
