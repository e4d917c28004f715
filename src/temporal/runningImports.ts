/** How many imports run now, as Temporal's visibility says: of all workers of a task queue, some seconds late. */
import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../messages/attributeNames.ts';
import { inQuery } from './queues.ts';

const REQUEST_TIMEOUT_MS = 2_000;

export interface RunningImportsOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
}

/** Undefined when Temporal does not answer in time, or its visibility cannot count. */
export async function runningImports(
  { connection, namespace, taskQueue }: RunningImportsOptions,
  state: 'running' | 'waiting' = 'running',
): Promise<number | undefined> {
  const { Client } = await import('@temporalio/client');
  const client = new Client({ connection, namespace });
  const query = `WorkflowType IN ('importFile', 'importDirectory') AND ExecutionStatus = 'Running' AND TaskQueue = ${inQuery(taskQueue)}${state === 'waiting' ? ` AND ${SEARCH_ATTRIBUTES.status} = 'waiting'` : ''}`;
  try {
    return (await connection.withDeadline(Date.now() + REQUEST_TIMEOUT_MS, () => client.workflow.count(query))).count;
  } catch {
    return undefined;
  }
}
