-- Operators' views (runbooks 000, 001, 002) and who may call what.
create or replace view ingest.v_import_runs_summary with (security_invoker = true) as
select r.id, r.source_system, r.source_batch_id, r.import_kind, r.filename, r.file_hash, r.status,
       r.rows_fetched, r.rows_inserted, r.rows_updated, r.rows_skipped, r.rows_errored,
       round(extract(epoch from coalesce(r.completed_at, case when r.status in ('pending', 'processing') then now() end, r.updated_at)
                                - coalesce(r.claimed_at, r.created_at))::numeric, 3) as duration_seconds,
       r.metadata ->> 'batch_name' as batch_name, r.worker_id, r.storage_path, r.parent_run_id, r.error_details,
       r.claimed_at, r.created_at, r.updated_at, r.completed_at, r.rolled_back_at, r.rollback_reason
from ingest.import_runs r;

create or replace view ingest.v_latest_runs with (security_invoker = true) as
select * from ingest.v_import_runs_summary order by created_at desc limit 20;

create or replace view ingest.v_import_reconciliation with (security_invoker = true) as
select r.id, r.source_system, r.filename, r.status, r.rows_fetched, r.rows_inserted as reported_inserted,
       coalesce(t.total, 0) as actual_total, coalesce(t.inserted, 0) as actual_inserted,
       coalesce(t.total, 0) - r.rows_fetched as delta,
       r.rows_inserted - coalesce(t.inserted, 0) as inserted_discrepancy,
       r.rows_inserted = coalesce(t.inserted, 0) and r.rows_fetched = coalesce(t.total, 0) as is_reconciled, r.created_at
from ingest.import_runs r
left join lateral (
  select (y.tally ->> 'total')::int as total, (y.tally ->> 'inserted')::int as inserted
  from (select ingest.tally_import_run(r.id, r.import_kind) as tally) y) t on true
where r.status in ('completed', 'failed');

create or replace view ingest.v_errored_rows with (security_invoker = true) as
select p.import_run_id, r.filename, p.row_index, p.line_number, p.plaintiff_name, p.error_code, p.error_message, p.source_system,
       p.created_at
from ingest.plaintiffs_raw p join ingest.import_runs r on r.id = p.import_run_id
where p.status = 'failed';

-- The real key and the original row of each row that the key blocked.
create or replace view ingest.v_blocked_duplicates with (security_invoker = true) as
select p.plaintiff_key as dedupe_key, p.plaintiff_name, p.source_system, r.filename, p.created_at, p.id, p.import_run_id,
       p.row_index, p.line_number, p.duplicate_of as original_id, o.import_run_id as original_run_id,
       o.row_index as original_row_index, o.line_number as original_line_number, o.created_at as original_created_at,
       o.promoted_plaintiff_id as original_plaintiff_id
from ingest.plaintiffs_raw p
join ingest.import_runs r on r.id = p.import_run_id
left join ingest.plaintiffs_raw o on o.id = p.duplicate_of
where p.status = 'skipped';

create or replace view ingest.v_rollback_verification with (security_invoker = true) as
select r.id, r.source_system, r.source_batch_id, r.filename, r.status, r.rolled_back_at, r.rollback_reason,
       coalesce(t.total, 0) as total_rows, coalesce(t.rolled_back, 0) as rolled_back_rows,
       coalesce(t.total - t.rolled_back, 0) as remaining_rows, coalesce(t.total = t.rolled_back, true) as is_complete,
       r.metadata -> 'rollback' as rollback
from ingest.import_runs r
left join lateral (
  select (y.tally ->> 'total')::int as total, (y.tally ->> 'rolled_back')::int as rolled_back
  from (select ingest.tally_import_run(r.id, r.import_kind) as tally) y) t on true
where r.status = 'rolled_back';

-- Runbook 000's history: the same runs under the names of its query.
create or replace view public.import_runs with (security_invoker = true) as
select r.id, r.source_system, r.import_kind, r.source_batch_id, r.metadata ->> 'batch_name' as batch_name, r.filename, r.file_hash,
       r.status, r.rows_fetched as row_count, r.rows_inserted as insert_count, r.rows_updated as update_count,
       r.rows_skipped as skip_count, r.rows_errored as error_count, coalesce(r.claimed_at, r.created_at) as started_at,
       r.completed_at as finished_at, r.storage_path, r.metadata, r.error_details, r.created_at
from ingest.import_runs r;
revoke all on public.import_runs from anon, authenticated;

grant select on all tables in schema ingest to service_role, dragonfly_app;
grant select on public.import_runs to service_role, dragonfly_app;
grant usage on all sequences in schema ingest to service_role, dragonfly_app;
revoke all on sequence public.plaintiffs_id_seq from anon, authenticated; -- a project grants them everything in public
grant usage on sequence public.plaintiffs_id_seq to service_role, dragonfly_app;

revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;
