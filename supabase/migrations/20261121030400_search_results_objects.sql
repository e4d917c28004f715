-- Questions of an import of a directory: which images storage has, and what of a stage failed.

-- Images that storage has, by the hash of their content; they outlive the results and runs that brought them.
create table if not exists ingest.stored_images (
  sha256 text not null,
  storage_type text not null check (storage_type in ('supabase', 'local')),
  storage_path text not null,
  stored_at timestamptz not null default now(),
  primary key (sha256, storage_type)
);
alter table ingest.stored_images enable row level security;
grant select, insert, update, delete on ingest.stored_images to service_role, dragonfly_app;
drop policy if exists stored_images_app on ingest.stored_images;
create policy stored_images_app on ingest.stored_images for all to dragonfly_app using (true) with check (true);

-- Storage paths of those that are stored: one question for many images.
create or replace function ingest.find_images(sha256s jsonb, storage_type text) returns jsonb
language sql stable security definer set search_path = ''
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
  select coalesce(jsonb_object_agg(i.sha256, i.storage_path), '{}')
  from ingest.stored_images i where i.sha256 in (select jsonb_array_elements_text($1)) and i.storage_type = $2
$$;

-- After they were stored: {sha256: storage path}. In the order of their hashes, which two at once take alike.
create or replace function ingest.record_images(images jsonb, storage_type text) returns void
language sql security definer set search_path = ''
as $$
  insert into ingest.stored_images as o (sha256, storage_type, storage_path)
  select e.key, $2, e.value from jsonb_each_text($1) e order by e.key
  on conflict (sha256, storage_type) do update set storage_path = excluded.storage_path where o.storage_path <> excluded.storage_path
$$;

-- Of images that a verification did not find whole: the next import stores them again.
create or replace function ingest.forget_images(sha256s jsonb, storage_type text) returns void
language sql security definer set search_path = ''
as $$
  delete from ingest.stored_images i where i.sha256 in (select jsonb_array_elements_text($1)) and i.storage_type = $2
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

revoke execute on function ingest.find_images(jsonb, text), ingest.record_images(jsonb, text), ingest.forget_images(jsonb, text),
  ingest.staged_failures(uuid, integer, integer) from public, anon, authenticated;
grant execute on function ingest.find_images(jsonb, text), ingest.record_images(jsonb, text), ingest.forget_images(jsonb, text),
  ingest.staged_failures(uuid, integer, integer) to service_role, dragonfly_app;
