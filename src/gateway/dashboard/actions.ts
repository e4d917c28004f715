/** What the buttons of a run do: recorded under the person's own rights, then done with those of the program. */
import { startImport } from '../../imports/start.ts';
import { IntakeError } from '../../errors.ts';
import { cancelImport } from '../../runs/cancel.ts';
import type { Connections } from '../../runs/connections.ts';
import type { Run } from '../../database/rows.ts';
import { findRun } from '../../runs/findRun.ts';
import { rejectLines } from '../../runs/rejectFile.ts';
import { resumedInput } from '../../runs/resume.ts';
import { rollBackRun } from '../../runs/rollback.ts';
import { Problem } from '../problem.ts';
import type { ActionName } from '../userRows.ts';
import type { Visitor } from './visitor.ts';

/** @throws Problem FORBIDDEN for a viewer or another tenant's run, NOT_FOUND. */
async function permitted(
  visitor: Visitor,
  connections: Connections,
  id: string,
  action: ActionName,
  reason?: string,
): Promise<Run> {
  const known = await visitor.call('fn_dashboard_act', {
    p_run_id: id,
    p_action: action,
    p_reason: reason ?? null,
  });
  if (!known) throw new Problem('NOT_FOUND', 'There is no such run');
  return findRun(connections, id);
}

/** @throws Problem FORBIDDEN, NOT_FOUND; IntakeError for what the run's state does not allow. */
export async function act(
  visitor: Visitor,
  connections: Connections,
  id: string,
  action: Exclude<ActionName, 'rejects'>,
  reason: string,
): Promise<void> {
  if (action === 'rollback' && !reason.trim())
    throw new IntakeError('USAGE', 'The reason is empty', {
      remedy: 'Say why, in a few words: it is kept with the run.',
    });
  const run = await permitted(visitor, connections, id, action, action === 'rollback' ? reason : undefined);
  if (action === 'rollback') await rollBackRun(connections, run, reason);
  else if (action === 'resume') {
    const input = resumedInput(run);
    await startImport(await connections.temporal(), input, await connections.backend(input.backend));
  } else if (run.worker_id) await cancelImport(connections, { workflowId: run.worker_id, run });
  else throw new IntakeError('RUN_NOT_FOUND', `Run ${run.id} has no workflow`);
}

/** The file of `intake rejects`, byte for byte, as it is read. @throws Problem FORBIDDEN, NOT_FOUND; IntakeError OBJECT_MISSING. */
export async function rejectsOf(
  visitor: Visitor,
  connections: Connections,
  id: string,
): Promise<{ readonly name: string; readonly body: ReadableStream<Uint8Array> }> {
  const run = await permitted(visitor, connections, id, 'rejects');
  const lines = await rejectLines(connections, run);
  const bytes = (async function* () {
    for await (const line of lines) yield typeof line === 'string' ? Buffer.from(line) : new Uint8Array(line);
  })();
  return { name: `rejects-${run.id.slice(0, 8)}.csv`, body: ReadableStream.from(bytes) as ReadableStream<Uint8Array> };
}
