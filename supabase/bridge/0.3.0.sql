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

-- Changes of tables, in the order in which they were made.
do $$
begin
  if to_regclass('ingest.plaintiffs_raw') is not null then
    alter table ingest.plaintiffs_raw add column if not exists adopted boolean not null default false, add column if not exists adopted_from uuid;
  end if;
  if to_regclass('public.raw_simplicity_imports') is not null then
    alter table public.raw_simplicity_imports add column if not exists spare jsonb;
  end if;
  if to_regclass('ingest.raw_simplicity_fallback') is not null then
    alter table ingest.raw_simplicity_fallback add column if not exists spare jsonb;
  end if;
  if to_regclass('ingest.kind_models') is not null then
    alter table ingest.kind_models add column if not exists held regtype not null default 'jsonb',
      add column if not exists retired jsonb not null default '{}', add column if not exists together text;
  end if;
  if to_regclass('ingest_stage.resolved') is not null then
    alter table ingest_stage.resolved add column if not exists seen pg_snapshot;
  end if;
end
$$;

-- It takes a tenant, too.
drop function if exists ingest.revoke_roles(text, text);
