/**
 * activities/promotion/: Staged rows into the tables, and how a run begins and ends.
 *
 * upsert and its relatives: one key partition of a stage, in one transaction each, or one for each slice of it.
 */
import type { PartComparison, PartCounts } from '../../database/rows.ts';
import type { Deps } from '../deps.ts';
import { renewClaim } from '../renewClaim.ts';
import type { ImportInput } from '../../messages/imports.ts';
import type { PartRequest, PartAnswer } from '../../messages/partitions.ts';
import { inSlices, type InSlices } from './slices.ts';

const answerOf = ({ answer, slices }: InSlices<PartCounts>): PartAnswer => {
  const { stage_lost, inserted = 0, updated = 0, skipped = 0, effects } = answer;
  return {
    inserted,
    updated,
    skipped,
    stageLost: stage_lost ?? false,
    ...(effects ? { effects } : {}),
    ...(slices ? { slices } : {}),
  };
};

type Numbers = Readonly<Record<string, number>>;

const addNumbers = (a: Numbers = {}, b: Numbers = {}): Numbers =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]),
  );

function addCounts(
  former: PartCounts = {},
  { effects, inserted = 0, updated = 0, skipped = 0, ...next }: PartCounts,
): PartCounts {
  return {
    ...next,
    inserted: inserted + (former.inserted ?? 0),
    updated: updated + (former.updated ?? 0),
    skipped: skipped + (former.skipped ?? 0),
    ...(former.effects || effects ? { effects: addNumbers(former.effects, effects) } : {}),
  };
}

function addComparisons(former: PartComparison | undefined, next: PartComparison): PartComparison {
  if (!former || next.stage_lost) return next;
  return {
    ...next,
    ...(former.extra ? { extra: former.extra } : {}),
    rows: former.rows + next.rows,
    missing: former.missing + next.missing,
    different: former.different + next.different,
    edited: former.edited + next.edited,
    lines: [...former.lines, ...next.lines],
    ...(next.items ? { items: [...(former.items ?? []), ...next.items] } : {}),
  };
}

/** Whether rows of known keys update. */
export const updatesOf = (input: PartRequest['input']): { update_known?: boolean } =>
  'options' in input && (input as ImportInput).options.onConflict === 'update' ? { update_known: true } : {};

export const partitionActivities = ({ backend }: Deps) => {
  /** With a ledger: an answer is of all that is done of the part. */
  const inRun = async (fn: 'upsert_partition' | 'stop_partition', request: PartRequest): Promise<PartAnswer> => {
    const { input, stageId: stage_id, chunks, runId: run_id, lease, part } = request;
    const database = backend(input.backend);
    return answerOf(
      await inSlices<PartCounts>(input.tuning.partitionRows, async (slice) => {
        const asked = { run_id, lease, stage_id, chunks, part, ...slice };
        const done = await (fn === 'upsert_partition'
          ? database.call(fn, { ...asked, ...updatesOf(input) })
          : database.call(fn, asked));
        await renewClaim(database, run_id);
        return done;
      }),
    );
  };
  return {
    /** Lands and promotes; the ledger row in the same transaction makes a second time a look-up. */
    upsertPartition: (request: PartRequest): Promise<PartAnswer> => inRun('upsert_partition', request),
    /** Lands without promoting, for the rejects of a run that stopped at --max-errors. */
    stopPartition: (request: PartRequest): Promise<PartAnswer> => inRun('stop_partition', request),
    /** What upsertPartition would answer now. */
    async countPartition({ input, stageId, chunks, part }: PartRequest): Promise<PartAnswer> {
      const args = {
        ...{ kind: input.kind, source_system: input.sourceSystem, stage_id: stageId, chunks, part },
        ...updatesOf(input),
      };
      const count = (slice: object) => backend(input.backend).call('count_partition', { ...args, ...slice });
      return answerOf(await inSlices<PartCounts>(input.tuning.partitionRows, count, addCounts));
    },
    async comparePartition({ input, stageId, chunks, runId, part }: PartRequest): Promise<PartAnswer> {
      const args = { run_id: runId, stage_id: stageId, chunks, part };
      const compare = (slice: object) => backend(input.backend).call('compare_partition', { ...args, ...slice });
      const found = await inSlices(input.tuning.partitionRows, compare, addComparisons);
      const { rows, missing, different, edited, extra, lines, items } = found.answer;
      return {
        ...answerOf(found),
        comparison: {
          rows,
          missing,
          different,
          edited,
          ...(extra ? { extra } : {}),
          lines,
          ...(items ? { items } : {}),
        },
      };
    },
  };
};
