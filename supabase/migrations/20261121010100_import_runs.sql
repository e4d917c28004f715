-- One row per import run, the ledger of its steps, and claiming (runbook 002).
create table if not exists ingest.import_runs (
  id uuid primary key default gen_random_uuid(),
  source_system text not null check (source_system <> ''),
  source_batch_id text not null check (source_batch_id <> ''),
  file_hash text not null,
  filename text not null,
  import_kind text not null default 'plaintiff',
  status text not null default 'pending'
    check (status in ('pending', 'processing', 'completed', 'failed', 'rolled_back', 'duplicate')),
  rows_fetched integer not null default 0,
  rows_inserted integer not null default 0,
  rows_updated integer not null default 0,
  rows_skipped integer not null default 0,
  rows_errored integer not null default 0,
  error_details jsonb,
  metadata jsonb not null default '{}',
  storage_path text,
  worker_id text,
  -- The lease: a claim by another execution raises the generation, and effects of the former one are refused.
  lease_generation integer not null default 0,
  claim_token text,
  claimed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed_at timestamptz,
  rolled_back_at timestamptz,
  rollback_reason text,
  parent_run_id uuid references ingest.import_runs (id) on delete set null
);

-- Batch-level idempotency among live runs: rolled-back runs and rejected attempts keep their rows beside it.
create unique index if not exists import_runs_live_batch_uniq
  on ingest.import_runs (source_system, source_batch_id, file_hash)
  where status not in ('rolled_back', 'duplicate');
create unique index if not exists import_runs_duplicate_token_uniq on ingest.import_runs (claim_token) where status = 'duplicate';
create index if not exists import_runs_created_at_idx on ingest.import_runs (created_at desc);
create index if not exists import_runs_parent_idx on ingest.import_runs (parent_run_id);

-- The ledger: which step of which part of a run has taken effect, written in the transaction of that effect.
create table if not exists ingest.import_run_steps (
  run_id uuid not null references ingest.import_runs (id) on delete cascade,
  step text not null,
  part integer not null,
  result jsonb not null default '{}',
  finished_at timestamptz not null default clock_timestamp(),
  primary key (run_id, step, part)
);

-- Kinds by the suffix of their SQL functions: upsert_, count_, stop_, compare_, tally_, rejects_, rollback_<suffix>.
create table if not exists ingest.import_kinds (
  kind text primary key,
  suffix text not null
);

alter table ingest.import_runs enable row level security;
alter table ingest.import_run_steps enable row level security;
alter table ingest.import_kinds enable row level security;
grant select, insert, update, delete on ingest.import_runs, ingest.import_run_steps to service_role, dragonfly_app;
grant select on ingest.import_kinds to service_role, dragonfly_app;
drop policy if exists import_runs_app on ingest.import_runs;
create policy import_runs_app on ingest.import_runs for all to dragonfly_app using (true) with check (true);
drop policy if exists import_run_steps_app on ingest.import_run_steps;
create policy import_run_steps_app on ingest.import_run_steps for all to dragonfly_app using (true) with check (true);
drop policy if exists import_kinds_app on ingest.import_kinds;
create policy import_kinds_app on ingest.import_kinds for select to dragonfly_app using (true);

do $$
begin
  create type ingest.import_claim as (run_id uuid, claim_status text);
exception when duplicate_object then null;
end
$$;

-- Claims a batch. The answer carries what a workflow needs beyond the contract's claim: the lease, the layout in force
-- and, for a duplicate, the original. `claim_token` names the claiming execution: its retries keep the lease.
create or replace function ingest.open_import_run(
  source_system text, source_batch_id text, file_hash text, filename text, import_kind text default 'plaintiff',
  worker_id text default null, claim_token text default null, parent_run_id uuid default null,
  storage_path text default null, metadata jsonb default '{}'
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_worker text := $6;
  v_token text := $7;
  v_metadata jsonb := coalesce($10, '{}');
  r ingest.import_runs;
  v_reason text;
begin
  loop
    select * into r from ingest.import_runs
    where source_system = $1 and source_batch_id = $2 and file_hash = $3 and status not in ('rolled_back', 'duplicate')
    for update; -- waits for the running effects of the holder (they hold FOR KEY SHARE)
    exit when found;
    insert into ingest.import_runs as n (
      source_system, source_batch_id, file_hash, filename, import_kind, status, worker_id, claim_token, lease_generation,
      claimed_at, storage_path, metadata, parent_run_id)
    values ($1, $2, $3, $4, coalesce($5, 'plaintiff'), 'processing', v_worker, v_token, 1, now(), $9, v_metadata,
      coalesce($8, (select id from ingest.import_runs
                    where source_system = $1 and source_batch_id = $2 and file_hash = $3 and status = 'rolled_back'
                    order by rolled_back_at desc limit 1)))
    on conflict (source_system, source_batch_id, file_hash) where status not in ('rolled_back', 'duplicate') do nothing
    returning * into r;
    if found then
      return jsonb_build_object('run_id', r.id, 'claim_status', 'claimed', 'lease', r.lease_generation,
                                'metadata', r.metadata, 'resumed', false, 'started_at', r.created_at);
    end if;
  end loop;

  if r.status = 'completed' then
    -- A rejected attempt leaves its trace for the operators' duplicates query; a retry of it leaves none.
    insert into ingest.import_runs (source_system, source_batch_id, file_hash, filename, import_kind, status, worker_id,
                                    claim_token, claimed_at, completed_at, metadata)
    values ($1, $2, $3, $4, coalesce($5, 'plaintiff'), 'duplicate', v_worker, v_token, now(), now(),
            v_metadata || jsonb_build_object('duplicate_of', r.id))
    on conflict (claim_token) where status = 'duplicate' do nothing;
    return jsonb_build_object('run_id', r.id, 'claim_status', 'duplicate', 'lease', r.lease_generation,
                              'filename', r.filename, 'completed_at', r.completed_at, 'started_at', r.created_at,
                              'storage_path', r.storage_path);
  end if;

  if r.status = 'processing' and r.claim_token = v_token then
    return jsonb_build_object('run_id', r.id, 'claim_status', 'claimed', 'lease', r.lease_generation,
                              'metadata', r.metadata, 'resumed', r.lease_generation > 1, 'started_at', r.created_at);
  end if;

  if r.status = 'processing' and r.worker_id is distinct from v_worker or r.status = 'processing' and v_worker is null then
    if r.updated_at >= now() - interval '30 minutes' then
      return jsonb_build_object('run_id', r.id, 'claim_status', 'in_progress', 'lease', r.lease_generation,
                                'worker_id', r.worker_id, 'started_at', r.created_at);
    end if;
    v_reason := 'no heartbeat for 30 minutes';
  elsif r.status = 'failed' then
    v_reason := 'claimed again after failure';
  end if;

  -- Once rows were promoted, the plan they were promoted under stays in force: the ledger counts in its partitions.
  update ingest.import_runs set
    status = 'processing', worker_id = v_worker, claim_token = v_token, lease_generation = lease_generation + 1,
    claimed_at = now(), updated_at = now(), completed_at = null,
    storage_path = coalesce($9, storage_path),
    metadata = r.metadata || case
      when exists (select from ingest.import_run_steps s where s.run_id = r.id and s.step = 'upsert')
      then v_metadata - 'plan' else v_metadata end,
    error_details = case when v_reason is null then null else jsonb_build_object(
      'previous_worker', r.worker_id, 'takeover_reason', v_reason, 'takeover_at', now()) end
  where id = r.id
  returning * into r;
  return jsonb_build_object('run_id', r.id, 'claim_status', 'claimed', 'lease', r.lease_generation,
                            'metadata', r.metadata, 'resumed', true, 'started_at', r.created_at);
end
$$;

-- Runbook 002: claim before processing any row. claim_status: claimed | duplicate | in_progress.
create or replace function ingest.claim_import_run(
  source_system text, source_batch_id text, file_hash text, filename text,
  import_kind text default 'plaintiff', worker_id text default null
) returns ingest.import_claim
language sql security definer set search_path = ''
as $$
  select (o ->> 'run_id')::uuid, o ->> 'claim_status'
  from ingest.open_import_run($1, $2, $3, $4, $5, $6) as o
$$;

-- Runbook 002: keeps the claim of a long import. False when the run is not processing any more.
create or replace function ingest.heartbeat_import_run(run_id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  update ingest.import_runs set updated_at = now() where id = $1 and status = 'processing';
  return found;
end
$$;

-- Every effect of a run starts here: refuses it when the lease has passed on or an operator ended the run.
create or replace function ingest.hold_lease(run_id uuid, lease integer) returns ingest.import_runs
language plpgsql security definer set search_path = ''
as $$
declare
  r ingest.import_runs;
begin
  select * into r from ingest.import_runs where id = $1 and lease_generation = $2 and status = 'processing' for key share;
  if not found then
    raise exception 'the run was taken over, ended or rolled back' using errcode = 'IN001';
  end if;
  return r;
end
$$;

create or replace function ingest.kind_suffix(kind text) returns text
language sql stable security definer set search_path = ''
as $$ select suffix from ingest.import_kinds where kind = $1 $$;

-- The completed run of a batch, if any: another commit of it would be a duplicate.
create or replace function ingest.find_completed_run(source_system text, source_batch_id text, file_hash text) returns uuid
language sql stable security definer set search_path = ''
as $$
  select r.id from ingest.import_runs r
  where r.source_system = $1 and r.source_batch_id = $2 and r.file_hash = $3 and r.status = 'completed'
$$;
