/** The document that `--json` prints of an import. */
import { kindNamed } from '../../kinds/index.ts';
import { differencesOf } from '../../messages/differences.ts';
import { remarkDocuments } from '../../messages/remarks.ts';
import { ownRemedy } from './ownRemedy.ts';
import type { ImportRequest } from '../../messages/requests.ts';
import type { DirectoryReport } from '../../messages/directory.ts';
import type { Counts, AnyInput, ImportReport, PhaseName, PhaseState } from '../../messages/imports.ts';

/** As much as is known: a file that cannot be read has neither hash nor workflow. */
export interface ImportFacts {
  readonly request: ImportRequest;
  readonly input?: AnyInput;
  readonly workflowId?: string;
  /** Where its rows go. */
  readonly target?: string;
}

export function importDocument(
  { request, input, workflowId, target }: ImportFacts,
  report: ImportReport,
): Readonly<Record<string, unknown>> & { readonly metadata: object } {
  const { status, runId, storagePath, startedAt, finishedAt, plan } = report;
  const known = input ?? request;
  const { effects } = kindNamed(known.kind);
  const dryRun = request.mode === 'dry-run';
  return {
    run_id: dryRun ? null : runId,
    workflow_id: workflowId ?? null,
    target: target ?? null,
    kind: known.kind,
    source_system: known.sourceSystem ?? null,
    source_batch_id: known.batchId ?? null,
    batch_name: known.batchName ?? null,
    source_reference: known.sourceReference ?? null,
    filename: input?.filename ?? request.path.split(/[\\/]/).at(-1),
    file_hash: input && 'fileHash' in input ? input.fileHash : (report.directory?.plan?.treeHash ?? null),
    dry_run: dryRun,
    status,
    duplicate_of: report.duplicateOf,
    counts: countsOf(report),
    storage_path: storagePath,
    started_at: startedAt,
    finished_at: finishedAt ? new Date(finishedAt).toISOString() : null,
    duration_seconds: secondsOf(report),
    phases: Object.fromEntries(
      Object.entries(report.phases).map(([name, state]) => [name, phaseDocument(state)]),
    ) as Record<PhaseName, object>,
    columns: (plan?.headers ?? []).map(({ header, column, suggestion }) => ({
      header,
      column,
      suggestion: suggestion ?? null,
    })),
    differences: differencesOf(report.effects, effects.fields) ?? null,
    error: report.error ? ownRemedy(report.error, { runId: report.runId, path: request.path }) : null,
    metadata: {
      backend: input?.backend ?? null,
      parent_run_id: report.parentRunId,
      rejects: report.codes,
      remarks: remarkDocuments({ ...plan?.remarks, ...report.remarks }),
      ...(report.match ? { match: report.match } : {}),
      encoding: plan?.encoding ?? null,
      delimiter: plan?.delimiter ?? null,
      columns: plan?.columns ?? null,
      mapped: plan?.mapped ?? [],
      ...(report.directory ? directoryDocument(report.directory) : {}),
      ...(report.effects && effects.inDocument ? { effects: report.effects } : {}),
    },
  };
}

const countsOf = ({ counts: { fetched, inserted, updated, skipped, errored } }: ImportReport): Counts => ({
  fetched,
  inserted,
  updated,
  skipped,
  errored,
});

/** Runbook 004's part: the dataset, its batches, and what failed (all of it: `intake rejects ID`). */
function directoryDocument({ datasetId, tag, plan, batches, images, failed, failedItems }: DirectoryReport): object {
  return {
    dataset_id: datasetId,
    tag,
    total_files: plan?.files ?? 0,
    total_images: plan?.images ?? 0,
    unchanged_files: plan?.unchanged ?? 0,
    duplicates: plan?.duplicates ?? 0,
    missing_images: plan?.missingImages ?? 0,
    orphan_images: plan?.orphanImages ?? 0,
    left_out_files: { count: plan?.leftOut?.count ?? 0, first: plan?.leftOut?.first ?? [] },
    batches: { total: plan?.batches ?? 0, ...batches },
    images,
    failed_count: failed,
    failed_items: failedItems,
  };
}

const phaseDocument = ({ status, seconds, done, total, failed, skipped }: PhaseState): object => ({
  status,
  seconds: seconds ?? null,
  done,
  total,
  failed,
  skipped,
});

/** Wall-clock seconds of an import. */
export function secondsOf({ startedAt, finishedAt }: ImportReport): number {
  return finishedAt ? Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : 0;
}
