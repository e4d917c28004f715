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

-- One merge of a tenant at a time, until the end of the transaction.
create or replace function ingest.lock_tenant(tenant_id text) returns void
language sql volatile security definer set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('intake.projects:' || $1, 0)) $$;

-- A requester's batch id as a UUID: itself if it is one, else always the same (version 8) for the same tenant and text.
create or replace function ingest.batch_uuid(tenant_id text, batch_id text) returns uuid
language sql immutable security definer set search_path = ''
as $$
  select case when $2 ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then $2::uuid
         else (substr(h.hex, 1, 12) || '8' || substr(h.hex, 14, 3) || '8' || substr(h.hex, 18, 15))::uuid end
  from (select encode(sha256(convert_to($1 || E'\n' || $2, 'UTF8')), 'hex') as hex) h
$$;

-- Raises 22023 for what the gateway answers with 422; names places, never values.
create or replace function ingest.refuse_batch(problem text) returns void
language plpgsql immutable security definer set search_path = ''
as $$
begin
  raise exception 'invalid batch: %', $1 using errcode = 'invalid_parameter_value';
end
$$;

-- New temporary tables have no statistics: what must go row by row through an index is a lateral look-up, so that no plan can scan
-- a table once for each row. The projects that intake_members lists get the members of their fields and lose those of former ones.
create or replace function ingest.sync_memberships(out orgs integer, out users integer)
language plpgsql security definer set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
  delete from public.project_membership m where m.ctid = any (array(
    select f.tid from pg_temp.intake_members t
    cross join lateral (
      select x.ctid as tid, x.member_partner_org_id as org_id, x.member_user_id as user_id
      from public.project_membership x where x.project_id = t.project_id and x.origin = 'import' offset 0) f
    where not t.is_new and (f.org_id is not null and f.org_id is distinct from t.partner_org_id
                            or f.user_id is not null and f.user_id is distinct from t.ds_user_id and f.user_id is distinct from t.rm_user_id)));
  with made as (
    insert into public.project_membership (project_id, member_partner_org_id, member_user_id, origin)
    select t.project_id, t.partner_org_id, null, 'import' from pg_temp.intake_members t where t.partner_org_id is not null
    union all
    select t.project_id, null, t.ds_user_id, 'import' from pg_temp.intake_members t where t.ds_user_id is not null
    union all
    select t.project_id, null, t.rm_user_id, 'import' from pg_temp.intake_members t where t.rm_user_id is distinct from t.ds_user_id and t.rm_user_id is not null
    on conflict do nothing
    returning member_user_id)
  select count(*) filter (where m.member_user_id is null), count(m.member_user_id) into orgs, users from made m;
end
$$;

-- Unpacks a batch into intake_batch and returns its fn_rows_checksum.
create or replace function ingest.unpack_batch(batch jsonb) returns text
language plpgsql security definer set search_path = '' set jit = off set work_mem = '32MB'
as $$
declare
  v_checksum text;
begin
  drop table if exists pg_temp.intake_batch;
  create temp table intake_batch on commit drop as
  select r.row_index, r.cells[1] as stage_application, r.cells, r.line from ingest.project_rows($1) r;
  select ingest.checksum_lines(array_agg(b.line order by b.stage_application collate "C", b.row_index)) into v_checksum from pg_temp.intake_batch b;
  return v_checksum;
end
$$;

-- Resolves intake_batch into intake_resolved, in which `replaced_by` is set for rows that a later one of the batch replaces. The
-- planner knows no statistics of either, hence no nested loops but the look-up of each project as it was.
create or replace function ingest.resolve_batch(tenant_id text) returns void
language plpgsql security definer set search_path = '' set enable_nestloop = off set enable_seqscan = off set jit = off set work_mem = '32MB'
as $$
#variable_conflict use_column
declare
  v_row integer;
begin
  select min(b.row_index) into v_row from pg_temp.intake_batch b where b.stage_application = '';
  if v_row is not null then
    perform ingest.refuse_batch(format('stage_application of row %s is blank', v_row));
  end if;
  select min(b.row_index) into v_row
  from pg_temp.intake_batch b cross join lateral (select b.cells[15] || b.cells[16] || b.cells[17] || b.cells[18] as digits) c
  where (translate(c.digits, '0123456789', '') <> '' or char_length(c.digits) > 9)
    and array_to_string(b.cells[15:18], ' ') !~ '^\d{1,9}(\.0*)?( \d{1,9}(\.0*)?){3}$';
  if v_row is not null then
    perform ingest.refuse_batch(format('a count of row %s is not a whole number from 0 on', v_row));
  end if;

  drop table if exists pg_temp.intake_resolved;
  create temp table intake_resolved on commit drop as
  with rows as materialized (
    select b.row_index, b.stage_application, b.cells, nullif(b.cells[2], '') as partner, nullif(b.cells[3], '') as class,
           nullif(b.cells[4], '') as manager, nullif(b.cells[5], '') as manager_username, nullif(b.cells[6], '') as specialist,
           nullif(b.cells[7], '') as created, nullif(b.cells[9], '') as fscd,
           lead(b.row_index) over (partition by b.stage_application order by b.row_index) as replaced_by
    from pg_temp.intake_batch b
  ), partners as materialized (
    select *, 'exact' as match_type from ingest.resolve_partners($1, array(select distinct r.partner from rows r where r.partner is not null))
  ), specialists as materialized (
    select * from ingest.resolve_specialists($1, array(select distinct r.specialist from rows r where r.specialist is not null))
  ), manager_pairs as materialized (
    select array_agg(d.manager) as names, array_agg(d.manager_username) as usernames
    from (select distinct r.manager, r.manager_username from rows r where num_nonnulls(r.manager, r.manager_username) > 0) d
  ), managers as materialized (
    select coalesce(m.name, '') as name, coalesce(m.username, '') as username, m.user_id, m.match_type
    from ingest.resolve_managers($1, (select p.names from manager_pairs p), (select p.usernames from manager_pairs p)) m
  ), classes as materialized (
    select d.class, public.fn_normalize_developer_class(d.class) as normalized from (select distinct r.class from rows r) d
  ), dates as materialized (
    select d.text, ingest.parse_project_date(d.text) as date from (select r.created as text from rows r union select r.fscd from rows r) d
  )
  select r.row_index, r.replaced_by, r.stage_application, r.cells, r.partner, r.specialist, r.manager, r.manager_username,
         p.partner_org_id, c.normalized as class, s.user_id as ds_user_id, m.user_id as rm_user_id, created.date as created, fscd.date as fscd,
         case when lower(r.partner collate "C") <> 'unassigned' then coalesce(p.match_type, 'none') end as partner_match,
         case when r.specialist is not null then coalesce(s.match_type, 'none') end as ds_match,
         case when num_nonnulls(r.manager, r.manager_username) > 0 then coalesce(m.match_type, 'none') end as rm_match,
         f.staging_id as former_staging_id,
         f.id is not null and (f.partner_org_id, f.deployment_specialist_user_id, f.relationship_manager_user_id)
           is not distinct from (p.partner_org_id, s.user_id, m.user_id) as keeps_members
  from rows r
  left join partners p on p.label = r.partner
  left join classes c on c.class = r.class
  left join specialists s on s.username = r.specialist
  left join managers m on m.name = coalesce(r.manager, '') and m.username = coalesce(r.manager_username, '')
  left join dates created on created.text = r.created
  left join dates fscd on fscd.text = r.fscd
  left join lateral (
    select x.id, x.staging_id, x.partner_org_id, x.deployment_specialist_user_id, x.relationship_manager_user_id
    from public.projects x where x.tenant_id = $1 and x.stage_application = r.stage_application and r.replaced_by is null offset 0) f on true;
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

-- Resolves the fields of all projects anew and brings the memberships in line with them, a tenant at a time. Returns how many
-- memberships it made.
create or replace function public.fn_projects_membership_backfill() returns integer
language plpgsql security definer set search_path = '' set statement_timeout = '30min' set jit = off set work_mem = '64MB'
as $$
declare
  v_tenant text;
  v_made integer := 0;
begin
  for v_tenant in select distinct p.tenant_id from public.projects p order by 1 loop
    perform ingest.lock_tenant(v_tenant);
    drop table if exists pg_temp.intake_members;
    create temp table intake_members on commit drop as
    select p.id as project_id, false as is_new, o.partner_org_id, d.user_id as ds_user_id, m.user_id as rm_user_id
    from public.projects p
    left join ingest.resolve_partners(v_tenant, array(
      select distinct x.delivery_partner_label from public.projects x where x.tenant_id = v_tenant and x.delivery_partner_label is not null)) o
      on o.label = p.delivery_partner_label
    left join ingest.resolve_specialists(v_tenant, array(
      select distinct x.deployment_specialist from public.projects x where x.tenant_id = v_tenant and x.deployment_specialist is not null)) d
      on d.username = p.deployment_specialist
    left join (
      select coalesce(r.name, '') as name, coalesce(r.username, '') as username, r.user_id
      from (select array_agg(y.relationship_manager) as names, array_agg(y.rm_preferred_username) as usernames
            from (select distinct x.relationship_manager, x.rm_preferred_username from public.projects x
                  where x.tenant_id = v_tenant and num_nonnulls(x.relationship_manager, x.rm_preferred_username) > 0) y) pairs
      cross join lateral ingest.resolve_managers(v_tenant, pairs.names, pairs.usernames) r) m
      on m.name = coalesce(p.relationship_manager, '') and m.username = coalesce(p.rm_preferred_username, '')
    where p.tenant_id = v_tenant;
    update public.projects p set
      partner_org_id = t.partner_org_id, deployment_specialist_user_id = t.ds_user_id, relationship_manager_user_id = t.rm_user_id, updated_at = now()
    from pg_temp.intake_members t
    where p.id = t.project_id and (p.partner_org_id, p.deployment_specialist_user_id, p.relationship_manager_user_id)
      is distinct from (t.partner_org_id, t.ds_user_id, t.rm_user_id);
    select v_made + s.orgs + s.users into v_made from ingest.sync_memberships() s;
    drop table pg_temp.intake_members;
  end loop;
  return v_made;
end
$$;
