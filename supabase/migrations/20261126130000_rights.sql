-- Generated from supabase/schemas/rights.sql by `npm run migrations`: edit that file, not this one.
-- Who may call what. Tables have their rights beside their definition, functions have them here.
grant select on all tables in schema ingest to service_role, dragonfly_app;
grant usage on all sequences in schema ingest to service_role, dragonfly_app;

-- Functions of ingest mostly run with its owner's rights, and helpers trust what their caller hands them (a run, temporary tables, SQL
-- text). So nobody may call any but those named here: what the backends and operators call, and what views, indexes and functions
-- that run with the caller's rights need.
revoke execute on all functions in schema ingest from public, anon, authenticated, service_role, dragonfly_app, dragonfly_gateway;
do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid from pg_catalog.pg_proc p where p.pronamespace = 'ingest'::regnamespace and p.proname = any (array[
    -- runs
    'open_import_run', 'claim_import_run', 'heartbeat_import_run', 'note_header', 'finalize_import_run', 'fail_import_run', 'record_result',
    'settle_import_run', 'reconcile_import_run', 'rollback_import_run', 'rollback_rows', 'preview_rollback', 'find_completed_run', 'stage_chunk', 'begin_piece', 'staged_chunk', 'clear_stage',
    'resolve_stage', 'upsert_partition', 'count_partition', 'stop_partition', 'compare_partition', 'read_rejects',
    -- of kinds
    'read_operations', 'plan_operations', 'list_jobs', 'purge_jobs', 'open_dataset', 'record_files', 'known_files', 'read_decisions', 'read_differences', 'plan_differences',
    'staged_failures', 'staged_conflicts', 'find_images', 'place_images', 'record_images', 'forget_images', 'backfill_memberships',
    -- reports, anomalies, retention, batches
    'report', 'count_unreconciled', 'find_run', 'health', 'database_identity', 'list_people', 'list_anomalies', 'count_anomalies', 'clean_import_data', 'preview_cleanup', 'order_work', 'is_ordered',
    'retention_stats', 'preview_run_retention', 'retire_runs', 'unused_originals', 'forget_originals',
    'preview_images', 'retire_images', 'unused_images', 'forget_unused_images', 'list_tenants', 'live_bearers', 'date_orders', 'store_project_batch', 'merge_project_batch', 'drop_project_batch',
    'replay_project_batch', 'remember_push', 'pushed_among', 'note_answer', 'note_left_out', 'tenant_exists', 'similar_tenants',
    -- with the caller's rights
    'source_stats', 'lower_text', 'trim_text', 'normalize_text', 'compute_plaintiff_dedupe_key', 'tally_import_run', 'errored_judgments', 'project_rows',
    'trim_project_cells', 'checksum_lines', 'resolve_partners', 'resolve_specialists', 'resolve_managers']) loop
    execute format('grant execute on function %s to service_role, dragonfly_app', v_function);
  end loop;
end
$$;

-- Who lets people and tenants in is the owner of the database, has the service key or is the gateway: an importer may not, neither by
-- these functions nor by the tables behind them.
grant execute on function ingest.add_tenant(text, text), ingest.rotate_bearer(text, text, integer), ingest.set_date_order(text, text),
  ingest.grant_role(text, text, text), ingest.revoke_roles(text, text, text), ingest.find_person(text), ingest.lend_bearer(text, text, integer)
  to service_role, dragonfly_gateway;
revoke insert, update, delete on public.user_roles, ingest.tenants, ingest.tenant_bearers from dragonfly_app;
revoke select on ingest.tenant_bearers from dragonfly_app;
drop policy if exists tenant_bearers_app on ingest.tenant_bearers;

-- Of schema public each function is named, so that what others add stays as it is.
do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array[
    'public.set_enforcement_stage(bigint, text, text, text)', 'public.queue_job(jsonb)', 'public.pgmq_delete(text, bigint)',
    'public.fn_normalize_name(text)', 'public.fn_normalize_developer_class(text)', 'public.fn_partner_org_from_label(text)',
    'public.fn_find_ds_user_id(text)', 'public.fn_find_rm_user_id(text, text)', 'public.fn_rows_checksum(jsonb)',
    'public.fn_projects_import_merge(text, text, text, jsonb, uuid)', 'public.fn_projects_membership_backfill()',
    'public.fn_cleanup_import_data(integer, integer)', 'public.fn_cleanup_import_data_preview(integer, integer)',
    'public.fn_current_user_id()', 'public.fn_tenants_for(text[])', 'public.fn_require_operator()',
    'public.fn_anomalies_for_operator(integer, text, text[])', 'public.fn_anomalies_stats(integer)',
    'public.fn_anomalies_page(integer, text, text[], integer, text, text, text)',
    'public.fn_dashboard_me()', 'public.fn_dashboard_overview(integer)',
    'public.fn_dashboard_runs(text[], text, text, timestamptz, uuid, integer)', 'public.fn_dashboard_run(uuid)',
    'public.fn_dashboard_act(uuid, text, text)', 'public.fn_dashboard_anomalies(text, text, text, text, text)',
    'public.fn_dashboard_batches(text, bigint, integer)']::regprocedure[] loop
    execute format('revoke execute on function %s from public, anon, authenticated', v_function);
    execute format('grant execute on function %s to service_role, dragonfly_app', v_function);
  end loop;
end
$$;

-- What signed-in people may call; each of these looks at the caller's roles.
grant execute on function public.fn_current_user_id(), public.fn_tenants_for(text[]), public.fn_require_operator(),
  public.fn_anomalies_for_operator(integer, text, text[]), public.fn_anomalies_stats(integer),
  public.fn_anomalies_page(integer, text, text[], integer, text, text, text),
  public.fn_dashboard_me(), public.fn_dashboard_overview(integer),
  public.fn_dashboard_runs(text[], text, text, timestamptz, uuid, integer), public.fn_dashboard_run(uuid),
  public.fn_dashboard_act(uuid, text, text), public.fn_dashboard_anomalies(text, text, text, text, text), public.fn_dashboard_batches(text, bigint, integer) to authenticated;
