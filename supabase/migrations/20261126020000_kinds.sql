-- Generated from supabase/schemas/kinds.sql by `npm run migrations`: edit that file, not this one.
-- Kinds: what the steps know of each kind's tables. A kind describes these once, with register_kind; the mechanical steps (stop,
-- tally, rejects, compare, and the frame of upsert and count) build their statements from that description. They print:
-- select ingest.compare_statement(ingest.model_of('plaintiffs'))

create or replace function ingest.model_of(kind text) returns ingest.kind_models
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select m from ingest.kind_models m join ingest.import_kinds k on k.suffix = m.model where k.kind = $1 $$;

-- The model of a run's kind; a model may keep the rows of some runs in another landed table.
create or replace function ingest.model_of_run(kind text, run_id uuid) returns ingest.kind_models
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  m ingest.kind_models := ingest.model_of($1);
begin
  if 'landed' = any (m.own) then
    execute format('select ingest.%I($1)::regclass', 'landed_' || m.model) into m.landed_table using $2;
  end if;
  return m;
end
$$;

-- A landed column's name for a stage column.
create or replace function ingest.landed_name(m ingest.kind_models, stage_column text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select coalesce(($1).renamed ->> $2, $2) $$;

-- A list of columns as SQL: each name behind `prefix`, quoted. The only way in which names enter a statement.
create or replace function ingest.column_list(names text[], prefix text default '') returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select string_agg($2 || quote_ident(n.name), ', ' order by n.at) from unnest($1) with ordinality as n (name, at) $$;

-- The columns that the landed table keeps, under its names, behind `prefix`.
create or replace function ingest.kept_columns(m ingest.kind_models, prefix text default '') returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select ingest.column_list(array(select ingest.landed_name($1, c.name) from unnest(($1).kept) with ordinality as c (name, at) order by c.at), $2) $$;

-- Describes a model to the steps, and makes what is not there: the stage table with its index, the landed table, rights and policies.
-- It runs with the rights of the migration: only the owner of schema ingest can register a kind.
--   model              names the stage table, the landed table (ingest.<model>_raw) and the functions promote_, rollback_ ... of the kind
--   kinds              the names of the kinds
--   columns            the stage columns of the model itself, as in CREATE TABLE, the key first; new ones are added to tables that are there
--   production         the table that rows are promoted to; production_id: the landed column with the id of the production row
--   landed             a landed table that is there, where it has another name
--   extra              landed columns that no stage column fills, as in CREATE TABLE
--   kept               stage columns that the landed table keeps (default: all)
--   renamed            stage column -> its name in the landed table, where it has another one
--   landing            landed column -> expression over s (staged row), i (what was decided: ingest.decided_row) and $4 (source system)
--   written, present   landed statuses that promise a production row; those that also refer to one of another run (default: the same)
--   counts_production  whether a row counts as inserted only while its production row exists
--   compared           stage column -> production column: what verify compares while a row is not edited
--   edited             when a production row counts as edited: expression over p (production) and r (landed); $1 is the run
--   faulty             what else verify finds wrong about a row: expression over s, r, p and e (edited; checked: production is this run's to answer
--                      for and nobody edited it)
--   strays             what -> query of how many rows name the run, $1, though none of its rows made them; {landed} is the landed table
--   own                steps for which the model has a function of its own: rejects, compare, describe, correct; landed(run_id) -> table;
--                      retire(runs, commit) -> {counter: rows} of what it keeps of retired runs besides landed rows
--   resolves           whether a run resolves its rows before upsert, by resolve_<model>
--   effects            what promote_<model> counts beside rows (decided_row.effects): names that are told even when nothing counts
--   retired            landed column -> expression over r (landed row) that fills it when the row is withdrawn
--   together           landed column whose rows are withdrawn in one part of a rollback
--   known              the production row that a skipped row is about: expression over i (what was decided). With it, what such rows say
--                      otherwise is kept in ingest.differences, and --on-conflict update is possible: lock_known_<model> is there, too
--                      A row that is skipped for an earlier new row of the file names it in a further column of promote_<model>, first (tid).
--   differing          field -> {file, key, database, differs, also} where it is not the plain comparison of `compared`: expressions over s and p,
--                      and a column that has the same value; a field that is no production column is written by correct_<model> (own: correct).
--                      Two rows of the file differ in a field when its key does
--   held               type of the column `held` that promote_<model> answers for `landing`, where it is not jsonb
create or replace function ingest.register_kind(
  model text, kinds text[], columns text, production regclass, production_id text,
  landed text default null, extra text default null, kept text[] default null, renamed jsonb default '{}', landing jsonb default '{}',
  written text[] default '{inserted,updated}', present text[] default null, counts_production boolean default true,
  compared jsonb default '{}', edited text default 'p.updated_at <> p.created_at', own text[] default '{}',
  resolves boolean default false, effects text[] default '{}', held regtype default 'jsonb',
  retired jsonb default '{}', together text default null, known text default null, differing jsonb default '{}',
  faulty text default 'false', strays jsonb default '{}'
) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  v_stage text := format('ingest_stage.%I', register_kind.model);
  v_landed text := coalesce(register_kind.landed, format('ingest.%I', register_kind.model || '_raw'));
  v_own text[];
  v_new record;
begin
  execute format($ddl$
    create unlogged table if not exists %s (
      stage_id uuid not null, chunk integer not null, part integer not null, row_index integer not null, line_number integer not null,
      %s, raw_payload jsonb not null, raw_record bytea, error_code text, error_message text)$ddl$, v_stage, register_kind.columns);
  -- A chunk is sorted by part, so that a part is a few runs of neighbouring pages.
  execute format('create index if not exists %I on %s (stage_id, part)', 'stage_' || register_kind.model || '_part_idx', v_stage);
  -- Rows stay minutes here: a vacuum for their insertion would read them for nothing, while they are upserted.
  execute format('alter table %s set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000, autovacuum_vacuum_insert_threshold = -1)', v_stage);
  execute format('grant select, insert, delete on %s to service_role, dragonfly_app', v_stage);

  drop table if exists pg_temp.intake_columns;
  execute format('create temp table intake_columns (%s) on commit drop', register_kind.columns);
  select array_agg(a.attname::text order by a.attnum) into v_own
  from pg_catalog.pg_attribute a where a.attrelid = 'pg_temp.intake_columns'::regclass and a.attnum > 0;
  if to_regclass(v_landed) is null then
    execute format($ddl$
      create table %s (
        id bigint generated by default as identity primary key,
        import_run_id uuid not null references ingest.import_runs (id) on delete cascade,
        row_index integer not null, line_number integer, raw_payload jsonb not null default '{}', raw_record bytea,
        status text not null default 'pending' check (status in ('pending', 'inserted', 'updated', 'skipped', 'failed', 'rolled_back')),
        error_code text, error_message text, %I bigint, %s
        created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
        constraint %I unique (import_run_id, row_index))$ddl$,
      v_landed, register_kind.production_id, register_kind.extra || ',', register_kind.model || '_raw_row_uniq');
    execute format('create index on %s (%I) where %2$I is not null', v_landed, register_kind.production_id);
  end if;
  for v_new in
    select t.name, a.attname, format_type(a.atttypid, a.atttypmod) as type
    from pg_catalog.pg_attribute a
    cross join unnest(array[v_stage, case when register_kind.landed is null and register_kind.kept is null then v_landed end]) as t (name)
    where a.attrelid = 'pg_temp.intake_columns'::regclass and a.attnum > 0 and t.name is not null and not exists (
      select from pg_catalog.pg_attribute o
      where o.attrelid = t.name::regclass and o.attname = coalesce(register_kind.renamed ->> a.attname::text, a.attname) and not o.attisdropped)
    order by a.attnum loop
    execute format('alter table %s add column %I %s', v_new.name, coalesce(register_kind.renamed ->> v_new.attname, v_new.attname), v_new.type);
  end loop;
  drop table pg_temp.intake_columns;
  perform ingest.open_to_app(v_landed::regclass);

  insert into ingest.kind_models as m (
    model, stage_table, landed_table, production_table, production_id, kept, renamed, landing, written, present, counts_production,
    compared, edited, own, effects, held, retired, together, known, differing, faulty, strays)
  values (
    register_kind.model, v_stage::regclass, v_landed::regclass, register_kind.production, register_kind.production_id,
    coalesce(register_kind.kept, array['line_number'] || v_own || array['raw_payload', 'raw_record']), register_kind.renamed,
    register_kind.landing, register_kind.written, coalesce(register_kind.present, register_kind.written),
    register_kind.counts_production, register_kind.compared, register_kind.edited, register_kind.own, register_kind.effects, register_kind.held, register_kind.retired,
    register_kind.together, register_kind.known, case when register_kind.known is null then '{}' else (
      select coalesce(jsonb_object_agg(e.value, jsonb_build_object(
               'file', format('s.%I', e.key), 'key', format('s.%I', e.key), 'database', format('p.%I', e.value), 'differs', format('s.%I is distinct from p.%I', e.key, e.value))
               || coalesce(register_kind.differing -> e.value, '{}')), '{}') from jsonb_each_text(register_kind.compared) e)
      || coalesce((select jsonb_object_agg(d.key, d.value) from jsonb_each(register_kind.differing) d
                   where d.key not in (select e.value from jsonb_each_text(register_kind.compared) e)), '{}') end,
    register_kind.faulty, register_kind.strays)
  on conflict on constraint kind_models_pkey do update set (
      stage_table, landed_table, production_table, production_id, kept, renamed, landing, written, present, counts_production,
      compared, edited, own, effects, held, retired, together, known, differing, faulty, strays)
    = row (
      excluded.stage_table, excluded.landed_table, excluded.production_table, excluded.production_id, excluded.kept, excluded.renamed,
      excluded.landing, excluded.written, excluded.present, excluded.counts_production, excluded.compared, excluded.edited,
      excluded.own, excluded.effects, excluded.held, excluded.retired, excluded.together, excluded.known,
      excluded.differing, excluded.faulty, excluded.strays);
  insert into ingest.import_kinds as k (kind, suffix, resolves)
  select n.name, register_kind.model, register_kind.resolves from unnest(register_kind.kinds) as n (name)
  on conflict on constraint import_kinds_pkey do update set suffix = excluded.suffix, resolves = excluded.resolves;
  perform ingest.plan_steps(register_kind.model);
end
$$;

-- Fails a migration, not an import: the generic steps are planned once, so that a misspelled column or expression is found when
-- the kind is registered. EXPLAIN plans and runs nothing.
create or replace function ingest.plan_steps(model text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  m ingest.kind_models;
  v_statement text;
begin
  select * into strict m from ingest.kind_models k where k.model = $1;
  perform ingest.empty_withdrawn();
  foreach v_statement in array array[
    ingest.unland_statement(m), ingest.stop_statement(m), ingest.tally_statement(m), ingest.withdraw_statement(m), ingest.mark_statement(m),
    case when not 'compare' = any (m.own) then ingest.compare_statement(m) end,
    case when m.strays <> '{}' then ingest.strays_statement(m) end] loop
    execute coalesce('explain ' || v_statement, 'select') using null::uuid, null::uuid, null::integer, null::text;
  end loop;
  if not 'rejects' = any (m.own) then
    execute 'explain ' || ingest.rejects_statement(m) using null::uuid, null::integer, null::integer;
  end if;
end
$$;

-- Functions that registered models lack; none may be missing.
create or replace function ingest.missing_functions() returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(f.name order by f.name), '{}')
  from ingest.kind_models m
  cross join lateral unnest('{promote,rollback}'::text[] || m.own
    || case when exists (select from ingest.import_kinds k where k.suffix = m.model and k.resolves) then '{resolve}'::text[] else '{}' end) as s (step)
  cross join lateral (select s.step || '_' || m.model as name) f
  where not exists (select from pg_catalog.pg_proc p where p.pronamespace = 'ingest'::regnamespace and p.proname = f.name)
$$;

-- The steps that are the same for every kind but for names of tables and columns. Each builds one statement for a part of
-- thousands of rows: what it costs to plan that again is a few milliseconds a call, and no plan of an empty table is kept.

-- INSERT of staged rows into the landed table, from a relation `decided` of ingest.decided_row. $1 is the run, $4 the source system.
-- A row whose promotion needs no id of its landed row gets one here.
-- Landed in the order of the file, the rows come to two of three indexes in the order of these.
create or replace function ingest.land_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    insert into %1$s (id, import_run_id, row_index, %2$s, status, %3$I, %4$I, %5$I %6$s)
    select coalesce(i.id, nextval(%10$L)), $1, s.row_index, %7$s, i.status, i.reason, i.message, i.production_id %8$s
    from (select * from decided d order by d.id, d.stage_tid) i cross join lateral (select * from %9$s x where x.ctid = i.stage_tid offset 0) s $sql$,
    ($1).landed_table, ingest.kept_columns($1), ingest.landed_name($1, 'error_code'), ingest.landed_name($1, 'error_message'),
    ($1).production_id, (select string_agg(', ' || quote_ident(e.key), '' order by e.key) from jsonb_each_text(($1).landing) e),
    ingest.column_list(($1).kept, 's.'),
    (select string_agg(', ' || e.value, '' order by e.key) from jsonb_each_text(($1).landing) e), ($1).stage_table,
    pg_get_serial_sequence(($1).landed_table::text, 'id'))
$$;

-- Deletes what an earlier attempt landed of the part: its rows make place for those of this one.
create or replace function ingest.unland_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    delete from %1$s r where r.ctid = any (array(
      select f.ctid from %2$s s
      cross join lateral (select x.ctid from %1$s x where x.import_run_id = $1 and x.row_index = s.row_index and x.status in ('pending', 'failed') offset 0) f
      where s.stage_id = $2 and s.part = $3)) $sql$, ($1).landed_table, ($1).stage_table)
$$;

-- Lands the staged rows of a part that nobody promotes: bad ones failed, the others pending. $2 is the stage, $3 the part.
create or replace function ingest.stop_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    with decided as (
      select x.ctid as stage_tid, nextval(%L) as id, case when x.error_code is null then 'pending' else 'failed' end as status,
             x.error_code as reason, x.error_message as message, null::bigint as production_id, null::bigint as duplicate_of,
             null::%s as held
      from %s x where x.stage_id = $2 and x.part = $3) %s $sql$,
    pg_get_serial_sequence(($1).landed_table::text, 'id'), ($1).held, ($1).stage_table, ingest.land_statement($1))
$$;

-- The run stopped at --max-errors: its rows land as they are; nothing is promoted.
create or replace function ingest.stop_part(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  m ingest.kind_models := ingest.model_of_run(($1).import_kind, ($1).id);
  v_rows integer;
begin
  execute ingest.unland_statement(m) using ($1).id, $2, $3;
  execute ingest.stop_statement(m) using ($1).id, $2, $3, ($1).source_system;
  get diagnostics v_rows = row_count;
  return jsonb_build_object('rows', v_rows);
end
$$;

create or replace function ingest.tally_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    select jsonb_build_object(
      'total', count(*),
      'inserted', count(*) filter (where r.status in ('pending', 'processing') or r.status = any (%1$L) and r.status <> 'updated' %2$s),
      'skipped', count(*) filter (where r.status = 'skipped'), 'errored', count(*) filter (where r.status = 'failed'),
      'rolled_back', count(*) filter (where r.status = 'rolled_back')) %3$s
    from %4$s r %5$s where r.import_run_id = $1 $sql$,
    ($1).written, case when ($1).counts_production then 'and p.id is not null' end,
    case when 'updated' = any (($1).written) then format('|| jsonb_build_object(''updated'', count(*) filter (where r.status = ''updated'' %s))',
      case when ($1).counts_production then 'and p.id is not null' end) end,
    ($1).landed_table,
    case when ($1).counts_production then format('left join %s p on p.id = r.%I and r.status = any (%L)',
      ($1).production_table, ($1).production_id, ($1).written) end)
$$;

-- What the final tables hold of a run: {total, inserted, skipped, errored, rolled_back}, and updated of kinds that update.
create or replace function ingest.tally_import_run(run_id uuid, kind text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_nestloop = on set work_mem = '64MB' set jit = off
as $$
declare
  m ingest.kind_models := ingest.model_of_run($2, $1);
  v_tally jsonb;
begin
  if m.model is not null then
    -- A look-up takes as long as ten rows that are read one after another. Statistics do not know a run that has just ended.
    if (select r.rows_fetched > 3 * pg_relation_size(m.production_table) / 8192 from ingest.import_runs r where r.id = $1) then
      perform set_config('enable_nestloop', 'off', true); -- for this function alone: it has a setting of its own
    end if;
    execute ingest.tally_statement(m) into v_tally using $1;
  end if;
  -- Rows of a run that stopped at --max-errors wait: nothing was to be inserted.
  if exists (select from ingest.import_run_steps s where s.run_id = $1 and s.step = 'stop')
     and not exists (select from ingest.import_run_steps s where s.run_id = $1 and s.step = 'upsert') then
    v_tally := v_tally || '{"inserted": 0}';
  end if;
  return coalesce(v_tally, '{"total": 0, "inserted": 0, "skipped": 0, "errored": 0, "rolled_back": 0}');
end
$$;

create or replace function ingest.rejects_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    select jsonb_agg(jsonb_build_object('row_index', r.row_index, 'line', r.line_number, 'code', r.%2$I, 'message', r.%3$I,
                                        'record', encode(r.raw_record, 'base64')) order by r.row_index)
    from (select * from %1$s r where r.import_run_id = $1 and r.row_index > $2 and r.raw_record is not null
          order by r.row_index limit $3) r $sql$,
    ($1).landed_table, ingest.landed_name($1, 'error_code'), ingest.landed_name($1, 'error_message'))
$$;

-- Every staged row against its landed row, and every row that promises a production row against production; edited ones are told apart.
-- $4 is the status of the run: of a completed one no landed row waits, none is withdrawn, and a row failed exactly when it was rejected
-- or refused. A plaintiff that was there before the run (adopted) has values of its own. Each row is looked up by itself: statistics that know
-- other runs only expect no landed row of this one, and a plan by them reads all of its rows for each staged one.
create or replace function ingest.compare_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    with compared as (
      select s.line_number, r.id is null as missing,
             r.id is not null and (
               (%1$s) is distinct from (%2$s)
               or r.status <> 'rolled_back' and s.error_code is distinct from case when r.status = 'failed' and r.%3$I <> 'REFUSED_ROW' then r.%3$I end
               or $4 = 'completed' and (r.status in ('pending', 'processing', 'rolled_back')
                                        or (r.status = 'failed') <> (s.error_code is not null or r.%3$I is not distinct from 'REFUSED_ROW'))
               or r.status = any (%4$L) and p.id is null %5$s or coalesce(%13$s, false)) as different,
             e.edited
      from %8$s s
      left join lateral (select * from %9$s x where x.import_run_id = $1 and x.row_index = s.row_index offset 0) r on true
      left join lateral (select * from %10$s x where x.id = r.%11$I offset 0) p on true
      cross join lateral (select coalesce(r.status = any (%6$L) and (%7$s), false) as edited offset 0) x
      cross join lateral (select x.edited, r.status = any (%6$L) and p.id is not null and not x.edited %12$s as checked offset 0) e
      where s.stage_id = $2 and s.part = $3)
    select jsonb_build_object(
      'rows', count(*), 'missing', count(*) filter (where missing), 'different', count(*) filter (where different),
      'edited', count(*) filter (where edited),
      'lines', coalesce((select jsonb_agg(l.line_number) from (
        select c.line_number from compared c where c.missing or c.different order by 1 limit 20) l), '[]'))
    from compared $sql$,
    -- The file knows nothing of a row that the database refused.
    replace(ingest.kept_columns($1, 'r.'), 'r.raw_record', format('case when r.%I is distinct from ''REFUSED_ROW'' then r.raw_record end', ingest.landed_name($1, 'error_code'))),
    ingest.column_list(($1).kept, 's.'), ingest.landed_name($1, 'error_code'), ($1).present,
    case when ($1).compared <> '{}' then format('or e.checked and (%s) is distinct from (%s)',
      (select string_agg('p.' || quote_ident(e.value), ', ' order by e.key) from jsonb_each_text(($1).compared) e),
      (select string_agg('s.' || quote_ident(e.key), ', ' order by e.key) from jsonb_each_text(($1).compared) e)) end,
    ($1).written, ($1).edited, ($1).stage_table, ($1).landed_table, ($1).production_table, ($1).production_id,
    case when ($1).landing ? 'adopted' then 'and not r.adopted ' else '' end
    -- What was updated since is the other run's to answer for; of an updated row, what it updated.
    || case when ($1).known is not null then format('and case when r.status = ''updated'' then ingest.lacks_corrections(%L, $1, s.row_index, to_jsonb(p))
         else not exists (select from ingest.differences d where d.production_id = p.id and d.model = %1$L and d.status = ''applied'') end', ($1).model) else '' end,
    ($1).faulty)
$$;

create or replace function ingest.strays_statement(m ingest.kind_models) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select replace('select jsonb_build_object(' || string_agg(format('%L, (%s)', e.key, e.value), ', ' order by e.key) || ')', '{landed}', ($1).landed_table::text)
  from jsonb_each_text(($1).strays) e
$$;

-- Rows that name a run though none of its rows made them: {what: count}, without those of which there is none. A withdrawn run answers for nothing.
create or replace function ingest.find_strays(run ingest.import_runs) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off set work_mem = '64MB'
as $$
declare
  m ingest.kind_models := ingest.model_of_run(($1).import_kind, ($1).id);
  v_found jsonb;
begin
  if ($1).status = 'rolled_back' or m.strays = '{}' then
    return '{}';
  end if;
  execute ingest.strays_statement(m) into v_found using ($1).id;
  return (select coalesce(jsonb_object_agg(e.key, e.value), '{}') from jsonb_each(v_found) e where e.value <> '0');
end
$$;

-- What no staged row accounts for, of the run as a whole: its landed rows that are not in the file, and strays.
create or replace function ingest.find_extra_rows(run ingest.import_runs, stage_id uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off set work_mem = '64MB'
as $$
declare
  m ingest.kind_models := ingest.model_of_run(($1).import_kind, ($1).id);
  v_landed bigint;
begin
  execute format('select count(*) from %s r where r.import_run_id = $1
                    and not exists (select from %s s where s.stage_id = $2 and s.row_index = r.row_index)', m.landed_table, m.stage_table)
    into v_landed using ($1).id, $2;
  return ingest.find_strays($1) || case when v_landed > 0 then jsonb_build_object(m.landed_table::text, v_landed) else '{}' end;
end
$$;

-- Whether a production row has not what a row of the run updated, unless a later one updated that again.
create or replace function ingest.lacks_corrections(model text, run_id uuid, row_index integer, production jsonb) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from ingest.differences d
    where d.import_run_id = $2 and d.row_index = $3 and d.model = $1 and d.status = 'applied' and $4 ? d.field and $4 ->> d.field is distinct from d.file_value
      and not exists (select from ingest.differences x where x.production_id = d.production_id and x.model = d.model and x.field = d.field
                      and x.status = 'applied' and x.id > d.id))
$$;

create or replace function ingest.compare_part(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
declare
  v_result jsonb;
begin
  execute ingest.compare_statement(ingest.model_of_run(($1).import_kind, ($1).id)) into v_result using ($1).id, $2, $3, ($1).status;
  return v_result;
end
$$;

-- The frame of upsert and count, one truth for both. A model brings promote_<model>(run, source_system, stage_id, part, commit), which
-- decides about the rows of a part and, when `commit` asks for it, writes the production rows. Landing, counting, trying
-- again and finding the rows that the database refuses are the frame's. Without `commit` there may be no run, and ids may be anything.
-- `effects` of a row are {name: number}, summed over the part; `held` is for the kind's own landed columns.
do $$
begin
  create type ingest.decided_row as (
    stage_tid tid, id bigint, status text, reason text, message text, production_id bigint, duplicate_of bigint, effects jsonb, held jsonb);
exception when duplicate_object then null;
end
$$;

-- Counters of a part from a relation `decided`; what differs is counted of the fields of rows.
create or replace function ingest.counts_statement(m ingest.kind_models) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    select c.counts || case when e.effects = '{}' then '{}' else jsonb_build_object('effects', e.effects) end
    from (select jsonb_build_object('inserted', count(*) filter (where d.status in ('promoted', 'inserted')), 'updated', count(*) filter (where d.status = 'updated'),
                                    'skipped', count(*) filter (where d.status = 'skipped'), 'errored', count(*) filter (where d.status = 'failed')) as counts,
                 count(*) filter (where d.reason = 'REFUSED_ROW') as refused from decided d) c
    cross join lateral (select %L::jsonb || coalesce(jsonb_object_agg(n.name, n.total), '{}')
                               || case when c.refused = 0 then '{}' else jsonb_build_object('refused', c.refused) end as effects
                        from (select x.key as name, sum(x.value::bigint) as total
                              from decided d cross join lateral jsonb_each_text(d.effects) x where d.effects is not null group by 1 %s) n) e $sql$,
    (select coalesce(jsonb_object_agg(e.name, 0), '{}') from unnest(($1).effects) as e (name)),
    case when ($1).known is not null then $sql$
      union all
      select case when d.status = 'updated' then 'updated:' else 'differing:' end || k.field, count(*)
      from decided d cross join lateral jsonb_object_keys(d.fields) as k (field) where d.fields is not null group by 1
      union all
      select v.name, v.rows from (
        select count(*) as differing, count(*) filter (where d.known is null) as in_file from decided d where d.fields is not null and d.status <> 'updated') r
      cross join lateral (values ('differing', r.differing), ('differing_in_file', r.in_file)) as v (name, rows) where v.rows > 0 $sql$ end)
$$;

-- Plans a part of a kind that resolves its rows again; nothing for others.
create or replace function ingest.plan_part_again(m ingest.kind_models, run ingest.import_runs, stage_id uuid, part integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if ingest.kind_resolves(($2).import_kind) then
    execute format('select ingest.%I($1, $2, 1, $3)', 'resolve_' || ($1).model) using $2, $3, $4;
  end if;
end
$$;

-- Errors that a row may cause: its values, a constraint, a limit, a trigger, also one in another language or with a code of its own. What may
-- pass (conflicts, shortages, shutdowns) is none, nor is what Intake says itself.
create or replace function ingest.is_refusal(state text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select left($1, 2) in ('21', '22', '23', '38', '39', '44', '54') or $1 ~ '^[6-9A-Z]' and left($1, 2) not in ('72', 'F0', 'HV', 'IN', 'XX')
$$;

-- So many rows of a part may be refused one by one; each takes some milliseconds and several tries. A rule that more of them break is met by
-- the operator, not by the rows.
create or replace function ingest.max_refused_rows() returns integer
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select 1000 $$;

-- What a part has written is refused now, not at its commit: by constraints that are put off, and by a trigger of the team that leaves a
-- record out. `parts` is the table that says which part a row is of.
create or replace function ingest.check_part(m ingest.kind_models, run ingest.import_runs, parts regclass, stage_id uuid, part integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_trigger text;
  v_left_out boolean;
begin
  set constraints all immediate;
  select t.tgname into v_trigger
  from pg_catalog.pg_trigger t join pg_catalog.pg_proc f on f.oid = t.tgfoid
  where t.tgrelid = ($1).production_table and not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype & 7 = 7 -- before each inserted row
    and f.pronamespace <> 'ingest'::regnamespace limit 1;
  if found then
    execute format('select exists (select from %s s join %s l on l.import_run_id = $1 and l.row_index = s.row_index
                    where s.stage_id = $2 and s.part = $3 and l.status = any (%L) and not exists (select from %s p where p.id = l.%I))',
                   $3, ($1).landed_table, ($1).written, ($1).production_table, ($1).production_id)
      into v_left_out using ($2).id, $4, $5;
    if v_left_out then
      raise exception 'a trigger leaves records out' using errcode = 'raise_exception', constraint = v_trigger;
    end if;
  end if;
end
$$;

-- Which rows of a scratch part the database refuses: the part is halved until only they fail, and what it takes stays, so that a row
-- which is refused because of another one is found, too. `parts` is the table that says which part a row is of. The caller undoes it all.
create or replace function ingest.refused_rows(
  m ingest.kind_models, run ingest.import_runs, statement text, parts regclass, stage_id uuid, node integer default 1
) returns table (row_index integer, message text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_part constant integer := -1000000 - $6; -- below those of slices
  v_message text;
  v_rows integer;
  v_first integer;
  v_middle integer;
begin
  begin
    perform ingest.plan_part_again($1, $2, $5, v_part);
    execute $3 using ($2).id, $5, v_part, ($2).source_system, $2;
    perform ingest.check_part($1, $2, $4, $5, v_part);
    return;
  exception when others then
    if not ingest.is_refusal(sqlstate) then
      raise;
    end if;
    get stacked diagnostics v_message = constraint_name;
    v_message := 'the database refuses this record: ' || sqlstate || coalesce(' ' || nullif(v_message, ''), '');
  end;
  execute format('select count(*), min(row_index), percentile_disc(0.5) within group (order by row_index) from %s where stage_id = $1 and part = $2', $4)
    into v_rows, v_first, v_middle using $5, v_part;
  if v_rows < 2 then
    perform set_config('intake.refused', (current_setting('intake.refused')::integer + v_rows)::text, true);
    if current_setting('intake.refused')::integer > ingest.max_refused_rows() then
      raise exception '%; so it does with more than % records of a part', v_message, ingest.max_refused_rows() using errcode = 'IN006',
        hint = 'See what your constraint or trigger wants, change it or the file, then go on: intake resume ID.';
    end if;
    return query select v_first, v_message where v_rows = 1;
    return;
  end if;
  execute format('update %s set part = -1000000 - 2 * $3 - (row_index > $4)::integer where stage_id = $1 and part = $2', $4)
    using $5, v_part, $6, v_middle;
  return query select * from ingest.refused_rows($1, $2, $3, $4, $5, 2 * $6);
  return query select * from ingest.refused_rows($1, $2, $3, $4, $5, 2 * $6 + 1);
end
$$;

-- Finds the rows of a part that the database refuses and stages them as rejects, with the reason; answers how many. Only rows that would be
-- written are tried: what a later row replaces, or is skipped, refuses nobody. The record of a rejected row is read from the source
-- (raw_record is empty); kinds with rejects of their own get the payload.
create or replace function ingest.reject_refused(
  m ingest.kind_models, run ingest.import_runs, statement text, stage_id uuid, part integer, update_known boolean
) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_plan text := case when ingest.kind_resolves(($2).import_kind) then format('ingest_stage.%I', ($1).model || '_plan') end;
  v_parts regclass := ingest.sliced_table(($2).import_kind, v_plan is not null);
  v_rows integer[];
  v_messages text[];
begin
  perform set_config('intake.refused', '0', true);
  begin
    execute format('%s select array_agg(s.row_index) from decided d
                    cross join lateral (select x.row_index from %s x where x.ctid = d.stage_tid offset 0) s where d.status = any (%L)',
                   ingest.decided_statement($1, $6, false), ($1).stage_table, ($1).written)
      into v_rows using ($2).id, $4, $5, ($2).source_system, $2;
    execute format('update %s p set part = -1000001 where p.stage_id = $1 and p.part = $2 and p.row_index = any ($3)', v_parts) using $4, $5, v_rows;
    select array_agg(f.row_index), array_agg(f.message) into v_rows, v_messages from ingest.refused_rows($1, $2, $3, v_parts, $4) f;
    raise exception using errcode = 'IN005';
  exception when sqlstate 'IN005' then null;
  end;
  if v_rows is null then
    return 0;
  end if;
  execute format($sql$
    with refused as (
      update %1$s s set error_code = 'REFUSED_ROW', error_message = f.message, raw_record = %2$s
      from unnest($3, $4) as f (row_index, message)
      where s.stage_id = $1 and s.row_index = f.row_index and %3$s
      returning s.row_index, s.ctid)
    %4$s $sql$, ($1).stage_table,
    case when 'rejects' = any (($1).own) then 'convert_to(s.raw_payload::text, ''UTF8'')' else '''''' end,
    case when v_plan is null then 's.part = $2' else format('s.ctid = any (array(select p.stage_tid from %s p where p.stage_id = $1 and p.row_index = any ($3)))', v_plan) end,
    case when v_plan is null then 'select' else format('update %s p set stage_tid = f.ctid from refused f where p.stage_id = $1 and p.row_index = f.row_index', v_plan) end)
    using $4, $5, v_rows, v_messages;
  return cardinality(v_rows);
end
$$;

-- Production columns among the fields of a model's differences, each with the field whose value it has.
create or replace function ingest.corrected_columns(m ingest.kind_models) returns table (name text, field text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select c.name, e.key from jsonb_each(($1).differing) e cross join lateral (values (e.key), (e.value ->> 'also')) as c (name)
  where exists (select from pg_catalog.pg_attribute a where a.attrelid = ($1).production_table and a.attname = c.name)
$$;

-- What a staged row says in the fields of a model's differences, and what is compared of it: columns `file <field>` and `key <field>`. `tid` is
-- an expression.
create or replace function ingest.spelled_statement(m ingest.kind_models, tid text) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format('select %s from %s s where s.ctid = %s',
    string_agg(format('(%s)::text as %I, %s as %I', e.value ->> 'file', 'file ' || e.key, e.value ->> 'key', 'key ' || e.key), ', ' order by e.key),
    ($1).stage_table, $2)
  from jsonb_each(($1).differing) e
$$;

-- CTE `decided` of a part: what promote_<model> says, and what skipped rows say otherwise: than the production row that they are about, or, of a new
-- one, than the row of the file that makes it. With `update_known` the first row of a production row updates it, unless somebody edited or
-- made that by hand, and the others are compared with what it says. $1 is the run, $2 the stage, $3 the part, $4 the source system, $5 the run's row.
create or replace function ingest.decided_statement(m ingest.kind_models, update_known boolean, commit boolean) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format(case when ($1).known is null then 'with decided as materialized (select * from ingest.%1$I($5, $4, $2, $3, %2$L)) ' else $sql$
    with judged as materialized (
      select * from ingest.%1$I($5, $4, $2, $3, %2$L)
    ), decided as materialized (
      select j.stage_tid, j.id, j.status, j.reason, j.message, j.production_id, j.duplicate_of, j.effects, j.held,
             null::bigint as known, null::tid as first, null::jsonb as fields, null::boolean as edited
      from judged j where j.status is distinct from 'skipped' -- most rows: nothing is compared
      union all
      select j.stage_tid, j.id, case when u.updates then 'updated' else j.status end as status, case when not u.updates then j.reason end as reason,
             j.message, case when u.updates then j.known else j.production_id end as production_id, j.duplicate_of,
             j.effects, j.held, j.known, j.first, f.fields, j.edited
      from (
        select i.*, k.known, c.fields, c.edited %3$s
        from (select * from judged j where j.status = 'skipped') i
        cross join lateral (select %4$s as known) k
        left join lateral (
          select case when %9$s then jsonb_strip_nulls(jsonb_build_object(%7$s)) end as fields, -- asked first, since most rows say the same
                 s.row_index, p.updated_at <> p.created_at or not exists (
                   select from ingest.import_runs o where o.id = p.import_run_id and o.created_at <= p.created_at) as edited
          from %5$s s cross join %6$s p
          where k.known is not null and s.ctid = i.stage_tid and p.id = k.known offset 0) c on true -- as a condition of the join it is asked when all is read
        %13$s
      ) j
      cross join lateral (select %10$s as first) w
      cross join lateral (
        select case when w.first is null then j.fields else (
          select nullif(jsonb_strip_nulls(jsonb_build_object(%14$s)), '{}') from (%11$s) a left join (%12$s) b on true) end as fields offset 0) f
      cross join lateral (select %8$s as updates) u
    ) $sql$ end,
    'promote_' || ($1).model, $3,
    case when $2 then ', row_number() over rows_of as nth, first_value(i.stage_tid) over rows_of as writes' end, ($1).known,
    ($1).stage_table, ($1).production_table,
    (select string_agg(format('%L, case when (%s) is not null and (%s) then jsonb_build_array((%2$s)::text, (%4$s)::text) end',
                              e.key, e.value ->> 'file', e.value ->> 'differs', e.value ->> 'database'), ', ' order by e.key)
     from jsonb_each(($1).differing) e),
    case when $2 then 'j.fields is not null and j.nth = 1 and not j.edited' else 'false' end,
    (select string_agg(format('(%s) is not null and (%s)', e.value ->> 'file', e.value ->> 'differs'), ' or ' order by e.key)
     from jsonb_each(($1).differing) e),
    case when $2 then 'coalesce(j.first, case when j.known is not null and j.nth > 1 and not j.edited then j.writes end)' else 'j.first' end,
    ingest.spelled_statement($1, 'j.stage_tid'), ingest.spelled_statement($1, 'w.first'),
    case when $2 then 'window rows_of as (partition by k.known order by c.row_index)' end,
    (select string_agg(format($field$
       %1$L, case when a.%2$I is null then null
         when b.%2$I is null then case when j.known is null then jsonb_build_array(a.%2$I, null::text) else j.fields -> %1$L end
         when a.%3$I is distinct from b.%3$I and (%4$L or j.known is null or j.fields ? %1$L) then jsonb_build_array(a.%2$I, b.%2$I) end $field$,
       e.key, 'file ' || e.key, 'key ' || e.key, e.key in (select c.field from ingest.corrected_columns($1) c)), ', ' order by e.key)
     from jsonb_each(($1).differing) e))
$$;

-- Assignments of an UPDATE of p: the columns whose field is in `fields`, with the values of record f.
create or replace function ingest.corrections(m ingest.kind_models, fields text) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('%1$I = case when %2$s ? %3$L then f.%3$I else p.%1$I end', c.name, $2, c.field), ', ' order by c.name) from ingest.corrected_columns($1) c
$$;

-- in_file: than an earlier row of the file, which makes the production row; applied: written; edited: somebody edited that row, or typed it.
create or replace function ingest.difference_status(status text, known bigint, edited boolean) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select case when $1 = 'updated' then 'applied' when $2 is null then 'in_file' when $3 then 'edited' else 'skipped' end $$;

-- CTEs behind `decided`: differences are noted, and those of updated rows are written. The row counts as not edited then.
create or replace function ingest.note_differences_statement(m ingest.kind_models, update_known boolean) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select case when ($1).known is null then '' else format($sql$
    , noted as (
      insert into ingest.differences (import_run_id, row_index, line_number, model, production_id, field, file_value, database_value, status)
      select $1, s.row_index, s.line_number, %L, coalesce(d.known, d.production_id, (m.ids ->> d.first::text)::bigint), f.key, f.value ->> 0, f.value ->> 1,
             ingest.difference_status(d.status, d.known, %L and d.edited)
      from decided d
      cross join (select jsonb_object_agg(x.stage_tid::text, x.production_id) as ids from decided x
                  where (x.stage_tid in (select y.first from decided y where y.fields is not null)) is true) m
      cross join lateral (select x.row_index, x.line_number from %s x where x.ctid = d.stage_tid offset 0) s
      cross join lateral jsonb_each(d.fields) f where d.fields is not null) $sql$, ($1).model, $2, ($1).stage_table)
    || case when $2 then format($sql$
    , corrected as (
      update %s p set created_at = now(), updated_at = now(), %s
      from decided d cross join lateral (
        select x.* from (select jsonb_object_agg(e.key, e.value -> 0) as fields from jsonb_each(d.fields) e) o
        cross join lateral jsonb_populate_record(null::%1$s, o.fields) x offset 0) f
      where d.status = 'updated' and p.id = d.known) $sql$, ($1).production_table, ingest.corrections($1, 'd.fields')) else '' end end
$$;

-- Lands and promotes a part: each row is written once, its outcome already known. A row that the database refuses fails alone.
create or replace function ingest.upsert_part(run ingest.import_runs, stage_id uuid, part integer, update_known boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set work_mem = '64MB'
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off set datestyle = 'ISO, YMD'
as $$
declare
  m ingest.kind_models := ingest.model_of_run(($1).import_kind, ($1).id);
  v_update boolean := $4 and m.known is not null;
  v_statement text := format('%s %s, landed as (%s) %s', ingest.decided_statement(m, v_update, true), ingest.note_differences_statement(m, v_update),
                             ingest.land_statement(m), ingest.counts_statement(m));
  v_result jsonb;
  v_tries integer := 0;
begin
  loop
    begin
      if v_update then
        execute format('select ingest.%I($1, $2, $3)', 'lock_known_' || m.model) using $1, $2, $3;
        perform ingest.own_writes(true);
      end if;
      execute v_statement into v_result using ($1).id, $2, $3, ($1).source_system, $1;
      if v_update and 'correct' = any (m.own) then
        execute format('select ingest.%I($1, $2, $3)', 'correct_' || m.model) using $1, $2, $3;
      end if;
      perform ingest.check_part(m, $1, ingest.sliced_table(($1).import_kind, ingest.kind_resolves(($1).import_kind)), $2, $3);
      perform ingest.own_writes(false);
      return v_result;
    exception when others then
      if not ingest.is_refusal(sqlstate) then
        raise;
      end if;
      v_tries := v_tries + 1;
      -- Another import may have promoted one of the keys meanwhile: its row is visible to the next look.
      if (sqlstate <> '23505' or v_tries > 2) and ingest.reject_refused(m, $1, v_statement, $2, $3, v_update) = 0 then
        if sqlstate <> '23505' then
          raise;
        elsif v_tries > 10 then
          raise exception 'keys are contended' using errcode = '40001';
        end if;
      end if;
    end;
    perform ingest.plan_part_again(m, $1, $2, $3);
  end loop;
end
$$;

create or replace function ingest.count_part(kind text, source_system text, stage_id uuid, part integer, update_known boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off set datestyle = 'ISO, YMD'
as $$
declare
  m ingest.kind_models := ingest.model_of($1);
  v_result jsonb;
begin
  execute ingest.decided_statement(m, $5, false) || ingest.counts_statement(m) into v_result using null::uuid, $3, $4, $2, null::ingest.import_runs;
  return v_result;
end
$$;

-- The frame of a rollback. It goes through the landed rows of a run in parts: the rows of a part stand in intake_withdrawn with the status
-- that they had, are marked, and rollback_<model>(run) undoes in production what they did. A kind writes only that. It answers
-- {removed, inherited, kept_edited, ...}; the numbers of all parts are added.

-- The rows of this part, for rollback_<model>.
create or replace function ingest.empty_withdrawn() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  drop table if exists pg_temp.intake_withdrawn;
  create temp table intake_withdrawn (raw_id bigint primary key, status text not null, row_index integer, production_id bigint)
    on commit drop;
end
$$;

-- Fills it with the next $3 landed rows of run $1 after row $4, and those that belong to them, whose row_index is left out. A preview names
-- the run as $2, too: what belongs to earlier rows was told with them.
create or replace function ingest.withdraw_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    with next as materialized (
      select r.id, r.status, r.row_index, r.%5$I as production_id %3$s from %1$s r
      where r.import_run_id = $1 and ($4 is null or r.row_index > $4::integer) and r.status <> 'rolled_back' %4$s order by r.row_index limit $3)
    insert into pg_temp.intake_withdrawn select n.id, n.status, n.row_index, n.production_id from next n %2$s $sql$,
    ($1).landed_table, case when ($1).together is not null then format($sql$
      union all
      select r.id, r.status, null, r.%3$I from %1$s r
      where r.import_run_id = $1 and ($4 is null or r.row_index > $4::integer) and r.status <> 'rolled_back'
        and r.%2$I in (select n.%2$I from next n) and r.id not in (select n.id from next n) $sql$,
      ($1).landed_table, ($1).together, ($1).production_id) end,
    ', r.' || quote_ident(($1).together),
    case when ($1).together is not null then format('and ($2 is null or r.%2$I is null or r.%2$I not in (
      select x.%2$I from %1$s x where x.import_run_id = $2 and x.row_index <= $4::integer and x.%2$I is not null))',
      ($1).landed_table, ($1).together) end, ($1).production_id)
$$;

-- Rows that pass to other runs, [{run, inserted, updated, skipped}]: their counters move, and a run that is still at work sums its
-- own from the ledger. Answers how many rows they have more.
create or replace function ingest.transfer_rows(changes jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update ingest.import_runs i set
    rows_inserted = greatest(i.rows_inserted + c.inserted, 0), rows_updated = greatest(i.rows_updated + c.updated, 0),
    rows_skipped = greatest(i.rows_skipped + c.skipped, 0), updated_at = now()
  from (select e.run, coalesce(e.inserted, 0) as inserted, coalesce(e.updated, 0) as updated, coalesce(e.skipped, 0) as skipped
        from jsonb_to_recordset($1) as e (run uuid, inserted integer, updated integer, skipped integer)) c
  where i.id = c.run;
  insert into ingest.import_run_steps (run_id, step, part, result)
  select (e.change ->> 'run')::uuid, 'inherit',
         (select count(*) from ingest.import_run_steps s where s.run_id = (e.change ->> 'run')::uuid and s.step = 'inherit'), e.change - 'run'
  from jsonb_array_elements($1) as e (change);
  return (select coalesce(sum(coalesce(e.inserted, 0) + greatest(e.updated, 0)), 0)
          from jsonb_to_recordset($1) as e (inserted integer, updated integer));
end
$$;

-- The same for rows that were skipped, or updated something, and now are inserted: their runs and what they were (skipped, where it is not said).
create or replace function ingest.transfer_skipped_rows(runs uuid[], statuses text[] default '{}') returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  select ingest.transfer_rows(coalesce(jsonb_agg(jsonb_build_object('run', n.run, 'inserted', n.rows, 'skipped', n.updated - n.rows, 'updated', -n.updated)), '[]'))
  from (select r.run, count(*)::integer as rows, (count(*) filter (where r.status = 'updated'))::integer as updated
        from unnest($1, $2) as r (run, status) where r.run is not null group by r.run) n
$$;

-- Foreign keys to a table but for those of `own` tables: who refers, and by which condition over x (the referring row) and t (the table's).
create or replace function ingest.references_to(target regclass, own regclass[]) returns table (source regclass, condition text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select c.conrelid::regclass,
         (select string_agg(format('x.%I = t.%I', a.attname, f.attname), ' and ')
          from unnest(c.conkey, c.confkey) as k (source_column, target_column)
          join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.source_column
          join pg_catalog.pg_attribute f on f.attrelid = c.confrelid and f.attnum = k.target_column)
  from pg_catalog.pg_constraint c
  where c.contype = 'f' and c.confrelid = $1 and c.conparentid = 0 and c.conrelid <> all ($2::oid[])
$$;

-- Rows of a production table that other tables refer to by a foreign key; `own` are those that Intake writes itself.
create or replace function ingest.referenced_rows(target regclass, ids anyarray, own regclass[]) returns anyarray
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_key record;
  v_found ids%type;
  v_all ids%type := '{}';
begin
  for v_key in select * from ingest.references_to($1, $3) loop
    execute format('select array_agg(t.id) from %s t where t.id = any ($1) and exists (select from %s x where %s)', $1, v_key.source, v_key.condition)
      into v_found using $2;
    v_all := v_all || coalesce(v_found, '{}');
  end loop;
  return v_all;
end
$$;

-- Under which condition a row t of a table has to stay: a table of the team refers to it, and neither goes nor lets go with it.
create or replace function ingest.holding(target regclass) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(format('exists (select from %s x where %s)', r.source, r.condition), ' or '), 'false')
  from ingest.references_to($1, '{}') r
  where exists (select from pg_catalog.pg_constraint c where c.conrelid = r.source and c.confrelid = $1 and c.contype = 'f' and c.confdeltype in ('a', 'r'))
$$;

-- Those of these rows that have to stay. They are locked first, so that who begins to refer to one waits, and finds it gone.
create or replace function ingest.held_rows(target regclass, rows tid[]) returns tid[]
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_holding text := ingest.holding($1);
  v_held tid[] := '{}';
begin
  if v_holding <> 'false' then
    execute format('select from %s t where t.ctid = any ($1) for update', $1) using $2;
    execute format('select coalesce(array_agg(t.ctid), ''{}'') from %s t where t.ctid = any ($1) and (%s)', $1, v_holding) into v_held using $2;
  end if;
  return v_held;
end
$$;

-- {count, <name>: [the first thousand ids]}
create or replace function ingest.kept_ids(name text, ids bigint[]) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('count', cardinality($2), $1, coalesce((
    select jsonb_agg(i.id order by i.id) from (select x.id from unnest($2) as x (id) order by 1 limit 1000) i), '[]'))
$$;

-- Marks them; a rejected row keeps its code in front of its message.
create or replace function ingest.mark_statement(m ingest.kind_models) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select format($sql$
    update %1$s r set status = 'rolled_back', %2$I = 'ROLLED_BACK', updated_at = now(),
      %3$I = case when r.status = 'failed' then coalesce(r.%2$I || ': ' || r.%3$I, r.%2$I) else r.%3$I end %4$s
    from pg_temp.intake_withdrawn w where r.id = w.raw_id $sql$,
    ($1).landed_table, ingest.landed_name($1, 'error_code'), ingest.landed_name($1, 'error_message'),
    (select string_agg(format(', %I = %s', e.key, e.value), '' order by e.key) from jsonb_each_text(($1).retired) e))
$$;

-- Takes back what the withdrawn rows updated, field by field. What a later run wrote over it stays; that run holds the former value now. What
-- somebody edited since stays and is listed.
create or replace function ingest.undo_differences(m ingest.kind_models, run ingest.import_runs) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_restored bigint;
  v_kept bigint[];
begin
  drop table if exists pg_temp.intake_undone;
  create temp table intake_undone (id bigint, production_id bigint, field text, file_value text, database_value text, next_id bigint, stands boolean) on commit drop;
  if not exists (select from pg_temp.intake_withdrawn w where w.status = 'updated') or ($1).known is null then
    return '{}';
  end if;
  execute format($sql$
    insert into pg_temp.intake_undone
    select d.id, d.production_id, d.field, d.file_value, d.database_value, n.id, d.field not in (select c.name from ingest.corrected_columns($2) c)
           or (select to_jsonb(p) ->> d.field from %s p where p.id = d.production_id) is not distinct from d.file_value
    from pg_temp.intake_withdrawn w
    join %s r on r.id = w.raw_id
    join ingest.differences d on d.import_run_id = $1 and d.row_index = r.row_index and d.status = 'applied'
    left join lateral (
      select x.id from ingest.differences x
      where x.production_id = d.production_id and x.model = d.model and x.field = d.field and x.status = 'applied' and x.id > d.id
      order by x.id limit 1) n on true
    where w.status = 'updated' $sql$, ($1).production_table, ($1).landed_table) using ($2).id, $1;
  update ingest.differences x set database_value = u.database_value from pg_temp.intake_undone u where x.id = u.next_id;
  update ingest.differences x set status = 'withdrawn' from pg_temp.intake_undone u where x.id = u.id;
  v_restored := ingest.write_fields($1, (
    select jsonb_object_agg(u.production_id, u.fields)
    from (select x.production_id, jsonb_object_agg(x.field, x.database_value) as fields
          from pg_temp.intake_undone x where x.next_id is null and x.stands group by 1) u));
  v_kept := array(select distinct u.production_id from pg_temp.intake_undone u where u.next_id is null and not u.stands);
  return jsonb_build_object('restored', v_restored)
    || case when v_kept = '{}' then '{}' else jsonb_build_object('kept_edited', ingest.kept_ids(rtrim(($1).model, 's') || '_ids', v_kept)) end;
end
$$;

-- Writes {production id: {field: text}} as Intake's own; answers how many rows.
create or replace function ingest.write_fields(m ingest.kind_models, rows jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows bigint;
begin
  perform ingest.own_writes(true);
  execute format($sql$
    update %1$s p set %2$s from jsonb_each($1) v cross join lateral jsonb_populate_record(null::%1$s, v.value) f where p.id = v.key::bigint $sql$,
    ($1).production_table, ingest.corrections($1, 'v.value')) using coalesce($2, '{}');
  get diagnostics v_rows = row_count;
  perform ingest.own_writes(false);
  return v_rows;
end
$$;

-- Rows that updated a production row and now are what it was made of, [{run, row_index}], update nothing any more. What other runs updated of these
-- production rows is put on top of the values that they have now.
create or replace function ingest.rebase_differences(m ingest.kind_models, production_ids bigint[], bases jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update ingest.differences d set status = 'withdrawn'
  from jsonb_to_recordset($3) as b (run uuid, row_index integer)
  where d.import_run_id = b.run and d.row_index = b.row_index and d.status = 'applied';
  if not exists (select from ingest.differences d where d.production_id = any ($2) and d.model = ($1).model and d.status = 'applied') then
    return;
  end if;
  execute format($sql$
    update ingest.differences d set database_value = (select to_jsonb(p) ->> d.field from %s p where p.id = d.production_id)
    from (select min(x.id) as id from ingest.differences x
          where x.production_id = any ($1) and x.model = $2 and x.status = 'applied' and x.field in (select c.name from ingest.corrected_columns($3) c)
          group by x.production_id, x.field) f
    where d.id = f.id $sql$, ($1).production_table) using $2, ($1).model, $1;
  perform ingest.write_fields($1, (
    select jsonb_object_agg(u.production_id, u.fields)
    from (select l.production_id, jsonb_object_agg(l.field, l.file_value) as fields
          from (select distinct on (x.production_id, x.field) x.production_id, x.field, x.file_value from ingest.differences x
                where x.production_id = any ($2) and x.model = ($1).model and x.status = 'applied' order by x.production_id, x.field, x.id desc) l
          group by 1) u));
end
$$;

-- What rows of a run say otherwise than the tables did, after an id.
create or replace function ingest.read_differences(run_id uuid, after_id bigint default 0, max_rows integer default 500) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', d.id, 'row_index', d.row_index, 'line', d.line_number, 'table', k.production_table::text, 'production_id', d.production_id, 'field', d.field,
    'file_value', d.file_value, 'database_value', d.database_value, 'status', d.status) order by d.id), '[]')
  from (select * from ingest.differences x where x.import_run_id = $1 and x.id > $2 order by x.id limit $3) d
  join ingest.kind_models k on k.model = d.model
$$;

-- The same of a part of a dry run, as a commit would note it; what it would make has no id yet. A page has whole rows.
create or replace function ingest.plan_differences(
  kind text, source_system text, stage_id uuid, part integer, update_known boolean default false, after_row integer default -1, max_rows integer default 5000
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set statement_timeout = '120s'
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off set datestyle = 'ISO, YMD'
as $$
declare
  m ingest.kind_models := ingest.model_of($1);
  v_result jsonb;
begin
  if m.known is null then
    return '[]';
  end if;
  execute ingest.decided_statement(m, $5, false) || format($sql$
    select coalesce(jsonb_agg(jsonb_build_object(
      'row_index', n.row_index, 'line', n.line_number, 'table', %L, 'production_id', n.known, 'field', f.key, 'file_value', f.value ->> 0,
      'database_value', f.value ->> 1, 'status', ingest.difference_status(n.status, n.known, %L and n.edited)) order by n.row_index, f.key), '[]')
    from (select s.row_index, s.line_number, d.* from decided d cross join lateral (
            select x.row_index, x.line_number from %s x where x.ctid = d.stage_tid offset 0) s
          where d.fields is not null and s.row_index > $6 order by s.row_index limit $7) n
    cross join lateral jsonb_each(n.fields) f $sql$, m.production_table::text, $5, m.stage_table)
    into v_result using null::uuid, $3, $4, $2, null::ingest.import_runs, $6, $7;
  return v_result;
end
$$;

-- Withdraws the next rows of a run, at most `max_rows` and those that belong to them; null when none is left and some were withdrawn before.
-- `after_row` of the answer is where the next part begins. A part is looked up by its ids, never by reading the tables whole. Statistics
-- know nothing of a run of a minute ago: conditions on its rows stand in coalesce(), of which the planner assumes that half are true.
create or replace function ingest.withdraw_rows(run ingest.import_runs, max_rows integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set work_mem = '64MB' set jit = off set random_page_cost = 1
as $$
declare
  m ingest.kind_models := ingest.model_of_run(($1).import_kind, ($1).id);
  v_rows integer;
  v_undone jsonb;
  v_result jsonb;
begin
  perform ingest.empty_withdrawn();
  execute ingest.withdraw_statement(m) using ($1).id, case when ($1).metadata -> 'rollback' ? 'preview' then ($1).id end, $2, ($1).metadata #>> '{rollback,after_row}';
  get diagnostics v_rows = row_count;
  if v_rows = 0 and ($1).metadata ? 'rollback' then
    return null;
  end if;
  analyze pg_temp.intake_withdrawn;
  execute ingest.mark_statement(m);
  v_undone := ingest.undo_differences(m, $1);
  execute format('select ingest.%I($1)', 'rollback_' || m.model) into v_result using $1;
  v_result := ingest.add_results(v_result, v_undone) || jsonb_build_object('rows_affected', v_rows, 'after_row', (select max(w.row_index) from pg_temp.intake_withdrawn w));
  drop table pg_temp.intake_withdrawn;
  return v_result;
end
$$;
