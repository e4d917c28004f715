-- The steps every kind shares; what is particular to a kind is behind its suffix (ingest.import_kinds).

-- Which chunks are staged. Unlogged beside the stage, so that a database crash empties both and the chunks are parsed again.
create unlogged table if not exists ingest_stage.chunks (
  stage_id uuid not null,
  kind text not null,
  chunk integer not null,
  rows integer not null,
  errored integer not null,
  created_at timestamptz not null default now(),
  primary key (stage_id, chunk)
);
grant select, insert, delete on ingest_stage.chunks to service_role, dragonfly_app;

-- Stages one chunk sent as JSON (the supabase backend; the postgres backend uses COPY in a transaction of the same shape).
-- `columns` names the keys of the row arrays. Answers {rows, errored} of what is staged, by this call or an earlier one.
create or replace function ingest.stage_chunk(
  stage_id uuid, kind text, chunk integer, columns text[], rows json, errored integer
) returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '60s'
as $$
#variable_conflict use_column
declare
  v_table text := ingest.kind_suffix($2);
  v_list text;
  v_values text;
begin
  insert into ingest_stage.chunks (stage_id, kind, chunk, rows, errored) values ($1, $2, $3, json_array_length($5), $6)
  on conflict do nothing;
  if found then
    select string_agg(format('%I', a.attname), ', ' order by c.n),
           string_agg(case when a.atttypid = 'jsonb'::regtype then format('r -> %s', c.n - 1)
                           else format('(r ->> %s)::%s', c.n - 1, format_type(a.atttypid, a.atttypmod)) end, ', ' order by c.n)
      into strict v_list, v_values
    from unnest($4) with ordinality as c (name, n)
    join pg_catalog.pg_attribute a on a.attrelid = format('ingest_stage.%I', v_table)::regclass and a.attname = c.name;
    -- As jsonb each row is parsed once; every ->> of a json value parses it again.
    execute format('insert into ingest_stage.%I (stage_id, chunk, %s) select $1, $2, %s from jsonb_array_elements($3::jsonb) as r',
                   v_table, v_list, v_values)
      using $1, $3, $5;
  end if;
  return (select jsonb_build_object('rows', c.rows, 'errored', c.errored)
          from ingest_stage.chunks c where c.stage_id = $1 and c.chunk = $3);
end
$$;

-- Empties a stage, at most `max_rows` rows a call; true when nothing is left. Sweeps what was abandoned a week ago, too.
create or replace function ingest.clear_stage(stage_id uuid, kind text, max_rows integer default 200000) returns boolean
language plpgsql security definer set search_path = '' set statement_timeout = '60s'
as $$
#variable_conflict use_column
declare
  v_table text := ingest.kind_suffix($2);
  v_stages uuid[];
  v_deleted integer;
begin
  -- The chunks go first: whoever still uses such a stage finds it incomplete and parses again.
  with abandoned as (
    delete from ingest_stage.chunks c where c.kind = $2 and (c.stage_id = $1 or c.stage_id in (
      select o.stage_id from ingest_stage.chunks o where o.kind = $2 group by o.stage_id
      having max(o.created_at) < now() - interval '7 days'))
    returning c.stage_id)
  select array_agg(distinct a.stage_id) into v_stages from abandoned a;
  execute format('delete from ingest_stage.%1$I where ctid = any (array(
                    select s.ctid from ingest_stage.%1$I s where s.stage_id = any ($1) limit $2))', v_table)
    using coalesce(v_stages, '{}') || $1, $3;
  get diagnostics v_deleted = row_count;
  return v_deleted < $3;
end
$$;

-- Whether all chunks of a stage are there; a database crash empties it. They then stay until the end of the transaction:
-- clear_stage, which deletes the chunks first, waits for the one that is locked.
create or replace function ingest.hold_stage(stage_id uuid, chunks integer) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  perform from ingest_stage.chunks c where c.stage_id = $1 and c.chunk = 0 for key share;
  return (select count(*) = $2 from ingest_stage.chunks c where c.stage_id = $1);
end
$$;

-- Rollback must not pass between an upsert's look at live rows and its commit: upserts share this lock, rollback owns it.
create or replace function ingest.lock_source(source_system text, exclusive boolean) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  v_key bigint := hashtextextended('intake.source:' || $1, 0);
begin
  if $2 then
    perform pg_advisory_xact_lock(v_key);
  else
    perform pg_advisory_xact_lock_shared(v_key);
  end if;
end
$$;

-- A part that is tried again while its first try still runs waits for it, then finds its answer in the ledger.
create or replace function ingest.lock_part(run_id uuid, part integer) returns void
language sql security definer set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('intake.part:' || $1, $2)) $$;

-- One partition, exactly once: all staged rows whose key falls into `part`, landed and promoted in this transaction.
-- Answers {inserted, updated, skipped, errored, ...}, or {stage_lost: true}.
create or replace function ingest.upsert_partition(run_id uuid, lease integer, stage_id uuid, chunks integer, part integer)
returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '120s'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs := ingest.hold_lease($1, $2);
  v_suffix text := ingest.kind_suffix(r.import_kind);
  v_result jsonb;
begin
  perform ingest.lock_part($1, $5);
  select result into v_result from ingest.import_run_steps s where s.run_id = $1 and s.step = 'upsert' and s.part = $5;
  if found then
    return v_result;
  end if;
  if not ingest.hold_stage($3, $4) then
    return '{"stage_lost": true}';
  end if;
  perform ingest.lock_source(r.source_system, false);
  execute format('select ingest.%I($1, $2, $3)', 'upsert_' || v_suffix) into v_result using r, $3, $5;
  insert into ingest.import_run_steps (run_id, step, part, result) values ($1, 'upsert', $5, v_result);
  execute format('delete from ingest_stage.%I s where s.stage_id = $1 and s.part = $2', v_suffix) using $3, $5;
  return v_result;
end
$$;

-- What upsert_partition would report at this moment; writes nothing.
create or replace function ingest.count_partition(kind text, source_system text, stage_id uuid, chunks integer, part integer)
returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '120s'
as $$
declare
  v_result jsonb;
begin
  if not ingest.hold_stage($3, $4) then
    return '{"stage_lost": true}';
  end if;
  execute format('select ingest.%I($1, $2, $3)', 'count_' || ingest.kind_suffix($1)) into v_result using $2, $3, $5;
  return v_result;
end
$$;

-- The run stopped at --max-errors: its rows land as they are, bad ones failed, the others pending; nothing is promoted.
create or replace function ingest.stop_partition(run_id uuid, lease integer, stage_id uuid, chunks integer, part integer)
returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '120s'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs := ingest.hold_lease($1, $2);
  v_suffix text := ingest.kind_suffix(r.import_kind);
  v_result jsonb;
begin
  perform ingest.lock_part($1, $5);
  select result into v_result from ingest.import_run_steps s where s.run_id = $1 and s.step = 'stop' and s.part = $5;
  if found then
    return v_result;
  end if;
  if not ingest.hold_stage($3, $4) then
    return '{"stage_lost": true}';
  end if;
  execute format('select ingest.%I($1, $2, $3)', 'stop_' || v_suffix) into v_result using r, $3, $5;
  insert into ingest.import_run_steps (run_id, step, part, result) values ($1, 'stop', $5, v_result);
  return v_result;
end
$$;

-- Compares the staged rows of a partition with what the run has in the tables.
-- Answers {rows, missing, different, edited, lines: [first line numbers that differ]}.
create or replace function ingest.compare_partition(run_id uuid, stage_id uuid, chunks integer, part integer) returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '120s'
as $$
declare
  r ingest.import_runs;
  v_result jsonb;
begin
  if not ingest.hold_stage($2, $3) then
    return '{"stage_lost": true}';
  end if;
  select * into r from ingest.import_runs i where i.id = $1;
  execute format('select ingest.%I($1, $2, $3)', 'compare_' || ingest.kind_suffix(r.import_kind)) into v_result using r, $2, $4;
  return v_result;
end
$$;

-- Stores counters (from the ledger) and summary; the run goes on processing until it is reconciled.
create or replace function ingest.record_result(run_id uuid, lease integer, rows_fetched integer, summary jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  r ingest.import_runs := ingest.hold_lease($1, $2);
  v_counts jsonb;
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
  update ingest.import_runs set
    rows_fetched = $3,
    rows_inserted = (v_counts ->> 'inserted')::int,
    rows_updated = (v_counts ->> 'updated')::int,
    rows_skipped = (v_counts ->> 'skipped')::int,
    rows_errored = (v_counts ->> 'errored')::int,
    metadata = metadata || jsonb_build_object('summary', coalesce($4, '{}') || jsonb_build_object('counts', v_counts)),
    updated_at = now()
  where id = $1;
  return v_counts;
end
$$;

-- Ends a run as failed, once, by its own execution; the row keeps what it had counted. `error` holds codes, never values.
create or replace function ingest.fail_import_run(run_id uuid, lease integer, error jsonb, counts jsonb default null)
returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update ingest.import_runs set
    status = 'failed', updated_at = now(), completed_at = now(),
    error_details = coalesce(error_details, '{}') || $3,
    rows_fetched = coalesce(($4 ->> 'fetched')::int, rows_fetched),
    rows_inserted = coalesce(($4 ->> 'inserted')::int, rows_inserted),
    rows_updated = coalesce(($4 ->> 'updated')::int, rows_updated),
    rows_skipped = coalesce(($4 ->> 'skipped')::int, rows_skipped),
    rows_errored = coalesce(($4 ->> 'errored')::int, rows_errored)
  where id = $1 and lease_generation = $2 and status = 'processing';
  return found;
end
$$;

-- Runbook 002: counters of a run; {"fatal": true} in error_details fails it.
create or replace function ingest.finalize_import_run(
  run_id uuid, rows_fetched integer, rows_inserted integer, rows_skipped integer, rows_errored integer,
  error_details jsonb default null, mark_completed boolean default true, rows_updated integer default 0
) returns void
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_fatal boolean := coalesce(($6 ->> 'fatal')::boolean, false);
begin
  update ingest.import_runs r set
    rows_fetched = $2, rows_inserted = $3, rows_skipped = $4, rows_errored = $5, rows_updated = coalesce($8, 0),
    error_details = case when $6 is null then r.error_details else coalesce(r.error_details, '{}') || $6 end,
    status = case when v_fatal then 'failed' when $7 then 'completed' else r.status end,
    completed_at = case when v_fatal or $7 then now() else r.completed_at end,
    updated_at = now()
  where r.id = $1 and r.status in ('pending', 'processing', 'failed', 'completed');
  if not found then
    raise exception 'no live import run %', $1 using errcode = 'IN002';
  end if;
end
$$;

-- What the final tables hold of a run: {total, inserted, skipped, errored, rolled_back}.
create or replace function ingest.tally_import_run(run_id uuid, kind text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_suffix text := ingest.kind_suffix($2);
  v_tally jsonb;
begin
  if v_suffix is not null then
    execute format('select ingest.%I($1)', 'tally_' || v_suffix) into v_tally using $1;
  end if;
  return coalesce(v_tally, '{"total": 0, "inserted": 0, "skipped": 0, "errored": 0, "rolled_back": 0}');
end
$$;

do $$
begin
  create type ingest.import_reconciliation as (
    is_valid boolean, expected_count integer, actual_count integer, delta integer,
    reported_inserted integer, actual_total integer, inserted_discrepancy integer, is_reconciled boolean);
exception when duplicate_object then null;
end
$$;

-- Runbook 002: compares reported with actual rows of the final tables and marks the run completed or failed.
-- A run that failed for another reason, or was rolled back, is only compared.
create or replace function ingest.reconcile_import_run(run_id uuid, expected_count integer default null)
returns ingest.import_reconciliation
language plpgsql security definer set search_path = '' set statement_timeout = '10min'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  v_tally jsonb;
  a ingest.import_reconciliation;
begin
  select * into r from ingest.import_runs i where i.id = $1 for update;
  if not found then
    raise exception 'no import run %', $1 using errcode = 'IN002';
  end if;
  v_tally := ingest.tally_import_run(r.id, r.import_kind);
  a.expected_count := coalesce($2, r.rows_fetched);
  a.actual_count := (v_tally ->> 'total')::int;
  a.delta := a.actual_count - a.expected_count;
  a.reported_inserted := r.rows_inserted;
  a.actual_total := (v_tally ->> 'total')::int;
  a.inserted_discrepancy := r.rows_inserted - (v_tally ->> 'inserted')::int;
  a.is_reconciled := a.inserted_discrepancy = 0;
  a.is_valid := a.delta = 0 and a.inserted_discrepancy = 0;
  if a.is_valid and (r.status in ('pending', 'processing') or r.status = 'failed' and r.error_details ? 'reconciliation_failed') then
    update ingest.import_runs set
      status = 'completed', completed_at = now(), updated_at = now(),
      error_details = nullif(error_details - array['reconciliation_failed', 'type', 'message'], '{}')
    where id = r.id;
  elsif not a.is_valid and r.status in ('pending', 'processing', 'completed') then
    update ingest.import_runs set
      status = 'failed', completed_at = now(), updated_at = now(),
      error_details = coalesce(error_details, '{}') || jsonb_build_object(
        'reconciliation_failed', true, 'type', 'RECONCILIATION_FAILED',
        'message', format('expected %s rows, found %s; reported %s inserted, off by %s',
                          a.expected_count, a.actual_count, a.reported_inserted, a.inserted_discrepancy))
    where id = r.id;
  end if;
  return a;
end
$$;

-- reconcile for the run's own execution: refused when the lease has passed on, harmless when repeated.
create or replace function ingest.settle_import_run(run_id uuid, lease integer, expected_count integer) returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '10min'
as $$
declare
  v_completed_at timestamptz;
  a ingest.import_reconciliation;
begin
  perform from ingest.import_runs r where r.id = $1 and r.lease_generation = $2 and r.status in ('processing', 'completed', 'failed')
    and (r.status <> 'failed' or r.error_details ? 'reconciliation_failed') for update;
  if not found then
    raise exception 'the run was taken over, ended or rolled back' using errcode = 'IN001';
  end if;
  a := ingest.reconcile_import_run($1, $3);
  select r.completed_at into v_completed_at from ingest.import_runs r where r.id = $1;
  return to_jsonb(a) || jsonb_build_object('completed_at', v_completed_at);
end
$$;

do $$
begin
  create type ingest.import_rollback as (success boolean, rows_affected integer);
exception when duplicate_object then null;
end
$$;

-- Runbook 001 and 002: soft delete. Marks the rows rolled back and withdraws what only this run put into production;
-- what was edited since stays and is listed in metadata.rollback.
create or replace function ingest.rollback_import_run(run_id uuid, reason text) returns ingest.import_rollback
language plpgsql security definer set search_path = '' set statement_timeout = '30min'
as $$
#variable_conflict use_column
declare
  r ingest.import_runs;
  v_result jsonb;
begin
  select * into r from ingest.import_runs i where i.id = $1 for update; -- waits for running effects, stops further ones
  if not found or r.status = 'duplicate' then
    return (false, 0)::ingest.import_rollback;
  end if;
  if r.status = 'rolled_back' then
    return (true, 0)::ingest.import_rollback;
  end if;
  perform ingest.lock_source(r.source_system, true);
  execute format('select ingest.%I($1)', 'rollback_' || ingest.kind_suffix(r.import_kind)) into v_result using r;
  update ingest.import_runs set
    status = 'rolled_back', rolled_back_at = now(), updated_at = now(), rollback_reason = $2,
    error_details = coalesce(error_details, '{}') || jsonb_build_object('rollback_reason', $2),
    metadata = metadata || jsonb_build_object('rollback', v_result)
  where id = r.id;
  return (true, (v_result ->> 'rows_affected')::int)::ingest.import_rollback;
end
$$;

-- Rejected rows of a run after a row index, oldest first: [{row_index, line, code, message, record (base64)}].
create or replace function ingest.read_rejects(run_id uuid, after_row integer default -1, max_rows integer default 500) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_suffix text;
  v_result jsonb;
begin
  select ingest.kind_suffix(r.import_kind) into v_suffix from ingest.import_runs r where r.id = $1;
  if v_suffix is null then
    raise exception 'no import run %', $1 using errcode = 'IN002';
  end if;
  execute format('select ingest.%I($1, $2, $3)', 'rejects_' || v_suffix) into v_result using $1, $2, $3;
  return coalesce(v_result, '[]');
end
$$;
