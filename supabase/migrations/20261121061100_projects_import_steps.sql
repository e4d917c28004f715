-- The steps of kind projects. A part goes the way of a posted batch: the same temporary tables, the same functions.

-- Which run had a tenant's turn last.
create table if not exists ingest.tenant_turns (
  tenant_id text primary key,
  run_id uuid not null
);
alter table ingest.tenant_turns enable row level security;
revoke all on ingest.tenant_turns from anon, authenticated;
grant select, insert, update, delete on ingest.tenant_turns to service_role, dragonfly_app;
drop policy if exists tenant_turns_app on ingest.tenant_turns;
create policy tenant_turns_app on ingest.tenant_turns for all to dragonfly_app using (true) with check (true);

-- Parts of one run never share a project, so they go side by side (a shared lock). Merges, rollbacks and other runs of the tenant
-- go alone (lock_tenant), and a run that has not had the turn last takes it alone, too.
create or replace function ingest.take_tenant_turn(tenant_id text, run_id uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  begin
    perform pg_advisory_xact_lock_shared(hashtextextended('intake.projects:' || $1, 0));
    if exists (select from ingest.tenant_turns t where t.tenant_id = $1 and t.run_id = $2) then
      return;
    end if;
    raise exception using errcode = 'IN003'; -- gives the shared lock back
  exception when sqlstate 'IN003' then null;
  end;
  perform ingest.lock_tenant($1);
  insert into ingest.tenant_turns as t (tenant_id, run_id) values ($1, $2)
  on conflict on constraint tenant_turns_pkey do update set run_id = excluded.run_id;
end
$$;

-- The good rows of a part as intake_batch, and what they mean as intake_resolved; `row_index` is 1-based, as in a batch.
create or replace function ingest.resolve_part(tenant_id text, stage_id uuid, part integer) returns void
language plpgsql security definer set search_path = '' set enable_seqscan = off set jit = off set datestyle = 'ISO, YMD'
as $$
begin
  drop table if exists pg_temp.intake_batch;
  create temp table intake_batch on commit drop as
  select s.row_index + 1 as row_index, s.stage_application, array[
    s.stage_application, coalesce(s.delivery_partner, ''), coalesce(s.developer_class, ''), coalesce(s.relationship_manager, ''),
    coalesce(s.rm_preferred_username, ''), coalesce(s.deployment_specialist, ''), coalesce(s.stage_application_created::text, ''),
    coalesce(s.address, ''), coalesce(s.efscd::text, ''), coalesce(s.development_type, ''), coalesce(s.build_type, ''),
    coalesce(s.fod_id, ''), coalesce(s.latitude::text, ''), coalesce(s.longitude::text, ''), s.residential::text, s.commercial::text,
    s.essential::text, s.premises_count::text] as cells
  from ingest_stage.projects s where s.stage_id = $2 and s.part = $3 and s.error_code is null;
  perform ingest.resolve_batch($1);
end
$$;

-- What a part answers; the anomalies are those of intake_resolved.
create or replace function ingest.project_counts(
  inserted bigint, updated bigint, skipped bigint, errored bigint, orgs bigint, users bigint
) returns jsonb
language sql volatile security definer set search_path = ''
as $$
  select jsonb_build_object('inserted', $1, 'updated', $2, 'skipped', $3, 'errored', $4, 'effects',
    jsonb_build_object('org_memberships_upserted', $5, 'user_memberships_upserted', $6, 'anomalies', coalesce(sum(a.n), 0))
    || coalesce(jsonb_object_agg(a.anomaly_type, a.n) filter (where a.n > 0), '{}'))
  from (select l.anomaly_type, count(*) as n from ingest.list_anomalies() l group by l.anomaly_type) a
$$;

-- Lands and promotes a part. Nobody else with the turn writes this tenant's projects meanwhile, so that no former values are lost.
create or replace function ingest.upsert_projects(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = '' set enable_nestloop = off set enable_seqscan = off set jit = off set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_tenant text := ($1).source_system;
  v_inserted integer;
  v_landed bigint;
  v_updated bigint;
  v_skipped bigint;
  v_errored bigint;
  v_orgs integer;
  v_users integer;
begin
  perform ingest.take_tenant_turn(v_tenant, v_run);
  if exists (select from ingest.import_run_steps t where t.run_id = v_run and t.step = 'stop') then
    -- An earlier attempt stopped at --max-errors; its rows make place for these.
    delete from ingest.projects_raw r using ingest_stage.projects s
    where s.stage_id = $2 and s.part = $3 and r.import_run_id = v_run and r.row_index = s.row_index;
  end if;
  perform ingest.resolve_part(v_tenant, $2, $3);
  -- Locked, so that what somebody edits at this moment is edited before or after.
  drop table if exists pg_temp.intake_former;
  create temp table intake_former on commit drop as
  select r.row_index, f.former
  from (select x.row_index, x.stage_application from pg_temp.intake_resolved x where x.replaced_by is null order by x.stage_application offset 0) r
  cross join lateral (
    select to_jsonb(p) as former from public.projects p
    where p.tenant_id = v_tenant and p.stage_application = r.stage_application for no key update) f;
  -- In one order, since parts share them.
  perform from public.staging_imports s
  where s.id in (select r.former_staging_id from pg_temp.intake_resolved r) and not s.superseded order by s.id for no key update;
  update public.staging_imports s set superseded = true
  where s.id in (select r.former_staging_id from pg_temp.intake_resolved r) and not s.superseded;
  select w.inserted into v_inserted from ingest.write_projects(v_tenant, v_run) w;
  select m.orgs, m.users into v_orgs, v_users from ingest.sync_memberships() m;
  insert into public.import_anomalies (
    tenant_id, batch_id, row_index, anomaly_type, field, input_value, reason, match_type, project_key, correlation_id, payload_excerpt)
  select v_tenant, ($1).source_batch_id, a.row_index, a.anomaly_type, a.field, a.input_value, a.reason, a.match_type, a.project_key, v_run,
         left(s.raw_payload::text, 500)
  from ingest.list_anomalies() a join ingest_stage.projects s on s.stage_id = $2 and s.part = $3 and s.row_index = a.row_index - 1
  order by a.row_index;
  with landed as (
    insert into ingest.projects_raw (
      import_run_id, row_index, line_number, stage_application, delivery_partner, developer_class, relationship_manager,
      rm_preferred_username, deployment_specialist, stage_application_created, address, efscd, development_type, build_type, fod_id,
      latitude, longitude, residential, commercial, essential, premises_count, raw_payload, raw_record, status, reason, error_message,
      project_id, former)
    select v_run, s.row_index, s.line_number, s.stage_application, s.delivery_partner, s.developer_class, s.relationship_manager,
           s.rm_preferred_username, s.deployment_specialist, s.stage_application_created, s.address, s.efscd, s.development_type,
           s.build_type, s.fod_id, s.latitude, s.longitude, s.residential, s.commercial, s.essential, s.premises_count,
           s.raw_payload, s.raw_record,
           case when s.error_code is not null then 'failed' when b.replaced_by is not null then 'skipped'
                when f.row_index is null then 'inserted' else 'updated' end,
           case when b.replaced_by is not null then 'DUPLICATE_ROW' else s.error_code end, s.error_message, p.id, f.former
    from ingest_stage.projects s
    left join pg_temp.intake_resolved b on b.row_index = s.row_index + 1
    left join pg_temp.intake_former f on f.row_index = s.row_index + 1
    left join lateral (
      select x.id from public.projects x
      where x.tenant_id = v_tenant and x.stage_application = s.stage_application and s.error_code is null offset 0) p on true
    where s.stage_id = $2 and s.part = $3
    returning status
  )
  select count(*) filter (where l.status = 'inserted'), count(*) filter (where l.status = 'updated'),
         count(*) filter (where l.status = 'skipped'), count(*) filter (where l.status = 'failed')
    into v_landed, v_updated, v_skipped, v_errored from landed l;
  if v_inserted <> v_landed then
    -- Somebody else, without the turn, added one of them between two statements.
    raise exception 'projects are contended' using errcode = '40001';
  end if;
  return ingest.project_counts(v_landed, v_updated, v_skipped, v_errored, v_orgs, v_users);
end
$$;

-- What upsert_projects would answer now.
create or replace function ingest.count_projects(source_system text, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
declare
  v_rows bigint[];
  v_orgs bigint;
  v_users bigint;
begin
  perform ingest.resolve_part($1, $2, $3);
  drop table if exists pg_temp.intake_known;
  create temp table intake_known on commit drop as
  select r.replaced_by, r.keeps_members, r.partner_org_id, r.ds_user_id, r.rm_user_id, p.id as project_id
  from pg_temp.intake_resolved r
  left join lateral (
    select x.id from public.projects x
    where x.tenant_id = $1 and x.stage_application = r.stage_application and r.replaced_by is null offset 0) p on true;
  select array[count(*) filter (where k.replaced_by is null and k.project_id is null), count(k.project_id), count(k.replaced_by)]
    into v_rows from pg_temp.intake_known k;
  select count(m.org_id), count(m.user_id) into v_orgs, v_users
  from (select k.project_id, v.org_id, v.user_id
        from pg_temp.intake_known k
        cross join lateral (values (k.partner_org_id, null::uuid), (null, k.ds_user_id), (null, nullif(k.rm_user_id, k.ds_user_id))) as v (org_id, user_id)
        where k.replaced_by is null and not k.keeps_members) m
  left join lateral (
    select true as held from public.project_membership x
    where x.project_id = m.project_id and (x.member_partner_org_id = m.org_id or x.member_user_id = m.user_id) limit 1) h on true
  where h.held is null;
  return ingest.project_counts(v_rows[1], v_rows[2], v_rows[3], (
    select count(*) from ingest_stage.projects s where s.stage_id = $2 and s.part = $3 and s.error_code is not null), v_orgs, v_users);
end
$$;

-- The run stopped at --max-errors: its rows land as they are, bad ones failed, the others pending.
create or replace function ingest.stop_projects(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_rows integer;
begin
  delete from ingest.projects_raw r using ingest_stage.projects s
  where s.stage_id = $2 and s.part = $3 and r.import_run_id = ($1).id and r.row_index = s.row_index;
  insert into ingest.projects_raw (
    import_run_id, row_index, line_number, stage_application, delivery_partner, developer_class, relationship_manager,
    rm_preferred_username, deployment_specialist, stage_application_created, address, efscd, development_type, build_type, fod_id,
    latitude, longitude, residential, commercial, essential, premises_count, raw_payload, raw_record, status, reason, error_message)
  select ($1).id, s.row_index, s.line_number, s.stage_application, s.delivery_partner, s.developer_class, s.relationship_manager,
         s.rm_preferred_username, s.deployment_specialist, s.stage_application_created, s.address, s.efscd, s.development_type,
         s.build_type, s.fod_id, s.latitude, s.longitude, s.residential, s.commercial, s.essential, s.premises_count,
         s.raw_payload, s.raw_record, case when s.error_code is null then 'pending' else 'failed' end, s.error_code, s.error_message
  from ingest_stage.projects s where s.stage_id = $2 and s.part = $3;
  get diagnostics v_rows = row_count;
  return jsonb_build_object('rows', v_rows);
end
$$;
