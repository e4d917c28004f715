/** What every import is told, whatever it reads. */
import type { BackendName } from '../config.ts';
import type { Place } from './place.ts';

/** `verify` stages the file as a dry run does and compares it with an earlier run. */
export type ImportMode = 'dry-run' | 'commit' | 'verify';

/** What every import says, whatever it reads. */
export interface RunInput extends Place {
  readonly kind: string;
  readonly mode: ImportMode;
  readonly backend: BackendName;
  /** Absolute path on the host that holds the file or directory. */
  readonly path: string;
  readonly filename: string;
  /** Task queue of the host that holds the file, and the one of all workers. */
  readonly fileQueue: string;
  readonly taskQueue: string;
  readonly sourceSystem: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly sourceReference: string;
  /** Where a dry run writes its rejects, absolute, on the host that holds the file. */
  readonly rejectsPath?: string;
  /** Where a dry run writes what known rows say otherwise; as above. */
  readonly differencesPath?: string;
  /** Where a dry run leaves its row operations for the document of `--json`; as above. */
  readonly operationsPath?: string;
  /** The run that a corrected file of rejects came from, or the run to verify. */
  readonly relatedRunId?: string;
  readonly tuning: Tuning;
}

/** Fixed at the start, since a workflow cannot read the environment. */
export interface Tuning {
  /** Size of a chunk in bytes. */
  readonly chunkBytes: number;
  /** Activities in flight. */
  readonly window: number;
  /** Rows of a partition, about. */
  readonly partitionRows: number;
  /** Whether any worker sees the stored parts; else the file's host parses. */
  readonly sharedObjects: boolean;
}
