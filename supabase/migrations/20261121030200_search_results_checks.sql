-- What a run of search-results left behind: compared with its files, counted, listed.

-- Every staged row against its landed row, and what is in production of it: a taken row with its values and image, as long as
-- nobody edited it and no later run replaced it; of a skipped one, a result that is at least as new.
create or replace function ingest.compare_search_results(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language sql stable security definer set search_path = ''
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
as $$
  with compared as (
    select s.file_path, s.line_number, r.id is null as missing,
           r.id is not null and (
             (r.line_number, r.file_path, r.file_sha256, r.search_ts, r.image_error)
             is distinct from (s.line_number, s.file_path, s.file_sha256, s.search_ts, s.image_error)
             or r.status not in ('rolled_back', 'pending') and (
               s.error_code is distinct from case when r.status = 'failed' and r.reason <> 'REFUSED_ROW' then r.reason end
               or (r.status in ('inserted', 'updated') or r.reason = 'OLDER') and (
                 t.id is null or t.search_ts < s.search_ts and not e.edited
                 or r.status in ('inserted', 'updated') and t.import_run_id = r.import_run_id and not e.edited and (
                   (t.search_name, t.search_state, t.search_ts, t.license_number, t.license_status, t.license_name, t.license_type, t.address,
                    t.suite, t.city, t.state, t.zip, t.issue_date, t.expiration_date, t.result_status, t.meta, t.raw,
                    i.sha256, i.storage_path, i.file_size)
                   is distinct from
                   (s.search_name, s.search_state, s.search_ts, s.license_number, s.license_status, s.license_name, s.license_type, s.address,
                    s.suite, s.city, s.state, s.zip, s.issue_date, s.expiration_date, s.result_status, s.meta, s.raw_payload,
                    s.image_sha256, s.image_path, s.image_size))))) as different,
           r.status in ('inserted', 'updated') and t.id is not null and e.edited as edited
    from ingest_stage.search_results s
    left join ingest.search_results_raw r on r.import_run_id = ($1).id and r.row_index = s.row_index
    left join public.search_results t on t.id = r.search_result_id
    left join public.images i on i.search_result_id = t.id
    cross join lateral (select t.updated_at is distinct from t.imported_at or coalesce(i.updated_at <> i.created_at, false) as edited) e
    where s.stage_id = $2 and s.part = $3)
  select jsonb_build_object(
    'rows', count(*), 'missing', count(*) filter (where missing), 'different', count(*) filter (where different),
    'edited', count(*) filter (where edited),
    'lines', coalesce((select jsonb_agg(l.line_number) from (
      select c.line_number from compared c where c.missing or c.different order by c.file_path, c.line_number limit 20) l), '[]'),
    'items', coalesce((select jsonb_agg(jsonb_build_object('item', l.file_path, 'line', l.line_number)) from (
      select c.file_path, c.line_number from compared c where c.missing or c.different order by c.file_path, c.line_number limit 20) l), '[]'))
  from compared
$$;

-- Inserted are the rows whose result is really there.
create or replace function ingest.tally_search_results(run_id uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'total', count(*),
    'inserted', count(*) filter (where r.status = 'pending' or r.status = 'inserted' and t.id is not null),
    'updated', count(*) filter (where r.status = 'updated' and t.id is not null),
    'skipped', count(*) filter (where r.status = 'skipped'),
    'errored', count(*) filter (where r.status = 'failed'),
    'rolled_back', count(*) filter (where r.status = 'rolled_back'))
  from ingest.search_results_raw r
  left join public.search_results t on t.id = r.search_result_id and r.status in ('inserted', 'updated')
  where r.import_run_id = $1
$$;

-- Failed items, up to `max_rows` rows: a file, a licence, or the image of a row. A row may have both.
create or replace function ingest.rejects_search_results(run_id uuid, after_row integer, max_rows integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_agg(jsonb_build_object(
           'row_index', r.row_index, 'line', r.line_number, 'code', f.code, 'message', f.message, 'record', f.record,
           'item', f.item, 'kind', f.kind) order by r.row_index, f.kind desc)
  from (select * from ingest.search_results_raw x
        where x.import_run_id = $1 and x.row_index > $2
          and (x.status = 'failed' or x.image_error is not null or x.status = 'rolled_back' and x.raw_record is not null)
        order by x.row_index limit $3) r
  cross join lateral (
    select r.reason as code, r.error_message as message, encode(r.raw_record, 'base64') as record, r.file_path as item,
           case when r.line_number = 0 then 'json' else 'licence' end as kind
    where r.status = 'failed' or r.status = 'rolled_back' and r.raw_record is not null
    union all
    select r.image_error, r.image_message, null, coalesce(r.image_item, r.file_path), 'image'
    where r.image_error is not null) f
$$;

-- What became of each row of a run after a row index, and why: places, ids and codes, no values.
create or replace function ingest.read_decisions(run_id uuid, after_row integer default -1, max_rows integer default 500) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'row_index', r.row_index, 'item', r.file_path, 'line', r.line_number, 'action', r.status, 'reason', r.reason,
    'search_result_id', r.search_result_id) order by r.row_index), '[]')
  from (select * from ingest.search_results_raw x where x.import_run_id = $1 and x.row_index > $2 order by x.row_index limit $3) r
$$;

-- Rejected rows of every kind; of search-results, `filename` is the file in the directory.
create or replace view ingest.v_errored_rows with (security_invoker = true) as
select p.import_run_id, r.filename, p.row_index, p.line_number, p.plaintiff_name, p.error_code, p.error_message, p.source_system,
       p.created_at
from ingest.plaintiffs_raw p join ingest.import_runs r on r.id = p.import_run_id
where p.status = 'failed'
union all
select j.import_run_id, r.filename, j.row_index, j.line_number, null, j.reason, j.error_log, r.source_system, j.created_at
from ingest.errored_judgments() j join ingest.import_runs r on r.id = j.import_run_id
union all
select s.import_run_id, s.file_path, s.row_index, s.line_number, null, s.reason, s.error_message, r.source_system, s.created_at
from ingest.search_results_raw s join ingest.import_runs r on r.id = s.import_run_id
where s.status = 'failed';
