-- Generated from supabase/schemas/tenants.sql by `npm run migrations`: edit that file, not this one.
-- Who may post batches of projects over HTTP, and the one batch of a tenant that waits for its merge.
create table if not exists ingest.tenants (
  tenant_id text primary key check (tenant_id <> '*' and char_length(tenant_id) between 1 and 100),
  created_at timestamptz not null default now(),
  date_order text check (date_order in ('dmy', 'mdy'))
);

create table if not exists ingest.tenant_bearers (
  -- Of a random secret of 256 bits: neither salt nor many rounds would add to that.
  bearer_sha256 text primary key check (bearer_sha256 ~ '^[0-9a-f]{64}$'),
  tenant_id text not null references ingest.tenants (tenant_id) on delete cascade,
  created_at timestamptz not null default now(),
  -- Null: the one in use; set by a rotation, so that both open the door for a while.
  expires_at timestamptz,
  -- One that a worker lent itself, not one of the tenant's own.
  lent boolean not null default false
);
create unique index if not exists tenant_bearers_current_uniq on ingest.tenant_bearers (tenant_id) where expires_at is null;
create index if not exists tenant_bearers_tenant_idx on ingest.tenant_bearers (tenant_id);

-- Rows travel from the gateway to the merge by reference. The primary key is what makes a tenant wait, whatever the number of gateways.
create table if not exists ingest.project_batches (
  tenant_id text primary key,
  batch_checksum text not null,
  batch_id text not null,
  source text not null,
  correlation_id uuid not null,
  rows jsonb not null,
  created_at timestamptz not null default now()
);
-- It lives for a second: not worth compressing.
alter table ingest.project_batches alter column rows set storage external;

-- One that was added, or has projects already.
create or replace function ingest.tenant_exists(tenant_id text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select exists (select from ingest.tenants t where t.tenant_id = $1) or exists (select from public.projects p where p.tenant_id = $1) $$;

-- Other tenants whose names differ from this one by case alone.
create or replace function ingest.similar_tenants(tenant_id text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select coalesce(jsonb_agg(t.tenant_id order by t.tenant_id), '[]') from ingest.tenants t where lower(t.tenant_id) = lower($1) and t.tenant_id <> $1 $$;

-- False when the tenant has a bearer already: that one is rotated instead.
create or replace function ingest.add_tenant(tenant_id text, bearer_sha256 text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ingest.tenants (tenant_id) values ($1) on conflict do nothing;
  insert into ingest.tenant_bearers (tenant_id, bearer_sha256) values ($1, $2) on conflict do nothing;
  return found;
end
$$;

-- A new bearer; the former one opens for `overlap_minutes` more. Returns when that ends, null for an unknown tenant.
create or replace function ingest.rotate_bearer(tenant_id text, bearer_sha256 text, overlap_minutes integer) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_until timestamptz := clock_timestamp() + make_interval(mins => greatest($3, 0));
begin
  perform from ingest.tenants t where t.tenant_id = $1 for update;
  if not found then
    return null;
  end if;
  delete from ingest.tenant_bearers b where b.tenant_id = $1 and b.expires_at <= clock_timestamp();
  update ingest.tenant_bearers b set expires_at = least(b.expires_at, v_until) where b.tenant_id = $1;
  insert into ingest.tenant_bearers (tenant_id, bearer_sha256) values ($1, $2);
  return v_until;
end
$$;

-- What the gateway compares with: hashes only.
create or replace function ingest.live_bearers() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('tenant_id', b.tenant_id, 'bearer_sha256', b.bearer_sha256, 'expires_at', b.expires_at)), '[]')
  from ingest.tenant_bearers b where b.expires_at is null or b.expires_at > now()
$$;

-- Tenants whose numeric dates are read otherwise than projects' usually are: {tenant: order}.
create or replace function ingest.date_orders() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_object_agg(t.tenant_id, t.date_order), '{}') from ingest.tenants t where t.date_order is not null
$$;

-- How numeric dates of a tenant's batches are written; false: there is no such tenant.
create or replace function ingest.set_date_order(tenant_id text, date_order text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  update ingest.tenants t set date_order = $2 where t.tenant_id = $1;
  return found;
end
$$;

create or replace function ingest.note_answer(tenant_id text, batch_id text, correlation_id uuid, staging_id uuid, outcome text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into ingest.project_answers (tenant_id, request_batch_id, correlation_id, staging_id, outcome) values ($1, $2, $3, $4, $5)
$$;

-- Rows of a pushed file that are not posted, since a cell cannot be read, as anomalies of their projects.
create or replace function ingest.note_left_out(tenant_id text, correlation_id uuid, batch_id text, rows jsonb) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_count integer;
  v_former tid[];
begin
  perform ingest.lock_tenant($1);
  v_former := array(select a.ctid from public.import_anomalies a
                    where a.tenant_id = $1 and a.correlation_id = $2 and a.staging_id is null and a.project_key is null);
  delete from public.import_anomalies a where a.ctid = any (v_former) and a.ctid <> all ((select ingest.held_rows('public.import_anomalies', v_former))::tid[]);
  insert into public.import_anomalies as a (tenant_id, batch_id, row_index, anomaly_type, field, input_value, reason, match_type, project_key, correlation_id)
  select distinct on (r.project_key, r.field, r.value, case when r.project_key is null then r.row_index end)
         $1, $3, r.row_index, 'UNREADABLE_VALUE', r.field, left(r.value, 500), 'the row is left out: ' || r.reason, 'none', r.project_key, $2
  from jsonb_to_recordset($4) as r (row_index integer, field text, value text, reason text, project_key text)
  order by r.project_key, r.field, r.value, case when r.project_key is null then r.row_index end, r.row_index
  on conflict (tenant_id, project_key, anomaly_type, field, md5(coalesce(input_value, ''))) do update set
    batch_id = excluded.batch_id, row_index = excluded.row_index, reason = excluded.reason, correlation_id = excluded.correlation_id,
    staging_id = null, created_at = now();
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- The answer that a merged batch has: ids and counts. Null when it is not merged.
create or replace function ingest.project_batch_answer(tenant_id text, batch_checksum text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('batch_id', s.batch_id, 'metrics', s.validation -> 'metrics', 'anomalies', coalesce((
    select jsonb_object_agg(a.anomaly_type, a.n)
    from (select x.anomaly_type, count(*) as n from public.import_anomalies x where x.staging_id = s.id group by x.anomaly_type) a), '{}'))
  from public.staging_imports s where s.tenant_id = $1 and s.batch_checksum = $2 and s.validation ? 'metrics'
$$;

-- The same while it still holds (see fn_projects_import_merge), else null.
create or replace function ingest.replay_project_batch(tenant_id text, batch_checksum text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select ingest.project_batch_answer($1, $2) from public.staging_imports s
  where s.tenant_id = $1 and s.batch_checksum = $2 and ingest.still_holds(s, ingest.directory_version())
$$;

-- Puts a batch down for its merge, or finds the one that the tenant has there: {checksum, age_seconds, is_new} of what waits now.
create or replace function ingest.store_project_batch(
  tenant_id text, batch_checksum text, batch_id text, source text, correlation_id uuid, rows jsonb
) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_new integer;
  v_waiting jsonb;
begin
  -- Not found in between when its merge has just ended: then there is room.
  loop
    insert into ingest.project_batches as b (tenant_id, batch_checksum, batch_id, source, correlation_id, rows)
    values ($1, $2, $3, $4, $5, $6) on conflict on constraint project_batches_pkey do nothing;
    get diagnostics v_new = row_count;
    select jsonb_build_object('checksum', b.batch_checksum, 'age_seconds', extract(epoch from now() - b.created_at), 'is_new', v_new = 1)
    into v_waiting
    from ingest.project_batches b where b.tenant_id = $1;
    exit when found;
  end loop;
  return v_waiting;
end
$$;

-- Merges the batch that waits and takes it away, in one transaction. One that is merged already gets the answer of then; null: there is
-- no such batch.
create or replace function ingest.merge_project_batch(tenant_id text, batch_checksum text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_batch ingest.project_batches;
begin
  delete from ingest.project_batches b where b.tenant_id = $1 and b.batch_checksum = $2 returning b.* into v_batch;
  if found then
    perform public.fn_projects_import_merge(v_batch.tenant_id, v_batch.source, v_batch.batch_id, v_batch.rows, v_batch.correlation_id);
  end if;
  return ingest.project_batch_answer($1, $2);
end
$$;

-- Takes a batch away that cannot be merged, so that the tenant may post again.
create or replace function ingest.drop_project_batch(tenant_id text, batch_checksum text) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$ delete from ingest.project_batches b where b.tenant_id = $1 and b.batch_checksum = $2 $$;
-- Pushes of project files through the gateway: a bearer for a worker that has none, and which contents a folder has given already.

create table if not exists ingest.pushed_files (
  tenant_id text not null,
  file_sha256 text not null check (file_sha256 ~ '^[0-9a-f]{64}$'),
  -- Of the push; its batches and anomalies carry it, too.
  correlation_id uuid not null,
  row_count bigint not null,
  batches integer not null,
  pushed_at timestamptz not null default now(),
  -- Of the file: one with this content that is newer is pushed again, since others may have been pushed since.
  file_modified_at timestamptz,
  primary key (tenant_id, file_sha256)
);

select ingest.open_to_app(t) from unnest(array[
  'ingest.tenants', 'ingest.tenant_bearers', 'ingest.project_batches', 'ingest.pushed_files']::regclass[]) t;

-- A bearer of a tenant for some minutes; the service's own right. Expired ones go. Null: there is no such tenant.
create or replace function ingest.lend_bearer(tenant_id text, bearer_sha256 text, minutes integer) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_until timestamptz := clock_timestamp() + make_interval(mins => least(greatest($3, 1), 60));
begin
  delete from ingest.tenant_bearers b where b.expires_at <= clock_timestamp();
  if not ingest.tenant_exists($1) then
    return null;
  end if;
  insert into ingest.tenant_bearers (tenant_id, bearer_sha256, expires_at, lent) values ($1, $2, v_until, true);
  return v_until;
end
$$;

-- Tenants with the times of their own bearers, no hashes.
create or replace function ingest.list_tenants() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(t.entry order by t.tenant_id), '[]')
  from (select t.tenant_id, jsonb_build_object(
          'tenant_id', t.tenant_id, 'created_at', t.created_at, 'date_order', coalesce(t.date_order, 'dmy'),
          'rotated_at', max(b.created_at),
          'former_until', max(b.expires_at) filter (where b.expires_at > now())) as entry
        from ingest.tenants t left join ingest.tenant_bearers b on b.tenant_id = t.tenant_id and not b.lent group by t.tenant_id) t
$$;

create or replace function ingest.remember_push(
  tenant_id text, file_sha256 text, correlation_id uuid, row_count bigint, batches integer, modified_at timestamptz default null
) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  insert into ingest.pushed_files as f (tenant_id, file_sha256, correlation_id, row_count, batches, file_modified_at)
  values ($1, $2, $3, $4, $5, $6)
  on conflict on constraint pushed_files_pkey do update set
    correlation_id = excluded.correlation_id, pushed_at = now(), file_modified_at = greatest(f.file_modified_at, excluded.file_modified_at)
$$;

-- Which of these contents the tenant's folder has given already: their hashes, each with the latest time of a file that had it; the
-- one that was pushed last has none.
create or replace function ingest.pushed_among(tenant_id text, file_sha256s jsonb) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_object_agg(f.file_sha256, case when f.pushed_at < l.pushed_at then coalesce(f.file_modified_at, f.pushed_at) end), '{}')
  from ingest.pushed_files f
  cross join (select max(x.pushed_at) as pushed_at from ingest.pushed_files x where x.tenant_id = $1) l
  where f.tenant_id = $1 and f.file_sha256 in (select jsonb_array_elements_text($2))
$$;

-- The backfill of public, reached as the backends reach functions: how many memberships it made.
create or replace function ingest.backfill_memberships(restore boolean default false) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set statement_timeout = '30min'
as $$
begin
  if $1 then
    delete from ingest.removed_members;
  end if;
  return public.fn_projects_membership_backfill();
end
$$;
