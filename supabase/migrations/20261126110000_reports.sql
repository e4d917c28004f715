-- Generated from supabase/schemas/reports.sql by `npm run migrations`: edit that file, not this one.
-- What operators ask about runs (runbooks 000, 001, 002): views, and the functions that read them.

create or replace view ingest.v_import_runs_summary with (security_invoker = true) as
select r.id, r.source_system, r.source_batch_id, r.import_kind, r.filename, r.file_hash, r.status,
       r.rows_fetched, r.rows_inserted, r.rows_updated, r.rows_skipped, r.rows_errored,
       round(extract(epoch from coalesce(r.completed_at, case when r.status in ('pending', 'processing') then now() end, r.updated_at)
                                - coalesce(r.claimed_at, r.created_at))::numeric, 3) as duration_seconds,
       r.metadata ->> 'batch_name' as batch_name, r.worker_id, r.storage_path, r.parent_run_id, r.error_details,
       r.claimed_at, r.created_at, r.updated_at, r.completed_at, r.rolled_back_at, r.rollback_reason
from ingest.import_runs r;

create or replace view ingest.v_latest_runs with (security_invoker = true) as
select * from ingest.v_import_runs_summary order by created_at desc limit 20;

create or replace view ingest.v_import_reconciliation with (security_invoker = true) as
select r.id, r.source_system, r.filename, r.status, r.rows_fetched, r.rows_inserted as reported_inserted,
       coalesce(t.total, 0) as actual_total, coalesce(t.inserted, 0) as actual_inserted,
       coalesce(t.total, 0) - r.rows_fetched as delta,
       r.rows_inserted - coalesce(t.inserted, 0) as inserted_discrepancy,
       r.rows_inserted = coalesce(t.inserted, 0) and r.rows_fetched = coalesce(t.total, 0) as is_reconciled, r.created_at
from ingest.import_runs r
left join lateral (
  select (y.tally ->> 'total')::int as total, (y.tally ->> 'inserted')::int as inserted
  from (select ingest.tally_import_run(r.id, r.import_kind) as tally) y) t on true
where r.status in ('completed', 'failed') and not r.metadata ?| '{retired,rollback}';

-- Rejected rows of every kind; of search-results, `filename` is the file in the directory.
create or replace view ingest.v_errored_rows with (security_invoker = true) as
select p.import_run_id, r.filename, p.row_index, p.line_number, p.plaintiff_name, p.error_code, p.error_message, p.source_system,
       p.created_at
from ingest.plaintiffs_raw p join ingest.import_runs r on r.id = p.import_run_id
where p.status = 'failed'
union all
select j.import_run_id, r.filename, j.row_index, j.line_number, null, j.reason, j.error_log, r.source_system, j.created_at
from ingest.errored_judgments() j join ingest.import_runs r on r.id = j.import_run_id
union all
select s.import_run_id, s.file_path, s.row_index, s.line_number, null, s.reason, s.error_message, r.source_system, s.created_at
from ingest.search_results_raw s join ingest.import_runs r on r.id = s.import_run_id
where s.status = 'failed'
union all
select p.import_run_id, r.filename, p.row_index, p.line_number, null, p.reason, p.error_message, r.source_system, p.created_at
from ingest.projects_raw p join ingest.import_runs r on r.id = p.import_run_id
where p.status = 'failed';

-- The real key and the original row of each row that the key blocked.
create or replace view ingest.v_blocked_duplicates with (security_invoker = true) as
select p.plaintiff_key as dedupe_key, p.plaintiff_name, p.source_system, r.filename, p.created_at, p.id, p.import_run_id,
       p.row_index, p.line_number, p.duplicate_of as original_id, o.import_run_id as original_run_id,
       o.row_index as original_row_index, o.line_number as original_line_number, o.created_at as original_created_at,
       o.promoted_plaintiff_id as original_plaintiff_id
from ingest.plaintiffs_raw p
join ingest.import_runs r on r.id = p.import_run_id
left join ingest.plaintiffs_raw o on o.id = p.duplicate_of
where p.status = 'skipped';

create or replace view ingest.v_rollback_verification with (security_invoker = true) as
select r.id, r.source_system, r.source_batch_id, r.filename, r.status, r.rolled_back_at, r.rollback_reason,
       coalesce(t.total, 0) as total_rows, coalesce(t.rolled_back, 0) as rolled_back_rows,
       coalesce(t.total - t.rolled_back, 0) as remaining_rows, coalesce(t.total = t.rolled_back, true) as is_complete,
       r.metadata -> 'rollback' as rollback
from ingest.import_runs r
left join lateral (
  select (y.tally ->> 'total')::int as total, (y.tally ->> 'rolled_back')::int as rolled_back
  from (select ingest.tally_import_run(r.id, r.import_kind) as tally) y) t on true
where r.status = 'rolled_back';

-- Runbook 000's history: the same runs under the names of its query.
create or replace view public.import_runs with (security_invoker = true) as
select r.id, r.source_system, r.import_kind, r.source_batch_id, r.metadata ->> 'batch_name' as batch_name, r.filename, r.file_hash,
       r.status, r.rows_fetched as row_count, r.rows_inserted as insert_count, r.rows_updated as update_count,
       r.rows_skipped as skip_count, r.rows_errored as error_count, coalesce(r.claimed_at, r.created_at) as started_at,
       r.completed_at as finished_at, r.storage_path, r.metadata, r.error_details, r.created_at
from ingest.import_runs r;
revoke all on public.import_runs from anon, authenticated;
grant select on public.import_runs to service_role, dragonfly_app;
grant select on public.import_runs to service_role, dragonfly_app;

-- The seven queries of runbook 002 as views, one function that reads them, finding a run, and health.

-- Rejected attempts at a finished batch, each with the run that has it.
create or replace view ingest.v_duplicate_attempts with (security_invoker = true) as
select d.id, d.source_system, d.source_batch_id, d.import_kind, d.filename, d.file_hash, d.status, d.created_at,
       o.id as original_id, o.filename as original_filename, o.status as original_status, o.completed_at as original_completed_at
from ingest.import_runs d
left join ingest.import_runs o on o.id = (d.metadata ->> 'duplicate_of')::uuid
where d.status = 'duplicate';

-- Runs whose tables did not hold what was reported when they were reconciled, which counted them (0.3.0 kept no count, and completed what was
-- right); only a run of another program that nobody reconciled is counted here. What became of rows since: `intake reconcile`, `intake verify`.
create or replace view ingest.v_reconcile_failures with (security_invoker = true) as
select v.id, v.source_system, v.import_kind, v.filename, v.status, v.rows_fetched, v.actual_total, v.actual_total - v.rows_fetched as delta,
       v.rows_inserted as reported_inserted, v.actual_inserted, v.rows_inserted - v.actual_inserted as inserted_discrepancy,
       v.error_details ->> 'message' as message, v.created_at
from (
  select r.*, coalesce((t.tally ->> 'total')::int, 0) as actual_total, coalesce((t.tally ->> 'inserted')::int, 0) as actual_inserted
  from ingest.import_runs r
  cross join lateral (
    select case when r.metadata ? 'counted' then r.metadata -> 'counted'
                when r.metadata ? 'summary' and r.status = 'completed' then jsonb_build_object('total', r.rows_fetched, 'inserted', r.rows_inserted)
                else ingest.tally_import_run(r.id, r.import_kind) end as tally offset 0) t -- once a run, not once a mention
  where r.status in ('completed', 'failed') and not r.metadata ?| '{retired,rollback}'
    and (r.status = 'completed' or r.error_details ? 'reconciliation_failed')) v
where v.error_details ? 'reconciliation_failed'
   or v.status = 'completed' and (v.rows_inserted <> v.actual_inserted or v.rows_fetched <> v.actual_total);

-- Counts runs that another program completed and nobody reconciled, for about `milliseconds`, so that the report above need not count them
-- each time; answers how many are left.
create or replace function ingest.count_unreconciled(milliseconds integer default 2000) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_until timestamptz := clock_timestamp() + $1 * interval '1 millisecond';
  v_runs uuid[] := array(
    select r.id from ingest.import_runs r
    where r.status = 'completed' and not r.metadata ?| '{counted,summary,retired,rollback}' order by r.created_at desc);
  v_done integer := 0;
begin
  while v_done < cardinality(v_runs) and clock_timestamp() < v_until loop
    v_done := v_done + 1;
    update ingest.import_runs r set metadata = r.metadata || jsonb_build_object('counted', ingest.tally_import_run(r.id, r.import_kind))
    where r.id = v_runs[v_done] and r.status = 'completed';
  end loop;
  return cardinality(v_runs) - v_done;
end
$$;

create or replace view ingest.v_rollbacks with (security_invoker = true) as
select v.id, v.source_system, v.source_batch_id, r.import_kind, v.filename, v.status, v.rolled_back_at, v.rollback_reason, v.total_rows,
       v.rolled_back_rows, v.remaining_rows, v.is_complete, v.rollback, r.created_at
from ingest.v_rollback_verification v
join ingest.import_runs r on r.id = v.id;

-- A claim without a heartbeat for 30 minutes may be taken over.
create or replace view ingest.v_in_progress_runs with (security_invoker = true) as
select s.*, round(extract(epoch from now() - s.updated_at)::numeric, 1) as seconds_since_heartbeat,
       s.updated_at < now() - interval '30 minutes' as is_stale
from ingest.v_import_runs_summary s
where s.status in ('pending', 'processing');

create or replace view ingest.v_failed_runs with (security_invoker = true) as
select s.*, s.error_details ->> 'type' as error_type, s.error_details ->> 'message' as error_message
from ingest.v_import_runs_summary s
where s.status = 'failed';

-- Totals by source and kind of the runs that the filters of a report leave.
create or replace function ingest.source_stats(filters jsonb default '{}') returns table (
  source_system text, import_kind text, runs bigint, completed bigint, failed bigint, rolled_back bigint, duplicates bigint, rows_fetched bigint,
  rows_inserted bigint, rows_updated bigint, rows_skipped bigint, rows_errored bigint, average_seconds numeric, last_run_at timestamptz)
language sql stable security invoker set search_path = pg_catalog, pg_temp
as $$
  select s.source_system, s.import_kind, count(*),
         count(*) filter (where s.status = 'completed'), count(*) filter (where s.status = 'failed'),
         count(*) filter (where s.status = 'rolled_back'), count(*) filter (where s.status = 'duplicate'),
         coalesce(sum(s.rows_fetched) filter (where s.status = 'completed'), 0),
         coalesce(sum(s.rows_inserted) filter (where s.status = 'completed'), 0),
         coalesce(sum(s.rows_updated) filter (where s.status = 'completed'), 0),
         coalesce(sum(s.rows_skipped) filter (where s.status = 'completed'), 0),
         coalesce(sum(s.rows_errored) filter (where s.status = 'completed'), 0),
         round(avg(s.duration_seconds) filter (where s.status = 'completed'), 3), max(s.created_at)
  from ingest.v_import_runs_summary s
  where coalesce(s.status = $1 ->> 'status', true) and coalesce($1 -> 'kinds' ? s.import_kind, true)
    and coalesce(s.source_system = $1 ->> 'source', true) and coalesce(s.created_at >= ($1 ->> 'since')::timestamptz, true)
  group by s.source_system, s.import_kind
$$;

create or replace view ingest.v_source_stats with (security_invoker = true) as
select s.source_system, s.import_kind, s.runs, s.completed, s.failed, s.rolled_back, s.duplicates, s.rows_fetched, s.rows_inserted,
       s.rows_updated, s.rows_skipped, s.rows_errored, s.average_seconds, s.last_run_at
from ingest.source_stats() s;

-- Rows of a report, latest first. `filters`: {status, kinds: [...], source, since}; a key that is absent filters nothing.
create or replace function ingest.report(name text, filters jsonb default '{}', max_rows integer default 20) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_view text := case $1
    when 'list' then 'v_import_runs_summary'
    when 'latest' then 'v_import_runs_summary' -- those of v_latest_runs are chosen before a filter sees them
    when 'duplicates' then 'v_duplicate_attempts'
    when 'reconcile-failures' then 'v_reconcile_failures'
    when 'rollbacks' then 'v_rollbacks'
    when 'in-progress' then 'v_in_progress_runs'
    when 'failed' then 'v_failed_runs'
    when 'stats' then 'v_source_stats' end;
  -- A rollback is of the time when it was done.
  v_at text := case when $1 = 'rollbacks' then 'rolled_back_at' else 'created_at' end;
  v_rows jsonb;
begin
  if v_view is null then
    raise exception 'there is no such report' using errcode = 'invalid_parameter_value';
  elsif $1 = 'stats' then
    select jsonb_agg(to_jsonb(s) order by s.last_run_at desc) into v_rows
    from (select * from ingest.source_stats(coalesce($2, '{}')) t order by t.last_run_at desc limit $3) s;
    return coalesce(v_rows, '[]');
  end if;
  execute format($query$
    select jsonb_agg(w.entry order by w.at desc)
    from (
      select v.entry, (v.entry ->> %2$L)::timestamptz as at
      from (select to_jsonb(r) as entry from ingest.%1$I r) v
      where coalesce(v.entry ->> 'status' = $1 ->> 'status', true)
        and coalesce($1 -> 'kinds' ? (v.entry ->> 'import_kind'), true)
        and coalesce(v.entry ->> 'source_system' = $1 ->> 'source', true)
        and coalesce((v.entry ->> %2$L)::timestamptz >= ($1 ->> 'since')::timestamptz, true)
      order by at desc limit $2) w
    $query$, v_view, v_at) into v_rows using coalesce($2, '{}'), $3;
  return coalesce(v_rows, '[]');
end
$$;

-- Runs whose id begins with `id` (at least 8 characters), at most two: one is the run, two are an ambiguous prefix.
create or replace function ingest.find_run(id text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(to_jsonb(r)), '[]')
  from (select i.* from ingest.import_runs i
        where length($1) >= 8 and left(i.id::text, length($1)) = lower($1) limit 2) r
$$;

-- Which database this is, whatever its address is called; null where the server does not say. A restored dump is another one.
create or replace function ingest.database_identity() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  return md5(concat_ws('/', (select c.system_identifier from pg_catalog.pg_control_system() c),
                       (select d.oid from pg_catalog.pg_database d where d.datname = current_database())));
exception when insufficient_privilege or undefined_function then
  return null;
end
$$;

-- What `intake doctor` asks of a database through either backend.
create or replace function ingest.health() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_migrations text[];
begin
  if to_regclass('supabase_migrations.schema_migrations') is not null then
    execute 'select array_agg(version order by version) from supabase_migrations.schema_migrations' into v_migrations;
  end if;
  return jsonb_build_object(
    'version', current_setting('server_version'), 'now', clock_timestamp(), 'migrations', coalesce(v_migrations, '{}'),
    -- Each with the names of its arguments.
    'functions', (select jsonb_object_agg(p.proname, coalesce(p.proargnames[1:p.pronargs], '{}')) from pg_catalog.pg_proc p
                  where p.pronamespace = 'ingest'::regnamespace),
    'kinds', (select jsonb_agg(k.kind order by k.kind) from ingest.import_kinds k),
    -- Functions that a registered kind lacks.
    'missing', to_jsonb(ingest.missing_functions()));
end
$$;
