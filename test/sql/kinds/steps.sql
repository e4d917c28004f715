-- The steps of each kind as 0.3.0 had them (schema former) and the generic ones, on the same rows: staged, stopped twice, imported,
-- tampered with, rolled back. Every difference is a row of `problems`.
create temp table problems (kind text, what text, today jsonb, generic jsonb);
create temp table checks (kind text, what text, answer jsonb);
create or replace function pg_temp.same(kind text, what text, today jsonb, generic jsonb) returns void language plpgsql as $$
begin
  insert into checks values ($1, $2, $3);
  if $3 is distinct from $4 then insert into problems values ($1, $2, $3, $4); end if;
end $$;
-- Landed rows without what may differ between two tries: own id, times.
create or replace function pg_temp.landed(tab text, run uuid) returns jsonb language plpgsql as $$
declare v jsonb; begin
  execute format($q$ select jsonb_agg(case when j ? 'dedupe_key' then j || jsonb_build_object('dedupe_key', replace(j ->> 'dedupe_key', ':' || id, ':ID')) else j end order by row_index)
    from (select id, row_index, to_jsonb(t) - 'id' - 'created_at' - 'updated_at' - 'promoted_at' as j from %s t where import_run_id = $1) x $q$, tab) into v using run;
  return v; end $$;
create or replace function pg_temp.answers(kind text, model text, label text, r ingest.import_runs, stage uuid, parts integer) returns void language plpgsql as $$
declare a jsonb; b jsonb; part integer; begin
  execute format('select former.tally_%I($1)', model) into a using r.id; b := ingest.tally_import_run(r.id, kind) - case when a ? 'updated' then '' else 'updated' end;
  perform pg_temp.same(kind, label || ': tally', a, b);
  if model <> 'search_results' then
    execute format('select former.rejects_%I($1, -1, 100000)', model) into a using r.id; b := ingest.read_rejects(r.id, -1, 100000);
    perform pg_temp.same(kind, label || ': rejects', coalesce(a, '[]'), b);
    execute format('select former.rejects_%I($1, 400, 7)', model) into a using r.id; b := ingest.read_rejects(r.id, 400, 7);
    perform pg_temp.same(kind, label || ': rejects, a page', coalesce(a, '[]'), b);
    for part in 0 .. parts - 1 loop
      execute format('select former.compare_%I($1, $2, $3)', model) into a using r, stage, part;
      b := ingest.compare_part(r, stage, part);
      perform pg_temp.same(kind, label || ': compare part ' || part, a, b);
    end loop;
  end if; end $$;
create or replace function pg_temp.prove(kind text, model text, tab text, source text, stage uuid, rows integer, parts integer, tamper text[]) returns void language plpgsql as $$
declare
  o jsonb; r ingest.import_runs; a jsonb; b jsonb; x jsonb; y jsonb; part integer; t text;
begin
  o := ingest.open_import_run(source, 'batch-' || kind, md5(kind), kind || '.csv', kind, 'w', 't-' || kind, null, null, '{"input": {"tag": "t1", "backend": "postgres"}}');
  select * into r from ingest.import_runs where id = (o ->> 'run_id')::uuid;
  insert into ingest_stage.chunks (stage_id, kind, chunk, rows, errored) values (stage, kind, 0, rows, 0) on conflict do nothing;
  -- stop, twice each (a second time makes place for itself), then both undone
  begin
    for part in 0 .. parts - 1 loop execute format('select former.stop_%I($1, $2, $3)', model) into a using r, stage, part; end loop;
    for part in 0 .. parts - 1 loop execute format('select former.stop_%I($1, $2, $3)', model) into a using r, stage, part; end loop;
    x := pg_temp.landed(tab, r.id);
    perform pg_temp.answers(kind, model, 'stopped', r, stage, parts);
    raise exception using errcode = 'IN099', detail = (select jsonb_build_object('a', a, 'x', x, 'c', (select jsonb_agg(to_jsonb(c)) from checks c), 'p', (select jsonb_agg(to_jsonb(c)) from problems c)))::text;
  exception when sqlstate 'IN099' then
    get stacked diagnostics t = pg_exception_detail;
    a := t::jsonb -> 'a'; x := t::jsonb -> 'x';
    delete from checks; delete from problems;
    insert into checks select * from jsonb_populate_recordset(null::checks, t::jsonb -> 'c');
    insert into problems select * from jsonb_populate_recordset(null::problems, coalesce(nullif(t::jsonb -> 'p', 'null'), '[]'));
  end;
  begin
    for part in 0 .. parts - 1 loop b := ingest.stop_part(r, stage, part); end loop;
    for part in 0 .. parts - 1 loop b := ingest.stop_part(r, stage, part); end loop;
    y := pg_temp.landed(tab, r.id);
    raise exception using errcode = 'IN099', detail = jsonb_build_object('b', b, 'y', y)::text;
  exception when sqlstate 'IN099' then
    get stacked diagnostics t = pg_exception_detail; b := t::jsonb -> 'b'; y := t::jsonb -> 'y';
  end;
  perform pg_temp.same(kind, 'stop: answer of the last part', a, b);
  perform pg_temp.same(kind, 'stop: ' || jsonb_array_length(x) || ' landed rows, every column', jsonb_build_object('md5', md5(x::text)), jsonb_build_object('md5', md5(y::text)));
  -- imported
  if (select k.resolves from ingest.import_kinds k where k.kind = prove.kind) then
    perform ingest.resolve_stage(r.id, r.lease_generation, kind, stage, 1, parts);
  end if;
  for part in 0 .. parts - 1 loop perform ingest.upsert_part(r, stage, part, false); end loop;
  perform pg_temp.answers(kind, model, 'imported', r, stage, parts);
  for i in 1 .. cardinality(tamper) loop
    execute tamper[i] using r.id, stage;
    perform pg_temp.answers(kind, model, 'tampered ' || i, r, stage, parts);
  end loop;
  perform ingest.rollback_import_run(r.id, 'proof');
  perform pg_temp.answers(kind, model, 'rolled back', r, stage, parts);
end $$;

-- 1. plaintiffs: 20,000 rows; every 33rd is a reject, every 10th carries an earlier row's key, some have nulls everywhere.
insert into ingest_stage.plaintiffs
select '11111111-1111-1111-1111-111111111111', 0, n % 4, n, n + 2, k.key, case when n % 33 = 0 then null else 'Name ' || n end, 'name ' || n,
       case when n % 7 = 0 then null else 'Firm ' || n % 50 end, null, 'Ann ' || n, 'a' || n || '@example.com', '555' || lpad(n::text, 7, '0'), null, 'ref', jsonb_build_object('a', n),
       case when n % 33 = 0 then decode('c3a92c', 'hex') end, case when n % 33 = 0 then 'MISSING_VALUE' end, case when n % 33 = 0 then 'plaintiff_name: A required cell is empty.' end
from generate_series(0, 1999) n cross join lateral (select encode(sha256(convert_to('k' || case when n % 10 = 9 then n - 8 else n end, 'UTF8')), 'hex') as key) k;
update ingest_stage.plaintiffs s set part = (('x' || left(plaintiff_key, 2))::bit(8)::int) % 4 where stage_id = '11111111-1111-1111-1111-111111111111';
select pg_temp.prove('plaintiffs', 'plaintiffs', 'ingest.plaintiffs_raw', 'proof', '11111111-1111-1111-1111-111111111111', 2000, 4, array[
  $$update public.plaintiffs set phone = '1' where import_run_id = $1 and id % 50 = 0$$,
  $$delete from public.plaintiffs where import_run_id = $1 and id % 77 = 0$$,
  $$update ingest.plaintiffs_raw set firm_name = 'other' where import_run_id = $1 and row_index % 101 = 0$$,
  $$update ingest.plaintiffs_raw set error_code = 'BAD_EMAIL' where import_run_id = $1 and status = 'failed' and row_index % 3 = 0$$,
  $$delete from ingest.plaintiffs_raw where import_run_id = $1 and row_index % 997 = 0$$,
  $$update ingest_stage.plaintiffs set error_code = 'BAD_PHONE' where stage_id = $2 and row_index % 501 = 0$$]);

-- 2. projects: 3,000 rows, some twice, some refused.
insert into ingest_stage.projects (stage_id, chunk, part, row_index, line_number, raw_payload, raw_record, error_code, error_message, stage_application, delivery_partner,
  developer_class, deployment_specialist, stage_application_created, address, efscd, latitude, longitude, residential, commercial, essential, premises_count)
select '22222222-2222-2222-2222-222222222222', 0, (case when n % 10 = 9 then n - 8 else n end) % 3, n, n + 2, jsonb_build_object('n', n), case when n % 40 = 0 then '\x41' end::bytea,
       case when n % 40 = 0 then 'BAD_COUNT' end, case when n % 40 = 0 then 'm' end, 'SA' || case when n % 10 = 9 then n - 8 else n end, 'Partner ' || n % 5, 'class 1', 'ds' || n % 9,
       date '2025-01-01' + n % 300, 'Street ' || n, date '2025-06-01' + n % 30, 1.5, -2.25, n % 7, 0, 1, 3
from generate_series(0, 2999) n;
select pg_temp.prove('projects', 'projects', 'ingest.projects_raw', 'TENANT', '22222222-2222-2222-2222-222222222222', 3000, 3, array[
  $$update public.projects set address = 'edited' where staging_id = $1 and id % 20 = 0$$,
  $$delete from public.projects where staging_id = $1 and id % 33 = 0$$,
  $$update ingest.projects_raw set latitude = 9 where import_run_id = $1 and row_index % 101 = 0$$,
  $$update public.projects set staging_id = gen_random_uuid() where staging_id = $1 and id % 7 = 0$$]);

-- 3. judgments (kind simplicity): 3,000 rows, duplicates in the file, refused ones.
insert into ingest_stage.judgments (stage_id, chunk, part, row_index, line_number, plaintiff_key, plaintiff_name, name_key, email, email_key, phone, judgment_number, number_key,
  case_number, case_key, judgment_amount, judgment_date, county, state, lead_id, raw_payload, raw_record, error_code, error_message)
select '33333333-3333-3333-3333-333333333333', 0, n % 3, n, n + 2, encode(sha256(convert_to('p' || n % 900, 'UTF8')), 'hex'), 'P ' || n % 900, 'p ' || n % 900,
       'p' || n % 900 || '@example.com', 'p' || n % 900 || '@example.com', null, 'J' || j.no, 'j' || j.no, 'J' || j.no, 'j' || j.no, 100.5 + n, date '2024-01-01', 'Kings', 'NY', 'L' || n,
       jsonb_build_object('n', n), case when n % 50 = 0 then '\x42' end::bytea, case when n % 50 = 0 then 'BAD_AMOUNT' end, case when n % 50 = 0 then 'm' end
from generate_series(0, 2999) n cross join lateral (select case when n % 10 = 9 then n - 8 else n end as no) j;
-- For stop and compare the parts are the staged ones.
select pg_temp.prove('simplicity', 'judgments', 'public.raw_simplicity_imports', 'simplicity', '33333333-3333-3333-3333-333333333333', 3000, 3, array[
  $$update public.judgments set county = 'Queens' where import_run_id = $1 and id % 20 = 0$$,
  $$delete from public.judgments where import_run_id = $1 and id % 33 = 0$$,
  $$update public.raw_simplicity_imports set raw_data = '{}' where import_run_id = $1 and row_index % 101 = 0$$,
  $$delete from public.raw_simplicity_imports where import_run_id = $1 and row_index % 499 = 0$$]);

-- 4. search results: stop and tally (compare and rejects stay the model's own).
insert into ingest_stage.search_results (stage_id, chunk, part, row_index, line_number, raw_payload, raw_record, error_code, error_message, result_key, dataset_tag, file_path, file_sha256,
  search_name, search_state, search_ts, license_number, license_status, meta, image_error, image_message, image_item, duplicate)
select '44444444-4444-4444-4444-444444444444', 0, n % 2, n, 1 + n % 3, jsonb_build_object('n', n), case when n % 50 = 0 then '\x42' end::bytea, case when n % 50 = 0 then 'BAD_DATE' end,
       case when n % 50 = 0 then 'm' end, 'k' || n, 't1', 'FL/' || n || '_parse.json', 'f' || n, 'Pharmacy ' || n, 'FL', now(), 'L' || n % 900, 'ok', '{}',
       case when n % 60 = 0 then 'IMAGE_MISSING' end, null, null, n % 70 = 0
from generate_series(0, 1799) n;
select pg_temp.prove('search-results', 'search_results', 'ingest.search_results_raw', 'search-results', '44444444-4444-4444-4444-444444444444', 1800, 2, array[
  $$delete from public.search_results where import_run_id = $1 and id % 33 = 0$$]);

