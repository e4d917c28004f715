/** Pushes of files of projects that Temporal knows, newest first. */
import type { Client } from '@temporalio/client';

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

const PREFIX = 'push/';

/** @param tenants whose pushes; `*` for all. */
export async function listPushes(client: Client, tenants: readonly string[], limit: number): Promise<PushLine[]> {
  const pushes: PushLine[] = [];
  // Those of a tenant have one id, and an execution that went on in another is no push of its own.
  const query = `WorkflowType = 'pushProjects' AND ExecutionStatus != 'ContinuedAsNew'`;
  for await (const { workflowId, runId, status, memo, startTime, closeTime, raw } of client.workflow.list({ query })) {
    const tenantId = workflowId.slice(PREFIX.length);
    if (!tenants.includes('*') && !tenants.includes(tenantId)) continue;
    pushes.push({
      tenantId,
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
