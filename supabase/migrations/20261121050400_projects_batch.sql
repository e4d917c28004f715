-- A batch of project rows: its turn, its id, what is refused, and whom its rows mean.

-- One merge of a tenant at a time, until the end of the transaction.
create or replace function ingest.lock_tenant(tenant_id text) returns void
language sql volatile security definer set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('intake.projects:' || $1, 0)) $$;

-- A requester's batch id as a UUID: itself if it is one, else always the same (version 8) for the same tenant and text.
create or replace function ingest.batch_uuid(tenant_id text, batch_id text) returns uuid
language sql immutable security definer set search_path = ''
as $$
  select case when $2 ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then $2::uuid
         else (substr(h.hex, 1, 12) || '8' || substr(h.hex, 14, 3) || '8' || substr(h.hex, 18, 15))::uuid end
  from (select encode(sha256(convert_to($1 || E'\n' || $2, 'UTF8')), 'hex') as hex) h
$$;

-- Raises 22023 for what the gateway answers with 422; names places, never values.
create or replace function ingest.refuse_batch(problem text) returns void
language plpgsql immutable security definer set search_path = ''
as $$
begin
  raise exception 'invalid batch: %', $1 using errcode = 'invalid_parameter_value';
end
$$;

-- Unpacks a batch into intake_batch and returns its fn_rows_checksum.
create or replace function ingest.unpack_batch(batch jsonb) returns text
language plpgsql security definer set search_path = '' set jit = off set work_mem = '32MB'
as $$
declare
  v_checksum text;
begin
  drop table if exists pg_temp.intake_batch;
  create temp table intake_batch on commit drop as
  select r.row_index, r.cells[1] as stage_application, r.cells, r.line from ingest.project_rows($1) r;
  select ingest.checksum_lines(array_agg(b.line order by b.stage_application collate "C", b.row_index)) into v_checksum from pg_temp.intake_batch b;
  return v_checksum;
end
$$;

-- Resolves intake_batch into intake_resolved, in which `replaced_by` is set for rows that a later one of the batch replaces. The
-- planner knows no statistics of either, hence no nested loops but the look-up of each project as it was. Cells have the places
-- that ingest.project_rows gives them.
create or replace function ingest.resolve_batch(tenant_id text) returns void
language plpgsql security definer set search_path = '' set enable_nestloop = off set enable_seqscan = off set jit = off set work_mem = '32MB'
as $$
#variable_conflict use_column
declare
  v_row integer;
begin
  select min(b.row_index) into v_row from pg_temp.intake_batch b where b.stage_application = '';
  if v_row is not null then
    perform ingest.refuse_batch(format('stage_application of row %s is blank', v_row));
  end if;
  select min(b.row_index) into v_row
  from pg_temp.intake_batch b cross join lateral (select b.cells[15] || b.cells[16] || b.cells[17] || b.cells[18] as digits) c
  where (translate(c.digits, '0123456789', '') <> '' or char_length(c.digits) > 9)
    and array_to_string(b.cells[15:18], ' ') !~ '^\d{1,9}(\.0*)?( \d{1,9}(\.0*)?){3}$';
  if v_row is not null then
    perform ingest.refuse_batch(format('a count of row %s is not a whole number from 0 on', v_row));
  end if;

  drop table if exists pg_temp.intake_resolved;
  create temp table intake_resolved on commit drop as
  with rows as materialized (
    select b.row_index, b.stage_application, b.cells, nullif(b.cells[2], '') as partner, nullif(b.cells[3], '') as class,
           nullif(b.cells[4], '') as manager, nullif(b.cells[5], '') as manager_username, nullif(b.cells[6], '') as specialist,
           nullif(b.cells[7], '') as created, nullif(b.cells[9], '') as fscd,
           lead(b.row_index) over (partition by b.stage_application order by b.row_index) as replaced_by
    from pg_temp.intake_batch b
  ), partners as materialized (
    select *, 'exact' as match_type from ingest.resolve_partners($1, array(select distinct r.partner from rows r where r.partner is not null))
  ), specialists as materialized (
    select * from ingest.resolve_specialists($1, array(select distinct r.specialist from rows r where r.specialist is not null))
  ), manager_pairs as materialized (
    select array_agg(d.manager) as names, array_agg(d.manager_username) as usernames
    from (select distinct r.manager, r.manager_username from rows r where num_nonnulls(r.manager, r.manager_username) > 0) d
  ), managers as materialized (
    select coalesce(m.name, '') as name, coalesce(m.username, '') as username, m.user_id, m.match_type
    from ingest.resolve_managers($1, (select p.names from manager_pairs p), (select p.usernames from manager_pairs p)) m
  ), classes as materialized (
    select d.class, public.fn_normalize_developer_class(d.class) as normalized from (select distinct r.class from rows r) d
  ), dates as materialized (
    select d.text, ingest.parse_project_date(d.text) as date from (select r.created as text from rows r union select r.fscd from rows r) d
  )
  select r.row_index, r.replaced_by, r.stage_application, r.cells, r.partner, r.specialist, r.manager, r.manager_username,
         p.partner_org_id, c.normalized as class, s.user_id as ds_user_id, m.user_id as rm_user_id, created.date as created, fscd.date as fscd,
         case when lower(r.partner collate "C") <> 'unassigned' then coalesce(p.match_type, 'none') end as partner_match,
         case when r.specialist is not null then coalesce(s.match_type, 'none') end as ds_match,
         case when num_nonnulls(r.manager, r.manager_username) > 0 then coalesce(m.match_type, 'none') end as rm_match,
         f.staging_id as former_staging_id,
         f.id is not null and (f.partner_org_id, f.deployment_specialist_user_id, f.relationship_manager_user_id)
           is not distinct from (p.partner_org_id, s.user_id, m.user_id) as keeps_members
  from rows r
  left join partners p on p.label = r.partner
  left join classes c on c.class = r.class
  left join specialists s on s.username = r.specialist
  left join managers m on m.name = coalesce(r.manager, '') and m.username = coalesce(r.manager_username, '')
  left join dates created on created.text = r.created
  left join dates fscd on fscd.text = r.fscd
  left join lateral (
    select x.id, x.staging_id, x.partner_org_id, x.deployment_specialist_user_id, x.relationship_manager_user_id
    from public.projects x where x.tenant_id = $1 and x.stage_application = r.stage_application and r.replaced_by is null offset 0) f on true;
end
$$;
