/** A run as `intake runs show` shows it, and what can be done with it. */
import type { Run } from '../../database/rows.ts';
import { thousands } from './importSummary.ts';
import { localTime } from './table.ts';

/** Of what the row says; --json has all of it. */
export function runLines(run: Run): string[] {
  const { metadata, error_details: error } = run;
  const counts = (['fetched', 'inserted', 'updated', 'skipped', 'errored'] as const)
    .map((name) => `${thousands(run[`rows_${name}`])} ${name}`)
    .join(', ');
  const seconds = run.completed_at && (Date.parse(run.completed_at) - Date.parse(run.created_at)) / 1000;
  const lines: readonly (readonly [string, string | null | undefined | false])[] = [
    ['Kind', `${run.import_kind} from ${run.source_system}`],
    ['File', `${run.filename}, SHA-256 ${run.file_hash.slice(0, 16)}...`],
    ['Path', metadata.input?.path],
    ['Batch', run.source_batch_id],
    ['Counts', counts],
    ['Began', localTime(run.created_at)],
    ['Ended', run.completed_at && `${localTime(run.completed_at)}${seconds ? `, after ${seconds.toFixed(1)} s` : ''}`],
    ['Error', error && [error['type'], error['message']].filter(Boolean).join(': ')],
    ['Reason', error && typeof error['rollback_reason'] === 'string' && error['rollback_reason']],
    ['Stored', run.storage_path],
    ['Parent', run.parent_run_id],
    ['Original', metadata.duplicate_of],
    ['Workflow', run.worker_id],
  ];
  return [
    `Run ${run.id} is ${run.status}`,
    ...lines.flatMap(([name, value]) => (value ? [`  ${`${name}:`.padEnd(10)}${value}`] : [])),
  ];
}

/** The commands that make sense now. */
export function nextLines({ id, status, rows_errored: errored, metadata }: Run): string[] {
  const steps: (readonly [string, string])[] = [];
  const own = metadata.input !== undefined;
  if (status === 'processing' || status === 'pending')
    steps.push(['watch it', `runs watch ${id}`], ['stop it', `cancel ${id}`]);
  if (status === 'failed' && own) steps.push(['go on where it stopped', `resume ${id}`]);
  if (errored > 0 && status !== 'rolled_back')
    steps.push(['get its rejected rows, to mend', `rejects ${id} -o rejects.csv`]);
  if (status === 'completed')
    steps.push(['compare its file with the database', `verify ${id}`], ['count its tables', `reconcile ${id}`]);
  if (status === 'completed' || status === 'failed')
    steps.push(['see what a rollback would do', `rollback ${id} --dry-run`]);
  if (status === 'duplicate' && metadata.duplicate_of)
    steps.push(['see the original', `runs show ${metadata.duplicate_of}`]);
  return steps.length === 0 ? [] : ['Next:', ...steps.map(([what, words]) => `  intake ${words}  # ${what}`)];
}
