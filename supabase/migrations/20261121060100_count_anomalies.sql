-- What alerts count, as one JSON document: both transports take that, while rows of a function reach a connection one by one.
create or replace function ingest.count_anomalies(since timestamptz, until timestamptz) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'tenant_id', s.tenant_id, 'anomaly_type', s.category, 'severity', s.severity, 'count', s.count, 'most_recent', s.most_recent)), '[]')
  from ingest.anomaly_stats($1, $2) s
$$;
revoke execute on function ingest.count_anomalies(timestamptz, timestamptz) from public, anon, authenticated;
grant execute on function ingest.count_anomalies(timestamptz, timestamptz) to service_role, dragonfly_app;
