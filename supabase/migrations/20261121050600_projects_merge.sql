-- The merge of runbook 003: a batch into projects, their members and anomalies, as sets, in one transaction.
do $$
begin
  if to_regtype('public.projects_import_merge_result') is null then
    create type public.projects_import_merge_result as (
      inserted_projects integer, updated_projects integer, org_memberships_upserted integer, user_memberships_upserted integer,
      anomalies_count integer, staging_id uuid);
  end if;
end
$$;

-- Writes the projects of intake_resolved and lists those whose members change in intake_members. What is no date
-- and no degrees is null.
create or replace function ingest.write_projects(tenant_id text, staging_id uuid, out inserted integer, out updated integer)
language plpgsql security definer set search_path = '' set enable_nestloop = off set jit = off
as $$
#variable_conflict use_column
declare
  v_degrees constant text := '^[+-]?\d{1,3}(\.\d{0,30})?$';
begin
  drop table if exists pg_temp.intake_members;
  create temp table intake_members (project_id bigint, is_new boolean, partner_org_id uuid, ds_user_id uuid, rm_user_id uuid) on commit drop;
  with written as (
    insert into public.projects as p (
      tenant_id, stage_application, delivery_partner_label, partner_org_id, developer_class, deployment_specialist, deployment_specialist_user_id,
      relationship_manager, rm_preferred_username, relationship_manager_user_id, stage_application_created, residential, commercial, essential,
      premises_count, address, efscd, development_type, build_type, fod_id, latitude, longitude, staging_id)
    select $1, r.stage_application, r.partner, r.partner_org_id, r.class, r.specialist, r.ds_user_id, r.manager, r.manager_username, r.rm_user_id,
           r.created, r.cells[15]::numeric::int, r.cells[16]::numeric::int, r.cells[17]::numeric::int, r.cells[18]::numeric::int,
           nullif(r.cells[8], ''), r.fscd, nullif(r.cells[10], ''), nullif(r.cells[11], ''), nullif(r.cells[12], ''),
           case when r.cells[13] ~ v_degrees then case when abs(r.cells[13]::numeric) <= 90 then r.cells[13]::numeric end end,
           case when r.cells[14] ~ v_degrees then case when abs(r.cells[14]::numeric) <= 180 then r.cells[14]::numeric end end, $2
    from pg_temp.intake_resolved r where r.replaced_by is null order by r.stage_application
    on conflict (tenant_id, stage_application) do update set
      delivery_partner_label = excluded.delivery_partner_label, partner_org_id = excluded.partner_org_id, developer_class = excluded.developer_class,
      deployment_specialist = excluded.deployment_specialist, deployment_specialist_user_id = excluded.deployment_specialist_user_id,
      relationship_manager = excluded.relationship_manager, rm_preferred_username = excluded.rm_preferred_username,
      relationship_manager_user_id = excluded.relationship_manager_user_id, stage_application_created = excluded.stage_application_created,
      residential = excluded.residential, commercial = excluded.commercial, essential = excluded.essential, premises_count = excluded.premises_count,
      address = excluded.address, efscd = excluded.efscd, development_type = excluded.development_type, build_type = excluded.build_type,
      fod_id = excluded.fod_id, latitude = excluded.latitude, longitude = excluded.longitude, staging_id = excluded.staging_id, updated_at = now()
    returning p.id, p.stage_application, p.xmax = 0 as is_new, p.partner_org_id, p.deployment_specialist_user_id as ds_user_id,
              p.relationship_manager_user_id as rm_user_id
  ), listed as (
    insert into pg_temp.intake_members
    select w.id, w.is_new, w.partner_org_id, w.ds_user_id, w.rm_user_id
    from written w join pg_temp.intake_resolved r on r.stage_application = w.stage_application and r.replaced_by is null
    where not r.keeps_members
  )
  select count(*) filter (where w.is_new), count(*) filter (where not w.is_new) into inserted, updated from written w;
end
$$;

-- Writes the anomalies of intake_resolved in place of those that this batch had.
create or replace function ingest.write_anomalies(tenant_id text, staging_id uuid, batch_id text, batch jsonb, correlation_id uuid) returns integer
language plpgsql security definer set search_path = '' set enable_nestloop = off set jit = off
as $$
#variable_conflict use_column
declare
  v_count integer;
begin
  delete from public.import_anomalies a where a.staging_id = $2;
  with found as materialized (
    select b.row_index, 'DUPLICATE_ROW' as anomaly_type, 'stage_application' as field, b.stage_application as input_value,
           format('row %s has the same stage_application and replaces this one', b.replaced_by) as reason, 'exact' as match_type, b.stage_application
    from pg_temp.intake_resolved b where b.replaced_by is not null
    union all
    select r.row_index, 'UNKNOWN_DELIVERY_PARTNER', 'delivery_partner', r.partner, 'partner_normalization has no such label', 'none', r.stage_application
    from pg_temp.intake_resolved r where r.replaced_by is null and r.partner_match = 'none'
    union all
    select r.row_index, 'UNKNOWN_DS', 'deployment_specialist', r.specialist,
           case r.ds_match when 'none' then 'ds_directory has no such preferred_username' else 'the entry of ds_directory is not active' end,
           r.ds_match, r.stage_application
    from pg_temp.intake_resolved r where r.replaced_by is null and r.ds_match <> 'exact'
    union all
    select r.row_index, 'UNKNOWN_RM', case when r.manager is null then 'rm_preferred_username' else 'relationship_manager' end,
           coalesce(r.manager, r.manager_username),
           case r.rm_match when 'none' then 'rm_directory has neither the display_name nor the preferred_username'
             when 'ambiguous' then 'several active managers share the display_name' else 'the entry of rm_directory is not active' end,
           r.rm_match, r.stage_application
    from pg_temp.intake_resolved r where r.replaced_by is null and r.rm_match in ('none', 'inactive', 'ambiguous')
  )
  insert into public.import_anomalies (
    tenant_id, staging_id, batch_id, row_index, anomaly_type, field, input_value, reason, match_type, project_key, correlation_id, payload_excerpt)
  select $1, $2, $3, f.row_index, f.anomaly_type, f.field, f.input_value, f.reason, f.match_type, f.stage_application, $5, left(e.item::text, 500)
  from found f join jsonb_array_elements($4) with ordinality as e (item, n) on e.n = f.row_index
  order by f.row_index;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Merges a batch once. The same rows again, in any order, get the same metrics, unless a directory changed or another batch wrote
-- one of the projects since: then they are merged again, and their anomalies replaced. Existing projects of the batch count as
-- updated; memberships count when they are new.
-- Errors: 22023 for what is no batch (not 1 to 5000 rows, a blank stage_application, a count that is none).
create or replace function public.fn_projects_import_merge(
  p_tenant_id text, p_source text, p_batch_id text, p_rows jsonb, p_correlation_id uuid default null
) returns public.projects_import_merge_result
language plpgsql security definer set search_path = '' set statement_timeout = '60s' set jit = off
as $$
declare
  v_correlation uuid := coalesce(p_correlation_id, gen_random_uuid());
  v_checksum text;
  v_version bigint;
  v_staging_id uuid;
  v_validation jsonb;
  v_superseded boolean;
  v_result public.projects_import_merge_result;
begin
  if coalesce(btrim(p_tenant_id), '') = '' or coalesce(btrim(p_batch_id), '') = '' then
    perform ingest.refuse_batch('tenant_id or batch_id is blank');
  elsif coalesce(jsonb_typeof(p_rows), 'null') <> 'array' or jsonb_array_length(p_rows) not between 1 and 5000 then
    perform ingest.refuse_batch('rows is not an array of 1 to 5000');
  elsif jsonb_path_exists(p_rows, 'strict $[*] ? (@.type() <> "object")') then
    perform ingest.refuse_batch('a row is not an object');
  end if;
  v_checksum := ingest.unpack_batch(p_rows);
  perform ingest.lock_tenant(p_tenant_id);
  -- Before the directories are read: a change in between costs one more merge and is never missed.
  v_version := ingest.directory_version();

  select s.id, s.validation, s.superseded into v_staging_id, v_validation, v_superseded
  from public.staging_imports s where s.tenant_id = p_tenant_id and s.batch_checksum = v_checksum for no key update;
  if not v_superseded and (v_validation ->> 'directory_version')::bigint = v_version then
    return jsonb_populate_record(null::public.projects_import_merge_result, v_validation -> 'metrics');
  end if;
  if v_staging_id is null then
    insert into public.staging_imports (batch_id, tenant_id, raw, checksum, batch_checksum, source, row_count, correlation_id)
    values (ingest.batch_uuid(p_tenant_id, p_batch_id), p_tenant_id, p_rows, v_checksum, v_checksum, coalesce(p_source, 'projects-import'),
            jsonb_array_length(p_rows), v_correlation)
    returning id into v_staging_id;
  end if;

  perform ingest.resolve_batch(p_tenant_id);
  update public.staging_imports s set superseded = true
  where s.id in (select r.former_staging_id from pg_temp.intake_resolved r) and s.id <> v_staging_id and not s.superseded;
  select w.inserted, w.updated into v_result.inserted_projects, v_result.updated_projects from ingest.write_projects(p_tenant_id, v_staging_id) w;
  select m.orgs, m.users into v_result.org_memberships_upserted, v_result.user_memberships_upserted from ingest.sync_memberships() m;
  v_result.anomalies_count := ingest.write_anomalies(p_tenant_id, v_staging_id, p_batch_id, p_rows, v_correlation);
  v_result.staging_id := v_staging_id;
  update public.staging_imports s set
    correlation_id = v_correlation, superseded = false,
    validation = s.validation || jsonb_build_object('request_batch_id', p_batch_id, 'metrics', to_jsonb(v_result), 'directory_version', v_version)
  where s.id = v_staging_id;
  drop table pg_temp.intake_batch, pg_temp.intake_resolved, pg_temp.intake_members;
  return v_result;
end
$$;
