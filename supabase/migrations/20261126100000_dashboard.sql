-- Generated from supabase/schemas/dashboard.sql by `npm run migrations`: edit that file, not this one.
-- What the dashboard asks as the signed-in person. Schema ingest is closed to people: functions that run with its owner's rights
-- look at the caller's roles first, and show no more than these open. Linter: listed exceptions, as the functions for operators.

-- What people did to runs through the dashboard, written before it is done.
create table if not exists ingest.run_actions (
  id bigint generated always as identity primary key,
  run_id uuid not null references ingest.import_runs (id) on delete cascade,
  action text not null check (action in ('cancel', 'resume', 'rollback', 'rejects')),
  reason text check (char_length(reason) <= 500),
  user_id uuid not null,
  created_at timestamptz not null default now()
);
create index if not exists run_actions_run_idx on ingest.run_actions (run_id);
select ingest.open_to_app('ingest.run_actions');

-- Who the caller is: {user_id, operates, tenants, operated}, '*' for all tenants; 42501 for people without a role.
create or replace function public.fn_dashboard_me() returns jsonb
language plpgsql stable security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenants text[] := public.fn_tenants_for('{operator,admin,viewer}');
  v_operated text[] := public.fn_tenants_for('{operator,admin}');
begin
  if v_tenants = '{}' then
    raise exception 'insufficient_privilege: no role' using errcode = 'insufficient_privilege';
  end if;
  return jsonb_build_object('user_id', public.fn_current_user_id(), 'operates', v_operated <> '{}',
                            'tenants', to_jsonb(v_tenants), 'operated', to_jsonb(v_operated));
end
$$;

-- Whether roles in these tenants open a run: those of one tenant its projects alone.
create or replace function ingest.may_see_run(tenants text[], import_kind text, source_system text) returns boolean
language sql immutable security definer set search_path = pg_catalog, pg_temp
as $$ select '*' = any ($1) or $2 = 'projects' and $3 = any ($1) $$;

-- A run in a list.
create or replace function ingest.run_line(r ingest.import_runs) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'id', r.id, 'kind', r.import_kind, 'source', r.source_system, 'filename', r.filename, 'batch_name', r.metadata ->> 'batch_name',
    'status', r.status, 'fetched', r.rows_fetched, 'inserted', r.rows_inserted, 'updated', r.rows_updated, 'skipped', r.rows_skipped,
    'errored', r.rows_errored, 'created_at', r.created_at, 'completed_at', r.completed_at, 'workflow_id', r.worker_id,
    'error_type', r.error_details ->> 'type',
    'seconds', round(extract(epoch from coalesce(r.completed_at, case when r.status in ('pending', 'processing') then now() end, r.updated_at)
                                        - coalesce(r.claimed_at, r.created_at))::numeric, 1))
$$;

-- Imports that run now, counts of 24 hours, rows a day and kind, anomalies by type (null for viewers), the latest runs.
create or replace function public.fn_dashboard_overview(p_days integer default 30) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_me jsonb := public.fn_dashboard_me();
  v_tenants text[] := public.fn_tenants_for('{operator,admin,viewer}');
  v_operated text[] := public.fn_tenants_for('{operator,admin}');
  v_days integer := least(greatest(p_days, 1), 90);
  v_since timestamptz := (date_trunc('day', now() at time zone 'UTC') - make_interval(days => v_days - 1)) at time zone 'UTC';
begin
  return jsonb_build_object(
    'me', v_me,
    'running', (
      select coalesce(jsonb_agg(ingest.run_line(r) order by r.created_at desc), '[]')
      from (select * from ingest.import_runs r
            where r.status in ('pending', 'processing') and ingest.may_see_run(v_tenants, r.import_kind, r.source_system)
            order by r.created_at desc limit 10) r),
    'latest', (
      select coalesce(jsonb_agg(ingest.run_line(r) order by r.created_at desc), '[]')
      from (select * from ingest.import_runs r
            where r.status not in ('pending', 'processing') and ingest.may_see_run(v_tenants, r.import_kind, r.source_system)
            order by r.created_at desc limit 6) r),
    'day', (
      select jsonb_build_object(
        'runs', count(*), 'completed', count(*) filter (where r.status = 'completed'), 'failed', count(*) filter (where r.status = 'failed'),
        'rows', coalesce(sum(r.rows_fetched) filter (where r.status = 'completed'), 0),
        'inserted', coalesce(sum(r.rows_inserted) filter (where r.status = 'completed'), 0),
        'updated', coalesce(sum(r.rows_updated) filter (where r.status = 'completed'), 0),
        'errored', coalesce(sum(r.rows_errored) filter (where r.status in ('completed', 'failed')), 0))
      from ingest.import_runs r
      where r.created_at >= now() - interval '24 hours' and ingest.may_see_run(v_tenants, r.import_kind, r.source_system)),
    'batches', (
      -- Answers: a batch that comes again unchanged was posted, too.
      select jsonb_build_object('batches', count(*), 'rows', coalesce(sum(s.row_count), 0))
      from ingest.project_answers a left join public.staging_imports s on s.id = a.staging_id
      where a.answered_at >= now() - interval '24 hours' and v_tenants && array[a.tenant_id, '*']),
    'days', (
      select coalesce(jsonb_agg(jsonb_build_object('day', d.day, 'kind', d.kind, 'rows', d.total) order by d.day, d.kind), '[]')
      from (
        select x.day, x.kind, sum(x.rows) as total
        from (select (coalesce(r.completed_at, r.created_at) at time zone 'UTC')::date as day, r.import_kind as kind, r.rows_fetched as rows
              from ingest.import_runs r
              where r.status = 'completed' and r.completed_at >= v_since and ingest.may_see_run(v_tenants, r.import_kind, r.source_system)
              union all
              select (s.imported_at at time zone 'UTC')::date, 'projects', s.row_count
              from public.staging_imports s where s.imported_at >= v_since and v_tenants && array[s.tenant_id, '*']) x
        group by x.day, x.kind having sum(x.rows) > 0) d),
    'since', (v_since at time zone 'UTC')::date, 'until', (now() at time zone 'UTC')::date,
    'anomalies', case when v_operated <> '{}' then (
      select coalesce(jsonb_agg(jsonb_build_object('type', a.anomaly_type, 'severity', a.severity, 'count', a.count) order by a.count desc), '[]')
      from (select a.anomaly_type, a.severity, count(*) as count from public.import_anomalies a
            where a.created_at >= v_since and v_operated && array[a.tenant_id, '*'] group by a.anomaly_type, a.severity) a) end);
end
$$;

-- Runs that the caller may see, newest first, of sources whose names hold p_source in any case, below (p_before_at, p_before_id); one more than a page tells that there is another.
create or replace function public.fn_dashboard_runs(
  p_kinds text[] default null, p_status text default null, p_source text default null, p_before_at timestamptz default null,
  p_before_id uuid default null, p_limit integer default 25
) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_me jsonb := public.fn_dashboard_me();
  v_tenants text[] := public.fn_tenants_for('{operator,admin,viewer}');
begin
  return jsonb_build_object('me', v_me, 'runs', (
    select coalesce(jsonb_agg(ingest.run_line(r) order by r.created_at desc, r.id desc), '[]')
    from (select * from ingest.import_runs r
          where ingest.may_see_run(v_tenants, r.import_kind, r.source_system)
            and (p_kinds is null or r.import_kind = any (p_kinds)) and (p_status is null or r.status = p_status)
            and (p_source is null or position(lower(p_source) in lower(r.source_system)) > 0)
            and (p_before_at is null or (r.created_at, r.id) < (p_before_at, p_before_id))
          order by r.created_at desc, r.id desc limit least(greatest(p_limit, 1), 200)) r));
end
$$;

-- One run, or {me} alone for one that is not there or not the caller's to see.
create or replace function public.fn_dashboard_run(p_run_id uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_me jsonb := public.fn_dashboard_me();
  v_operates boolean;
  v_run ingest.import_runs;
begin
  select * into v_run from ingest.import_runs r
  where r.id = p_run_id and ingest.may_see_run(public.fn_tenants_for('{operator,admin,viewer}'), r.import_kind, r.source_system);
  if not found then
    return jsonb_build_object('me', v_me);
  end if;
  v_operates := ingest.may_see_run(public.fn_tenants_for('{operator,admin}'), v_run.import_kind, v_run.source_system);
  return jsonb_build_object(
    'me', v_me, 'operates', v_operates,
    'run', ingest.run_line(v_run) || jsonb_build_object(
      'batch_id', v_run.source_batch_id, 'file_hash', v_run.file_hash, 'claimed_at', v_run.claimed_at, 'updated_at', v_run.updated_at,
      'rolled_back_at', v_run.rolled_back_at, 'rollback_reason', v_run.rollback_reason, 'parent_run_id', v_run.parent_run_id,
      'duplicate_of', v_run.metadata ->> 'duplicate_of', 'error_message', v_run.error_details ->> 'message',
      'from_intake', v_run.metadata ? 'input', 'stored', v_run.storage_path is not null,
      'effects', v_run.metadata #> '{summary,effects}', 'rollback', v_run.metadata -> 'rollback',
      'remarks', coalesce(v_run.metadata #> '{summary,plan,remarks}', '{}') || coalesce(v_run.metadata #> '{summary,remarks}', '{}'),
      'headers', coalesce(v_run.metadata #> '{summary,plan,headers}', '[]'), 'header', case when v_operates then v_run.header end,
      'execution', v_run.claim_token, 'phases', v_run.metadata #> '{summary,phases}', 'codes', coalesce(v_run.metadata #> '{summary,codes}', '{}'),
      'failed_items', coalesce((v_run.metadata #>> '{summary,directory,failed}')::integer, 0),
      'first_failed', case when v_operates then v_run.metadata #> '{summary,directory,failedItems}' end),
    'actions', case when v_operates then (
      select coalesce(jsonb_agg(jsonb_build_object('action', a.action, 'reason', a.reason, 'user_id', a.user_id, 'created_at', a.created_at)
                                order by a.id desc), '[]')
      from (select * from ingest.run_actions a where a.run_id = v_run.id order by a.id desc limit 20) a) end);
end
$$;

-- Records that the caller does something to a run. True when they may; 42501 when their roles do not let them, null when there is no such run.
create or replace function public.fn_dashboard_act(p_run_id uuid, p_action text, p_reason text default null) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_run ingest.import_runs;
begin
  perform public.fn_require_operator();
  select * into v_run from ingest.import_runs r
  where r.id = p_run_id and ingest.may_see_run(public.fn_tenants_for('{operator,admin,viewer}'), r.import_kind, r.source_system);
  if not found then
    return null;
  end if;
  if not ingest.may_see_run(public.fn_tenants_for('{operator,admin}'), v_run.import_kind, v_run.source_system) then
    raise exception 'insufficient_privilege: operators and admins of this run only' using errcode = 'insufficient_privilege';
  end if;
  insert into ingest.run_actions (run_id, action, reason, user_id)
  values (v_run.id, p_action, left(p_reason, 500), public.fn_current_user_id());
  return true;
end
$$;

-- Statistics of 24 hours and a page of a hundred anomalies, the worst first: {me, stats, page {anomalies, next, total}}.
create or replace function public.fn_dashboard_anomalies(
  p_tenant text default null, p_severity text default null, p_type text default null, p_after text default null, p_find text default null
) returns jsonb
language plpgsql stable security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  v_ever constant integer := 24 * 366 * 100;
begin
  return jsonb_build_object(
    'me', public.fn_dashboard_me(),
    'page', public.fn_anomalies_page(v_ever, p_tenant, case when p_severity is not null then array[p_severity] end, 100, p_after, p_type, p_find),
    'stats', (select coalesce(jsonb_agg(to_jsonb(s) order by s.count desc, s.tenant_id, s.category), '[]') from public.fn_anomalies_stats(24) s));
end
$$;

-- Batches of projects that were posted in the caller's tenants, newest answer first, below p_before; p_find: a correlation id, or a part
-- of the requester's batch id. One more than a page tells that there is another.
create or replace function public.fn_dashboard_batches(p_find text default null, p_before bigint default null, p_limit integer default 25) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_me jsonb := public.fn_dashboard_me();
  v_tenants text[] := public.fn_tenants_for('{operator,admin,viewer}');
  v_id uuid := ingest.as_uuid(p_find);
begin
  return jsonb_build_object('me', v_me, 'batches', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', a.id, 'tenant_id', a.tenant_id, 'batch_id', a.request_batch_id, 'correlation_id', a.correlation_id, 'outcome', a.outcome,
      'answered_at', a.answered_at, 'source', s.source, 'rows', s.row_count, 'metrics', s.validation -> 'metrics') order by a.id desc), '[]')
    from (select * from ingest.project_answers a
          where v_tenants && array[a.tenant_id, '*'] and (p_before is null or a.id < p_before)
            and (v_id is null or a.correlation_id = v_id or a.request_batch_id = p_find)
            and (p_find is null or v_id is not null or position(lower(p_find) in lower(a.request_batch_id)) > 0)
          order by a.id desc limit least(greatest(p_limit, 1), 200)) a
    left join public.staging_imports s on s.id = a.staging_id));
end
$$;
