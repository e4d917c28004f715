-- Operator queries of the ingestion moat, for psql or the SQL editor: psql "$DATABASE_URL" -f ops/queries/plaintiff_ingest_moat.sql
-- `intake runs <name>` gives the same answers; both read the same views.

-- 1. Latest runs (intake runs latest): the last 20 attempts, whatever became of them.
select id, source_system, import_kind, filename, status, rows_fetched, rows_inserted, rows_skipped, rows_errored, duration_seconds, created_at
from ingest.v_latest_runs;

-- 2. Duplicates blocked (intake runs duplicates): attempts at a batch that was finished already, with the run that has it.
select id, source_system, filename, left(file_hash, 16) as file_hash, created_at, original_id, original_filename, original_completed_at
from ingest.v_duplicate_attempts order by created_at desc limit 50;

-- 3. Reconciliation failures (intake runs reconcile-failures): the tables hold other counts than were reported.
select id, filename, status, rows_fetched, actual_total, delta, reported_inserted, actual_inserted, inserted_discrepancy, message
from ingest.v_reconcile_failures order by created_at desc limit 50;

-- 4. Rollback verification (intake runs rollbacks): remaining_rows is 0 and is_complete true after a whole rollback.
select id, source_system, filename, rolled_back_at, rollback_reason, total_rows, rolled_back_rows, remaining_rows, is_complete, rollback
from ingest.v_rollbacks order by rolled_back_at desc limit 50;

-- 5. In-progress runs (intake runs in-progress): a stale one is taken over by the next import of its file.
select id, source_system, filename, worker_id, claimed_at, updated_at, seconds_since_heartbeat, is_stale
from ingest.v_in_progress_runs order by claimed_at;

-- 6. Failed runs (intake runs failed): what ended them; `intake resume ID` goes on with one.
select id, source_system, filename, error_type, error_message, rows_fetched, rows_inserted, updated_at
from ingest.v_failed_runs order by updated_at desc limit 50;

-- 7. Statistics by source system (intake runs stats): rows are those of completed runs.
select source_system, import_kind, runs, completed, failed, rolled_back, duplicates, rows_fetched, rows_inserted, rows_updated,
       rows_skipped, rows_errored, average_seconds, last_run_at
from ingest.v_source_stats order by last_run_at desc;
