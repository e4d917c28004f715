/**
 * Every function of schema `ingest` that Intake calls: its arguments and what it answers. `Backend.call` takes its types from here;
 * `intake doctor` and a test compare it with the catalogue.
 */
import type { Counts, MatchNumbers } from '../messages/imports.ts';
import type { BatchAnswer } from '../messages/merge.ts';
import type { Remarks } from '../messages/remarks.ts';
import type { RetentionReport, RetiredRows, RunDays } from '../messages/schedules.ts';
import type { FailedRow } from '../sources/tree/failedItems.ts';
import type {
  AnomalyCount,
  AnomalyPage,
  Decision,
  Difference,
  PlannedDifference,
  Health,
  KnownFile,
  LiveBearer,
  OpenedRun,
  Operation,
  PartComparison,
  PartCounts,
  Piece,
  Purge,
  Reconciliation,
  RetirablePerKind,
  Rollback,
  RollbackProgress,
  Row,
  Run,
  RunCounts,
  Settlement,
  StagedPart,
  StoredItem,
  StoredReject,
} from './rows.ts';
import {
  bigint,
  fn,
  integer,
  json,
  jsonb,
  optional,
  orNull,
  text,
  texts,
  timestamp,
  truth,
  uuid,
  type AnswerOf,
  type ArgumentsOf,
} from './signature.ts';

/** A page of a run's rows in the order of its file: the first `max_rows` after `after_row`, which begins at -1. */
const page = { after_row: optional(integer), max_rows: optional(integer) };
/** `keys`: so many keys of the part, in the order of keys. */
const part = { stage_id: uuid, chunks: integer, part: integer, keys: optional(orNull(integer)) };
const piece = { piece: optional(orNull(jsonb<Piece>())) };
const updates = { update_known: optional(truth) };
const after = { after: optional(orNull(text)) };
const inRun = { run_id: uuid, lease: integer };
const batch = { tenant_id: text, batch_checksum: text };
const images = { storage_type: text };

export const FUNCTIONS = {
  // A run.
  open_import_run: fn<OpenedRun>()({
    source_system: text,
    source_batch_id: text,
    file_hash: text,
    filename: text,
    import_kind: optional(text),
    worker_id: optional(orNull(text)),
    claim_token: optional(orNull(text)),
    parent_run_id: optional(orNull(uuid)),
    storage_path: optional(orNull(text)),
    metadata: optional(jsonb<object>()),
  }),
  find_completed_run: fn<string | null>()({ source_system: text, source_batch_id: text, file_hash: text }),
  heartbeat_import_run: fn<boolean>()({ run_id: uuid }),
  note_header: fn<null>()({ run_id: uuid, header: jsonb<readonly string[]>() }),
  record_result: fn<RunCounts>()({ ...inRun, rows_fetched: integer, summary: jsonb<object>() }),
  settle_import_run: fn<Settlement>()({ ...inRun, expected_count: integer }),
  fail_import_run: fn<boolean>()({ ...inRun, error: jsonb<object>(), counts: optional(orNull(jsonb<Counts>())) }),
  reconcile_import_run: fn<Reconciliation>()({ run_id: uuid, expected_count: optional(orNull(integer)) }),
  preview_rollback: fn<Rollback & { readonly done: boolean }>()({
    run_id: uuid,
    former: optional(orNull(jsonb<object>())),
    max_rows: optional(integer),
  }),
  rollback_rows: fn<RollbackProgress>()({ run_id: uuid, reason: text, max_rows: optional(integer) }),
  find_run: fn<Run[]>()({ id: text }),
  report: fn<Row[]>()({ name: text, filters: optional(jsonb<object>()), max_rows: optional(integer) }),
  count_unreconciled: fn<number>()({ milliseconds: optional(integer) }),
  read_rejects: fn<(StoredReject | StoredItem)[]>()({ run_id: uuid, ...page }),
  read_differences: fn<Difference[]>()({ run_id: uuid, after_id: optional(bigint), max_rows: optional(integer) }),
  health: fn<Health>()({}),
  database_identity: fn<string | null>()({}),

  // Its stage and its parts.
  stage_chunk: fn<StagedPart>()({
    stage_id: uuid,
    kind: text,
    chunk: integer,
    columns: texts,
    rows: json<readonly unknown[]>(),
    errored: integer,
    ...piece,
  }),
  begin_piece: fn<boolean>()({ stage_id: uuid, kind: text, chunk: integer, rows: integer, errored: integer, ...piece }),
  staged_chunk: fn<StagedPart>()({ stage_id: uuid, chunk: integer, ...piece }),
  resolve_stage: fn<{ rows?: number; people?: number; stage_lost?: true; match?: MatchNumbers; remarks?: Remarks }>()({
    run_id: orNull(uuid),
    lease: integer,
    kind: text,
    stage_id: uuid,
    chunks: integer,
    partitions: integer,
    options: optional(jsonb<{ readonly skip_jobs: boolean; readonly match?: string }>()),
  }),
  upsert_partition: fn<PartCounts>()({ ...inRun, ...part, ...updates }),
  stop_partition: fn<PartCounts>()({ ...inRun, ...part }),
  count_partition: fn<PartCounts>()({ kind: text, source_system: text, ...part, ...after, ...updates }),
  compare_partition: fn<PartComparison>()({ run_id: uuid, ...part, ...after }),
  clear_stage: fn<boolean>()({ stage_id: uuid, kind: text, max_rows: optional(integer) }),
  plan_differences: fn<PlannedDifference[]>()({
    kind: text,
    source_system: text,
    stage_id: uuid,
    part: integer,
    ...updates,
    ...page,
  }),
  plan_operations: fn<{ row_index: number }[]>()({ stage_id: uuid, ...page }),
  read_operations: fn<Operation[]>()({ run_id: uuid, ...page }),

  // Jobs that judgments queued.
  list_jobs: fn<Row[]>()({
    run_id: optional(orNull(uuid)),
    queue: optional(orNull(text)),
    max_rows: optional(integer),
  }),
  purge_jobs: fn<Purge>()({ run_id: uuid }),

  // A directory.
  open_dataset: fn<number>()({ kind: text, tag: text }),
  known_files: fn<KnownFile[]>()({ kind: text, tag: text, after_path: optional(text), max_rows: optional(integer) }),
  record_files: fn<number>()({ ...inRun, files: json<readonly object[]>() }),
  /** Storage path by hash. */
  find_images: fn<Record<string, string>>()({ sha256s: jsonb<readonly string[]>(), ...images }),
  /** Where those that are not stored belong; `images` has their usual path by hash. */
  place_images: fn<Record<string, string>>()({ images: jsonb<Readonly<Record<string, string>>>(), ...images }),
  record_images: fn<null>()({ images: jsonb<Readonly<Record<string, string>>>(), ...images }),
  forget_images: fn<null>()({ sha256s: jsonb<readonly string[]>(), ...images }),
  staged_failures: fn<(FailedRow & { readonly row_index: number })[]>()({ stage_id: uuid, ...page }),
  staged_conflicts: fn<(FailedRow & { readonly row_index: number })[]>()({ stage_id: uuid, ...page }),
  read_decisions: fn<Decision[]>()({ run_id: uuid, ...page }),

  // Batches of projects.
  replay_project_batch: fn<BatchAnswer | null>()(batch),
  store_project_batch: fn<{ checksum: string; age_seconds: number; is_new: boolean }>()({
    ...batch,
    batch_id: text,
    source: text,
    correlation_id: uuid,
    rows: jsonb<unknown>(),
  }),
  merge_project_batch: fn<BatchAnswer | null>()(batch),
  drop_project_batch: fn<null>()(batch),
  backfill_memberships: fn<number>()({ restore: optional(truth) }),
  /** Hash -> time of the latest file with it; null for the one that was pushed last. */
  pushed_among: fn<Record<string, string | null>>()({ tenant_id: text, file_sha256s: jsonb<readonly string[]>() }),
  remember_push: fn<null>()({
    tenant_id: text,
    file_sha256: text,
    correlation_id: uuid,
    row_count: bigint,
    batches: integer,
    modified_at: optional(orNull(timestamp)),
  }),
  note_answer: fn<null>()({
    tenant_id: text,
    batch_id: text,
    correlation_id: uuid,
    staging_id: uuid,
    outcome: text,
  }),
  note_left_out: fn<number>()({
    tenant_id: text,
    correlation_id: uuid,
    batch_id: text,
    rows: jsonb<readonly object[]>(),
  }),

  // Tenants and people.
  add_tenant: fn<boolean>()({ tenant_id: text, bearer_sha256: text }),
  /** Until when the former secret opens. */
  rotate_bearer: fn<string | null>()({ tenant_id: text, bearer_sha256: text, overlap_minutes: integer }),
  date_orders: fn<Readonly<Record<string, 'dmy' | 'mdy'>>>()({}),
  /** False: there is no such tenant. */
  set_date_order: fn<boolean>()({ tenant_id: text, date_order: text }),
  tenant_exists: fn<boolean>()({ tenant_id: text }),
  similar_tenants: fn<string[]>()({ tenant_id: text }),
  /** Null: there is no such tenant. */
  lend_bearer: fn<string | null>()({ tenant_id: text, bearer_sha256: text, minutes: integer }),
  live_bearers: fn<LiveBearer[]>()({}),
  list_tenants: fn<Row[]>()({}),
  grant_role: fn<{ user_id: string; granted: boolean } | null>()({
    email: text,
    role: text,
    tenant_id: optional(orNull(text)),
  }),
  revoke_roles: fn<number | null>()({
    email: text,
    role: optional(orNull(text)),
    tenant_id: optional(orNull(text)),
  }),
  find_person: fn<{ user_id: string; created_at: string; confirmed: boolean; roles: number } | null>()({ email: text }),
  list_people: fn<Row[]>()({}),

  // Anomalies and retention.
  count_anomalies: fn<AnomalyCount[]>()({ since: timestamp, until: timestamp }),
  list_anomalies: fn<AnomalyPage>()({
    window_hours: integer,
    tenant: orNull(text),
    severities: orNull(jsonb<readonly string[]>()),
    max_rows: integer,
    after: optional(orNull(text)),
    type: optional(orNull(text)),
    find: optional(orNull(text)),
  }),
  order_work: fn<null>()({ what: text, items: jsonb<readonly object[]>(), hours: orNull(integer) }),
  is_ordered: fn<boolean>()({ what: text, items: jsonb<readonly object[]>() }),
  clean_import_data: fn<RetentionReport>()({ imports_days: integer, anomalies_days: integer }),
  preview_cleanup: fn<Row[]>()({ imports_days: integer, anomalies_days: integer }),
  retention_stats: fn<Row[]>()({ max_rows: integer }),
  preview_run_retention: fn<RetirablePerKind[]>()({ days: jsonb<RunDays>() }),
  retire_runs: fn<RetiredRows & { readonly more: boolean }>()({ days: jsonb<RunDays>(), max_rows: optional(integer) }),
  unused_originals: fn<string[]>()({ backend: text, max_rows: optional(integer) }),
  forget_originals: fn<null>()({ paths: jsonb<readonly string[]>() }),
  preview_images: fn<number>()({ days: jsonb<RunDays>(), ...images }),
  /** `after` is the last hash that was looked at, and missing at the end. */
  retire_images: fn<{ readonly images: number; readonly after?: string }>()({
    days: jsonb<RunDays>(),
    ...images,
    after: optional(text),
    max_rows: optional(integer),
  }),
  unused_images: fn<string[]>()({ ...images, max_rows: optional(integer) }),
  forget_unused_images: fn<null>()({ paths: jsonb<readonly string[]>(), ...images }),
};

export type FunctionName = keyof typeof FUNCTIONS;
export type Arguments<N extends FunctionName> = ArgumentsOf<(typeof FUNCTIONS)[N]>;
export type Answer<N extends FunctionName> = AnswerOf<(typeof FUNCTIONS)[N]>;
