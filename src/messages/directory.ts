/** What travels for the import of a directory: counts, hashes, paths below its root and codes; never what a file says. */
import type { Remarks } from './remarks.ts';
import type { RunInput } from './run.ts';

export interface DirectoryInput extends RunInput {
  readonly tag: string;
  /** Only this file, relative to the directory. */
  readonly singleFile?: string;
  /** Where the images lie when that is not below the directory; absolute. */
  readonly imagesDir?: string;
  /** Only files that are new or changed since the last completed import of the tag. */
  readonly delta: boolean;
  readonly verifyWrites: boolean;
  /** Files a call to the database. */
  readonly batchSize: number;
  /** Files read at a time. */
  readonly maxWorkers: number;
  readonly maxConcurrentUploads: number;
  readonly compression: 'none' | 'gzip';
  /** Texts that stand for nothing, when not the usual ones. */
  readonly nullWords?: readonly string[];
  readonly decodeHtml?: boolean;
}

/** What planning found; the files themselves are in the slices of the manifest. */
export interface TreePlan {
  /** Names the manifest: content and cut. */
  readonly layout: string;
  /** SHA-256 of all that was planned: paths, sizes, times and the content of the JSON files. */
  readonly treeHash: string;
  readonly files: number;
  readonly licences: number;
  readonly images: number;
  readonly slices: number;
  readonly batches: number;
  /** Calls to the database that stage them. Older plans lack it: as many as batches. */
  readonly calls?: number;
  /** Files of a batch, however the one who reads the manifest later would have them. */
  readonly batchSize: number;
  /** Images whose hash is not known from an earlier run. */
  readonly unhashed: number;
  /** Images that storage does not have, as far as their hashes are known. */
  readonly unstored: number;
  readonly duplicates: number;
  readonly missingImages: number;
  readonly orphanImages: number;
  /** Files that --delta left out. */
  readonly unchanged: number;
  /** JSON files whose names do not end in `_parse.json`, and the first of them. Plans of 0.3.0 lack both. */
  readonly leftOut?: { readonly count: number; readonly first: readonly string[] };
  /** A search a day later than this cannot have been. */
  readonly plannedAt?: string;
}

export interface FailedItem {
  /** Path below the root. */
  readonly item: string;
  readonly kind: 'json' | 'licence' | 'image';
  readonly code: string;
  readonly message: string;
}

export interface DirectoryReport {
  tag: string;
  datasetId: number | null;
  plan?: TreePlan;
  batches: { completed: number; failed: number };
  images: { hashed: number; cached: number; uploaded: number; skipped: number; failed: number };
  /** How many there are, and the first of them. */
  failed: number;
  failedItems: FailedItem[];
}

/** Where all images are, by their hashes. */
export const IMAGES_PATH = 'imports/images/sha256';

/** As many failed items as a report carries; all of them are in the rejects. */
export const SHOWN_FAILURES = 50;

export interface SliceRequest {
  readonly input: DirectoryInput;
  readonly plan: TreePlan;
  readonly runId: string;
  readonly lease: number;
  readonly stageId: string;
  readonly partitions: number;
  readonly slice: number;
  /** Images are read once: uploadSlice hashes those whose hash is not known, too, and says so. */
  readonly hash?: true;
}

/** What became of a slice: files or images done, left alone, failed; the rows it was staged as. */
export interface SliceAnswer {
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  /** Failed items, which may be several a file, and the first of them. */
  readonly failures: number;
  readonly failedItems: readonly FailedItem[];
  readonly rows: number;
  readonly errored: number;
  /** Rejected rows by code. */
  readonly codes: Readonly<Record<string, number>>;
  /** What was noticed in their texts. */
  readonly remarks?: Remarks;
  readonly batches: number;
  /** Images whose hash an upload found, knew, could not find. */
  readonly hashed?: { readonly done: number; readonly skipped: number; readonly failed: number };
}
