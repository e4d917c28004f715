/**
 * runs/: What people do with a run: find, resume, cancel, roll back, get its rejects. No HTTP, no printing.
 *
 * Finding a run by its id, or the beginning of it.
 */
import type { BackendName } from '../config.ts';
import { IntakeError } from '../errors.ts';
import type { AnyInput } from '../messages/imports.ts';
import type { Run } from '../database/rows.ts';
import type { Connections } from './connections.ts';

/** @param id a run's id or at least 8 characters of its beginning. @throws IntakeError RUN_NOT_FOUND, USAGE for a prefix of several. */
export async function findRun(connections: Connections, id: string | undefined, backend?: BackendName): Promise<Run> {
  if (!id) throw new IntakeError('USAGE', 'Which run?', { remedy: 'Give its id; `intake runs` lists them.' });
  if (!/^[0-9a-f-]{8,36}$/i.test(id))
    throw new IntakeError('RUN_NOT_FOUND', `'${id}' is no run id (at least 8 hex digits)`);
  const [run, other] = await (await connections.backend(backend)).call('find_run', { id });
  if (!run) throw new IntakeError('RUN_NOT_FOUND', `There is no run ${id}`);
  if (other) throw new IntakeError('USAGE', `Several runs begin with ${id}`, { remedy: 'Give more of the id.' });
  return run;
}

/** What the run was started with. @throws IntakeError USAGE for a run that Intake did not start. */
export function inputOf({ id, metadata }: Run): AnyInput {
  if (metadata.input) return metadata.input;
  throw new IntakeError('USAGE', `Run ${id} was not started by Intake`, {
    remedy: 'Import its file with `intake import`.',
  });
}

/** The workflow of a run id, or the workflow id itself. */
export async function workflowOf(
  connections: Connections,
  id: string | undefined,
): Promise<{ workflowId: string; run?: Run }> {
  if (id && /^(import|push|schedule)\//.test(id)) return { workflowId: id };
  const run = await findRun(connections, id);
  if (!run.worker_id) throw new IntakeError('RUN_NOT_FOUND', `Run ${run.id} has no workflow`);
  return { workflowId: run.worker_id, run };
}
