-- Upsert and count of plaintiffs as 0.3.0 had them (schema former) and the frame's, on the same rows: adopted, skipped for a live run,
-- duplicates in the file, rejects; with and without an earlier stop.
create temp table answers (way text, what text, answer jsonb);
insert into ingest_stage.plaintiffs (stage_id, chunk, part, row_index, line_number, plaintiff_key, plaintiff_name, plaintiff_name_normalized, raw_payload, raw_record, error_code, error_message)
select '55555555-5555-5555-5555-555555555555', 0, n % 4, n, n + 2, encode(sha256(convert_to('f' || case when n % 12 = 8 then n - 4 else n end, 'UTF8')), 'hex'),
       'N' || n, 'n' || n, '{}', case when n % 31 = 0 then '\x41' end::bytea, case when n % 31 = 0 then 'BAD_EMAIL' end, case when n % 31 = 0 then 'm' end
from generate_series(0, 1999) n;
-- By hand, owned by nobody: adopted. Of an earlier live run: skipped.
insert into public.plaintiffs (dedupe_key, source_system, name) select encode(sha256(convert_to('f' || n, 'UTF8')), 'hex'), 'hand', 'H' || n from generate_series(1, 2000, 17) n;
do $$ declare r ingest.import_runs; begin
  perform ingest.open_import_run('proof', 'earlier', 'e', 'e.csv', 'plaintiffs', 'w', 'te');
  select * into strict r from ingest.import_runs i where i.source_batch_id = 'earlier';
  insert into ingest_stage.plaintiffs (stage_id, chunk, part, row_index, line_number, plaintiff_key, plaintiff_name, raw_payload)
  select '66666666-6666-6666-6666-666666666666', 0, 0, n, n, encode(sha256(convert_to('f' || (n * 13), 'UTF8')), 'hex'), 'E' || n, '{}' from generate_series(1, 300) n;
  perform ingest.upsert_part(r, '66666666-6666-6666-6666-666666666666', 0, false);
  perform ingest.open_import_run('proof', 'frame', 'f', 'f.csv', 'plaintiffs', 'w', 'tf');
end $$;
create or replace function pg_temp.content(run uuid) returns jsonb language sql as $$
  select jsonb_build_object('landed', (select md5(string_agg((to_jsonb(r) - 'id' - 'created_at' - 'updated_at' - 'promoted_at' - 'promoted_plaintiff_id' - 'duplicate_of' - 'adopted' - 'adopted_from' || jsonb_build_object(
      'dedupe_key', replace(r.dedupe_key, ':' || r.id, ':ID'), 'promoted', r.promoted_at is not null, 'plaintiff', p.dedupe_key, 'duplicate_of', (select d.import_run_id::text || d.row_index from ingest.plaintiffs_raw d where d.id = r.duplicate_of)))::text, '' order by r.row_index))
    from ingest.plaintiffs_raw r left join public.plaintiffs p on p.id = r.promoted_plaintiff_id where r.import_run_id = $1),
    'rows', (select count(*) from ingest.plaintiffs_raw r where r.import_run_id = $1),
    'production', (select md5(string_agg((to_jsonb(p) - 'id' - 'created_at' - 'updated_at')::text, '' order by p.dedupe_key)) from public.plaintiffs p)) $$;
create or replace function pg_temp.go(way text, stopped boolean) returns void language plpgsql as $$
declare r ingest.import_runs; a jsonb := '[]'; c jsonb := '[]'; t text; x jsonb; begin
  select * into r from ingest.import_runs where source_batch_id = 'frame';
  begin
    if stopped then
      for part in 0..3 loop perform ingest.stop_part(r, '55555555-5555-5555-5555-555555555555', part); end loop;
      insert into ingest.import_run_steps (run_id, step, part) values (r.id, 'stop', 0);
    end if;
    for part in 0..3 loop
      if way = 'today' then c := c || (former.count_plaintiffs('proof', '55555555-5555-5555-5555-555555555555', part) - 'adopted');
      else c := c || (ingest.count_part('plaintiffs', 'proof', '55555555-5555-5555-5555-555555555555', part, false) - 'effects'); end if;
    end loop;
    for part in 0..3 loop
      if way = 'today' then a := a || (former.upsert_plaintiffs(r, '55555555-5555-5555-5555-555555555555', part) - 'adopted');
      else
        if stopped then execute ingest.unland_statement(ingest.model_of('plaintiffs')) using r.id, '55555555-5555-5555-5555-555555555555'::uuid, part; end if;
        a := a || (ingest.upsert_part(r, '55555555-5555-5555-5555-555555555555', part, false) - 'effects');
      end if;
    end loop;
    raise exception using errcode = 'IN099', detail = jsonb_build_object('counts', c, 'upserts', a, 'content', pg_temp.content(r.id))::text;
  exception when sqlstate 'IN099' then get stacked diagnostics t = pg_exception_detail; x := t::jsonb; end;
  insert into answers select way, (case when stopped then 'after a stop: ' else '' end) || k, v from jsonb_each(x) as e (k, v);
end $$;
select pg_temp.go('today', false), pg_temp.go('frame', false), pg_temp.go('today', true), pg_temp.go('frame', true);
