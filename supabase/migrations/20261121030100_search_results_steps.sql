-- The steps of kind search-results. A newer search replaces an older one; of one time, a search that brings the image which
-- the row lacks does, too (the image was mended and the directory imported again).

create or replace function ingest.storage_type(run ingest.import_runs) returns text
language sql immutable set search_path = ''
as $$ select case when ($1).metadata #>> '{input,backend}' = 'supabase' then 'supabase' else 'local' end $$;

-- The staged rows of a part: `nth` in key order; of a licence the newest search wins, of one time the lowest row. Winners
-- have no outcome yet.
create or replace function ingest.rank_search_results(stage_id uuid, part integer)
returns table (stage_ctid tid, nth bigint, outcome text, reason text)
language sql stable security definer set search_path = '' rows 25000 set enable_seqscan = off set work_mem = '32MB'
as $$
  select w.ctid, row_number() over (order by w.search_state collate "C", w.license_number collate "C", w.name collate "C", w.ts),
         case when w.error is not null then 'failed' when w.duplicate or not w.is_winner then 'skipped' end,
         case when w.error is not null then w.error when w.duplicate then 'DUPLICATE_SEARCH' when not w.is_winner then 'DUPLICATE_IN_RUN' end
  from (
    select k.*, row_number() over (partition by k.duplicate, k.error is null, k.search_state collate "C", k.license_number collate "C", k.name collate "C", k.ts
                                   order by k.search_ts desc, k.row_index) = 1 as is_winner
    from (
      select s.ctid, s.row_index, s.search_state, s.license_number, s.search_ts, coalesce(s.duplicate, false) and s.error_code is null as duplicate,
             s.error_code as error, case when s.license_number is null then s.search_name end as name,
             case when s.license_number is null then s.search_ts end as ts
      from ingest_stage.search_results s where s.stage_id = $1 and s.part = $2
    ) k
  ) w
$$;

-- Which result each of the staged rows would replace, if any. One probe of a unique index each, on purpose: neither the
-- statistics of tables that grow from nothing nor a plan of yesterday may decide.
create or replace function ingest.find_search_results(dataset_id bigint, rows tid[])
returns table (nth bigint, stage_ctid tid, search_result_id bigint)
language sql stable security definer set search_path = '' rows 25000
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select u.nth, u.stage_ctid, t.id
  from unnest($2) with ordinality as u (stage_ctid, nth)
  cross join lateral (select x.search_state, x.license_number, x.search_name, x.search_ts
                      from ingest_stage.search_results x where x.ctid = u.stage_ctid offset 0) s
  left join lateral (
    select r.id from public.search_results r
    where r.dataset_id = $1 and r.search_state = s.search_state and r.license_number = s.license_number
    union all
    select r.id from public.search_results r
    where s.license_number is null and r.license_number is null and r.dataset_id = $1
      and r.search_state = s.search_state and r.search_name = s.search_name and r.search_ts = s.search_ts
    limit 1) t on true
$$;

-- Staged rows against the results of their keys, with what they would replace where they win.
create or replace function ingest.judge_search_results(rows tid[], ids bigint[])
returns table (stage_ctid tid, search_result_id bigint, wins boolean, has_image boolean, former jsonb)
language sql stable security definer set search_path = '' rows 25000
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select j.stage_ctid, j.id, j.wins, j.has_image, case when j.wins then jsonb_build_object('row', j.result, 'image', j.image) end
  from (
    select k.stage_ctid, t.id, to_jsonb(t) as result, to_jsonb(i) as image, s.image_sha256 is not null as has_image,
           s.search_ts > t.search_ts or s.search_ts = t.search_ts and s.image_sha256 is not null and i.id is null as wins
    from unnest($1, $2) as k (stage_ctid, id)
    cross join lateral (select x.search_ts, x.image_sha256 from ingest_stage.search_results x where x.ctid = k.stage_ctid offset 0) s
    cross join lateral (select * from public.search_results x where x.id = k.id offset 0) t
    left join lateral (select * from public.images x where x.search_result_id = k.id offset 0) i on true
  ) j
$$;

-- Replaces what the rows beat. `held` is {row, image}: of an updated row what it replaced, of a skipped one what it would have
-- put there. Either may come to its place when a run is rolled back.
create or replace function ingest.replace_search_results(run ingest.import_runs, rows tid[], ids bigint[])
returns table (stage_ctid tid, search_result_id bigint, outcome text, held jsonb, images integer)
language sql volatile security definer set search_path = '' rows 25000
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  with judged as materialized (
    select * from ingest.judge_search_results($2, $3)
  ), replaced as (
    update public.search_results t set
      search_name = s.search_name, search_ts = s.search_ts, license_status = s.license_status, license_name = s.license_name,
      license_type = s.license_type, address = s.address, suite = s.suite, city = s.city, state = s.state, zip = s.zip,
      issue_date = s.issue_date, expiration_date = s.expiration_date, result_status = s.result_status, meta = s.meta,
      raw = s.raw_payload, import_run_id = ($1).id, imported_at = now(), updated_at = now()
    from judged j cross join lateral (select * from ingest_stage.search_results x where x.ctid = j.stage_ctid offset 0) s
    where j.wins and t.id = j.search_result_id
  ), dropped as (
    delete from public.images i using judged j where j.wins and not j.has_image and i.search_result_id = j.search_result_id
  ), pictured as (
    insert into public.images as i (dataset_id, search_result_id, sha256, storage_path, storage_type, file_size, content_type, import_run_id)
    select t.dataset_id, t.id, s.image_sha256, s.image_path, (select ingest.storage_type($1)), s.image_size, s.content_type, ($1).id
    from judged j
    cross join lateral (select * from ingest_stage.search_results x where x.ctid = j.stage_ctid offset 0) s
    cross join lateral (select x.id, x.dataset_id from public.search_results x where x.id = j.search_result_id offset 0) t
    where j.wins and j.has_image
    on conflict (search_result_id) do update set
      sha256 = excluded.sha256, storage_path = excluded.storage_path, storage_type = excluded.storage_type, file_size = excluded.file_size,
      content_type = excluded.content_type, import_run_id = excluded.import_run_id, created_at = now(), updated_at = now()
  )
  select j.stage_ctid, j.search_result_id, case when j.wins then 'updated' else 'skipped' end,
         case when j.wins then j.former else jsonb_build_object(
           'row', jsonb_build_object(
             'search_name', s.search_name, 'search_ts', s.search_ts, 'license_status', s.license_status, 'license_name', s.license_name,
             'license_type', s.license_type, 'address', s.address, 'suite', s.suite, 'city', s.city, 'state', s.state, 'zip', s.zip,
             'issue_date', s.issue_date, 'expiration_date', s.expiration_date, 'result_status', s.result_status, 'meta', s.meta,
             'raw', s.raw_payload, 'import_run_id', ($1).id, 'imported_at', now(), 'updated_at', now()),
           'image', case when s.image_sha256 is not null then jsonb_build_object(
             'sha256', s.image_sha256, 'storage_path', s.image_path, 'storage_type', (select ingest.storage_type($1)), 'file_size', s.image_size,
             'content_type', s.content_type, 'import_run_id', ($1).id, 'created_at', now(), 'updated_at', now()) end) end,
         (j.wins and j.has_image)::int
  from judged j cross join lateral (select * from ingest_stage.search_results x where x.ctid = j.stage_ctid offset 0) s
$$;

-- Adds rows whose keys are free, in key order; answers those that were. Another run may have taken a key meanwhile.
create or replace function ingest.add_search_results(run ingest.import_runs, dataset_id bigint, rows tid[])
returns table (stage_ctid tid, search_result_id bigint, outcome text, held jsonb, images integer)
language sql volatile security definer set search_path = '' rows 25000 set enable_seqscan = off
  set enable_nestloop = off -- an array of any length is estimated as ten rows
as $$
  with fresh as materialized (
    select u.stage_ctid, nextval('public.search_results_id_seq') as id from unnest($3) as u (stage_ctid)
  ), added as (
    insert into public.search_results (
      id, dataset_id, search_name, search_state, search_ts, license_number, license_status, license_name, license_type, address, suite,
      city, state, zip, issue_date, expiration_date, result_status, meta, raw, import_run_id, imported_at)
    select f.id, $2, s.search_name, s.search_state, s.search_ts, s.license_number, s.license_status, s.license_name, s.license_type, s.address,
           s.suite, s.city, s.state, s.zip, s.issue_date, s.expiration_date, s.result_status, s.meta, s.raw_payload, ($1).id, now()
    from fresh f cross join lateral (select * from ingest_stage.search_results x where x.ctid = f.stage_ctid offset 0) s
    order by f.id
    on conflict do nothing
    returning id
  ), pictured as (
    insert into public.images (dataset_id, search_result_id, sha256, storage_path, storage_type, file_size, content_type, import_run_id)
    select $2, f.id, s.image_sha256, s.image_path, (select ingest.storage_type($1)), s.image_size, s.content_type, ($1).id
    from added a join fresh f on f.id = a.id
    cross join lateral (select * from ingest_stage.search_results x where x.ctid = f.stage_ctid offset 0) s
    where s.image_sha256 is not null
    returning search_result_id
  )
  select f.stage_ctid, f.id, 'inserted', null::jsonb, (p.search_result_id is not null)::int
  from added a join fresh f on f.id = a.id left join pictured p on p.search_result_id = f.id
$$;

-- Puts staged rows of different keys into production. Known results are locked in the order of their ids before they are
-- judged, free keys are taken in key order: runs at once wait for each other, never in a circle. A key that another run takes
-- meanwhile is known at the second look; one that is neither known nor free then is refused by some other unique constraint.
create or replace function ingest.place_search_results(run ingest.import_runs, dataset_id bigint, rows tid[])
returns table (stage_ctid tid, search_result_id bigint, outcome text, held jsonb, images integer)
language plpgsql security definer set search_path = '' rows 25000 set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  v_rows tid[] := $3;
  v_known tid[];
  v_ids bigint[];
  v_free tid[];
  v_count integer;
  v_looks integer := 0;
begin
  while v_looks < 2 loop
    select coalesce(array_agg(k.stage_ctid order by k.nth) filter (where k.search_result_id is not null), '{}'),
           coalesce(array_agg(k.search_result_id order by k.nth) filter (where k.search_result_id is not null), '{}'),
           coalesce(array_agg(k.stage_ctid order by k.nth) filter (where k.search_result_id is null), '{}')
      into v_known, v_ids, v_free
    from ingest.find_search_results($2, v_rows) k;
    perform from public.search_results t where t.id = any (v_ids) order by t.id for no key update;
    get diagnostics v_count = row_count;
    continue when v_count < cardinality(v_ids); -- somebody deleted one
    v_looks := v_looks + 1;
    return query select * from ingest.replace_search_results($1, v_known, v_ids);
    return query select * from ingest.add_search_results($1, $2, v_free);
    get diagnostics v_count = row_count;
    if v_count = cardinality(v_free) then
      return;
    end if;
    -- What was added just now is known by now, too, as this run's.
    v_rows := array(select k.stage_ctid from ingest.find_search_results($2, v_free) k
                    left join lateral (select x.import_run_id from public.search_results x where x.id = k.search_result_id offset 0) t on true
                    where t.import_run_id is distinct from ($1).id order by k.nth);
  end loop;
  if cardinality(v_rows) > 0 then
    raise exception 'another unique constraint' using errcode = 'unique_violation';
  end if;
end
$$;

-- The same, but what a constraint or trigger of the database refuses is halved until only that record fails; the rest is in.
-- What may pass (conflicts, shortages, shutdowns) is raised: it is tried again as a whole.
create or replace function ingest.write_search_results(run ingest.import_runs, dataset_id bigint, rows tid[])
returns table (stage_ctid tid, search_result_id bigint, outcome text, held jsonb, images integer, message text)
language plpgsql security definer set search_path = '' rows 25000
as $$
#variable_conflict use_column
declare
  v_half integer := cardinality($3) / 2;
  v_constraint text;
begin
  begin
    -- A function in FROM answers when it has ended, so that nothing of it is answered when it fails.
    return query select p.*, null::text from ingest.place_search_results($1, $2, $3) p;
    return;
  exception when others then
    if left(sqlstate, 2) <> all (array['22', '23', '54', 'P0']) then
      raise;
    end if;
    get stacked diagnostics v_constraint = constraint_name;
    if cardinality($3) = 1 then
      return query select $3[1], null::bigint, 'failed', null::jsonb, 0,
        'the database refuses this record: ' || sqlstate || coalesce(' ' || nullif(v_constraint, ''), '');
      return;
    end if;
  end;
  return query select * from ingest.write_search_results($1, $2, $3[:v_half]);
  return query select * from ingest.write_search_results($1, $2, $3[v_half + 1:]);
end
$$;

create or replace function ingest.search_result_counts(
  inserted bigint, updated bigint, skipped bigint, errored bigint, images bigint, refused bigint
) returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_build_object('inserted', $1, 'updated', $2, 'skipped', $3, 'errored', $4,
                            'effects', jsonb_build_object('images', coalesce($5, 0), 'refused', $6))
$$;

-- Writers of a dataset share this lock, a rollback owns it, whatever source systems they name.
create or replace function ingest.lock_dataset(run ingest.import_runs, exclusive boolean) returns void
language sql security definer set search_path = ''
as $$ select ingest.lock_source('dataset:' || coalesce(($1).metadata #>> '{input,tag}', ''), $2) $$;

-- Lands and promotes a part.
create or replace function ingest.upsert_search_results(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_dataset bigint := ingest.open_dataset('states', ($1).metadata #>> '{input,tag}');
  v_result jsonb;
begin
  perform ingest.lock_dataset($1, false);
  if exists (select from ingest.import_run_steps t where t.run_id = v_run and t.step = 'stop') then
    -- An earlier attempt stopped at --max-errors; its rows make place for these.
    delete from ingest.search_results_raw r using ingest_stage.search_results s
    where s.stage_id = $2 and s.part = $3 and r.import_run_id = v_run and r.row_index = s.row_index;
  end if;
  with ranked as materialized (
    select * from ingest.rank_search_results($2, $3)
  ), judged as materialized (
    select k.stage_ctid, coalesce(k.outcome, w.outcome) as outcome,
           coalesce(k.reason, case w.outcome when 'failed' then 'REFUSED_ROW' when 'skipped' then 'OLDER' end) as reason,
           w.message, w.search_result_id, w.held, w.images
    from ranked k
    left join ingest.write_search_results($1, v_dataset, array(
      select r.stage_ctid from ranked r where r.outcome is null order by r.nth)) w on w.stage_ctid = k.stage_ctid
  ), landed as (
    insert into ingest.search_results_raw (
      import_run_id, row_index, line_number, file_path, file_sha256, search_ts, status, reason, error_message, raw_record, image_error,
      image_message, image_item, search_result_id, former, spare)
    select v_run, s.row_index, s.line_number, s.file_path, s.file_sha256, s.search_ts, j.outcome, j.reason, coalesce(j.message, s.error_message),
           coalesce(s.raw_record, case when j.reason = 'REFUSED_ROW' then convert_to(s.raw_payload::text, 'UTF8') end), s.image_error,
           s.image_message, s.image_item, j.search_result_id, case when j.outcome = 'updated' then j.held end, case when j.reason = 'OLDER' then j.held end
    from judged j cross join lateral (select * from ingest_stage.search_results x where x.ctid = j.stage_ctid offset 0) s
  )
  select ingest.search_result_counts(
           count(*) filter (where outcome = 'inserted'), count(*) filter (where outcome = 'updated'),
           count(*) filter (where outcome = 'skipped'), count(*) filter (where outcome = 'failed'),
           sum(images), count(*) filter (where reason = 'REFUSED_ROW'))
    into v_result from judged;
  return v_result;
end
$$;

-- What upsert would answer now, but for what the database would refuse. The rows name the dataset: there is no run.
create or replace function ingest.count_search_results(source_system text, stage_id uuid, part integer) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_dataset bigint := (
    select d.id from public.datasets d where d.kind = 'states' and d.tag = (
      select s.dataset_tag from ingest_stage.search_results s where s.stage_id = $2 and s.part = $3 limit 1));
  v_winners tid[] := array(select k.stage_ctid from ingest.rank_search_results($2, $3) k where k.outcome is null order by k.nth);
  v_known tid[];
  v_ids bigint[];
  v_free tid[];
  v_updated integer;
  v_images integer;
begin
  select coalesce(array_agg(k.stage_ctid) filter (where k.search_result_id is not null), '{}'),
         coalesce(array_agg(k.search_result_id) filter (where k.search_result_id is not null), '{}'),
         coalesce(array_agg(k.stage_ctid) filter (where k.search_result_id is null), '{}')
    into v_known, v_ids, v_free
  from ingest.find_search_results(v_dataset, v_winners) k;
  select count(*) filter (where j.wins), count(*) filter (where j.wins and j.has_image) into v_updated, v_images
  from ingest.judge_search_results(v_known, v_ids) j;
  return (
    select ingest.search_result_counts(
      cardinality(v_free), v_updated, count(*) filter (where k.outcome = 'skipped') + cardinality(v_known) - v_updated,
      count(*) filter (where k.outcome = 'failed'),
      v_images + (select count(*) from unnest(v_free) as u (stage_ctid)
                  cross join lateral (select x.image_sha256 from ingest_stage.search_results x where x.ctid = u.stage_ctid offset 0) s
                  where s.image_sha256 is not null), 0)
    from ingest.rank_search_results($2, $3) k);
end
$$;

create or replace function ingest.stop_search_results(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_rows integer;
begin
  delete from ingest.search_results_raw r using ingest_stage.search_results s
  where s.stage_id = $2 and s.part = $3 and r.import_run_id = ($1).id and r.row_index = s.row_index;
  insert into ingest.search_results_raw (
    import_run_id, row_index, line_number, file_path, file_sha256, search_ts, status, reason, error_message, raw_record, image_error,
    image_message, image_item)
  select ($1).id, s.row_index, s.line_number, s.file_path, s.file_sha256, s.search_ts,
         case when s.error_code is null then 'pending' else 'failed' end, s.error_code, s.error_message, s.raw_record, s.image_error,
         s.image_message, s.image_item
  from ingest_stage.search_results s where s.stage_id = $2 and s.part = $3;
  get diagnostics v_rows = row_count;
  return jsonb_build_object('rows', v_rows);
end
$$;
