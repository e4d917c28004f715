/** What the functions of schema `public` answer to a signed-in person (`userFunctions.ts`). */
import type { Rollback, Run } from '../database/rows.ts';
import type { FailedItem } from '../messages/directory.ts';
import type { HeaderUse, ImportReport } from '../messages/imports.ts';
import type { PushMetrics } from '../messages/push.ts';
import type { Remarks } from '../messages/remarks.ts';

export interface Me {
  readonly user_id: string;
  /** Operator or admin of any tenant. */
  readonly operates: boolean;
  /** Those whose projects the person sees, and whose they may change; `*` for all and for every other kind of run. */
  readonly tenants: readonly string[];
  readonly operated: readonly string[];
}

export interface RunLine {
  readonly id: string;
  readonly kind: string;
  readonly source: string;
  readonly filename: string;
  readonly batch_name: string | null;
  readonly status: Run['status'];
  readonly fetched: number;
  readonly inserted: number;
  readonly updated: number;
  readonly skipped: number;
  readonly errored: number;
  readonly created_at: string;
  readonly completed_at: string | null;
  readonly workflow_id: string | null;
  readonly error_type: string | null;
  readonly seconds: number;
}

export interface Overview {
  readonly me: Me;
  readonly running: readonly RunLine[];
  readonly latest: readonly RunLine[];
  /** Of the last 24 hours. */
  readonly day: Readonly<Record<'runs' | 'completed' | 'failed' | 'rows' | 'inserted' | 'updated' | 'errored', number>>;
  readonly batches: { readonly batches: number; readonly rows: number };
  readonly days: readonly DayRows[];
  /** Dates of the first and the last day, UTC. */
  readonly since: string;
  readonly until: string;
  /** Since `since`; null for viewers. */
  readonly anomalies: readonly AnomalyCount[] | null;
}

export interface DayRows {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly kind: string;
  readonly rows: number;
}

export interface AnomalyCount {
  readonly type: string;
  readonly severity: Severity;
  readonly count: number;
}

export type Severity = 'error' | 'warning' | 'info';

export interface RunList {
  readonly me: Me;
  readonly runs: readonly RunLine[];
}

export interface RunDetails extends RunLine {
  readonly batch_id: string;
  readonly file_hash: string;
  readonly updated_at: string;
  readonly rolled_back_at: string | null;
  readonly rollback_reason: string | null;
  readonly parent_run_id: string | null;
  readonly duplicate_of: string | null;
  readonly error_message: string | null;
  /** Whether Intake started it and may start it again; whether its file is stored. */
  readonly from_intake: boolean;
  readonly stored: boolean;
  readonly effects: Readonly<Record<string, number>> | null;
  /** What was noticed, and what became of each header; of a run that has ended. */
  readonly remarks: Remarks;
  readonly headers: readonly HeaderUse[];
  /** Names the workflow execution that worked on it. */
  readonly execution: string | null;
  /** Of a run that has ended: how long each phase took, rejected rows by code, failed items and the first of them (null for viewers). */
  readonly phases: ImportReport['phases'] | null;
  readonly codes: Readonly<Record<string, number>>;
  readonly failed_items: number;
  readonly first_failed: readonly FailedItem[] | null;
  /** Texts of the header; null for viewers. */
  readonly header: readonly string[] | null;
  readonly rollback: Rollback | null;
}

export interface RunAction {
  readonly action: ActionName;
  readonly reason: string | null;
  readonly user_id: string;
  readonly created_at: string;
}

/** What people do to runs. */
export type ActionName = 'cancel' | 'resume' | 'rollback' | 'rejects';

export interface RunView {
  readonly me: Me;
  readonly operates: boolean;
  readonly run: RunDetails;
  /** Null for viewers. */
  readonly actions: readonly RunAction[] | null;
}

export interface Anomaly {
  readonly created_at: string;
  readonly tenant_id: string;
  readonly batch_id: string;
  readonly row_index: number | null;
  readonly anomaly_type: string;
  readonly severity: Severity;
  readonly field: string | null;
  readonly input_value: string | null;
  readonly reason: string | null;
  readonly project_key: string | null;
  readonly correlation_id: string | null;
  readonly payload_excerpt: string | null;
}

export interface AnomalyTotal {
  readonly tenant_id: string;
  readonly category: string;
  readonly severity: Severity;
  readonly count: number;
  readonly most_recent: string;
}

export interface Anomalies {
  readonly me: Me;
  readonly stats: readonly AnomalyTotal[];
  readonly page: { readonly anomalies: readonly Anomaly[]; readonly next: string | null; readonly total: number };
}

/** An answer that a posted batch got. */
export interface PostedBatch {
  readonly id: number;
  readonly tenant_id: string;
  readonly batch_id: string;
  readonly correlation_id: string;
  readonly outcome: 'merged' | 'joined' | 'replayed';
  readonly answered_at: string;
  /** Null when the batch is older than its retention. */
  readonly source: string | null;
  readonly rows: number | null;
  readonly metrics: Partial<PushMetrics> | null;
}

export interface BatchList {
  readonly me: Me;
  readonly batches: readonly PostedBatch[];
}
