/** Every function of schema `public` that the gateway calls with the rights of a signed-in person; compared with the catalogue by a test. */
import {
  bigint,
  fn,
  integer,
  optional,
  orNull,
  text,
  texts,
  timestamp,
  uuid,
  type AnswerOf,
  type ArgumentsOf,
} from '../database/signature.ts';
import type { AnomalyPage } from '../database/rows.ts';
import type { Anomalies, AnomalyTotal, BatchList, Me, Overview, RunList, RunView } from './userRows.ts';

export const USER_FUNCTIONS = {
  fn_dashboard_me: fn<Me>()({}),
  fn_dashboard_overview: fn<Overview>()({ p_days: optional(integer) }),
  fn_dashboard_runs: fn<RunList>()({
    p_kinds: optional(orNull(texts)),
    p_status: optional(orNull(text)),
    p_source: optional(orNull(text)),
    p_before_at: optional(orNull(timestamp)),
    p_before_id: optional(orNull(uuid)),
    p_limit: optional(integer),
  }),
  fn_dashboard_run: fn<RunView | { readonly run?: undefined }>()({ p_run_id: uuid }),
  /** Null for a run that does not exist, or that the person does not see. */
  fn_dashboard_act: fn<boolean | null>()({
    p_run_id: uuid,
    p_action: text,
    p_reason: optional(orNull(text)),
  }),
  fn_dashboard_anomalies: fn<Anomalies>()({
    p_tenant: optional(orNull(text)),
    p_severity: optional(orNull(text)),
    p_type: optional(orNull(text)),
    p_after: optional(orNull(text)),
    p_find: optional(orNull(text)),
  }),
  fn_dashboard_batches: fn<BatchList>()({
    p_find: optional(orNull(text)),
    p_before: optional(orNull(bigint)),
    p_limit: optional(integer),
  }),
  fn_anomalies_page: fn<AnomalyPage>()({
    p_window_hours: optional(integer),
    p_tenant: optional(orNull(text)),
    p_severity: optional(orNull(texts)),
    p_limit: optional(integer),
    p_after: optional(orNull(text)),
    p_type: optional(orNull(text)),
    p_find: optional(orNull(text)),
  }),
  fn_anomalies_stats: fn<readonly AnomalyTotal[]>()({ p_window_hours: optional(integer) }),
  /** The tenants of which the person is an operator. */
  fn_require_operator: fn<readonly string[]>()({}),
};

export type UserFunction = keyof typeof USER_FUNCTIONS;
export type UserArguments<N extends UserFunction> = ArgumentsOf<(typeof USER_FUNCTIONS)[N]>;
export type UserAnswer<N extends UserFunction> = AnswerOf<(typeof USER_FUNCTIONS)[N]>;
