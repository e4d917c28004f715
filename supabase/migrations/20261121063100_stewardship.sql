-- What the operators' commands and schedules ask of anomalies and retention, with the service's rights, reached as the backends reach functions.

-- Newest first, as fn_anomalies_for_operator shows them; nulls for all.
create or replace function ingest.list_anomalies(window_hours integer, tenant text, severities jsonb, max_rows integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(to_jsonb(a) order by a.created_at desc, a.tenant_id, a.staging_id, a.row_index, a.anomaly_type), '[]')
  from (select x.id, x.created_at, x.tenant_id, x.staging_id, x.batch_id, x.row_index, x.anomaly_type, x.severity, x.field, x.input_value, x.reason,
               x.match_type, x.project_key, x.correlation_id, x.payload_excerpt
        from public.import_anomalies x
        where x.created_at >= now() - make_interval(hours => greatest($1, 0)) and ($2 is null or x.tenant_id = $2)
          and ($3 is null or x.severity in (select jsonb_array_elements_text($3)))
        order by x.created_at desc, x.tenant_id, x.staging_id, x.row_index, x.anomaly_type limit $4) a
$$;

create or replace function ingest.clean_import_data(imports_days integer, anomalies_days integer) returns jsonb
language sql volatile security definer set search_path = '' set statement_timeout = '30min'
as $$ select public.fn_cleanup_import_data($1, $2) $$;

create or replace function ingest.preview_cleanup(imports_days integer, anomalies_days integer) returns jsonb
language sql stable security definer set search_path = ''
as $$ select coalesce(jsonb_agg(to_jsonb(p) order by p.stat_date), '[]') from public.fn_cleanup_import_data_preview($1, $2) p $$;

-- What was deleted, by the day it was written, newest first.
create or replace function ingest.retention_stats(max_rows integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(to_jsonb(s) order by s.stat_date desc), '[]')
  from (select t.stat_date, t.staging_imports_count, t.import_anomalies_count, t.last_updated_at
        from public.import_retention_stats t order by t.stat_date desc limit $1) s
$$;

do $$
declare
  v_function regprocedure;
begin
  foreach v_function in array array[
    'ingest.list_anomalies(integer, text, jsonb, integer)', 'ingest.clean_import_data(integer, integer)', 'ingest.preview_cleanup(integer, integer)',
    'ingest.retention_stats(integer)']::regprocedure[] loop
    execute format('revoke execute on function %s from public, anon, authenticated', v_function);
    execute format('grant execute on function %s to service_role, dragonfly_app', v_function);
  end loop;
end
$$;
