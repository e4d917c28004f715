/**
 * Named points at which a worker of a test kills itself, by activity: `INTAKE_FAILPOINTS=parse.before,upsertPartition.after` kills at the
 * first pass of each; a marker file in `INTAKE_FAILPOINTS_DIR` keeps the worker that follows from dying again. `parse.within!` kills at every pass.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Backend } from '../../src/database/backend.ts';

const armed = new Set((process.env['INTAKE_FAILPOINTS'] ?? '').split(',').filter(Boolean));
/** Objects that are stored before the worker dies within an upload. */
const OBJECTS: Readonly<Record<string, number>> = { upload: 1, uploadSlice: 19 };
/** They read files: within them is soon after their beginning. */
const READERS = new Set(['hash']);
const SOON_MS = 4;

function failpoint(name: string): void {
  if (armed.has(name)) {
    const marker = join(process.env['INTAKE_FAILPOINTS_DIR'] ?? '.', `failpoint-${name}`);
    if (existsSync(marker)) return;
    writeFileSync(marker, '');
  } else if (!armed.has(`${name}!`)) return;
  process.kill(process.pid, process.env['INTAKE_FAILPOINTS_SIGNAL'] === 'SIGSTOP' ? 'SIGSTOP' : 'SIGKILL');
}

/** A few milliseconds later: within the effect of what the caller sends next. */
const failpointSoon = (name: string): void => {
  if (armed.has(name) || armed.has(`${name}!`)) setTimeout(() => failpoint(name), SOON_MS);
};

/** Before an activity does anything, and after all that it does. */
export const failpointInterceptor: ActivityInterceptorsFactory = ({ info: { activityType } }) => ({
  inbound: {
    async execute(input, next) {
      failpoint(`${activityType}.before`);
      if (READERS.has(activityType)) failpointSoon(`${activityType}.within`);
      const answer = await next(input);
      failpoint(`${activityType}.after`);
      return answer;
    },
  },
});

/** The activity that runs now; undefined outside of activities. */
export function currentActivity(): string | undefined {
  try {
    return Context.current().info.activityType;
  } catch {
    return undefined;
  }
}

/** Within the effect of an activity: what it sends to the backend, or posts. */
export function withFailpoints(backend: Backend): Backend {
  const { objects } = backend;
  const within = (): void => failpointSoon(`${currentActivity()}.within`);
  let stored = 0;
  return {
    ...backend,
    call(fn, args) {
      if (fn !== 'heartbeat_import_run' && !OBJECTS[currentActivity() ?? '']) within();
      return backend.call(fn, args);
    },
    stage(chunk) {
      within();
      return backend.stage(chunk);
    },
    objects: {
      ...objects,
      async put(...args) {
        const activity = currentActivity() ?? '';
        if (OBJECTS[activity] !== undefined && stored++ >= OBJECTS[activity]) failpoint(`${activity}.within`);
        return objects.put(...args);
      },
    },
  };
}

const { fetch } = globalThis;
globalThis.fetch = (...args) => {
  if (currentActivity() === 'postBatch') failpointSoon('postBatch.within');
  return fetch(...args);
};
