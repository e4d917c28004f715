/**
 * schedules/: What people do with Temporal Schedules: make, change, look at them.
 *
 * The schedules of Intake: what each starts, and its policies for overlaps and for times that were missed, with their
 * reasons.
 */
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { kindNamed } from '../kinds/index.ts';
import { projects } from '../kinds/projects.ts';
import { requestWithoutTexts } from '../imports/headers.ts';
import type { ImportRequest } from '../messages/requests.ts';
import { MAX_BATCH_ROWS } from '../sources/projects/split.ts';
import { hostQueue } from '../temporal/queues.ts';
import type { Attributes } from '../messages/attributes.ts';
import { pushSettings, type PushSettings } from '../messages/push.ts';
import type { AlertsInput, RetentionInput, ScheduledImportInput, ScheduledPushInput } from '../messages/schedules.ts';
import type { Times } from './times.ts';

export interface Definition {
  readonly id: string;
  readonly times: Times;
  readonly workflow: ScheduledWorkflow;
  readonly taskQueue: string;
  readonly input: AlertsInput | RetentionInput | ScheduledImportInput | ScheduledPushInput;
  readonly summary: string;
  readonly attributes: Attributes;
}

export type ScheduledWorkflow = 'scheduledPush' | 'scheduledImport' | 'retention' | 'alertAnomalies';

interface Policy {
  readonly overlap: 'SKIP' | 'BUFFER_ONE' | 'ALLOW_ALL';
  readonly catchupHours: number;
}

export const POLICIES: Readonly<Record<ScheduledWorkflow, Policy>> = {
  // A push that takes beyond the next day's time must not lose that day; more than one waiting would push the same files.
  scheduledPush: { overlap: 'BUFFER_ONE', catchupHours: 6 },
  scheduledImport: { overlap: 'BUFFER_ONE', catchupHours: 6 },
  // What one leaves the next one takes.
  retention: { overlap: 'SKIP', catchupHours: 12 },
  // Each looks at its own window: a webhook that hangs must not keep the next from telling.
  alertAnomalies: { overlap: 'ALLOW_ALL', catchupHours: 6 },
};

/** Runbook 003's name of the job. */
const RETENTION_ID = 'imports-anomalies-retention';
const ALERTS_ID = 'anomalies-alerts';

export interface PushSchedule extends PushSettings {
  readonly tenantId: string;
  /** A file, a folder, an address without secrets, or `env:NAME`. */
  readonly from: string;
  readonly times: Times;
  /** Of the batch ids. */
  readonly timeZone: string;
  readonly host?: string;
}

/** The daily push of a tenant. */
export function pushSchedule(
  { taskQueue, backend, host: here }: Config,
  { tenantId, from, times, timeZone, host = here, ...settings }: PushSchedule,
): Definition {
  const input: ScheduledPushInput = {
    taskQueue,
    backend,
    fileQueue: hostQueue(taskQueue, host),
    tenantId,
    from: /^(https?|env):/.test(from) ? from : resolve(from),
    timeZone,
    batchRows: MAX_BATCH_ROWS,
    ...pushSettings(settings),
  };
  return {
    id: `projects-${tenantId}`,
    times,
    workflow: 'scheduledPush',
    taskQueue,
    input,
    summary: `push: projects of ${tenantId}`,
    attributes: { kind: projects.name, tenant: tenantId },
  };
}

/** How long what stays. */
export const retentionInWords = ({
  importsDays,
  anomaliesDays,
  runDays = {},
}: Omit<RetentionInput, 'taskQueue' | 'backend'>): string =>
  [
    `retention: batches ${importsDays} days, anomalies ${anomaliesDays} days`,
    ...Object.entries(runDays).map(([kind, days]) => `rows of ${kind === '*' ? 'runs' : kind} ${days} days`),
  ].join(', ');

export function retentionSchedule(
  { taskQueue, backend }: Config,
  times: Times,
  days: Omit<RetentionInput, 'taskQueue' | 'backend'>,
): Definition {
  const summary = retentionInWords(days);
  return {
    id: RETENTION_ID,
    times,
    workflow: 'retention',
    taskQueue,
    input: { taskQueue, backend, ...days },
    summary,
    attributes: {},
  };
}

/** @param everyMinutes also the length of the window that each looks at. */
export function alertsSchedule({ taskQueue, backend }: Config, everyMinutes: number): Definition {
  const input: AlertsInput = { taskQueue, backend, windowHours: everyMinutes / 60 };
  return {
    id: ALERTS_ID,
    times: { everyMinutes },
    workflow: 'alertAnomalies',
    taskQueue,
    input,
    summary: 'alerts: anomalies',
    attributes: {},
  };
}

export interface ImportSchedule {
  readonly request: ImportRequest;
  readonly times: Times;
  readonly id?: string;
  readonly host?: string;
}

/** An import of any kind; it is called by kind and source system unless it is given an id. */
export function importSchedule(
  { taskQueue, backend, host: here }: Config,
  { request, times, id, host = here }: ImportSchedule,
): Definition {
  const kind = kindNamed(request.kind);
  const source = request.sourceSystem ?? kind.defaultSource;
  const input: ScheduledImportInput = {
    taskQueue,
    backend,
    fileQueue: hostQueue(taskQueue, host),
    request: { ...requestWithoutTexts(request), path: resolve(request.path) },
  };
  return {
    id: id ?? (source === kind.name ? kind.name : `${kind.name}-${source}`),
    times,
    workflow: 'scheduledImport',
    taskQueue,
    input,
    summary: `import: ${kind.name} from ${source}`,
    attributes: { kind: kind.name, source, tenant: kind.sourceIsTenant ? source : undefined },
  };
}
