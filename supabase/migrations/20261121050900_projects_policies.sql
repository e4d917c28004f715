-- Who sees and changes what of projects. Signed-in people have only what their roles open, in the tenants of these roles;
-- the two roles of the program write; anon has nothing. A project grants the API's roles everything in public, so all of that goes first.
do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'user_roles', 'partner_org', 'projects', 'project_membership', 'staging_imports', 'import_anomalies', 'import_retention_stats',
    'partner_normalization', 'ds_directory', 'rm_directory'] loop
    execute format('alter table public.%I enable row level security', v_table);
    execute format('revoke all on public.%I from anon, authenticated', v_table);
    execute format('grant select, insert, update, delete on public.%I to service_role, dragonfly_app', v_table);
    execute format('drop policy if exists %I on public.%I', v_table || '_app', v_table);
    execute format('create policy %I on public.%I for all to dragonfly_app using (true) with check (true)', v_table || '_app', v_table);
  end loop;
  foreach v_table in array array['projects', 'partner_normalization', 'ds_directory', 'rm_directory', 'user_roles'] loop
    execute format('revoke all on sequence public.%I from anon, authenticated', v_table || '_id_seq');
    execute format('grant usage on sequence public.%I to service_role, dragonfly_app', v_table || '_id_seq');
  end loop;
end
$$;

drop policy if exists user_roles_own on public.user_roles;
create policy user_roles_own on public.user_roles for select to authenticated using (user_id = (select public.fn_current_user_id()));

drop policy if exists partner_org_read on public.partner_org;
create policy partner_org_read on public.partner_org for select to authenticated
  using ((select public.fn_tenants_for('{operator,admin,viewer}')) <> '{}');

drop policy if exists projects_read on public.projects;
create policy projects_read on public.projects for select to authenticated
  using ((select public.fn_tenants_for('{operator,admin,viewer}')) && array[tenant_id, '*']);

-- A membership is seen with its project.
drop policy if exists project_membership_read on public.project_membership;
create policy project_membership_read on public.project_membership for select to authenticated
  using (exists (select from public.projects p where p.id = project_id));

drop policy if exists import_anomalies_read on public.import_anomalies;
create policy import_anomalies_read on public.import_anomalies for select to authenticated
  using ((select public.fn_tenants_for('{operator,admin}')) && array[tenant_id, '*']);

-- Rows for every tenant are read by all operators and admins, and edited by admins of all tenants.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['partner_normalization', 'ds_directory', 'rm_directory'] loop
    execute format('drop policy if exists %1$s_read on public.%1$s', v_table);
    execute format($policy$
      create policy %1$s_read on public.%1$s for select to authenticated using (
        (select public.fn_tenants_for('{operator,admin}')) && array[tenant_id, '*']
        or tenant_id is null and (select public.fn_tenants_for('{operator,admin}')) <> '{}') $policy$, v_table);
    execute format('drop policy if exists %1$s_add on public.%1$s', v_table);
    execute format($policy$
      create policy %1$s_add on public.%1$s for insert to authenticated
        with check ((select public.fn_tenants_for('{admin}')) && array[tenant_id, '*']) $policy$, v_table);
    execute format('drop policy if exists %1$s_change on public.%1$s', v_table);
    execute format($policy$
      create policy %1$s_change on public.%1$s for update to authenticated
        using ((select public.fn_tenants_for('{admin}')) && array[tenant_id, '*'])
        with check ((select public.fn_tenants_for('{admin}')) && array[tenant_id, '*']) $policy$, v_table);
    execute format('drop policy if exists %1$s_remove on public.%1$s', v_table);
    execute format($policy$
      create policy %1$s_remove on public.%1$s for delete to authenticated
        using ((select public.fn_tenants_for('{admin}')) && array[tenant_id, '*']) $policy$, v_table);
  end loop;
end
$$;

-- Only the functions of this family: each is named, so that what others add stays as it is.
do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array[
    'public.fn_normalize_name(text)', 'public.fn_normalize_developer_class(text)', 'public.fn_partner_org_from_label(text)',
    'public.fn_find_ds_user_id(text)', 'public.fn_find_rm_user_id(text, text)', 'public.fn_rows_checksum(jsonb)',
    'public.fn_projects_import_merge(text, text, text, jsonb, uuid)', 'public.fn_projects_membership_backfill()',
    'public.fn_cleanup_import_data(integer, integer)', 'public.fn_cleanup_import_data_preview(integer, integer)',
    'public.fn_current_user_id()', 'public.fn_tenants_for(text[])', 'public.fn_require_operator()',
    'public.fn_anomalies_for_operator(integer, text, text[])', 'public.fn_anomalies_stats(integer)']::regprocedure[] loop
    execute format('revoke execute on function %s from public, anon, authenticated', v_function);
    execute format('grant execute on function %s to service_role, dragonfly_app', v_function);
  end loop;
end
$$;
revoke all on public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h from anon, authenticated;
grant select on public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h to service_role, dragonfly_app;
grant select on ingest.directory_changes to service_role, dragonfly_app;
grant usage on sequence ingest.directory_changes_id_seq to service_role, dragonfly_app;
revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;

-- What signed-in people may ask at all; policies decide what they get.
grant select on public.user_roles, public.partner_org, public.projects, public.project_membership, public.import_anomalies,
  public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h to authenticated;
grant select, insert, update, delete on public.partner_normalization, public.ds_directory, public.rm_directory to authenticated;
grant execute on function public.fn_current_user_id(), public.fn_tenants_for(text[]), public.fn_require_operator(),
  public.fn_anomalies_for_operator(integer, text, text[]), public.fn_anomalies_stats(integer) to authenticated;
