/**
 * activities/promotion/: Staged rows into the tables, and how a run begins and ends.
 *
 * upsert and its relatives: one key partition of a stage, in one transaction each.
 */
import type { PartCounts } from '../../database/rows.ts';
import type { Deps } from '../deps.ts';
import { renewClaim } from '../renewClaim.ts';
import type { PartRequest, PartAnswer } from '../../messages/partitions.ts';

const answer = ({ stage_lost, inserted = 0, updated = 0, skipped = 0, effects }: PartCounts): PartAnswer => ({
  inserted,
  updated,
  skipped,
  stageLost: stage_lost ?? false,
  ...(effects ? { effects } : {}),
});

export const partitionActivities = ({ backend }: Deps) => {
  const inRun = async (
    fn: 'upsert_partition' | 'stop_partition',
    { input, stageId, chunks, runId, lease, part }: PartRequest,
  ) => answer(await backend(input.backend).call(fn, { run_id: runId, lease, stage_id: stageId, chunks, part }));
  return {
    /** Lands and promotes; the ledger row in the same transaction makes a second time a look-up. */
    async upsertPartition(request: PartRequest): Promise<PartAnswer> {
      const result = await inRun('upsert_partition', request);
      await renewClaim(backend(request.input.backend), request.runId);
      return result;
    },
    /** Lands without promoting, for the rejects of a run that stopped at --max-errors. */
    stopPartition: (request: PartRequest): Promise<PartAnswer> => inRun('stop_partition', request),
    /** What upsertPartition would answer now. */
    async countPartition({ input, stageId, chunks, part }: PartRequest): Promise<PartAnswer> {
      const args = { kind: input.kind, source_system: input.sourceSystem, stage_id: stageId, chunks, part };
      return answer(await backend(input.backend).call('count_partition', args));
    },
    async comparePartition({ input, stageId, chunks, runId, part }: PartRequest): Promise<PartAnswer> {
      const found = await backend(input.backend).call('compare_partition', {
        run_id: runId,
        stage_id: stageId,
        chunks,
        part,
      });
      const { rows, missing, different, edited, lines, items } = found;
      return { ...answer(found), comparison: { rows, missing, different, edited, lines, ...(items ? { items } : {}) } };
    },
  };
};
