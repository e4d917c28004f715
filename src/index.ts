/** The library of the package: imports started by a program, and Intake's workflows and activities in a worker of its own. */
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { openActivities as open, type OpenActivities } from './activities/open.ts';
import { loadConfig, type Config } from './config.ts';
import { openBackends } from './database/backends/open.ts';
import type { Run } from './database/rows.ts';
import { importInput } from './imports/request.ts';
import { startImport as start } from './imports/start.ts';
import type { ImportReport } from './messages/imports.ts';
import type { ImportRequest } from './messages/requests.ts';
import { createLogger } from './observability/log.ts';
import { hostQueue } from './temporal/queues.ts';

export { loadConfig, type Config } from './config.ts';
export { IntakeError, type ErrorCode } from './errors.ts';
export type { ImportOptions, ImportReport } from './messages/imports.ts';
export type { DirectoryOptions, ImportRequest } from './messages/requests.ts';
export type { OpenActivities } from './activities/open.ts';
export { connectTemporal } from './temporal/connect.ts';

/** For `Worker.create` on `config.taskQueue`; a program with workflows of its own exports these beside them. */
export const workflowsPath = fileURLToPath(
  new URL(`./workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** The second queue that a worker must poll with the activities: that of files on this host. */
export const filesQueue = ({ taskQueue, host }: Config): string => hostQueue(taskQueue, host);

/** The activities for a worker of one's own. Its Temporal needs the search attributes that `intake doctor` names. */
export const openActivities = (config: Config = loadConfig()): Promise<OpenActivities> =>
  open(config, createLogger(config.logLevel));

/**
 * Starts an import, or attaches to the same one that is running; a worker on this host has to read its file.
 * @returns its workflow, whose result is the report; a failed import is a report, too.
 * @throws IntakeError for an unusable file or directory, or OPTIONS_DIFFER when the running one has other options.
 */
export async function startImport(
  client: Client,
  request: ImportRequest,
  config: Config = loadConfig(),
): Promise<WorkflowHandle<() => Promise<ImportReport>>> {
  const name = request.backend ?? config.backend;
  const backends = await openBackends(config, undefined, [name]);
  try {
    const backend = backends.get(name);
    const find = async (id: string): Promise<Run | undefined> => (await backend.call('find_run', { id }))[0];
    return await start(client, await importInput(config, request, find), backend);
  } finally {
    await backends.close();
  }
}
