/** finalize, reconcile and the ways an import ends. */
import { IntakeError } from '../../errors.ts';
import type { BackendName } from '../../config.ts';
import { fewerRows } from '../../database/sqlError.ts';
import type { Counts, ErrorDocument, ImportReport } from '../../messages/imports.ts';
import type { RunInput } from '../../messages/run.ts';
import { removeManifest } from '../../staging/manifest.ts';
import type { Deps } from '../deps.ts';
import { workflowId } from '../workflowId.ts';

export interface InRun {
  readonly backend: BackendName;
  readonly runId: string;
  readonly lease: number;
}

export const finishActivities = ({ backend, workDir }: Deps) => ({
  /** Stores counters, summed from the ledger, and the summary; answers the counters, and what else the kind has counted. */
  async finalize({
    backend: name,
    runId,
    lease,
    fetched,
    summary,
  }: InRun & { fetched: number; summary: object }): Promise<Counts & Pick<ImportReport, 'effects'>> {
    const counts = await backend(name).call('record_result', {
      run_id: runId,
      lease,
      rows_fetched: fetched,
      summary,
    });
    return counts;
  },

  /** Counts the final tables; the run is completed, or failed with RECONCILIATION_FAILED. */
  async reconcile({
    backend: name,
    runId,
    lease,
    expected,
  }: InRun & { expected: number }): Promise<{ completedAt: string }> {
    const found = await backend(name).call('settle_import_run', { run_id: runId, lease, expected_count: expected });
    if (!found.is_valid) {
      const { expected_count, actual_count, inserted_discrepancy } = found;
      throw new IntakeError(
        'RECONCILIATION_FAILED',
        `Reconciliation failed: expected ${expected_count} rows, found ${actual_count}, inserted off by ${inserted_discrepancy}`,
      );
    }
    return { completedAt: found.completed_at };
  },

  async fail({
    backend: name,
    runId,
    lease,
    error,
    counts,
  }: InRun & { error: ErrorDocument; counts: Counts }): Promise<void> {
    const type = error.code === 'CANCELLED' ? 'cancelled' : error.code;
    await backend(name).call('fail_import_run', {
      run_id: runId,
      lease,
      error: { type, message: error.message, fatal: true },
      counts,
    });
  },

  /** Empties the stage, a bounded number of rows a call; where this host has read the file, its manifest goes, too. */
  async clearStage({ input, stageId }: { input: RunInput; stageId: string }): Promise<void> {
    const { call } = backend(input.backend);
    const inParts = fewerRows(200_000);
    const args = { stage_id: stageId, kind: input.kind };
    while (!(await inParts((max_rows) => call('clear_stage', { ...args, max_rows }))));
    await removeManifest(workDir, workflowId());
  },
});
