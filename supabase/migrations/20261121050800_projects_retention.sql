-- Runbook 003, retention: old batches and anomalies go, their counts by day stay.

-- What fn_cleanup_import_data would delete now, by the day it was written.
create or replace function public.fn_cleanup_import_data_preview(p_imports_days integer default 60, p_anomalies_days integer default 90)
returns table (stat_date date, staging_imports_count bigint, import_anomalies_count bigint)
language sql stable security definer set search_path = ''
as $$
  select g.day, count(*) filter (where g.is_import), count(*) filter (where not g.is_import)
  from (select (s.imported_at at time zone 'UTC')::date as day, true as is_import from public.staging_imports s
        where s.imported_at <= now() - make_interval(days => greatest(p_imports_days, 0))
        union all
        select (a.created_at at time zone 'UTC')::date, false from public.import_anomalies a
        where a.created_at <= now() - make_interval(days => greatest(p_anomalies_days, 0))) g
  group by g.day order by g.day
$$;

-- Each batch of rows is counted into import_retention_stats in the statement that deletes it, so that the two cannot differ.
-- What a merge holds at that moment waits for the next day. Returns {staging_imports, import_anomalies}.
create or replace function public.fn_cleanup_import_data(p_imports_days integer default 60, p_anomalies_days integer default 90) returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '30min'
as $$
declare
  v_rows constant integer := 5000;
  v_imports integer := 0;
  v_anomalies integer := 0;
  v_gone integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('intake.retention', 0));
  loop
    with gone as (
      delete from public.import_anomalies a where a.id in (
        select o.id from public.import_anomalies o where o.created_at <= now() - make_interval(days => greatest(p_anomalies_days, 0))
        order by o.created_at limit v_rows for update skip locked)
      returning (a.created_at at time zone 'UTC')::date as day
    ), counted as (
      insert into public.import_retention_stats as t (stat_date, import_anomalies_count) select g.day, count(*) from gone g group by g.day
      on conflict (stat_date) do update set import_anomalies_count = t.import_anomalies_count + excluded.import_anomalies_count, last_updated_at = now())
    select count(*) into v_gone from gone;
    v_anomalies := v_anomalies + v_gone;
    exit when v_gone < v_rows;
  end loop;
  loop
    with gone as (
      delete from public.staging_imports s where s.id in (
        select o.id from public.staging_imports o where o.imported_at <= now() - make_interval(days => greatest(p_imports_days, 0))
        order by o.imported_at limit v_rows for update skip locked)
      returning (s.imported_at at time zone 'UTC')::date as day
    ), counted as (
      insert into public.import_retention_stats as t (stat_date, staging_imports_count) select g.day, count(*) from gone g group by g.day
      on conflict (stat_date) do update set staging_imports_count = t.staging_imports_count + excluded.staging_imports_count, last_updated_at = now())
    select count(*) into v_gone from gone;
    v_imports := v_imports + v_gone;
    exit when v_gone < v_rows;
  end loop;
  -- The version of the directories is a sum: many changes may be one row.
  with folded as (delete from ingest.directory_changes returning changes)
  insert into ingest.directory_changes (changes) select sum(f.changes) from folded f having count(*) > 0;
  return jsonb_build_object('staging_imports', v_imports, 'import_anomalies', v_anomalies);
end
$$;
