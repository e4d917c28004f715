/** What an alert about anomalies says, and why it was raised: counts, names of rules, no values. */

/** The JSON that a webhook receives. */
export interface AlertDocument {
  /** ISO times; `until` is not part of it. */
  readonly window: { readonly since: string; readonly until: string };
  readonly total: number;
  readonly by_tenant: Readonly<Record<string, number>>;
  readonly by_type: Readonly<Record<string, number>>;
  readonly by_severity: Readonly<Record<string, number>>;
}

export type AlertLevel = 'none' | 'alert' | 'escalation';

export interface AlertReason {
  readonly rule: 'ANOMALIES' | 'MAPPING_ERRORS' | 'CONSECUTIVE_WINDOWS' | 'TENANT_MAPPING_ERRORS';
  /** Of the last rule. */
  readonly tenant_id?: string;
  readonly count: number;
  readonly limit: number;
  /** A sentence for people. */
  readonly text: string;
}

export interface Assessment {
  readonly level: AlertLevel;
  readonly reasons: readonly AlertReason[];
}
