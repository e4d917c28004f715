/** Watching an import that somebody else started, by its workflow id. */
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { IntakeError } from '../../errors.ts';
import type { AnyInput } from '../../messages/imports.ts';
import type { ImportFacts } from './importDocument.ts';
import { printImport } from './importMetadata.ts';
import { summarize } from './importSummary.ts';
import { onInterrupt } from '../interrupt.ts';
import type { Output } from '../output.ts';
import type { Session } from '../session.ts';
import { withTexts } from './withTexts.ts';
import { watchToEnd } from './watch.ts';

/** @returns the exit code of that import. @throws IntakeError RUN_NOT_FOUND. */
export async function watchWorkflow(
  out: Output,
  session: Session,
  workflowId: string,
  runId?: string,
): Promise<number> {
  const client = await session.temporal();
  const handle = client.workflow.getHandle(workflowId);
  const goOn = onInterrupt(handle); // it runs already
  const started = await startedWith(handle);
  const { input, report } = await withTexts(session, {
    input: started,
    report: await watchToEnd(session, handle, {
      out,
      input: started,
      runId,
      workerComesUp: session.workerComesUp,
    }).finally(goOn),
  });
  const facts: ImportFacts = {
    request: { kind: input.kind, path: input.path, mode: input.mode },
    input,
    workflowId,
    target: session.targetOf(input.backend),
  };
  await printImport(out, session, facts, report);
  return summarize(out, facts, report);
}

/** The input of a workflow, from the first event of its history. */
async function startedWith(handle: WorkflowHandle): Promise<AnyInput> {
  const { defaultPayloadConverter } = await import('@temporalio/common');
  try {
    const { runId } = await handle.describe();
    const response = await handle.client.workflowService.getWorkflowExecutionHistory({
      namespace: handle.client.options.namespace,
      execution: { workflowId: handle.workflowId, runId },
      maximumPageSize: 1,
    });
    const payload = response.history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    if (payload) return defaultPayloadConverter.fromPayload<AnyInput>(payload);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  throw new IntakeError('RUN_NOT_FOUND', `Temporal knows no workflow ${handle.workflowId}`, {
    remedy: 'It may be past the retention of the namespace; `intake runs show ID` has what the database kept.',
  });
}
