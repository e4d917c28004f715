/** What schedules give their workflows, and what these report: names, addresses without secrets, counts. */
import type { AlertDocument } from './alerts.ts';
import type { Assessment } from './alerts.ts';
import type { BackendName } from '../config.ts';
import type { ImportRequest } from './requests.ts';
import type { ErrorDocument } from './imports.ts';
import type { Place } from './place.ts';
import type { PushMetrics, PushSettings } from './push.ts';

interface Scheduled extends Place {
  readonly taskQueue: string;
  readonly backend: BackendName;
}

export interface ScheduledPushInput extends Scheduled, PushSettings {
  /** Task queue of the host that reads the files, or downloads them. */
  readonly fileQueue: string;
  readonly tenantId: string;
  /** A file or folder of that host, an address without secrets, or `env:NAME`: an address in the environment of its worker. */
  readonly from: string;
  readonly timeZone: string;
  readonly batchRows: number;
}

export interface FoundFile {
  readonly path: string;
  readonly filename: string;
  /** ISO; of a folder's file. */
  readonly modifiedAt?: string;
  readonly fileHash: string;
}

export interface FoundFiles {
  /** In the order in which they are pushed. */
  readonly files: readonly FoundFile[];
  /** Whether more wait behind them. */
  readonly more: boolean;
  /** Files of the folder whose content was pushed before. */
  readonly leftOut: number;
  /** Files that cannot be read at all. */
  readonly unusable?: readonly { readonly filename: string; readonly error: ErrorDocument }[];
  /** What is remembered as pushed, and what is only a download. */
  readonly type: 'file' | 'folder' | 'download';
}

export interface ScheduledPushReport {
  status: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly tenantId: string;
  files: number;
  /** Files. */
  leftOut: number;
  /** Rows of files that were pushed. */
  rowsLeftOut?: number;
  rows: number;
  batches: number;
  metrics: PushMetrics;
  /** The first thing that was wrong with a file or its rows; the others were pushed all the same. */
  fault?: ErrorDocument;
  /** Contents that could not be pushed. */
  failed?: readonly string[];
  /** What is now at work. */
  current?: string;
  note?: string;
  error?: ErrorDocument;
}

export interface ScheduledImportInput extends Scheduled {
  readonly fileQueue: string;
  /** With an absolute path on that host. */
  readonly request: ImportRequest;
}

/** How long landed rows of ended runs stay, by kind; `*` is for kinds that are not named, and a kind without days keeps its rows. */
export type RunDays = Readonly<Record<string, number>>;

export interface RetentionInput extends Scheduled {
  readonly importsDays: number;
  readonly anomaliesDays: number;
  readonly runDays?: RunDays;
}

/** Of runs that retention has taken. */
export interface RetiredRows {
  readonly runs: number;
  readonly landed_rows: number;
  readonly ledger_rows: number;
  /** Jobs of theirs that nobody had taken from the queue. */
  readonly queued_jobs?: number;
}

/** Rows that are gone. */
export interface RetentionReport {
  readonly staging_imports: number;
  readonly import_anomalies: number;
  readonly retired?: RetiredRows & {
    readonly originals: number;
    /** Of search results; removed from storage. */
    readonly images?: number;
  };
}

export interface AlertsInput extends Scheduled {
  /** Length of a window. */
  readonly windowHours: number;
  /** Somebody waits for it: a webhook that does not answer is told, not waited for. */
  readonly byHand?: boolean;
}

export interface AssessedAlert extends Assessment, AlertDocument {
  /** The same for every attempt to deliver it. */
  readonly id: string;
}

export interface AlertReport {
  readonly alert: AssessedAlert;
  readonly outcome: 'sent' | 'no-webhook' | 'below-threshold';
}
