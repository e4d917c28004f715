/** What an operator is told of work that failed or did not begin: counts, names of schedules and codes; no values, no names of files. */

/** What workflows do, in one word. */
export const WORK = {
  importFile: 'import',
  importDirectory: 'import',
  scheduledImport: 'import',
  pushProjects: 'push',
  scheduledPush: 'push',
  retention: 'retention',
  alertAnomalies: 'alerts',
} as const;

export interface NoticeEntry {
  readonly event: 'failed' | 'missed';
  readonly what: (typeof WORK)[keyof typeof WORK];
  /** Null for what somebody started by hand. */
  readonly schedule: string | null;
  readonly kind?: string;
  readonly source?: string;
  readonly tenant?: string;
  /** Of a failure. */
  readonly code?: string;
  /** Failures alike, or times at which nothing began. */
  readonly count: number;
  readonly next_step: string;
}

/** The JSON that a receiver gets. */
export interface Notice {
  /** The same for every attempt to deliver it. */
  readonly id: string;
  /** ISO; when it was noticed. */
  readonly at: string;
  readonly entries: readonly NoticeEntry[];
}

export interface NoticeInput {
  readonly taskQueue: string;
  readonly notice: Notice;
}
