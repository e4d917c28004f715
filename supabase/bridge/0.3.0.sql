-- Carries the tables of a database of 0.3.0, or of any state since, over to supabase/schemas. `intake migrate` runs this file
-- and then all generated migrations, in one transaction. These make what is not there yet (tables, indexes, functions, views),
-- so only changes of what 0.3.0 has belong here: columns, constraints, other definitions of an index or policy under the same
-- name, other arguments or results of a function in public, and what goes. Each statement may run twice.
-- test/sql/bridge.test.ts fails while something is missing.

-- Views and functions of schema ingest go, so that their columns, arguments and results may change; those that an index or a
-- trigger needs are replaced where they are.
do $$
declare
  v_object text;
begin
  drop view if exists public.import_runs, public.vw_import_anomalies_recent, public.vw_import_anomalies_stats_24h;
  -- A view may read another one: the latest first.
  for v_object in select c.oid::regclass::text from pg_catalog.pg_class c
                  where c.relnamespace = 'ingest'::regnamespace and c.relkind = 'v' order by c.oid desc loop
    execute 'drop view ' || v_object;
  end loop;
  for v_object in select p.oid::regprocedure::text from pg_catalog.pg_proc p
                  where p.pronamespace = 'ingest'::regnamespace
                    and not exists (select from pg_catalog.pg_depend d where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid)
                    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') loop
    execute 'drop function ' || v_object;
  end loop;
end
$$;

-- Made again with the functions that answer it.
drop type if exists ingest.decided_row;

drop function if exists ingest.uncopy_contacts() cascade;

-- Changes of tables, in the order in which they were made.
do $$
begin
  if to_regclass('public.plaintiffs') is not null and not exists (
    select from pg_catalog.pg_attribute a where a.attrelid = 'public.plaintiffs'::regclass and a.attname = 'name_hash') then
    alter table public.plaintiffs add column name_hash bigint;
    drop index if exists public.plaintiffs_email_idx, public.plaintiffs_phone_idx, public.plaintiffs_name_idx; -- made again, as hash indexes
    alter table public.plaintiffs disable trigger user; -- nobody edits
    update public.plaintiffs set name_hash = hashtextextended(ingest.normalize_text(name), 0);
    alter table public.plaintiffs enable trigger user;
  end if;
  if to_regclass('ingest.plaintiffs_raw') is not null then
    alter table ingest.plaintiffs_raw drop constraint if exists plaintiffs_raw_import_run_id_fkey;
    alter table ingest.plaintiffs_raw add column if not exists adopted boolean not null default false, add column if not exists adopted_from uuid;
    alter table ingest.plaintiffs_raw drop constraint plaintiffs_raw_status_check, add constraint plaintiffs_raw_status_check
      check (status in ('pending', 'processing', 'promoted', 'updated', 'skipped', 'failed', 'rolled_back'));
    drop index if exists ingest.plaintiffs_raw_unowned_idx;
  end if;
  if to_regclass('public.raw_simplicity_imports') is not null then
    alter table public.raw_simplicity_imports add column if not exists spare jsonb;
    alter table public.raw_simplicity_imports drop constraint raw_simplicity_imports_status_check, add constraint raw_simplicity_imports_status_check
      check (status in ('pending', 'inserted', 'updated', 'skipped', 'failed', 'rolled_back'));
  end if;
  if to_regclass('ingest.raw_simplicity_fallback') is not null then
    alter table ingest.raw_simplicity_fallback add column if not exists spare jsonb;
    alter table ingest.raw_simplicity_fallback drop constraint raw_simplicity_imports_status_check, add constraint raw_simplicity_imports_status_check
      check (status in ('pending', 'inserted', 'updated', 'skipped', 'failed', 'rolled_back'));
  end if;
  if to_regclass('ingest.import_runs') is not null then
    alter table ingest.import_runs add column if not exists header jsonb;
  end if;
  if to_regclass('ingest.kind_models') is not null then
    alter table ingest.kind_models add column if not exists held regtype not null default 'jsonb',
      add column if not exists retired jsonb not null default '{}', add column if not exists together text,
      add column if not exists known text, add column if not exists differing jsonb not null default '{}',
      add column if not exists faulty text not null default 'false', add column if not exists strays jsonb not null default '{}';
  end if;
  if to_regclass('ingest.differences') is not null then
    alter table ingest.differences drop constraint differences_status_check, add constraint differences_status_check
      check (status in ('skipped', 'in_file', 'edited', 'applied', 'withdrawn'));
  end if;
  -- 0.3.0 noted no edits of projects: whatever a run of then finds otherwise may be one.
  if to_regclass('ingest.projects_raw') is not null and to_regclass('ingest.project_edits') is null then
    create table ingest.project_edits (
      id bigint generated always as identity primary key,
      staging_id uuid not null
    );
    insert into ingest.project_edits (staging_id) select r.id from ingest.import_runs r where r.import_kind = 'projects';
  end if;
  if to_regclass('ingest_stage.chunks') is not null then
    alter table ingest_stage.chunks add column if not exists content text;
  end if;
  if to_regclass('ingest_stage.resolved') is not null then
    alter table ingest_stage.resolved add column if not exists seen pg_snapshot;
  end if;
  if to_regclass('public.staging_imports') is not null then
    alter table public.staging_imports alter column correlation_id set default gen_random_uuid(),
      add column if not exists leans_on uuid[] not null default '{}';
    if not exists (select from pg_catalog.pg_constraint c where c.conname = 'staging_imports_row_count_nonneg_ck') then
      alter table public.staging_imports add constraint staging_imports_row_count_nonneg_ck check (row_count >= 0);
    end if;
  end if;
  if to_regtype('public.projects_import_merge_result') is not null and not exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = (select t.typrelid from pg_catalog.pg_type t where t.oid = 'public.projects_import_merge_result'::regtype)
      and a.attname = 'values_cleared') then
    alter type public.projects_import_merge_result add attribute values_cleared integer, add attribute memberships_removed integer;
  end if;
  if to_regclass('ingest.pushed_files') is not null then
    alter table ingest.pushed_files add column if not exists file_modified_at timestamptz;
  end if;
  if to_regclass('public.import_anomalies') is not null and not exists (
    select from pg_catalog.pg_attribute a where a.attrelid = 'public.import_anomalies'::regclass and a.attname = 'first_seen_at') then
    alter table public.import_anomalies add column first_seen_at timestamptz;
    update public.import_anomalies a set first_seen_at = s.first
    from (select x.id, row_number() over (g order by x.created_at desc, x.id) as n, min(x.created_at) over g as first
          from public.import_anomalies x
          window g as (partition by x.tenant_id, coalesce(x.project_key, x.id::text), x.anomaly_type, x.field, coalesce(x.input_value, ''))) s
    where a.id = s.id and s.n = 1;
    delete from public.import_anomalies a where a.first_seen_at is null;
    alter table public.import_anomalies alter column first_seen_at set not null, alter column first_seen_at set default now();
    if current_setting('server_version_num')::int >= 170000 then
      execute $ddl$ alter table public.import_anomalies alter column severity set expression as (
        case anomaly_type when 'UNKNOWN_DS' then 'error' when 'UNKNOWN_RM' then 'error' when 'UNKNOWN_DELIVERY_PARTNER' then 'warning'
          when 'UNREADABLE_VALUE' then 'warning' else 'info' end) $ddl$;
    else
      alter table public.import_anomalies drop column severity;
      alter table public.import_anomalies add column severity text not null generated always as (
        case anomaly_type when 'UNKNOWN_DS' then 'error' when 'UNKNOWN_RM' then 'error' when 'UNKNOWN_DELIVERY_PARTNER' then 'warning'
          when 'UNREADABLE_VALUE' then 'warning' else 'info' end) stored;
    end if;
  end if;
  if to_regclass('ingest_stage.judgments_plan') is not null then
    alter table ingest_stage.judgments_plan add column if not exists shared_by text, add column if not exists shared_with bigint,
      add column if not exists shared_line integer;
  end if;
end
$$;

-- It takes a tenant, too.
drop function if exists ingest.revoke_roles(text, text);
drop function if exists public.fn_dashboard_anomalies(text, text, text);
drop function if exists public.fn_anomalies_page(integer, text, text[], integer, text);

-- The turn of people is one of the turns. Its epoch goes on, for plans that are made.
do $$
begin
  create table if not exists ingest.turns (name text primary key, run_id uuid, epoch bigint not null default 0);
  alter table ingest.turns alter column run_id drop not null, add column if not exists epoch bigint not null default 0;
  if to_regclass('ingest.people_turn') is not null then
    insert into ingest.turns select 'people', run_id, epoch from ingest.people_turn on conflict do nothing;
    drop table ingest.people_turn;
  end if;
end
$$;

-- Which run had a turn last is not needed: the next one takes it alone.
drop table if exists ingest.tenant_turns;
alter table if exists ingest.tenants add column if not exists date_order text check (date_order in ('dmy', 'mdy'));

-- When an import asked for an image last was not noted: all count as asked for now.
do $$
begin
  if to_regclass('ingest.stored_images') is not null and to_regclass('ingest.unused_images') is null then
    update ingest.stored_images set stored_at = now();
  end if;
end
$$;
