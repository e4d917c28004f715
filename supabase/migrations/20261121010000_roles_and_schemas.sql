-- Schemas and roles. On Supabase the API roles exist; elsewhere they are made here, without login.
create schema if not exists ingest;
-- Unlogged working tables live apart: not exposed by PostgREST, no row level security (COPY refuses it), never backed up.
create schema if not exists ingest_stage;

do $$
declare
  role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role', 'dragonfly_app'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin noinherit %s', role_name,
                       case when role_name = 'service_role' then 'bypassrls' else '' end);
      exception
        when duplicate_object or unique_violation then null; -- another database of this server was migrated at the same time
        when insufficient_privilege then execute format('create role %I nologin noinherit', role_name);
      end;
    end if;
  end loop;
end
$$;

comment on schema ingest is 'Import runs, landing tables and the functions that move rows (runbooks 001 and 002).';
comment on schema ingest_stage is 'Rows between parsing and landing; emptied by every run, lost in a crash and parsed again.';

revoke all on schema ingest, ingest_stage from public;
grant usage on schema ingest to service_role, dragonfly_app;
grant usage on schema ingest_stage to service_role, dragonfly_app;
alter default privileges in schema ingest revoke execute on functions from public;

-- The private bucket of runbook 000, where there is Supabase Storage.
do $$
begin
  if to_regclass('storage.buckets') is not null then
    insert into storage.buckets (id, name, public) values ('imports', 'imports', false) on conflict (id) do nothing;
  end if;
end
$$;
