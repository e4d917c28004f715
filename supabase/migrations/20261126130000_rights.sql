-- Generated from supabase/schemas/rights.sql by `npm run migrations`: edit that file, not this one.
-- Who may call what. Tables have their rights beside their definition; functions have them here, for all at once.
grant select on all tables in schema ingest to service_role, dragonfly_app;
grant usage on all sequences in schema ingest to service_role, dragonfly_app;
revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;

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
    'public.fn_dashboard_me()', 'public.fn_dashboard_overview(integer)',
    'public.fn_dashboard_runs(text[], text, text, timestamptz, uuid, integer)', 'public.fn_dashboard_run(uuid)',
    'public.fn_dashboard_act(uuid, text, text)', 'public.fn_dashboard_anomalies(text, text, text)']::regprocedure[] loop
    execute format('revoke execute on function %s from public, anon, authenticated', v_function);
    execute format('grant execute on function %s to service_role, dragonfly_app', v_function);
  end loop;
end
$$;

-- What signed-in people may call; each of these looks at the caller's roles.
grant execute on function public.fn_current_user_id(), public.fn_tenants_for(text[]), public.fn_require_operator(),
  public.fn_anomalies_for_operator(integer, text, text[]), public.fn_anomalies_stats(integer),
  public.fn_dashboard_me(), public.fn_dashboard_overview(integer),
  public.fn_dashboard_runs(text[], text, text, timestamptz, uuid, integer), public.fn_dashboard_run(uuid),
  public.fn_dashboard_act(uuid, text, text), public.fn_dashboard_anomalies(text, text, text) to authenticated;
