/**
 * The one table of limits: how long an activity may take and be silent, how it is tried again, and how long each of its statements
 * may run and wait for a lock. Workflows make their proxies from it, the guard its delays, the backends the limits of a statement.
 */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Limits of one statement in milliseconds; the caller sets them, since a function cannot limit the statement that calls it. */
export interface StatementLimits {
  readonly statement: number;
  readonly lock: number;
}

/** A look-up or a small change. A lock that is not there soon is tried for again later: waiting in the database holds a connection. */
const DEFAULT_LIMITS: StatementLimits = { statement: 2 * MINUTE, lock: 30 * SECOND };
/** The work of a key partition, or of a chunk of a few megabytes, on a busy server. */
const PARTITION: StatementLimits = { statement: 10 * MINUTE, lock: MINUTE };
/** Counts or changes all rows of a run or table in one transaction. */
const WHOLE_RUN: StatementLimits = { statement: 30 * MINUTE, lock: MINUTE };

/** SQL functions whose limits are not the default ones. A function's own `statement_timeout`, which the API applies, is not above them. */
export const STATEMENT_LIMITS = {
  stage_chunk: PARTITION,
  upsert_partition: PARTITION,
  count_partition: PARTITION,
  plan_differences: PARTITION,
  stop_partition: PARTITION,
  compare_partition: PARTITION,
  merge_project_batch: PARTITION,
  clear_stage: PARTITION,
  resolve_stage: WHOLE_RUN,
  record_result: PARTITION,
  settle_import_run: { statement: 10 * MINUTE, lock: MINUTE },
  reconcile_import_run: { statement: 10 * MINUTE, lock: MINUTE },
  is_ordered: { statement: 30 * SECOND, lock: 5 * SECOND },
  // Asked once by each worker, by whichever activity is the first.
  database_identity: { statement: 30 * SECOND, lock: 5 * SECOND },
  clean_import_data: WHOLE_RUN,
  retire_runs: PARTITION,
  retire_images: PARTITION,
  preview_run_retention: { statement: 10 * MINUTE, lock: MINUTE },
  preview_images: { statement: 10 * MINUTE, lock: MINUTE },
  backfill_memberships: WHOLE_RUN,
  // Waits for the partitions that are under way, under its operator's eyes.
  rollback_rows: { statement: 10 * MINUTE, lock: 15 * MINUTE },
  preview_rollback: { statement: 10 * MINUTE, lock: 15 * MINUTE },
  purge_jobs: { statement: 10 * MINUTE, lock: MINUTE },
} as const satisfies Record<string, StatementLimits>;

/** Of a function of schema `ingest`. */
export const limitsOf = (fn: string): StatementLimits =>
  (STATEMENT_LIMITS as Readonly<Record<string, StatementLimits>>)[fn] ?? DEFAULT_LIMITS;

/** A server that is silent so long after the limit of a statement is not there any more. */
export const SERVER_SILENT_MS = 30 * SECOND;

/** Delay before the next attempt: `first`, doubled up to `longest`, up to half of it at random unless `exact`. */
export interface BackOff {
  readonly first: number;
  readonly longest: number;
  readonly exact?: true;
}

/** In milliseconds. */
export interface ActivityPolicy {
  /** An attempt that takes longer is given up; longer than the limits of its statements, or attempts would overlap without end. */
  readonly startToClose: number;
  /** An attempt that is silent for so long has lost its worker. */
  readonly heartbeat: number;
  readonly backOff: BackOff;
  /** Attempts at most; until it works or is cancelled unless given. */
  readonly attempts?: number;
  /** All attempts together. */
  readonly scheduleToClose?: number;
  /** SQL functions that one attempt calls. */
  readonly calls: readonly string[];
}

/** Long enough for a busy machine, short enough that a lost worker is noticed while an operator watches. */
const heartbeat = 20 * SECOND;
/** Imports that wait for the same server do not come back all at once. */
const backOff: BackOff = { first: SECOND / 2, longest: 30 * SECOND };

type Calls = readonly string[];
const within = (startToClose: number, calls: Calls): ActivityPolicy => ({ startToClose, heartbeat, backOff, calls });
/** One transaction, or one small file read. */
const short = (...calls: Calls): ActivityPolicy => within(15 * MINUTE, calls);
/** One transaction over all rows of a run or table. */
const wholeRun = (...calls: Calls): ActivityPolicy => within(45 * MINUTE, calls);
/** A pass over a whole file or directory: 10 GB over a slow disk take their time. */
const wholeFile = (...calls: Calls): ActivityPolicy => within(12 * HOUR, calls);
/** Frees disk space on its host when that is quickly done; the host's next activity of the kind frees it otherwise. */
const cleanup = (...calls: Calls): ActivityPolicy => ({ ...short(...calls), scheduleToClose: MINUTE });

const IMAGE_LIST = ['find_images', 'place_images', 'record_images', 'forget_images'] as const;

export const POLICIES = {
  hasAttributes: short(),
  plan: short('is_ordered'),
  hash: wholeFile('is_ordered'),
  claim: short('tenant_exists', 'open_import_run', 'find_run'),
  findRun: short('find_completed_run', 'find_run'),
  upload: wholeFile('is_ordered', 'heartbeat_import_run', 'note_header'),
  parse: short('is_ordered', 'heartbeat_import_run', 'stage_chunk'),
  resolve: wholeRun('heartbeat_import_run', 'resolve_stage'),
  upsertPartition: short('upsert_partition', 'heartbeat_import_run'),
  stopPartition: short('stop_partition'),
  countPartition: short('count_partition'),
  comparePartition: short('compare_partition'),
  finalize: short('record_result'),
  reconcile: short('settle_import_run'),
  fail: short('fail_import_run'),
  clearStage: short('clear_stage'),
  writeRejects: wholeFile('is_ordered'),
  writeDifferences: wholeFile('is_ordered', 'plan_differences'),
  writeOperations: wholeFile('is_ordered', 'plan_operations'),
  // A directory.
  planOfRun: short('find_run'),
  planTree: wholeFile('is_ordered', 'known_files', 'find_images'),
  claimDirectory: short('open_dataset', 'open_import_run', 'find_run'),
  hashSlice: wholeFile('is_ordered', 'heartbeat_import_run', 'find_images'),
  uploadSlice: wholeFile('is_ordered', 'heartbeat_import_run', ...IMAGE_LIST),
  stageSlice: wholeFile('is_ordered', 'heartbeat_import_run', 'stage_chunk', 'record_files'),
  verifySlice: wholeFile('stage_chunk', ...IMAGE_LIST),
  writeFailedItems: wholeFile('is_ordered', 'staged_failures', 'staged_conflicts'),
  // Projects.
  mergeBatch: short('merge_project_batch'),
  dropBatch: short('drop_project_batch'),
  splitPush: wholeFile('is_ordered', 'note_left_out'),
  // Runbook 003: five attempts after 1, 2, 4 and 8 s unless the gateway names a time; the gateway merges for up to 110 s.
  postBatch: {
    ...within(5 * MINUTE, ['is_ordered', 'lend_bearer']),
    backOff: { first: SECOND, longest: 16 * SECOND, exact: true },
    attempts: 5,
  },
  rememberPush: short('remember_push'),
  clearPush: cleanup(),
  // Somebody else's server or folder: half an hour of attempts, then the run fails and says so. A download takes 15 minutes at most.
  findPushFiles: { ...within(HOUR, ['is_ordered', 'pushed_among']), attempts: 60 },
  discardDownload: cleanup(),
  prepareImport: wholeFile('is_ordered', 'find_run'),
  // Stewardship.
  assessAnomalies: short('count_anomalies'),
  sendAlert: { ...within(2 * MINUTE, []), attempts: 60 },
  // Nobody looks again: a receiver that is down for a day hears of it.
  sendNotice: { ...within(2 * MINUTE, []), backOff: { first: SECOND, longest: 15 * MINUTE }, attempts: 110 },
  cleanImportData: wholeRun('is_ordered', 'clean_import_data'),
  retireRuns: wholeFile(
    ...['is_ordered', 'retire_runs', 'unused_originals', 'forget_originals'],
    ...['retire_images', 'unused_images', 'forget_unused_images'],
  ),
} as const satisfies Record<string, ActivityPolicy>;

export type ActivityName = keyof typeof POLICIES;

export const policyOf = (activity: ActivityName): ActivityPolicy => POLICIES[activity];

/** So often in a row the database may end a statement that is as small as it can be. */
export const ATTEMPTS_AT_TIME_LIMIT = 8;

/** How long attempts of an activity are made while somebody waits for the answer. */
export const INTERACTIVE_ATTEMPTS = 2;

/** An unexpected error is tried a few times: its cause may lie in the surroundings. */
export const ATTEMPTS_OF_INTERNAL = 5;

/** So long waits an activity for a worker of its file's host; then the workflow says that none takes it, and asks again for longer. */
export const HOST_START = { first: 5 * MINUTE, again: 30 * MINUTE } as const;

/** How often it asks again: an operator brings a host back within a day; a schedule comes again, and a push is made again. */
export const HOST_ASKED_AGAIN = { import: 48, schedule: 1 } as const;

/** @param attempt the one that failed, from 1. */
export function delayAfter({ first, longest, exact }: BackOff, attempt: number, random = Math.random): number {
  const wait = Math.min(longest, first * 2 ** Math.min(attempt - 1, 10));
  return exact ? wait : Math.round(wait * (0.5 + random() / 2));
}
