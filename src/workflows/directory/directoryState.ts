/** What the import of a directory knows while it runs, from one execution to the next. */
import { uuid4, workflowInfo } from '@temporalio/workflow';
import type { DirectoryInput, DirectoryReport, TreePlan } from '../../messages/directory.ts';
import type { Claim, ImportReport } from '../../messages/imports.ts';
import { newReport } from '../promotion/report.ts';

/** What an execution hands to its successor when its history has grown long. */
export interface DirectoryState {
  readonly report: ImportReport & { directory: DirectoryReport };
  readonly stageId: string;
  /** Names the claim across executions. */
  readonly token: string;
  plan?: TreePlan;
  claim?: Claim;
  partitions: number;
  /** Slices, or key partitions, of each step that are done. */
  readonly done: Record<SlicePhase | 'upsert' | 'match', number>;
  /** Before the files were staged: staging them again tells of theirs again. */
  noted?: Partial<Record<'import' | 'compare', Noted>>;
}

/** How many failed items there were, and how many of them the report shows. */
export interface Noted {
  readonly failed: number;
  readonly shown: number;
}

export type SlicePhase = 'sha256' | 'upload' | 'import' | 'compare';

export function begin(input: DirectoryInput): DirectoryState {
  const directory: DirectoryReport = {
    tag: input.tag,
    datasetId: null,
    batches: { completed: 0, failed: 0 },
    failed: 0,
    failedItems: [],
    images: { hashed: 0, cached: 0, uploaded: 0, skipped: 0, failed: 0 },
  };
  return {
    report: Object.assign(newReport(input), { directory }),
    stageId: uuid4(),
    token: workflowInfo().firstExecutionRunId,
    partitions: 0,
    done: { sha256: 0, upload: 0, import: 0, upsert: 0, compare: 0, match: 0 },
  };
}
