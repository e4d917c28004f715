/** What the SQL functions of schema `ingest` answer: rows of tables and documents, named as SQL names them. */
import type { AnyInput, Claim, Comparison, Counts } from '../messages/imports.ts';
import type { TreePlan } from '../messages/directory.ts';
import type { FailedRow } from '../sources/tree/failedItems.ts';

/** A row of ingest.import_runs. */
export interface Run {
  readonly id: string;
  readonly source_system: string;
  readonly source_batch_id: string;
  readonly file_hash: string;
  readonly filename: string;
  readonly import_kind: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'rolled_back' | 'duplicate';
  readonly rows_fetched: number;
  readonly rows_inserted: number;
  readonly rows_updated: number;
  readonly rows_skipped: number;
  readonly rows_errored: number;
  readonly error_details: Record<string, unknown> | null;
  readonly metadata: RunMetadata;
  readonly storage_path: string | null;
  /** Texts of its file's header; of a file whose rows retention has taken there are none. */
  readonly header: readonly string[] | null;
  /** The workflow that holds it. */
  readonly worker_id: string | null;
  readonly lease_generation: number;
  readonly parent_run_id: string | null;
  readonly claimed_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly completed_at: string | null;
}

interface RunMetadata {
  /** What the import was started with; runs claimed by hand have none. */
  readonly input?: AnyInput;
  readonly rollback?: Rollback;
  readonly summary?: { readonly raw_import_log?: object; readonly effects?: Readonly<Record<string, number>> };
  /** Of a directory. */
  readonly dataset_id?: number;
  readonly tree?: TreePlan;
  readonly duplicate_of?: string;
}

/** Edited rows that stayed: how many, and under the names of the kind's `keptIds` which, 1,000 at most of each. */
type KeptEdited = { readonly count: number } & { readonly [ids: string]: readonly number[] | number | undefined };

/** How far a rollback is: it goes on until it is done. */
export interface RollbackProgress {
  readonly done: boolean;
  readonly rows_affected: number;
  readonly rows_total: number;
}

/** What a rollback did; `removed` counts rows of the kind's production table. */
export interface Rollback {
  readonly rows_affected: number;
  readonly removed: number;
  /** Rows that have their former values again, where a kind updates rows. */
  readonly restored?: number;
  readonly inherited: number;
  /** Rows that were there before the run, and are now as whose they were. */
  readonly given_back?: number;
  readonly kept_edited: KeptEdited;
  /** What else went, by name. */
  readonly effects?: Readonly<Record<string, number>>;
}

/** The answer to a claim. */
export interface OpenedRun {
  readonly run_id: string;
  /** `options_differ`: its rows were promoted under other reading options. */
  readonly claim_status: Claim['status'] | 'options_differ';
  readonly lease: number;
  /** Rows of an earlier claim are in production already. */
  readonly promoted?: boolean;
  /** The run that was given as its parent is not there. */
  readonly parent_gone?: boolean;
  readonly metadata?: { readonly plan?: { readonly partitions: number; readonly reading: string } };
  readonly filename?: string;
  readonly completed_at?: string;
  readonly storage_path?: string | null;
}

/** What one partition came to. */
export interface PartCounts {
  readonly stage_lost?: true;
  /** Some rows of the part are left; where nothing is written, the key after which they begin. */
  readonly more?: true | string;
  readonly inserted?: number;
  readonly updated?: number;
  readonly skipped?: number;
  readonly effects?: Readonly<Record<string, number>>;
}

export type PartComparison = PartCounts & Comparison;

export type RunCounts = Counts & { readonly effects?: Readonly<Record<string, number>> };

export interface Settlement {
  readonly is_valid: boolean;
  readonly expected_count: number;
  readonly actual_count: number;
  readonly inserted_discrepancy: number;
  readonly completed_at: string;
}

export interface Reconciliation {
  readonly is_valid: boolean;
  readonly expected_count: number;
  readonly actual_count: number;
  readonly delta: number;
  readonly reported_inserted: number;
  readonly inserted_discrepancy: number;
}

/** A reject of a file. */
export interface StoredReject {
  readonly row_index: number;
  readonly line: number;
  readonly code: string;
  readonly message: string | null;
  /** The record's bytes, base64. */
  readonly record: string;
}

/** A field in which a row of a run differs from the production row that it is about. */
export interface Difference {
  readonly id: number;
  readonly row_index: number;
  readonly line: number | null;
  readonly table: string;
  /** Null of a dry run where a commit would make it. */
  readonly production_id: number | null;
  readonly field: string;
  readonly file_value: string;
  readonly database_value: string | null;
  /** `skipped`; `in_file`: than an earlier row of the file, which made it; `edited`: left, since somebody edited it; `applied`; `withdrawn` by a rollback. */
  readonly status: string;
}

/** The same of a dry run, which has no ids. */
export type PlannedDifference = Omit<Difference, 'id'>;

/** A failed item of a directory; an image has no record. */
export type StoredItem = FailedRow & Pick<StoredReject, 'row_index'> & { readonly record: string | null };

export interface QueuedJob {
  readonly kind: string;
  readonly queue: string;
  readonly message_id: number | null;
}

/** What became of a row: the fields that are used here; a document has all. */
export interface Operation {
  readonly row_index: number;
  readonly line: number;
  readonly action: 'inserted' | 'skipped' | 'failed' | 'pending' | 'rolled_back';
  readonly reason: string | null;
  readonly message: string | null;
  readonly queued_jobs: readonly QueuedJob[];
  readonly raw_import_id: number | string | null;
}

/** What became of a record of a directory. */
export interface Decision {
  readonly row_index: number;
  /** The file below the root, and which record of it, from 1. */
  readonly item: string;
  readonly line: number;
  readonly action: 'inserted' | 'updated' | 'skipped' | 'failed' | 'pending' | 'rolled_back';
  /** Why it was skipped, or the code of the failure. */
  readonly reason: string | null;
  readonly search_result_id: number | null;
}

/** A file that a completed import has taken. */
export interface KnownFile {
  readonly path: string;
  readonly size: number;
  readonly mtime_ms: number;
  readonly json_sha256: string | null;
  readonly image_path: string | null;
  readonly image_size: number | null;
  readonly image_mtime_ms: number | null;
}

export interface Purge {
  readonly deleted: number;
  /** Messages that somebody has read and may be working on; they stay. */
  readonly read_already: number;
  /** Messages that were in no queue any more. */
  readonly gone: number;
}

export interface Health {
  readonly version: string;
  readonly now: string;
  readonly migrations: readonly string[];
  /** Arguments by function. */
  readonly functions: Readonly<Record<string, readonly string[]>>;
  /** Kinds that are registered, and the functions that these lack. */
  readonly kinds: readonly string[];
  readonly missing: readonly string[];
}

/** Of anomalies, the worst first. */
export interface AnomalyPage {
  readonly anomalies: readonly Row[];
  /** What the next page comes after; null on the last. */
  readonly next: string | null;
  /** Of all pages. */
  readonly total: number;
}

export interface AnomalyCount {
  readonly tenant_id: string;
  readonly anomaly_type: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly count: number;
  /** ISO time of the newest of them. */
  readonly most_recent: string;
}

export interface LiveBearer {
  readonly tenant_id: string;
  readonly bearer_sha256: string;
  readonly expires_at: string | null;
}

/** A row for a table of text. */
export type Row = Readonly<Record<string, unknown>>;

/** What retention would delete of the runs of a kind; `held` are old enough, and kept for the rollback of another run. */
export interface RetirablePerKind {
  readonly kind: string;
  readonly runs: number;
  readonly landed_rows: number;
  readonly ledger_rows: number;
  readonly queued_jobs?: number;
  readonly originals: number;
  readonly held: number;
}

/** A piece of a chunk. */
export interface Piece {
  /** Hash of all rows of the chunk. */
  readonly content: string;
  /** Rows of the chunk before it. */
  readonly before: number;
  /** Whether another piece follows. */
  readonly more: boolean;
}

/** What is staged of a chunk. */
export interface StagedPart {
  readonly rows: number;
  /** Pieces are missing. */
  readonly more?: boolean;
}
