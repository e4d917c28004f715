/** What travels between client, workflow and activities of a push of projects: ids, paths, hashes and counts; never a row or a secret. */
import type { BackendName } from '../config.ts';
import type { ErrorDocument } from './imports.ts';
import type { Place } from './place.ts';
import type { Remarks } from './remarks.ts';

/** How a file of projects is read, and where its rows go; what nobody gave is not there. */
export interface PushSettings {
  /** Rows of a batch, at most. */
  readonly batchRows?: number;
  /** Where to post, when not where the worker's configuration says; without credentials. */
  readonly gatewayUrl?: string;
  /** Of numeric dates, when not the kind's. */
  readonly dateOrder?: 'mdy' | 'dmy';
  /** Texts that are empty cells, when not the usual ones. */
  readonly nullWords?: readonly string[];
  readonly decodeHtml?: boolean;
}

/** What was given of them, out of an object that holds more. */
export function pushSettings(given: {
  readonly [Name in keyof PushSettings]: PushSettings[Name] | undefined;
}): PushSettings {
  const { batchRows, gatewayUrl, dateOrder, nullWords, decodeHtml } = given;
  return {
    ...(batchRows ? { batchRows } : {}),
    ...(gatewayUrl ? { gatewayUrl } : {}),
    ...(dateOrder ? { dateOrder } : {}),
    ...(nullWords ? { nullWords } : {}),
    ...(decodeHtml ? { decodeHtml } : {}),
  };
}

export interface PushInput extends PushSettings, Place {
  readonly backend: BackendName;
  readonly taskQueue: string;
  /** Task queue of the host that holds the file. */
  readonly fileQueue: string;
  readonly tenantId: string;
  /** Absolute, on that host. */
  readonly path: string;
  readonly filename: string;
  /** SHA-256 of the content, hex, as who asked saw it. */
  readonly fileHash: string;
  readonly batchRows: number;
  /** IANA zone of the times in batch ids; the host's own unless given. */
  readonly timeZone?: string;
  /** ISO; when the folder's file was written. */
  readonly modifiedAt?: string;
  /** Whether the content is remembered as pushed: a folder's file is pushed once. */
  readonly remember?: boolean;
}

/** What activities of a push are given. */
export interface Push extends PushInput {
  /** Of all batches of this push. */
  readonly correlationId: string;
  /** ISO; the time in the batch ids. */
  readonly startedAt: string;
}

export interface PushMetrics {
  inserted_projects: number;
  updated_projects: number;
  org_memberships_upserted: number;
  user_memberships_upserted: number;
  anomalies_count: number;
  values_cleared: number;
  memberships_removed: number;
}

export interface PushedBatch {
  readonly batch_id: string;
  readonly rows: number;
  readonly staging_id: string;
  /** From the POST to its answer. */
  readonly ms: number;
  readonly metrics: PushMetrics;
}

/** A row of the file that is not posted; no value of it. */
export interface LeftOut {
  /** 1-based. */
  readonly row: number;
  /** Physical line, of a CSV file. */
  readonly line?: number;
  readonly code: string;
  readonly column?: string;
  readonly message: string;
}

/** What a file comes to. */
export interface SplitFile {
  /** To be posted. */
  readonly rows: number;
  readonly batches: number;
  /** How many rows are left out, and the first of them. */
  readonly leftOut?: number;
  readonly firstLeftOut?: readonly LeftOut[];
  /** What was noticed in the texts of its rows. */
  readonly remarks?: Remarks;
}

/** Progress while it runs, result at its end. */
export interface PushReport {
  status: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly tenantId: string;
  readonly filename: string;
  readonly fileHash: string;
  readonly correlationId: string;
  readonly startedAt: string;
  finishedAt?: string;
  /** To be posted, and of those how many are. */
  rows: number;
  posted: number;
  /** Rows that are not posted since they cannot be read, and the first of them. */
  leftOut?: number;
  firstLeftOut?: readonly LeftOut[];
  remarks?: Remarks;
  /** Batches of the file; 0 until it is split. */
  total: number;
  done: number;
  /** The last of those that were posted. */
  batches: PushedBatch[];
  /** Of all batches. */
  metrics: PushMetrics;
  error?: ErrorDocument;
}

export const noMetrics = (): PushMetrics => ({
  inserted_projects: 0,
  updated_projects: 0,
  org_memberships_upserted: 0,
  user_memberships_upserted: 0,
  anomalies_count: 0,
  values_cleared: 0,
  memberships_removed: 0,
});

const PUSH = 'push/';

/** One push of a tenant at a time. */
export const pushIdOf = (tenantId: string): string => `${PUSH}${tenantId}`;

export const tenantOfPush = (workflowId: string): string => workflowId.slice(PUSH.length);
