/** Intake itself: a workflow on a worker of its own, from the client's first look at the file to the completed run. */
import { join } from 'node:path';
import { loadConfig, type BackendName, type Config } from '../../src/config.ts';
import { connectTemporal, importInput, importResult, startImport } from '../../src/imports.ts';
import { environmentOf, SMALL_PROCESS } from '../../src/local/environment.ts';
import { readSettings } from '../../src/local/state.ts';
import { workflowBundle } from '../../src/workflows/bundle.ts';
import { timed } from '../programs.ts';
import { startWorkerProcess } from '../workerProcess.ts';
import type { ImportReport } from '../../src/workflows/messages.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const intake = (backend: BackendName): Contender => ({
  name: `intake-${backend}`,
  about: `Intake, ${backend} backend: landed, promoted, reconciled; every row accounted for`,
  missing: () => undefined,
  run: (course) => importOnce(course, backend),
});

/** The environment of the stack's programs, and the configuration that comes of it. */
export function configurationOf({ stack }: Pick<Course, 'stack'>): { env: NodeJS.ProcessEnv; config: Config } {
  const settings = readSettings(stack.dir);
  if (!settings) throw new Error(`no stack.json in ${stack.dir}`);
  const env = { ...environmentOf(stack.dir, settings), INTAKE_OBJECTS_DIR: undefined };
  return { env, config: loadConfig(env) };
}

async function importOnce(course: Course, backend: BackendName): Promise<Outcome> {
  const { env, config } = configurationOf(course);
  workflowBundle(join(config.dir, 'cache')); // built ahead, by a process of its own
  const worker = await startWorkerProcess({ ...env, ...SMALL_PROCESS }, course.workDir);
  const client = await connectTemporal(config);
  try {
    let report: ImportReport | undefined;
    let events = 0;
    const seconds = await timed(async () => {
      const input = await importInput(config, { kind: course.kind, path: course.file, mode: 'commit', backend });
      const handle = await startImport(client, input);
      report = await importResult(handle);
      events = (await handle.describe()).historyLength;
    });
    if (report?.status !== 'completed') throw new Error(`the import ended as ${report?.status}: ${report?.error?.message}`);
    const peak = worker.peakMb();
    return {
      seconds,
      counts: await course.count(),
      ...(peak === undefined ? {} : { workerPeakMb: peak }),
      events,
      phases: report.phases,
    };
  } finally {
    await client.connection.close();
    await worker.stop();
  }
}
