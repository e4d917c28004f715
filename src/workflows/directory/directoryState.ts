/** What the import of a directory knows while it runs, from one execution to the next. */
import { workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { DirectoryInput, DirectoryReport, SliceAnswer, TreePlan } from '../../messages/directory.ts';
import type { ImportReport, PhaseState } from '../../messages/imports.ts';
import type { PromotionState } from '../promotion/promotion.ts';
import { executionId } from '../execution.ts';
import { createReport } from '../promotion/report.ts';

/** What an execution hands to its successor when its history has grown long. */
export interface DirectoryState extends PromotionState {
  readonly report: ImportReport & { directory: DirectoryReport };
  plan?: TreePlan;
  /** Images that have to be hashed are stored at the same time. */
  readsOnce?: boolean;
  /** Slices, or key partitions, of each step that are done. */
  readonly done: Record<SlicePhase | 'upsert' | 'match', number>;
  /** Before the files were staged: staging them again reports their failures again. */
  noted?: Partial<Record<'import' | 'compare', FailureCounts>>;
}

/** How many failed items there were, and how many of them the report shows. */
export interface FailureCounts {
  readonly failed: number;
  readonly shown: number;
}

export type SlicePhase = 'sha256' | 'upload' | 'import' | 'compare';

export type SliceWork = Activities['hashSlice'];
export type AddSlice = (answer: SliceAnswer) => void;

/** One activity a slice, counted in its phase. */
export type EachSlice = (name: SlicePhase, phase: PhaseState, work: SliceWork, add: AddSlice) => Promise<void>;

export function initialState(input: DirectoryInput): DirectoryState {
  const directory: DirectoryReport = {
    tag: input.tag,
    datasetId: null,
    batches: { completed: 0, failed: 0 },
    failed: 0,
    failedItems: [],
    images: { hashed: 0, cached: 0, uploaded: 0, skipped: 0, failed: 0 },
  };
  return {
    report: Object.assign(createReport(input), { directory }),
    stageId: executionId(),
    token: workflowInfo().firstExecutionRunId,
    partitions: 0,
    done: { sha256: 0, upload: 0, import: 0, upsert: 0, compare: 0, match: 0 },
  };
}
