/** Intake itself: a workflow on a worker of its own, from the client's first look at the file or directory to the completed run. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { loadConfig, type BackendName, type Config } from '../../src/config.ts';
import { importResult } from '../../src/imports/follow.ts';
import { startImport } from '../../src/imports/start.ts';
import { importInput } from '../../src/imports/request.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import type { DirectoryOptions, ImportRequest } from '../../src/messages/requests.ts';
import { environmentOf, SMALL_PROCESS } from '../../src/local/environment.ts';
import { readSettings } from '../../src/local/state.ts';
import { workflowBundle } from '../../src/workflows/bundle.ts';
import { timed } from '../programs.ts';
import { startWorkerProcess } from '../workerProcess.ts';
import type { ImportReport } from '../../src/messages/imports.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const intake = (backend: BackendName): Contender => ({
  name: `intake-${backend}`,
  about: `Intake, ${backend} backend: landed, promoted, reconciled; every row accounted for`,
  missing: () => undefined,
  run: (course) => importOnce(course, backend),
});

const SAMPLE = fileURLToPath(new URL('../../samples/search-results', import.meta.url));

/** A directory that Intake has never seen, the same again, and the same with `--delta`; each on a worker that is in service. */
export function intakeDirectory(backend: BackendName): Contender[] {
  const tag = 'bench';
  const contender = (
    part: string,
    follows: string | undefined,
    about: string,
    options: DirectoryOptions,
  ): Contender => ({
    name: `intake-${backend}-${part}`,
    about: `Intake, ${backend} backend: ${about}`,
    missing: () => undefined,
    ...(follows ? { follows: `intake-${backend}-${follows}` } : {}),
    run: (course) => importOnce(course, backend, options),
  });
  return [
    contender('cold', undefined, 'nothing stored, nothing cached', { tag }),
    contender('second', 'cold', 'the same again', { tag }),
    contender('delta', 'second', 'with --delta, nothing new', { tag, delta: true }),
  ];
}

/** The environment of the stack's programs, and the configuration that comes of it. */
export function configurationOf({ stack }: Pick<Course, 'stack'>): { env: NodeJS.ProcessEnv; config: Config } {
  const settings = readSettings(stack.dir);
  if (!settings) throw new Error(`no stack.json in ${stack.dir}`);
  const env = { ...environmentOf(stack.dir, settings), INTAKE_OBJECTS_DIR: undefined, INTAKE_FILES: '/' };
  return { env, config: loadConfig(env) };
}

async function importOnce(course: Course, backend: BackendName, directory?: DirectoryOptions): Promise<Outcome> {
  const { env, config } = configurationOf(course);
  workflowBundle(join(config.dir, 'cache')); // built ahead, by a process of its own
  const worker = await startWorkerProcess({ ...env, ...SMALL_PROCESS }, course.workDir);
  const client = await connectTemporal(config);
  try {
    // A worker's first import compiles as it goes, which takes longer than 515 files. A dry run of others stores nothing.
    if (directory)
      await runImport(client, config, { kind: course.kind, path: SAMPLE, mode: 'dry-run', backend, directory });
    let report: ImportReport | undefined;
    let handle: WorkflowHandleWithFirstExecutionRunId | undefined;
    const seconds = await timed(async () => {
      ({ handle, report } = await runImport(client, config, {
        kind: course.kind,
        path: course.file,
        mode: 'commit',
        backend,
        ...(directory ? { directory } : {}),
      }));
    });
    if (!handle || report?.status !== 'completed')
      throw new Error(`the import ended as ${report?.status}: ${report?.error?.message}`);
    const peak = worker.peakMb();
    return {
      seconds,
      counts: await course.count(),
      ...(peak === undefined ? {} : { workerPeakMb: peak }),
      events: await longestHistory(client, handle),
      phases: report.phases,
    };
  } finally {
    await client.connection.close();
    await worker.stop();
  }
}

/** @returns the handle and, when it has ended, the report. */
export async function runImport(
  client: Client,
  config: Config,
  request: ImportRequest,
): Promise<{ handle: WorkflowHandleWithFirstExecutionRunId; report: ImportReport }> {
  const handle = (await startImport(
    client,
    await importInput(config, request),
  )) as WorkflowHandleWithFirstExecutionRunId;
  return { handle, report: await importResult(handle) };
}

/** Events of the longest execution of a workflow that may have continued as new. */
async function longestHistory(
  client: Client,
  { workflowId, firstExecutionRunId }: WorkflowHandleWithFirstExecutionRunId,
): Promise<number> {
  let longest = 0;
  for (let next = firstExecutionRunId; next;) {
    const { events } = await client.workflow.getHandle(workflowId, next).fetchHistory();
    longest = Math.max(longest, events?.length ?? 0);
    next = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
  }
  return longest;
}
