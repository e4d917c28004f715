/** One key partition of a stage: what an activity is asked, and what became of its rows. */
import type { ImportInput } from './imports.ts';
import type { Comparison } from './imports.ts';
import type { RunInput } from './run.ts';

export interface PartRequest {
  readonly input: RunInput;
  readonly stageId: string;
  /** Chunks that must be staged. */
  readonly chunks: number;
  readonly runId: string;
  readonly lease: number;
  readonly part: number;
  /** How many there are; since 0.4.0. */
  readonly parts?: number;
}

export interface PartAnswer {
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  /** See ImportReport. */
  readonly effects?: Readonly<Record<string, number>>;
  /** A database crash emptied the stage; nothing was done. */
  readonly stageLost: boolean;
  readonly comparison?: Comparison;
  /** The database's time limit cut the part off: keys of the slices in which it was done. */
  readonly slices?: number;
}

/** All staged rows of a file. */
export interface StagedFile {
  readonly input: ImportInput;
  readonly stageId: string;
  readonly partitions: number;
}
