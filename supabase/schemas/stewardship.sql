-- Stewardship of what was imported (runbook 003): anomalies, and how long batches and anomalies are kept.

create table if not exists public.import_anomalies (
  id uuid primary key default gen_random_uuid(),
  tenant_id text not null,
  -- No foreign key: anomalies are kept longer than the batch.
  staging_id uuid,
  batch_id text not null,
  row_index integer,
  anomaly_type text not null,
  severity text not null generated always as (
    case anomaly_type when 'UNKNOWN_DS' then 'error' when 'UNKNOWN_RM' then 'error' when 'UNKNOWN_DELIVERY_PARTNER' then 'warning'
      when 'UNREADABLE_VALUE' then 'warning' else 'info' end) stored,
  field text,
  input_value text,
  reason text,
  match_type text,
  project_key text,
  correlation_id uuid,
  -- The beginning of that row alone; reading it from the batch would unpack megabytes for each anomaly.
  payload_excerpt text check (char_length(payload_excerpt) <= 500),
  -- When the latest batch with it was merged.
  created_at timestamptz not null default now(),
  first_seen_at timestamptz not null default now()
);
-- An anomaly is one of its project, however many batches have it.
-- The project leads: the tenant alone, which other indexes begin with, too, looks like nothing to statistics that do not know it yet.
create unique index if not exists import_anomalies_project_uniq
  on public.import_anomalies (project_key, tenant_id, anomaly_type, field, md5(coalesce(input_value, '')));
create index if not exists import_anomalies_staging_idx on public.import_anomalies (staging_id);
create index if not exists import_anomalies_created_idx on public.import_anomalies (created_at);
create index if not exists import_anomalies_tenant_idx on public.import_anomalies (tenant_id, created_at);
create index if not exists import_anomalies_tenant_batch_idx on public.import_anomalies (tenant_id, batch_id);
create index if not exists import_anomalies_type_idx on public.import_anomalies (anomaly_type);

-- One row for each answer that a batch got: by the ids that its sender asked with, a batch is found that was merged under others.
create table if not exists ingest.project_answers (
  id bigint generated always as identity primary key,
  tenant_id text not null,
  request_batch_id text not null,
  correlation_id uuid not null,
  staging_id uuid not null,
  outcome text not null check (outcome in ('merged', 'joined', 'replayed')),
  answered_at timestamptz not null default now()
);
create index if not exists project_answers_batch_idx on ingest.project_answers (tenant_id, request_batch_id);
create index if not exists project_answers_correlation_idx on ingest.project_answers (correlation_id);
create index if not exists project_answers_answered_idx on ingest.project_answers (answered_at);
select ingest.open_to_app('ingest.project_answers');

create table if not exists public.import_retention_stats (
  stat_date date primary key,
  staging_imports_count bigint not null default 0,
  import_anomalies_count bigint not null default 0,
  last_updated_at timestamptz not null default now()
);

select ingest.open_to_app('public.import_anomalies'), ingest.open_to_app('public.import_retention_stats');
grant select on public.import_anomalies to authenticated;
drop policy if exists import_anomalies_read on public.import_anomalies;
create policy import_anomalies_read on public.import_anomalies for select to authenticated
  using ((select public.fn_tenants_for('{operator,admin}')) && array[tenant_id, '*']);

-- What operators see of anomalies: views with the caller's rights, and functions for operators and admins only.
create or replace view public.vw_import_anomalies_recent with (security_invoker = true) as
select a.id, a.created_at, a.tenant_id, a.staging_id, a.batch_id, a.row_index, a.anomaly_type, a.severity, a.field, a.input_value, a.reason,
       a.match_type, a.project_key, a.correlation_id, a.payload_excerpt
from public.import_anomalies a
where a.created_at >= now() - interval '14 days';

create or replace view public.vw_import_anomalies_stats_24h with (security_invoker = true) as
select a.tenant_id, a.anomaly_type as category, a.severity, count(*)::integer as count, max(a.created_at) as most_recent
from public.import_anomalies a
where a.created_at >= now() - interval '24 hours'
group by a.tenant_id, a.anomaly_type, a.severity;
revoke all on public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h from anon, authenticated;
grant select on public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h to service_role, dragonfly_app;
grant select on public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h to authenticated;

-- The worst first, of these the newest. Severities are error, warning and info; null for all.
create or replace function public.fn_anomalies_for_operator(
  p_window_hours integer default 24, p_tenant text default null, p_severity text[] default null
) returns table (
  id uuid, created_at timestamptz, tenant_id text, staging_id uuid, batch_id text, row_index integer, anomaly_type text, severity text,
  field text, input_value text, reason text, match_type text, project_key text, correlation_id uuid, payload_excerpt text)
language plpgsql stable security invoker set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_tenants text[] := public.fn_require_operator();
begin
  return query
  select a.id, a.created_at, a.tenant_id, a.staging_id, a.batch_id, a.row_index, a.anomaly_type, a.severity, a.field, a.input_value, a.reason,
         a.match_type, a.project_key, a.correlation_id, a.payload_excerpt
  from public.import_anomalies a
  where a.created_at >= now() - make_interval(hours => greatest(p_window_hours, 0)) and v_tenants && array[a.tenant_id, '*']
    and (p_tenant is null or a.tenant_id = p_tenant) and (p_severity is null or a.severity = any (p_severity))
  order by array_position(array['error', 'warning', 'info'], a.severity), a.created_at desc, a.tenant_id, a.staging_id, a.row_index, a.anomaly_type;
end
$$;

create or replace function public.fn_anomalies_stats(p_window_hours integer default 24)
returns table (tenant_id text, category text, severity text, count integer, most_recent timestamptz)
language plpgsql stable security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  v_tenants text[] := public.fn_require_operator();
begin
  return query
  select a.tenant_id, a.anomaly_type, a.severity, count(*)::integer, max(a.created_at)
  from public.import_anomalies a
  where a.created_at >= now() - make_interval(hours => greatest(p_window_hours, 0)) and v_tenants && array[a.tenant_id, '*']
  group by a.tenant_id, a.anomaly_type, a.severity
  order by count(*) desc, a.tenant_id, a.anomaly_type;
end
$$;

-- Counts of any stretch of time, for alerts that look at several windows; no values.
create or replace function ingest.anomaly_stats(since timestamptz, until timestamptz)
returns table (tenant_id text, category text, severity text, count integer, most_recent timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.tenant_id, a.anomaly_type, a.severity, count(*)::integer, max(a.created_at)
  from public.import_anomalies a where a.created_at >= $1 and a.created_at < $2
  group by a.tenant_id, a.anomaly_type, a.severity order by 4 desc, 1, 2
$$;

-- Runbook 003, retention: old batches and anomalies go, their counts by day stay.

-- What fn_cleanup_import_data would delete now, by the day it was written.
create or replace function public.fn_cleanup_import_data_preview(p_imports_days integer default 60, p_anomalies_days integer default 90)
returns table (stat_date date, staging_imports_count bigint, import_anomalies_count bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format($sql$
    select g.day, count(*) filter (where g.is_import), count(*) filter (where not g.is_import)
    from (select (t.imported_at at time zone 'UTC')::date as day, true as is_import from public.staging_imports t
          where t.imported_at <= now() - make_interval(days => greatest($1, 0)) and not (%s)
          union all
          select (t.created_at at time zone 'UTC')::date, false from public.import_anomalies t
          where t.created_at <= now() - make_interval(days => greatest($2, 0)) and not (%s)) g
    group by g.day order by g.day $sql$, ingest.holding('public.staging_imports'), ingest.holding('public.import_anomalies'))
    using p_imports_days, p_anomalies_days;
end
$$;

-- Deletes the rows of a table (import_anomalies, staging_imports) that are so old; each batch of rows is counted into import_retention_stats in the
-- statement that deletes it, so that the two cannot differ. What somebody holds at that moment waits for the next day, what a table of the
-- team refers to stays.
create or replace function ingest.delete_old_rows(target regclass, written_at text, days integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows constant integer := 5000;
  v_statement text := format($sql$
    with gone as (
      delete from %1$s d where d.id in (
        select t.id from %1$s t where t.%2$I <= now() - make_interval(days => greatest($1, 0)) and not (%3$s)
        order by t.%2$I limit $2 for update skip locked)
      returning (d.%2$I at time zone 'UTC')::date as day
    ), counted as (
      insert into public.import_retention_stats as c (stat_date, %4$I) select g.day, count(*) from gone g group by g.day
      on conflict (stat_date) do update set %4$I = c.%4$I + excluded.%4$I, last_updated_at = now())
    select count(*) from gone $sql$,
    $1, $2, ingest.holding($1), (select c.relname || '_count' from pg_catalog.pg_class c where c.oid = $1));
  v_gone integer;
  v_all integer := 0;
begin
  loop
    execute v_statement into v_gone using $3, v_rows;
    v_all := v_all + v_gone;
    exit when v_gone < v_rows;
  end loop;
  return v_all;
end
$$;

-- Returns {staging_imports, import_anomalies}.
create or replace function public.fn_cleanup_import_data(p_imports_days integer default 60, p_anomalies_days integer default 90) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '30min'
as $$
declare
  v_imports integer;
  v_anomalies integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('intake.retention', 0));
  v_anomalies := ingest.delete_old_rows('public.import_anomalies', 'created_at', p_anomalies_days);
  v_imports := ingest.delete_old_rows('public.staging_imports', 'imported_at', p_imports_days);
  delete from ingest.project_answers a where a.answered_at <= now() - make_interval(days => greatest(p_imports_days, 0));
  delete from ingest.project_edits e where not exists (select from public.staging_imports s where s.id = e.staging_id)
    and not exists (select from public.staging_imports s where not s.superseded and s.leans_on @> array[e.staging_id])
    and not exists (select from ingest.import_runs r where r.id = e.staging_id);
  -- The version of the directories is a sum: many changes may be one row.
  with folded as (delete from ingest.directory_changes returning changes)
  insert into ingest.directory_changes (changes) select sum(f.changes) from folded f having count(*) > 0;
  return jsonb_build_object('staging_imports', v_imports, 'import_anomalies', v_anomalies);
end
$$;

-- What alerts count, as one JSON document: both transports take that, while rows of a function reach a connection one by one.
create or replace function ingest.count_anomalies(since timestamptz, until timestamptz) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'tenant_id', s.tenant_id, 'anomaly_type', s.category, 'severity', s.severity, 'count', s.count, 'most_recent', s.most_recent)), '[]')
  from ingest.anomaly_stats($1, $2) s
$$;

-- What the operators' commands and schedules ask of anomalies and retention, with the service's rights, reached as the backends reach functions.

-- The id that somebody typed; null when it is none.
create or replace function ingest.as_uuid(value text) returns uuid
language sql immutable parallel safe security definer set search_path = pg_catalog, pg_temp
as $$ select case when btrim($1) ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then btrim($1)::uuid end $$;

-- A page of anomalies, the worst first, of these the newest: {anomalies, next, total}. `after` is the `next` of the page before; null for
-- the first, and the answer's `next` is null for the last. `total` is of all pages. `find`: a batch as its requester calls it, its
-- correlation id (also that of an answer from what was merged before), or a project.
create or replace function ingest.anomalies_page(
  tenants text[], window_hours integer, tenant text, severities text[], max_rows integer, after text, type text default null, find text default null
) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with batches as (
    select a.tenant_id, a.staging_id from ingest.project_answers a where a.correlation_id = ingest.as_uuid($8)
  ), chosen as materialized (
    select x.id, array_position(array['error', 'warning', 'info'], x.severity) as rank, -extract(epoch from x.created_at) as age, coalesce(x.row_index, 0) as place
    from public.import_anomalies x
    where x.created_at >= now() - make_interval(hours => greatest($2, 0)) and $1 && array[x.tenant_id, '*'] and ($3 is null or x.tenant_id = $3)
      and ($4 is null or x.severity = any ($4)) and ($7 is null or x.anomaly_type = $7)
      and ($8 is null or x.batch_id = $8 or x.project_key = $8 or x.correlation_id = ingest.as_uuid($8)
           or (x.tenant_id, x.staging_id) in (select b.tenant_id, b.staging_id from batches b))
  ), found as ( -- one more than the page holds tells whether there is another
    select c.*, row_number() over (order by c.rank, c.age, c.place, c.id) as n from chosen c
    where $6 is null or (c.rank, c.age, c.place, c.id)
      > (split_part($6, '_', 1)::integer, split_part($6, '_', 2)::numeric, split_part($6, '_', 3)::integer, split_part($6, '_', 4)::uuid)
    order by c.rank, c.age, c.place, c.id limit $5 + 1
  ), page as (
    select f.* from found f where f.n <= $5
  )
  select jsonb_build_object(
    'anomalies', coalesce((
      select jsonb_agg(jsonb_build_object(
        'id', x.id, 'created_at', x.created_at, 'first_seen_at', x.first_seen_at, 'tenant_id', x.tenant_id, 'staging_id', x.staging_id,
        'batch_id', x.batch_id, 'row_index', x.row_index, 'anomaly_type', x.anomaly_type, 'severity', x.severity, 'field', x.field,
        'input_value', x.input_value, 'reason', x.reason, 'match_type', x.match_type, 'project_key', x.project_key,
        'correlation_id', x.correlation_id, 'payload_excerpt', x.payload_excerpt) order by p.rank, p.age, p.place, p.id)
      from page p join public.import_anomalies x on x.id = p.id), '[]'),
    'next', (select concat_ws('_', p.rank, p.age, p.place, p.id) from page p where p.n = $5 and exists (select from found f where f.n > $5)),
    'total', (select count(*) from chosen))
$$;

-- The same for operators and admins, of their tenants.
create or replace function public.fn_anomalies_page(
  p_window_hours integer default 24, p_tenant text default null, p_severity text[] default null, p_limit integer default 1000, p_after text default null,
  p_type text default null, p_find text default null
) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select ingest.anomalies_page(public.fn_require_operator(), $1, $2, $3, least(greatest($4, 1), 1000), $5, $6, $7) $$;

-- The same of all tenants, for the operators' commands.
create or replace function ingest.list_anomalies(
  window_hours integer, tenant text, severities jsonb, max_rows integer, after text default null, type text default null, find text default null
) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select ingest.anomalies_page('{*}', $1, $2, case when $3 is not null then array(select jsonb_array_elements_text($3)) end, $4, $5, $6, $7)
$$;

create or replace function ingest.clean_import_data(imports_days integer, anomalies_days integer) returns jsonb
language sql volatile security definer set search_path = pg_catalog, pg_temp set statement_timeout = '30min'
as $$ select public.fn_cleanup_import_data($1, $2) $$;

create or replace function ingest.preview_cleanup(imports_days integer, anomalies_days integer) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select coalesce(jsonb_agg(to_jsonb(p) order by p.stat_date), '[]') from public.fn_cleanup_import_data_preview($1, $2) p $$;

-- What was deleted, by the day it was written, newest first.
create or replace function ingest.retention_stats(max_rows integer) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(to_jsonb(s) order by s.stat_date desc), '[]')
  from (select t.stat_date, t.staging_imports_count, t.import_anomalies_count, t.last_updated_at
        from public.import_retention_stats t order by t.stat_date desc limit $1) s
$$;

-- Retention of runs: their landed rows (with the raw log and what operations are read from), their ledger and the stored originals go at an
-- age; the run itself, its counters and its production rows stay. From then on it cannot be rolled back, compared or corrected.

-- Runs that ended so long ago: `days` is {kind: days}, '*' for the kinds that are not named; a kind without days keeps everything. `held` are
-- those whose rows the rollback of another run may need: one that is older, or was at work beside it, and can still be rolled back.
create or replace function ingest.runs_to_retire(days jsonb)
returns table (run_id uuid, kind text, ended_at timestamptz, held boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  with ended as materialized (
    select r.id, r.import_kind, r.status, r.created_at, coalesce(r.rolled_back_at, r.completed_at, r.updated_at) as ended_at
    from ingest.import_runs r
    where r.status in ('completed', 'failed', 'rolled_back') and not coalesce((r.metadata #>> '{retired,done}')::boolean, false)
      and (r.status = 'rolled_back' or not r.metadata ? 'rollback') and ingest.kind_suffix(r.import_kind) is not null
  ), old as materialized (
    select e.* from ended e
    where e.ended_at <= now() - make_interval(days => coalesce($1 ->> e.import_kind, $1 ->> '*')::integer) -- without days: null, no row
  )
  select o.id, o.import_kind, o.ended_at, o.status <> 'rolled_back' and exists (
    select from ingest.import_runs x
    where x.created_at < o.ended_at and x.status in ('pending', 'processing', 'completed', 'failed') and x.id <> o.id
      and not x.metadata ? 'retired' and ingest.rollback_family(x.import_kind) = ingest.rollback_family(o.import_kind)
      and not exists (select from old y where y.id = x.id and y.ended_at <= o.ended_at))
  from old o
$$;

-- What a kind keeps of runs besides landed rows, deleted with `commit`: {counter: rows}, without those of no rows.
create or replace function ingest.retire_own(kind text, runs uuid[], commit boolean) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  m ingest.kind_models := ingest.model_of($1);
  v_own jsonb := '{}';
begin
  if 'retire' = any (m.own) then
    execute format('select ingest.%I($1, $2)', 'retire_' || m.model) into v_own using $2, $3;
  end if;
  return v_own;
end
$$;

-- What would go now, by kind; `held` counts runs that are old enough, and kept.
create or replace function ingest.preview_run_retention(days jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
as $$
declare
  v_kind record;
  v_rows bigint;
  v_kinds jsonb := '[]';
begin
  for v_kind in
    select t.kind, array_agg(t.run_id) filter (where not t.held) as runs, count(*) filter (where t.held) as held
    from ingest.runs_to_retire($1) t group by t.kind order by t.kind loop
    execute format('select count(*) from %s l where l.import_run_id = any ($1)', (ingest.model_of(v_kind.kind)).landed_table)
      into v_rows using v_kind.runs;
    v_kinds := v_kinds || (jsonb_build_object(
      'kind', v_kind.kind, 'runs', coalesce(cardinality(v_kind.runs), 0), 'landed_rows', v_rows, 'held', v_kind.held,
      'ledger_rows', (select count(*) from ingest.import_run_steps s where s.run_id = any (v_kind.runs)),
      'originals', (select count(distinct ingest.original_of(r)) from ingest.import_runs r where r.id = any (v_kind.runs)))
      || ingest.retire_own(v_kind.kind, v_kind.runs, false));
  end loop;
  return v_kinds;
end
$$;

-- Takes the rows of the oldest such run, at most `max_rows` a call; the ledger goes with the last, and so does what its kind keeps besides. The
-- run says at once that it is retired, so that nobody begins to roll back what is going; what a table of the team refers to stays. Answers {more, runs, landed_rows, ledger_rows, and the
-- counters of its kind}; more is false when nothing is left.
create or replace function ingest.retire_runs(days jsonb, max_rows integer default 10000) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '120s'
as $$
declare
  r ingest.import_runs;
  v_landed regclass;
  v_rows integer;
  v_steps integer := 0;
  v_own jsonb := '{}';
  v_done boolean;
begin
  perform pg_advisory_xact_lock(hashtextextended('intake.retention', 0));
  select i.* into r from ingest.runs_to_retire($1) t join ingest.import_runs i on i.id = t.run_id
  where not t.held order by t.ended_at limit 1 for no key update of i;
  if not found then
    return '{"more": false, "runs": 0, "landed_rows": 0, "ledger_rows": 0}';
  end if;
  v_landed := (ingest.model_of_run(r.import_kind, r.id)).landed_table;
  execute format('delete from %1$s where ctid = any (array(select t.ctid from %1$s t where t.import_run_id = $1 and not (%2$s) limit $2))',
                 v_landed, ingest.holding(v_landed)) using r.id, $2;
  get diagnostics v_rows = row_count;
  v_done := v_rows < $2;
  if v_done then
    delete from ingest.differences d where d.import_run_id = r.id;
    delete from ingest.import_run_steps s where s.run_id = r.id;
    get diagnostics v_steps = row_count;
    v_own := ingest.retire_own(r.import_kind, array[r.id], true);
  end if;
  update ingest.import_runs i set header = case when not v_done then i.header end, metadata = i.metadata || jsonb_build_object('retired', jsonb_build_object(
    'at', now(), 'landed_rows', coalesce((i.metadata #>> '{retired,landed_rows}')::bigint, 0) + v_rows, 'done', v_done)) where i.id = r.id;
  return jsonb_build_object('more', true, 'runs', v_done::integer, 'landed_rows', v_rows, 'ledger_rows', v_steps) || v_own;
end
$$;

-- Where the original of a run is stored; of a directory, the list of its files, which a verification reads.
create or replace function ingest.original_of(run ingest.import_runs) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select case when ($1).import_kind <> 'search-results' then ($1).storage_path
              when ($1).storage_path is not null then 'imports/trees/' || (($1).metadata #>> '{tree,layout}') end
$$;

-- Stored originals of retired runs that no other run has, at most `max_rows`.
create or replace function ingest.unused_originals(backend text, max_rows integer default 100) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(p.path), '[]')
  from (select distinct ingest.original_of(r) as path from ingest.import_runs r
        where (r.metadata #>> '{retired,done}')::boolean and ingest.original_of(r) is not null
          and coalesce(r.metadata #>> '{input,backend}', $1) = $1
          and not exists (select from ingest.import_runs o where ingest.original_of(o) = ingest.original_of(r) and o.status <> 'duplicate'
                          and not coalesce((o.metadata #>> '{retired,done}')::boolean, false))
        order by 1 limit $2) p
$$;

-- After they were removed.
create or replace function ingest.forget_originals(paths jsonb) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  update ingest.import_runs r set storage_path = null
  where ingest.original_of(r) in (select jsonb_array_elements_text($1)) and ((r.metadata #>> '{retired,done}')::boolean or r.status = 'duplicate')
$$;

-- Images of search results go with the runs that brought them: when neither a result nor what a rollback may give back has one, and no run that
-- is left may have asked for it. Every run asks before it is claimed, and is claimed within a week.

-- Images that nobody has asked for since may go; null: none, as the kind keeps everything. `but` are runs that are to go as well.
create or replace function ingest.images_unasked_since(days jsonb, but uuid[] default '{}') returns timestamptz
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select least(now() - make_interval(days => d.days), ( -- without runs: null, which does not count
    select min(r.created_at) - interval '7 days' from ingest.import_runs r
    where r.import_kind = 'search-results' and r.status in ('pending', 'processing', 'completed', 'failed')
      and not coalesce((r.metadata #>> '{retired,done}')::boolean, false) and r.id <> all ($2)))
  from (select coalesce($1 ->> 'search-results', $1 ->> '*')::integer as days) d where d.days is not null
$$;

-- How many would go now, with the runs that would.
create or replace function ingest.preview_images(days jsonb, storage_type text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp set statement_timeout = '10min'
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
  with going as materialized (
    select coalesce(array_agg(t.run_id), '{}') as runs from ingest.runs_to_retire($1) t where t.kind = 'search-results' and not t.held
  )
  select count(*) from ingest.stored_images i
  where i.storage_type = $2 and i.stored_at < (select ingest.images_unasked_since($1, g.runs) from going g)
    and not exists (select from public.images x where x.sha256 = i.sha256)
    and not exists (select from ingest.search_results_raw l
                    where coalesce(l.former, l.spare) #>> '{image,sha256}' = i.sha256 and l.import_run_id <> all (array(select unnest(g.runs) from going g)))
$$;

-- Of the `max_rows` stored images after a hash those that may go are taken from the list; answers {after, images}, without `after` at its end.
create or replace function ingest.retire_images(days jsonb, storage_type text, after text default '', max_rows integer default 10000) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
#variable_conflict use_column
declare
  v_since timestamptz;
  v_answer jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('intake.images', 0));
  v_since := ingest.images_unasked_since($1);
  if v_since is null then
    return '{"images": 0}';
  end if;
  with page as materialized (
    select i.ctid as row, i.sha256, i.stored_at from ingest.stored_images i where i.storage_type = $2 and i.sha256 > $3 order by i.sha256 limit $4
  ), unused as materialized (
    select p.row from page p
    where p.stored_at < v_since and not exists (select from public.images x where x.sha256 = p.sha256)
      and not exists (select from ingest.search_results_raw l where coalesce(l.former, l.spare) #>> '{image,sha256}' = p.sha256)
  ), taken as (
    delete from ingest.stored_images i using unused u where i.ctid = u.row returning i.storage_type, i.storage_path
  ), listed as (
    insert into ingest.unused_images (storage_type, storage_path) select t.storage_type, t.storage_path from taken t returning 1
  )
  select jsonb_strip_nulls(jsonb_build_object('images', (select count(*) from listed), 'after', case when count(*) = $4 then max(p.sha256) end))
    into v_answer from page p;
  return v_answer;
end
$$;

-- Paths of those that are to be removed from storage, at most `max_rows`.
create or replace function ingest.unused_images(storage_type text, max_rows integer default 100) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(u.storage_path), '[]')
  from (select x.storage_path from ingest.unused_images x where x.storage_type = $1 order by x.id limit $2) u
$$;

-- After they were removed.
create or replace function ingest.forget_unused_images(paths jsonb, storage_type text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  delete from ingest.unused_images u where u.storage_type = $2 and u.storage_path in (select jsonb_array_elements_text($1))
$$;

-- What people who may use the database ordered: workers read, write, call and delete nothing else, whoever starts their workflows.
create table if not exists ingest.orders (
  id bigint generated always as identity primary key,
  what text not null,
  item jsonb not null,
  ordered_at timestamptz not null default now(),
  until timestamptz
);
create unique index if not exists orders_item_idx on ingest.orders (what, md5(item::text));
select ingest.open_to_app('ingest.orders');

-- For so many hours, or for good; what was ordered for longer stays so.
create or replace function ingest.order_work(what text, items jsonb, hours integer) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  delete from ingest.orders o where o.until < now();
  insert into ingest.orders as o (what, item, until)
  select distinct $1, e.item, now() + make_interval(hours => $3) from jsonb_array_elements($2) as e (item)
  on conflict (what, md5(item::text)) do update set ordered_at = now(),
    until = case when o.until is not null and excluded.until is not null then greatest(o.until, excluded.until) end;
$$;

-- Whether one of these is.
create or replace function ingest.is_ordered(what text, items jsonb) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from jsonb_array_elements($2) as e (item)
    join ingest.orders o on o.what = $1 and md5(o.item::text) = md5(e.item::text) and o.item = e.item and (o.until is null or o.until > now()))
$$;
