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

-- The tenants whose anomalies the caller may see, '*' for all; 42501 for anybody who is neither operator nor admin.
create or replace function public.fn_require_operator() returns text[]
language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_tenants text[] := case when current_user in ('service_role', 'dragonfly_app') then array['*'] else public.fn_tenants_for('{operator,admin}') end;
begin
  if v_tenants = '{}' then
    raise exception 'insufficient_privilege: operators and admins only' using errcode = 'insufficient_privilege';
  end if;
  return v_tenants;
end
$$;

-- Newest first. Severities are error, warning and info; null for all.
create or replace function public.fn_anomalies_for_operator(
  p_window_hours integer default 24, p_tenant text default null, p_severity text[] default null
) returns table (
  id uuid, created_at timestamptz, tenant_id text, staging_id uuid, batch_id text, row_index integer, anomaly_type text, severity text,
  field text, input_value text, reason text, match_type text, project_key text, correlation_id uuid, payload_excerpt text)
language plpgsql stable security invoker set search_path = ''
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
  order by a.created_at desc, a.tenant_id, a.staging_id, a.row_index, a.anomaly_type;
end
$$;

create or replace function public.fn_anomalies_stats(p_window_hours integer default 24)
returns table (tenant_id text, category text, severity text, count integer, most_recent timestamptz)
language plpgsql stable security invoker set search_path = ''
as $$
#variable_conflict use_column
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
language sql stable security definer set search_path = ''
as $$
  select a.tenant_id, a.anomaly_type, a.severity, count(*)::integer, max(a.created_at)
  from public.import_anomalies a where a.created_at >= $1 and a.created_at < $2
  group by a.tenant_id, a.anomaly_type, a.severity order by 4 desc, 1, 2
$$;
