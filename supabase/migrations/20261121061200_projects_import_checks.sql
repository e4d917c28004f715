-- What a run of projects left behind: compared with its file, counted, listed.

-- Whether a project has the values that a row gave it. Whom they mean is no value: the backfill may have found out more since.
create or replace function ingest.is_as_landed(project public.projects, landed ingest.projects_raw) returns boolean
language plpgsql immutable parallel safe set search_path = ''
as $$
begin
  return ($1.stage_application, $1.delivery_partner_label, $1.developer_class, $1.relationship_manager, $1.rm_preferred_username,
          $1.deployment_specialist, $1.stage_application_created, $1.address, $1.efscd, $1.development_type, $1.build_type, $1.fod_id,
          $1.latitude, $1.longitude, $1.residential, $1.commercial, $1.essential, $1.premises_count)
    is not distinct from
         ($2.stage_application, $2.delivery_partner, public.fn_normalize_developer_class($2.developer_class), $2.relationship_manager,
          $2.rm_preferred_username, $2.deployment_specialist, $2.stage_application_created, $2.address, $2.efscd, $2.development_type,
          $2.build_type, $2.fod_id, $2.latitude, $2.longitude, $2.residential, $2.commercial, $2.essential, $2.premises_count);
end
$$;

-- Every staged row against its landed row, and every taken row against production: its project has to be there. While the run is the
-- last that wrote it, other values are somebody's edit.
create or replace function ingest.compare_projects(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language sql stable security definer set search_path = ''
  set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
  with compared as (
    select s.line_number, r.id is null as missing,
           r.id is not null and (
             (r.line_number, r.stage_application, r.delivery_partner, r.developer_class, r.relationship_manager, r.rm_preferred_username,
              r.deployment_specialist, r.stage_application_created, r.address, r.efscd, r.development_type, r.build_type, r.fod_id,
              r.latitude, r.longitude, r.residential, r.commercial, r.essential, r.premises_count, r.raw_payload, r.raw_record)
             is distinct from
             (s.line_number, s.stage_application, s.delivery_partner, s.developer_class, s.relationship_manager, s.rm_preferred_username,
              s.deployment_specialist, s.stage_application_created, s.address, s.efscd, s.development_type, s.build_type, s.fod_id,
              s.latitude, s.longitude, s.residential, s.commercial, s.essential, s.premises_count, s.raw_payload, s.raw_record)
             or r.status <> 'rolled_back' and s.error_code is distinct from case when r.status = 'failed' then r.reason end
             or r.status in ('inserted', 'updated') and p.id is null) as different,
           r.status in ('inserted', 'updated') and p.staging_id = r.import_run_id and not ingest.is_as_landed(p, r) as edited
    from ingest_stage.projects s
    left join ingest.projects_raw r on r.import_run_id = ($1).id and r.row_index = s.row_index
    left join public.projects p on p.id = r.project_id
    where s.stage_id = $2 and s.part = $3)
  select jsonb_build_object(
    'rows', count(*), 'missing', count(*) filter (where missing), 'different', count(*) filter (where different),
    'edited', count(*) filter (where edited),
    'lines', coalesce((select jsonb_agg(l.line_number) from (
      select c.line_number from compared c where c.missing or c.different order by 1 limit 20) l), '[]'))
  from compared
$$;

-- Inserted and updated are the rows whose project is really there.
create or replace function ingest.tally_projects(run_id uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'total', count(*),
    'inserted', count(*) filter (where r.status = 'pending' or r.status = 'inserted' and p.id is not null),
    'updated', count(*) filter (where r.status = 'updated' and p.id is not null),
    'skipped', count(*) filter (where r.status = 'skipped'),
    'errored', count(*) filter (where r.status = 'failed'),
    'rolled_back', count(*) filter (where r.status = 'rolled_back'))
  from ingest.projects_raw r left join public.projects p on p.id = r.project_id and r.status in ('inserted', 'updated')
  where r.import_run_id = $1
$$;

create or replace function ingest.rejects_projects(run_id uuid, after_row integer, max_rows integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_agg(jsonb_build_object('row_index', r.row_index, 'line', r.line_number, 'code', r.reason,
                                      'message', r.error_message, 'record', encode(r.raw_record, 'base64')) order by r.row_index)
  from (select * from ingest.projects_raw x
        where x.import_run_id = $1 and x.row_index > $2 and x.raw_record is not null
        order by x.row_index limit $3) r
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
where s.status = 'failed'
union all
select p.import_run_id, r.filename, p.row_index, p.line_number, null, p.reason, p.error_message, r.source_system, p.created_at
from ingest.projects_raw p join ingest.import_runs r on r.id = p.import_run_id
where p.status = 'failed';
