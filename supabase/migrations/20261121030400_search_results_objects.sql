-- Questions of an import of a directory: which images storage has, and what of a stage failed.

-- Storage paths by the hash of the content, of those that are stored: one question for many images.
create or replace function ingest.stored_images(sha256s jsonb, storage_type text) returns jsonb
language sql stable security definer set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
  select coalesce(jsonb_object_agg(f.sha256, f.storage_path), '{}')
  from (select distinct on (i.sha256) i.sha256, i.storage_path
        from public.images i where i.sha256 in (select jsonb_array_elements_text($1)) and i.storage_type = $2 order by i.sha256, i.id) f
$$;

-- Failed items of a staged directory after a row index, for a dry run.
create or replace function ingest.staged_failures(stage_id uuid, after_row integer default -1, max_rows integer default 500) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('row_index', s.row_index, 'line', s.line_number, 'item', f.item, 'kind', f.kind, 'code', f.code,
                                               'message', f.message) order by s.row_index, f.kind desc), '[]')
  from (select * from ingest_stage.search_results x
        where x.stage_id = $1 and x.row_index > $2 and (x.error_code is not null or x.image_error is not null) order by x.row_index limit $3) s
  cross join lateral (
    select s.file_path as item, case when s.line_number = 0 then 'json' else 'licence' end as kind, s.error_code as code, s.error_message as message
    where s.error_code is not null
    union all select coalesce(s.image_item, s.file_path), 'image', s.image_error, s.image_message where s.image_error is not null) f
$$;

revoke execute on function ingest.stored_images(jsonb, text), ingest.staged_failures(uuid, integer, integer) from public, anon, authenticated;
grant execute on function ingest.stored_images(jsonb, text), ingest.staged_failures(uuid, integer, integer) to service_role, dragonfly_app;
