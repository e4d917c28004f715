/** Pushes of files of projects that Temporal knows, newest first. */
import type { Client } from '@temporalio/client';
import { pushIdOf, tenantOfPush } from '../messages/push.ts';
import { inQuery } from '../temporal/queues.ts';

export interface PushLine {
  readonly tenantId: string;
  readonly filename: string;
  /** running, completed, failed, cancelled, ... */
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
  /** Its batches carry it. */
  readonly correlationId: string;
  readonly workflowId: string;
}

/** Those of one deployment. @param tenants whose pushes; `*` for all. */
export async function listPushes(
  client: Client,
  taskQueue: string,
  tenants: readonly string[],
  limit: number,
): Promise<PushLine[]> {
  if (tenants.length === 0) return [];
  const pushes: PushLine[] = [];
  // Those of a tenant have one id, and an execution that went on in another is no push of its own.
  const ids = tenants.map((tenant) => inQuery(pushIdOf(tenant)));
  const query =
    `TaskQueue = ${inQuery(taskQueue)} AND WorkflowType = 'pushProjects' AND ExecutionStatus != 'ContinuedAsNew'` +
    (tenants.includes('*') ? '' : ` AND WorkflowId IN (${ids.join(', ')})`);
  for await (const { workflowId, runId, status, memo, startTime, closeTime, raw } of client.workflow.list({ query })) {
    pushes.push({
      tenantId: tenantOfPush(workflowId),
      filename: typeof memo?.['filename'] === 'string' ? memo['filename'] : 'a file',
      status: status.name.toLowerCase().replaceAll('_', ' '),
      startedAt: startTime.toISOString(),
      closedAt: closeTime?.toISOString() ?? null,
      correlationId: raw.firstRunId || runId,
      workflowId,
    });
    if (pushes.length === limit) break;
  }
  return pushes;
}
