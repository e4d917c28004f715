/** Finding a run by its id, or the beginning of it. */
import type { BackendName } from '../config.ts';
import { IntakeError } from '../errors.ts';
import type { AnyInput } from '../messages/imports.ts';
import type { Connections } from './connections.ts';

/** A row of ingest.import_runs. */
export interface Run {
  readonly id: string;
  readonly source_system: string;
  readonly source_batch_id: string;
  readonly file_hash: string;
  readonly filename: string;
  readonly import_kind: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'rolled_back' | 'duplicate';
  readonly rows_fetched: number;
  readonly rows_inserted: number;
  readonly rows_updated: number;
  readonly rows_skipped: number;
  readonly rows_errored: number;
  readonly error_details: Record<string, unknown> | null;
  readonly metadata: RunMetadata;
  readonly storage_path: string | null;
  /** The workflow that holds it. */
  readonly worker_id: string | null;
  readonly lease_generation: number;
  readonly parent_run_id: string | null;
  readonly created_at: string;
  readonly completed_at: string | null;
}

interface RunMetadata {
  /** What the import was started with; runs claimed by hand have none. */
  readonly input?: AnyInput;
  readonly rollback?: Rollback;
  readonly summary?: { readonly raw_import_log?: object; readonly effects?: Readonly<Record<string, number>> };
  /** Of search-results. */
  readonly dataset_id?: number;
  readonly duplicate_of?: string;
}

/** Edited rows that stayed: how many, and under the names of the kind's `keptIds` which, 1,000 at most of each. */
type KeptEdited = { readonly count: number } & { readonly [ids: string]: readonly number[] | number | undefined };

/** What a rollback did; `removed` counts rows of the kind's production table. */
export interface Rollback {
  readonly rows_affected: number;
  readonly removed: number;
  /** Of search-results and projects: rows that have their former values again. */
  readonly restored?: number;
  readonly inherited: number;
  readonly kept_edited: KeptEdited;
  /** What else went, by name. */
  readonly effects?: Readonly<Record<string, number>>;
}

/** @param id a run's id or at least 8 characters of its beginning. @throws IntakeError RUN_NOT_FOUND, USAGE for a prefix of several. */
export async function findRun(connections: Connections, id: string | undefined, backend?: BackendName): Promise<Run> {
  if (!id) throw new IntakeError('USAGE', 'Which run?', { remedy: 'Give its id; `intake runs` lists them.' });
  if (!/^[0-9a-f-]{8,36}$/i.test(id))
    throw new IntakeError('RUN_NOT_FOUND', `'${id}' is no run id (at least 8 hex digits)`);
  const [run, other] = await (await connections.backend(backend)).call<Run[]>('find_run', { id });
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
