/**
 * push/: Starting and following a push of a file of projects.
 *
 * Starting and awaiting a push: the calls that the CLI and its tests share.
 */
import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Config } from '../config.ts';
import { projects } from '../kinds/projects.ts';
import { IntakeError } from '../errors.ts';
import { outcomeOf, type FailedWorkflow } from '../temporal/outcome.ts';
import { targetText } from '../settings/target.ts';
import { hashFile } from '../sources/file.ts';
import { hostQueue } from '../temporal/queues.ts';
import { PROGRESS_QUERY } from '../messages/imports.ts';
import { pushSettings, type PushInput, type PushReport, type PushSettings } from '../messages/push.ts';
import { pushOptions } from '../messages/startOptions.ts';
import { memoOfOther, startOrAttach } from '../temporal/start.ts';
import { MAX_BATCH_ROWS } from '../sources/projects/split.ts';
import { inPlaceOf, type PlaceBackend } from '../database/identity.ts';
import { filesIn, order, ORDER_HOURS } from '../database/orders.ts';
import { shellWord } from '../values/text.ts';

export interface PushRequest extends PushSettings {
  readonly tenantId: string;
  readonly path: string;
}

/** What the workflow is told. @throws IntakeError for an unusable file. */
export async function pushInput(
  config: Config,
  { tenantId, path: given, ...settings }: PushRequest,
): Promise<PushInput> {
  const path = resolve(given);
  const { hash } = await hashFile(path);
  return {
    backend: config.backend,
    target: targetText(config),
    taskQueue: config.taskQueue,
    fileQueue: hostQueue(config.taskQueue, config.host),
    tenantId,
    path,
    filename: basename(path),
    fileHash: hash,
    batchRows: MAX_BATCH_ROWS,
    ...pushSettings(settings),
  };
}

export interface StartedPush {
  readonly handle: WorkflowHandle;
  /** Whether it was running already. */
  readonly attached: boolean;
}

/** Starts the push, or attaches to the one of this file. @throws IntakeError IN_PROGRESS when another file of the tenant is on its way. */
export async function startPush(client: Client, asked: PushInput, backend?: PlaceBackend): Promise<StartedPush> {
  const input = backend ? await inPlaceOf(asked, backend) : asked;
  if (backend) {
    await order(backend, 'file', filesIn(input), ORDER_HOURS);
    if (input.gatewayUrl) await order(backend, 'gateway', [{ url: input.gatewayUrl }], ORDER_HOURS);
  }
  const starter = randomUUID();
  const handle = await startOrAttach(
    client,
    'pushProjects',
    input,
    pushOptions(input, { starter, kind: projects.name }),
  );
  const other = await memoOfOther(handle, starter);
  if (other && other['fileHash'] !== input.fileHash) {
    throw new IntakeError('IN_PROGRESS', `Another file of ${input.tenantId} is being pushed`, {
      remedy: `Wait for it, or stop it: intake cancel ${shellWord(handle.workflowId)}`,
    });
  }
  return { handle, attached: other !== undefined };
}

/** Waits for the end, through outages of Temporal. A push that failed is no error: the report says so. */
export async function pushResult(handle: WorkflowHandle, onOutage?: () => void): Promise<PushReport> {
  const outcome = await outcomeOf<PushReport>(handle, 'push', onOutage);
  return outcome.status === 'completed' ? outcome.answer : failedPush(handle, outcome);
}

/** The report of a running push, or undefined when no worker is responding now. */
export function pushProgress(handle: WorkflowHandle): Promise<PushReport | undefined> {
  return handle.query<PushReport>(PROGRESS_QUERY).catch(() => undefined);
}

async function failedPush(handle: WorkflowHandle, { status, report, cause }: FailedWorkflow): Promise<PushReport> {
  if ((report as PushReport | undefined)?.metrics) return report as PushReport;
  const last = await pushProgress(handle);
  const error = {
    code: 'CANCELLED',
    message: 'The push was ended from outside',
    remedy: 'Push the file again: what is posted already is not merged twice.',
  } as const;
  if (last) return { ...last, status: status === 'cancelled' ? 'cancelled' : 'failed', error: last.error ?? error };
  throw new IntakeError(error.code, error.message, { cause, remedy: error.remedy });
}
