/**
 * messages/: What clients, workflows and activities say to each other: types and constants.
 *
 * What travels between client, workflow and activities: ids, paths, hashes, offsets, counts and codes; never a cell's
 * value.
 */
import type { DirectoryInput, DirectoryReport } from './directory.ts';
import type { Remark, Remarks } from './remarks.ts';
import type { RunInput } from './run.ts';

export interface ImportInput extends RunInput {
  /** SHA-256 of the content, hex, as the client saw it. */
  readonly fileHash: string;
  readonly bytes: number;
  readonly options: ImportOptions;
}

/** Of a file or of a directory. */
export type AnyInput = ImportInput | DirectoryInput;

export interface ImportOptions {
  /** Their header -> our column. */
  readonly map: Readonly<Record<string, string>>;
  readonly encoding?: string;
  readonly delimiter?: string;
  readonly dateOrder: 'mdy' | 'dmy';
  /** Nobody said so: it is the kind's. */
  readonly dateOrderAssumed?: boolean;
  /** Physical line of the header, 1-based; found where nobody says so. */
  readonly headerRow?: number;
  /** Cells that are empty; a list of its own where nobody says so. */
  readonly nullWords?: readonly string[];
  readonly decodeHtml?: boolean;
  /** A header that means nothing to the kind is an error. */
  readonly strictHeaders?: boolean;
  readonly maxErrors?: { readonly rows: number } | { readonly percent: number };
  readonly skipJobs: boolean;
  /** What of an e-mail or phone that several people share: it counts between compatible names (unless said otherwise), or alone. */
  readonly match?: 'names' | 'contact';
  /** What of a row whose key is known: it is skipped (unless said otherwise), or what it says otherwise is written. */
  readonly onConflict?: 'skip' | 'update';
}

/** What a header of the file became. */
export interface HeaderUse {
  readonly header: string;
  /** Ours; null for a header that is not taken: its cells are kept with the raw row alone. */
  readonly column: string | null;
  /** One of our columns that it may mean, for `--map`. */
  readonly suggestion?: string;
}

/** What the beginning of the file says. */
export interface Plan {
  readonly encoding: string;
  /** False when the beginning is pure ASCII: the full pass decides. */
  readonly encodingCertain: boolean;
  readonly delimiter: string;
  readonly newline: 'lf' | 'cr';
  readonly bomBytes: number;
  /** How many columns the header has, and which of ours were found. */
  readonly columns: number;
  readonly mapped: readonly string[];
  /** Physical line on which the header begins, where titles stand above it. */
  readonly headerLine?: number;
  /** Cells that every row has, where they are not as many as the header's. */
  readonly rowCells?: number;
  /** What became of each header that is taken, and of the first thousand others; personal data is masked. */
  readonly headers?: readonly HeaderUse[];
  readonly remarks?: Remarks;
  /** Rows are matched with each other and with the tables once, before upsert. */
  readonly resolves?: boolean;
  /** The file is one of rejects, corrected; the run it came from. */
  readonly parentRunId?: string;
}

/** By rule of `--match`. */
export type MatchNumbers = Readonly<
  Record<string, { readonly plaintiffs_created: number; readonly plaintiffs_matched: number }>
>;

/** What the full pass found; the chunks themselves are in the manifest. */
export interface Content {
  /** Names the cut of the file into chunks: content, dialect and chunk size. */
  readonly layout: string;
  readonly encoding: string;
  readonly chunks: number;
  readonly rows: number;
  readonly bytes: number;
  /** Where the parts are, or for a dry run would be, stored. */
  readonly storagePath: string;
  /** What the whole file shows and its beginning did not. */
  readonly remarks?: Remarks;
}

export interface Claim {
  readonly status: 'claimed' | 'duplicate' | 'in_progress';
  readonly runId: string;
  readonly lease: number;
  /** Number of partitions in force for this run. */
  readonly partitions: number;
  /** Rows of an earlier attempt are in production already: --max-errors stops nothing any more. */
  readonly promoted?: boolean;
  /** The run whose rejects these are was deleted. */
  readonly parentGone?: boolean;
  /** Of a batch in progress elsewhere: since when, and its last sign of life; ISO. */
  readonly holder?: { readonly since: string; readonly lastSeen: string };
  /** Of a duplicate: what was imported and when. */
  readonly original?: { readonly filename: string; readonly completedAt: string; readonly storagePath: string | null };
}

export interface Counts {
  fetched: number;
  inserted: number;
  updated: number;
  skipped: number;
  errored: number;
}

export type PhaseName =
  | 'plan'
  | 'hash'
  | 'claim'
  | 'upload'
  | 'parse'
  | 'resolve'
  | 'upsert'
  | 'compare'
  | 'finalize'
  | 'reconcile'
  // Of a directory.
  | 'planning'
  | 'sha256'
  | 'import';

export interface PhaseState {
  status: 'pending' | 'running' | 'completed' | 'failed' | 'skipped';
  startedAt?: string;
  seconds?: number;
  done: number;
  total: number;
  failed: number;
  skipped: number;
}

export type ImportStatus =
  'running' | 'dry_run' | 'verified' | 'completed' | 'duplicate' | 'in_progress' | 'failed' | 'cancelled';

/** Of a verification: rows compared, missing in the database, different from the file, edited in production since. */
export interface Comparison {
  rows: number;
  missing: number;
  different: number;
  edited: number;
  /** What the tables have of the run that the file does not: rows by table. */
  extra?: Readonly<Record<string, number>>;
  /** Lines of the first missing or different rows. */
  lines: number[];
  /** The same of a directory, by file and licence. */
  items?: readonly { readonly item: string; readonly line: number }[];
}

export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** Progress while it runs, result at its end. */
export interface ImportReport {
  status: ImportStatus;
  runId: string | null;
  /** Of a duplicate, and of a dry run that a commit would refuse as one. */
  duplicateOf: string | null;
  original?: Claim['original'];
  parentRunId: string | null;
  /** The database has that run no more. */
  parentGone?: boolean;
  /** More rows were rejected than --max-errors allows, after others had reached production. */
  limitIgnored?: boolean;
  counts: Counts;
  /** Rejected rows by code. */
  codes: Record<string, number>;
  /** What was noticed beside rejects. */
  remarks?: Record<string, Remark>;
  /** Of a dry run that matches people: their numbers by either rule. */
  match?: MatchNumbers;
  /** What the rows brought about beyond themselves (contacts, tasks, jobs), by name; of kinds that have such. */
  effects?: Record<string, number>;
  /** Where the parts are, or for a dry run would be, stored. */
  storagePath: string | null;
  startedAt: string;
  finishedAt?: string;
  phases: Partial<Record<PhaseName, PhaseState>>;
  plan?: {
    readonly encoding: string;
    readonly delimiter: string;
    readonly columns: number;
    readonly mapped: readonly string[];
    readonly headers?: readonly HeaderUse[];
    readonly remarks?: Remarks;
  };
  comparison?: Comparison;
  /** No worker of the host that holds the file takes a task: its queue, and since when it is asked. */
  waiting?: { readonly queue: string; readonly since: string };
  /** Of a directory. */
  directory?: DirectoryReport;
  error?: ErrorDocument;
}

/** Query of an import's report while it runs. */
export const PROGRESS_QUERY = 'progress';

/** The report of an import that has not begun. */
export const emptyReport = (startedAt: string): ImportReport => ({
  status: 'running',
  runId: null,
  duplicateOf: null,
  parentRunId: null,
  storagePath: null,
  startedAt,
  counts: { fetched: 0, inserted: 0, updated: 0, skipped: 0, errored: 0 },
  codes: {},
  phases: {},
});
