-- Withdrawing a run of search-results; who may call what.

-- Afterwards production is as if the run had never been: a row shows the newest search of the live runs. What the run replaced
-- (`former`) comes back, unless a later run that was skipped as older has something newer (`spare`): then that takes its place.
-- A row that a later run replaced stays; what that run replaced is now what this one had. What somebody edited since the last
-- import wrote it (updated_at is not imported_at; or its image was edited) keeps its values and is listed.
create or replace function ingest.rollback_search_results(run ingest.import_runs) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_rows integer;
  v_removed integer;
  v_restored integer;
  v_files integer;
  v_inherited integer;
  v_kept jsonb;
begin
  perform ingest.lock_dataset($1, true);
  perform from public.search_results t
  where t.id in (select r.search_result_id from ingest.search_results_raw r where r.import_run_id = v_run and r.status in ('inserted', 'updated'))
  order by t.id for update;
  drop table if exists pg_temp.intake_undo;
  create temp table intake_undo on commit drop as
  select r.search_result_id, r.former, t.import_run_id is not distinct from v_run as is_last,
         t.updated_at is distinct from t.imported_at or coalesce(i.updated_at <> i.created_at, false) as is_edited,
         null::bigint as heir_id, null::uuid as heir_run, null::text as heir_status, null::jsonb as restore
  from ingest.search_results_raw r
  join public.search_results t on t.id = r.search_result_id
  left join public.images i on i.search_result_id = t.id
  where r.import_run_id = v_run and r.status in ('inserted', 'updated');
  create unique index on pg_temp.intake_undo (search_result_id);
  analyze pg_temp.intake_undo;

  -- The heir of a replaced row is the run that replaced it; of any other, the newest that was skipped as older.
  update pg_temp.intake_undo u set heir_id = n.id, heir_run = n.import_run_id, heir_status = n.status
  from ingest.search_results_raw n
  where not u.is_last and n.search_result_id = u.search_result_id and n.status in ('inserted', 'updated')
    and n.former #>> '{row,import_run_id}' = v_run::text;
  update pg_temp.intake_undo u set heir_id = h.id, heir_run = h.import_run_id, heir_status = h.status, restore = h.spare
  from (
    select distinct on (s.search_result_id) s.*
    from pg_temp.intake_undo w
    join ingest.search_results_raw s on s.search_result_id = w.search_result_id
    join ingest.import_runs o on o.id = s.import_run_id and o.status in ('pending', 'processing', 'completed', 'failed')
    where w.is_last and s.status = 'skipped' and s.spare is not null and s.import_run_id <> v_run
    order by s.search_result_id, s.search_ts desc, s.spare -> 'image' = 'null', s.id) h
  where u.is_last and h.search_result_id = u.search_result_id
    and (u.former is null or h.search_ts > (u.former #>> '{row,search_ts}')::timestamptz
         or h.search_ts = (u.former #>> '{row,search_ts}')::timestamptz and u.former -> 'image' = 'null' and h.spare -> 'image' <> 'null');
  update pg_temp.intake_undo u set restore = u.former where u.is_last and u.heir_id is null;

  update ingest.search_results_raw h set
    status = case when u.former is null then 'inserted' else 'updated' end, reason = null, former = u.former, spare = null, updated_at = now()
  from pg_temp.intake_undo u where h.id = u.heir_id;
  with changed as (
    select u.heir_run,
           count(*) filter (where u.former is null)::int as inserted,
           (count(*) filter (where u.former is not null) - count(*) filter (where u.heir_status = 'updated'))::int as updated,
           -(count(*) filter (where u.heir_status = 'skipped'))::int as skipped
    from pg_temp.intake_undo u where u.heir_id is not null and u.heir_status <> case when u.former is null then 'inserted' else 'updated' end
    group by u.heir_run
  ), counted as (
    update ingest.import_runs i set
      rows_inserted = i.rows_inserted + c.inserted, rows_updated = greatest(i.rows_updated + c.updated, 0),
      rows_skipped = greatest(i.rows_skipped + c.skipped, 0), updated_at = now()
    from changed c where i.id = c.heir_run
  ), ledger as (
    -- An heir that is still at work sums its counters from its ledger.
    insert into ingest.import_run_steps (run_id, step, part, result)
    select c.heir_run, 'inherit', (select count(*) from ingest.import_run_steps s where s.run_id = c.heir_run and s.step = 'inherit'),
           jsonb_build_object('inserted', c.inserted, 'updated', c.updated, 'skipped', c.skipped)
    from changed c
  )
  select coalesce(sum(c.inserted + greatest(c.updated, 0)), 0) into v_inherited from changed c;

  update public.search_results t set
    search_name = f.search_name, search_ts = f.search_ts, license_status = f.license_status, license_name = f.license_name,
    license_type = f.license_type, address = f.address, suite = f.suite, city = f.city, state = f.state, zip = f.zip,
    issue_date = f.issue_date, expiration_date = f.expiration_date, result_status = f.result_status, meta = f.meta, raw = f.raw,
    import_run_id = f.import_run_id, imported_at = f.imported_at, updated_at = f.updated_at
  from pg_temp.intake_undo u cross join lateral jsonb_populate_record(null::public.search_results, u.restore -> 'row') f
  where t.id = u.search_result_id and u.restore is not null and not u.is_edited;
  get diagnostics v_restored = row_count;
  delete from public.images i using pg_temp.intake_undo u
  where i.search_result_id = u.search_result_id and u.restore -> 'image' = 'null' and not u.is_edited;
  insert into public.images as i (dataset_id, search_result_id, sha256, storage_path, storage_type, file_size, content_type, import_run_id,
                                  created_at, updated_at)
  select t.dataset_id, t.id, f.sha256, f.storage_path, f.storage_type, f.file_size, f.content_type, f.import_run_id, f.created_at, f.updated_at
  from pg_temp.intake_undo u join public.search_results t on t.id = u.search_result_id
  cross join lateral jsonb_populate_record(null::public.images, u.restore -> 'image') f
  where u.restore -> 'image' <> 'null' and not u.is_edited
  on conflict (search_result_id) do update set
    sha256 = excluded.sha256, storage_path = excluded.storage_path, storage_type = excluded.storage_type, file_size = excluded.file_size,
    content_type = excluded.content_type, import_run_id = excluded.import_run_id, created_at = excluded.created_at, updated_at = excluded.updated_at;
  -- An edited row keeps its values in the name of the run that has it now; imported_at still tells that it was edited.
  update public.search_results t set import_run_id = (u.restore #>> '{row,import_run_id}')::uuid
  from pg_temp.intake_undo u where t.id = u.search_result_id and u.restore is not null and u.is_edited;

  delete from public.search_results t using pg_temp.intake_undo u
  where t.id = u.search_result_id and u.is_last and u.restore is null and not u.is_edited;
  get diagnostics v_removed = row_count;
  select jsonb_build_object('count', count(*), 'search_result_ids', coalesce(jsonb_agg(k.id) filter (where k.n <= 1000), '[]'))
    into v_kept
  from (select u.search_result_id as id, row_number() over (order by u.search_result_id) as n
        from pg_temp.intake_undo u where u.is_last and u.is_edited) k;

  update ingest.search_results_raw r set
    status = 'rolled_back', reason = 'ROLLED_BACK', updated_at = now(),
    error_message = case when r.status = 'failed' then coalesce(r.reason || ': ' || r.error_message, r.reason) else r.error_message end
  where r.import_run_id = v_run;
  get diagnostics v_rows = row_count;
  delete from ingest.imported_files f where f.run_id = v_run;
  get diagnostics v_files = row_count;
  drop table pg_temp.intake_undo;
  return jsonb_build_object('rows_affected', v_rows, 'removed', v_removed, 'restored', v_restored, 'inherited', v_inherited,
                            'kept_edited', v_kept, 'effects', jsonb_build_object('files_forgotten', v_files));
end
$$;

grant select on all tables in schema ingest to service_role, dragonfly_app;
revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;
