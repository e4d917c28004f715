-- Kinds that match people by several keys resolve their rows once per run, before upsert: which rows are duplicates, who is
-- the same person, and which rows therefore belong into one part. The answer stands in ingest_stage.<suffix>_plan.
alter table ingest.import_kinds add column if not exists resolves boolean not null default false;

-- Which stages are resolved. A run that loses its stage, or is resumed, resolves what has not landed yet anew: a further
-- generation, whose parts are other parts for the ledger.
create unlogged table if not exists ingest_stage.resolved (
  stage_id uuid primary key,
  generation integer not null,
  epoch bigint not null,
  options jsonb not null,
  answer jsonb not null
);
grant select, insert, delete on ingest_stage.resolved to service_role, dragonfly_app;

-- People are created by one run at a time: whose turn it is, and how often it has changed hands.
create table if not exists ingest.people_turn (
  only_row boolean primary key default true check (only_row),
  run_id uuid,
  epoch bigint not null default 0
);
insert into ingest.people_turn default values on conflict do nothing;
alter table ingest.people_turn enable row level security;
grant select, update on ingest.people_turn to service_role, dragonfly_app;
drop policy if exists people_turn_app on ingest.people_turn;
create policy people_turn_app on ingest.people_turn for all to dragonfly_app using (true) with check (true);

-- Parts of one run never share a new person, so they go side by side (a shared lock); another run first waits for them and
-- then has the turn (an exclusive lock until its transaction ends). Nobody else creates people until the end of the
-- transaction. Answers the epoch: when it is not the one of a plan, others may have created people since.
create or replace function ingest.take_turn(run_id uuid) returns bigint
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_lock constant bigint := hashtextextended('intake.people', 0);
  v_holder uuid;
  v_epoch bigint;
begin
  begin
    perform pg_advisory_xact_lock_shared(v_lock);
    select t.run_id, t.epoch into v_holder, v_epoch from ingest.people_turn t;
    if v_holder = $1 then
      return v_epoch;
    end if;
    raise exception using errcode = 'IN003'; -- gives the shared lock back
  exception when sqlstate 'IN003' then null;
  end;
  perform pg_advisory_xact_lock(v_lock);
  update ingest.people_turn t set run_id = $1, epoch = t.epoch + (t.run_id is distinct from $1)::int returning t.epoch into v_epoch;
  return v_epoch;
end
$$;

-- Resolves a stage, once however often and at once it is asked. Without a run (dry run) nothing but the plan is written.
-- `options` are for the kind's upsert and count. Answers what the kind says, or {stage_lost: true}.
create or replace function ingest.resolve_stage(
  run_id uuid, lease integer, kind text, stage_id uuid, chunks integer, partitions integer, options jsonb default '{}'
) returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '30min'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  v_answer jsonb;
  v_generation integer := 0;
  v_epoch bigint := 0;
begin
  if $1 is not null then
    r := ingest.hold_lease($1, $2);
  end if;
  perform ingest.lock_part($4, -1);
  select answer into v_answer from ingest_stage.resolved s where s.stage_id = $4;
  if found then
    return v_answer;
  end if;
  if not ingest.hold_stage($4, $5) then
    return '{"stage_lost": true}';
  end if;
  if $1 is not null then
    select count(*) into v_generation from ingest.import_run_steps s where s.run_id = $1 and s.step = 'resolve';
    perform ingest.lock_source(r.source_system, false);
    v_epoch := ingest.take_turn($1);
  end if;
  execute format('select ingest.%I($1, $2, $3)', 'resolve_' || ingest.kind_suffix($3)) into v_answer using r, $4, $6;
  insert into ingest_stage.resolved (stage_id, generation, epoch, options, answer) values ($4, v_generation, v_epoch, $7, v_answer);
  if $1 is not null then
    insert into ingest.import_run_steps (run_id, step, part, result) values ($1, 'resolve', v_generation, v_answer);
  end if;
  return v_answer;
end
$$;

create or replace function ingest.kind_resolves(kind text) returns boolean
language sql stable security definer set search_path = ''
as $$ select resolves from ingest.import_kinds where kind = $1 $$;

-- As before; parts of a resolved stage are counted by generation, and their staged rows are cleared at the end.
create or replace function ingest.upsert_partition(run_id uuid, lease integer, stage_id uuid, chunks integer, part integer)
returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '120s'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs := ingest.hold_lease($1, $2);
  v_suffix text := ingest.kind_suffix(r.import_kind);
  v_resolves boolean := ingest.kind_resolves(r.import_kind);
  v_part integer := $5;
  v_result jsonb;
begin
  if v_resolves then
    select $5 + 100000 * s.generation into v_part from ingest_stage.resolved s where s.stage_id = $3;
    if not found then
      return '{"stage_lost": true}';
    end if;
  end if;
  perform ingest.lock_part($1, v_part);
  select result into v_result from ingest.import_run_steps s where s.run_id = $1 and s.step = 'upsert' and s.part = v_part;
  if found then
    return v_result;
  end if;
  if not ingest.hold_stage($3, $4) then
    return '{"stage_lost": true}';
  end if;
  perform ingest.lock_source(r.source_system, false);
  execute format('select ingest.%I($1, $2, $3)', 'upsert_' || v_suffix) into v_result using r, $3, $5;
  insert into ingest.import_run_steps (run_id, step, part, result) values ($1, 'upsert', v_part, v_result);
  if not v_resolves then
    execute format('delete from ingest_stage.%I s where s.stage_id = $1 and s.part = $2', v_suffix) using $3, $5;
  end if;
  return v_result;
end
$$;

create or replace function ingest.count_partition(kind text, source_system text, stage_id uuid, chunks integer, part integer)
returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '120s'
as $$
declare
  v_result jsonb;
begin
  if not ingest.hold_stage($3, $4)
     or ingest.kind_resolves($1) and not exists (select from ingest_stage.resolved r where r.stage_id = $3) then
    return '{"stage_lost": true}';
  end if;
  execute format('select ingest.%I($1, $2, $3)', 'count_' || ingest.kind_suffix($1)) into v_result using $2, $3, $5;
  return v_result;
end
$$;

-- Empties a stage and its plan, at most `max_rows` rows of each a call; true when nothing is left. Sweeps what was abandoned
-- a week ago, too.
create or replace function ingest.clear_stage(stage_id uuid, kind text, max_rows integer default 200000) returns boolean
language plpgsql security definer set search_path = '' set statement_timeout = '60s'
as $$
#variable_conflict use_column
declare
  v_suffix text := ingest.kind_suffix($2);
  v_table text;
  v_stages uuid[];
  v_deleted integer;
  v_done boolean := true;
begin
  -- The chunks go first: whoever still uses such a stage finds it incomplete and parses again.
  with abandoned as (
    delete from ingest_stage.chunks c where c.kind = $2 and (c.stage_id = $1 or c.stage_id in (
      select o.stage_id from ingest_stage.chunks o where o.kind = $2 group by o.stage_id
      having max(o.created_at) < now() - interval '7 days'))
    returning c.stage_id)
  select array_agg(distinct a.stage_id) || $1 into v_stages from abandoned a;
  v_stages := coalesce(v_stages, array[$1]);
  delete from ingest_stage.resolved r where r.stage_id = any (v_stages);
  foreach v_table in array case when ingest.kind_resolves($2) then array[v_suffix, v_suffix || '_plan'] else array[v_suffix] end loop
    execute format('delete from ingest_stage.%1$I where ctid = any (array(
                      select s.ctid from ingest_stage.%1$I s where s.stage_id = any ($1) limit $2))', v_table)
      using v_stages, $3;
    get diagnostics v_deleted = row_count;
    v_done := v_done and v_deleted < $3;
  end loop;
  return v_done;
end
$$;

-- As before; what a kind counts beyond rows (contacts, jobs ...) is summed into summary.effects, and a kind may add to the
-- summary by a function describe_<suffix>(run).
create or replace function ingest.record_result(run_id uuid, lease integer, rows_fetched integer, summary jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  r ingest.import_runs := ingest.hold_lease($1, $2);
  v_describe text := 'describe_' || ingest.kind_suffix(r.import_kind);
  v_counts jsonb;
  v_effects jsonb;
  v_more jsonb := '{}';
begin
  -- Before the sum: a rollback that passes rows on to this run has written to its ledger, or adds to the counters after us.
  perform from ingest.import_runs i where i.id = $1 for no key update;
  select jsonb_build_object(
           'fetched', $3,
           'inserted', coalesce(sum((s.result ->> 'inserted')::int), 0),
           'updated', coalesce(sum((s.result ->> 'updated')::int), 0),
           'skipped', coalesce(sum((s.result ->> 'skipped')::int), 0),
           'errored', coalesce(sum((s.result ->> 'errored')::int), 0))
    into v_counts
  from ingest.import_run_steps s where s.run_id = $1 and s.step in ('upsert', 'inherit');
  select jsonb_object_agg(e.key, e.total) into v_effects
  from (select t.key, sum(t.value::numeric) as total
        from ingest.import_run_steps s cross join lateral jsonb_each_text(s.result -> 'effects') t
        where s.run_id = $1 and s.step = 'upsert' group by t.key) e;
  update ingest.import_runs set
    rows_fetched = $3,
    rows_inserted = (v_counts ->> 'inserted')::int,
    rows_updated = (v_counts ->> 'updated')::int,
    rows_skipped = (v_counts ->> 'skipped')::int,
    rows_errored = (v_counts ->> 'errored')::int,
    metadata = metadata || jsonb_build_object('summary', coalesce($4, '{}') || jsonb_build_object('counts', v_counts)
      || case when v_effects is null then '{}' else jsonb_build_object('effects', v_effects) end),
    updated_at = now()
  where id = $1
  returning * into r;
  if exists (select from pg_catalog.pg_proc p where p.pronamespace = 'ingest'::regnamespace and p.proname = v_describe) then
    execute format('select ingest.%I($1)', v_describe) into v_more using r;
    update ingest.import_runs set metadata = jsonb_set(metadata, '{summary}', metadata -> 'summary' || v_more) where id = $1;
  end if;
  return v_counts || case when v_effects is null then '{}' else jsonb_build_object('effects', v_effects) end;
end
$$;
