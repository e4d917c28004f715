-- Pushes of project files through the gateway: a bearer for a worker that has none, and which contents a folder has given already.

-- One that a worker lent itself, not one of the tenant's own.
alter table ingest.tenant_bearers add column if not exists lent boolean not null default false;

create table if not exists ingest.pushed_files (
  tenant_id text not null,
  file_sha256 text not null check (file_sha256 ~ '^[0-9a-f]{64}$'),
  -- Of the push; its batches and anomalies carry it, too.
  correlation_id uuid not null,
  row_count bigint not null,
  batches integer not null,
  pushed_at timestamptz not null default now(),
  primary key (tenant_id, file_sha256)
);

-- A bearer of a tenant for some minutes; the service's own right. Expired ones go.
create or replace function ingest.lend_bearer(tenant_id text, bearer_sha256 text, minutes integer) returns timestamptz
language plpgsql security definer set search_path = ''
as $$
declare
  v_until timestamptz := clock_timestamp() + make_interval(mins => least(greatest($3, 1), 60));
begin
  insert into ingest.tenants (tenant_id) values ($1) on conflict do nothing;
  delete from ingest.tenant_bearers b where b.expires_at <= clock_timestamp();
  insert into ingest.tenant_bearers (tenant_id, bearer_sha256, expires_at, lent) values ($1, $2, v_until, true);
  return v_until;
end
$$;

-- Tenants with the times of their own bearers, no hashes.
create or replace function ingest.list_tenants() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(t.entry order by t.tenant_id), '[]')
  from (select t.tenant_id, jsonb_build_object(
          'tenant_id', t.tenant_id, 'created_at', t.created_at, 'rotated_at', max(b.created_at),
          'former_until', max(b.expires_at) filter (where b.expires_at > now())) as entry
        from ingest.tenants t left join ingest.tenant_bearers b on b.tenant_id = t.tenant_id and not b.lent group by t.tenant_id) t
$$;

create or replace function ingest.remember_push(tenant_id text, file_sha256 text, correlation_id uuid, row_count bigint, batches integer) returns void
language sql volatile security definer set search_path = ''
as $$
  insert into ingest.pushed_files (tenant_id, file_sha256, correlation_id, row_count, batches) values ($1, $2, $3, $4, $5) on conflict do nothing
$$;

-- Which of these contents the tenant's folder has given already: an array of their hashes.
create or replace function ingest.pushed_among(tenant_id text, file_sha256s jsonb) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(f.file_sha256), '[]')
  from ingest.pushed_files f where f.tenant_id = $1 and f.file_sha256 in (select jsonb_array_elements_text($2))
$$;

-- The backfill of public, reached as the backends reach functions: how many memberships it made.
create or replace function ingest.backfill_memberships() returns integer
language sql volatile security definer set search_path = '' set statement_timeout = '30min'
as $$ select public.fn_projects_membership_backfill() $$;

do $$
declare
  v_function regprocedure;
begin
  alter table ingest.pushed_files enable row level security;
  revoke all on ingest.pushed_files from public, anon, authenticated;
  grant select, insert, update, delete on ingest.pushed_files to service_role, dragonfly_app;
  drop policy if exists pushed_files_app on ingest.pushed_files;
  create policy pushed_files_app on ingest.pushed_files for all to dragonfly_app using (true) with check (true);
  foreach v_function in array array[
    'ingest.lend_bearer(text, text, integer)', 'ingest.list_tenants()', 'ingest.remember_push(text, text, uuid, bigint, integer)',
    'ingest.pushed_among(text, jsonb)', 'ingest.backfill_memberships()']::regprocedure[] loop
    execute format('revoke execute on function %s from public, anon, authenticated', v_function);
    execute format('grant execute on function %s to service_role, dragonfly_app', v_function);
  end loop;
end
$$;
