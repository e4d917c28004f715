-- Withdrawing a run of judgments with all that followed from it; the queue; operators' views; who may call what.

-- A row of the log in another live run that says the same stands in for a withdrawn one.
create or replace function ingest.other_operations(run_id uuid, judgment_ids bigint[])
returns table (log text, id bigint, import_run_id uuid, status text, judgment_id bigint, contact_ids bigint[], follow_up_task_id bigint, created_at timestamptz)
language plpgsql stable security definer set search_path = '' set enable_seqscan = off
as $$
declare
  v_log text;
begin
  foreach v_log in array array['public.raw_simplicity_imports', 'ingest.raw_simplicity_fallback'] loop
    continue when to_regclass(v_log) is null;
    return query execute format($statement$
      select %L::text, l.id, l.import_run_id, l.status, l.judgment_id, l.contact_ids, l.follow_up_task_id, l.created_at
      from %s l join ingest.import_runs o on o.id = l.import_run_id
      where l.judgment_id = any ($2) and l.import_run_id <> $1 and l.status in ('inserted', 'skipped')
        and o.status in ('pending', 'processing', 'completed', 'failed') $statement$, v_log, v_log) using $1, $2;
  end loop;
end
$$;

-- A plaintiff that an import of plaintiffs carried, too, passes to the oldest such row, with its values unless it was edited.
create index if not exists plaintiffs_raw_unowned_idx on ingest.plaintiffs_raw (plaintiff_key) where status = 'skipped' and duplicate_of is null;
create or replace function ingest.pass_plaintiffs(run_id uuid, plaintiff_ids bigint[]) returns void
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  drop table if exists pg_temp.intake_heirs;
  create temp table intake_heirs on commit drop as
  select distinct on (p.id) p.id as plaintiff_id, h.id as raw_id, h.import_run_id as heir_run
  from public.plaintiffs p
  join ingest.plaintiffs_raw h on h.plaintiff_key = p.dedupe_key and h.status = 'skipped' and h.duplicate_of is null
  join ingest.import_runs o on o.id = h.import_run_id and o.status in ('pending', 'processing', 'completed', 'failed')
  where p.id = any ($2) and p.import_run_id = $1
  order by p.id, h.created_at, h.row_index;
  update ingest.plaintiffs_raw r set
    status = 'promoted', dedupe_key = r.plaintiff_key, promoted_at = now(), promoted_plaintiff_id = h.plaintiff_id, updated_at = now()
  from pg_temp.intake_heirs h where r.id = h.raw_id;
  update public.plaintiffs p set
    source_reference = r.source_reference, name = r.plaintiff_name, firm_name = r.firm_name, short_name = r.short_name,
    contact_name = r.contact_name, email = r.contact_email, phone = r.contact_phone, address = r.contact_address,
    import_run_id = h.heir_run, created_at = now(), updated_at = now()
  from pg_temp.intake_heirs h join ingest.plaintiffs_raw r on r.id = h.raw_id
  where p.id = h.plaintiff_id and p.updated_at = p.created_at;
  update public.plaintiffs p set import_run_id = h.heir_run from pg_temp.intake_heirs h
  where p.id = h.plaintiff_id and p.import_run_id is distinct from h.heir_run;
  update ingest.import_runs i set
    rows_inserted = i.rows_inserted + n.rows, rows_skipped = greatest(i.rows_skipped - n.rows, 0), updated_at = now()
  from (select heir_run, count(*)::int as rows from pg_temp.intake_heirs group by heir_run) n
  where i.id = n.heir_run;
  insert into ingest.import_run_steps (run_id, step, part, result)
  select h.heir_run, 'inherit', (select count(*) from ingest.import_run_steps s where s.run_id = h.heir_run and s.step = 'inherit'),
         jsonb_build_object('inserted', count(*), 'skipped', -count(*))
  from pg_temp.intake_heirs h group by h.heir_run;
end
$$;

-- Withdraws a run. What a row of another live run says, too, passes to that run; what somebody edited since stays; and so does
-- a plaintiff that anything else needs. Jobs that nobody has read are deleted.
create or replace function ingest.rollback_judgments(run ingest.import_runs) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '64MB'
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_log text := ingest.judgments_log(v_run);
  v_heir_log text;
  v_rows integer;
  v_inherited integer;
  v_jobs jsonb;
  v_judgments integer;
  v_contacts integer;
  v_tasks integer;
  v_history integer;
  v_plaintiffs integer;
  v_kept jsonb;
begin
  -- Nobody attaches to what goes, and whoever has planned to looks again.
  perform pg_advisory_xact_lock(hashtextextended('intake.people', 0));
  update ingest.people_turn t set run_id = null, epoch = t.epoch + 1;
  drop table if exists pg_temp.intake_gone;
  create temp table intake_gone (
    judgment_id bigint, plaintiff_id bigint, matched_by text, contact_ids bigint[], contact_inserts integer, follow_up_task_id bigint,
    follow_up_task_created boolean, enforcement_initialized boolean, queued_jobs jsonb, heir_log text, heir_id bigint, heir_run uuid) on commit drop;
  execute format('insert into pg_temp.intake_gone
                  select l.judgment_id, l.plaintiff_id, l.matched_by, l.contact_ids, l.contact_inserts, l.follow_up_task_id,
                         l.follow_up_task_created, l.enforcement_initialized, l.queued_jobs
                  from %s l where l.import_run_id = $1 and l.status = ''inserted''', v_log) using v_run;
  create index on pg_temp.intake_gone (judgment_id);
  create index on pg_temp.intake_gone (plaintiff_id);
  analyze pg_temp.intake_gone;

  -- A judgment that a later run skipped because of this one passes to the oldest such row, with all that followed from it.
  update pg_temp.intake_gone g set heir_log = h.log, heir_id = h.id, heir_run = h.import_run_id
  from (select distinct on (o.judgment_id) o.* from ingest.other_operations(v_run, (select array_agg(judgment_id) from pg_temp.intake_gone)) o
        where o.status = 'skipped' order by o.judgment_id, o.created_at, o.id) h
  where h.judgment_id = g.judgment_id;
  update public.judgments j set import_run_id = g.heir_run from pg_temp.intake_gone g where j.id = g.judgment_id and g.heir_id is not null;
  get diagnostics v_inherited = row_count;
  for v_heir_log in select distinct heir_log from pg_temp.intake_gone where heir_id is not null loop
    execute format('update %s l set status = ''inserted'', reason = null, duplicate_of_line = null, updated_at = now(),
                      matched_by = g.matched_by, contact_ids = g.contact_ids, contact_inserts = g.contact_inserts,
                      follow_up_task_id = g.follow_up_task_id, follow_up_task_created = g.follow_up_task_created,
                      enforcement_initialized = g.enforcement_initialized, queued_jobs = g.queued_jobs
                    from pg_temp.intake_gone g where g.heir_id = l.id and g.heir_log = %L', v_heir_log, v_heir_log);
  end loop;
  update ingest.import_runs i set
    rows_inserted = i.rows_inserted + n.rows, rows_skipped = greatest(i.rows_skipped - n.rows, 0), updated_at = now()
  from (select heir_run, count(*)::int as rows from pg_temp.intake_gone where heir_id is not null group by heir_run) n
  where i.id = n.heir_run;
  -- An heir that is still at work sums its counters from its ledger.
  insert into ingest.import_run_steps (run_id, step, part, result)
  select g.heir_run, 'inherit', (select count(*) from ingest.import_run_steps s where s.run_id = g.heir_run and s.step = 'inherit'),
         jsonb_build_object('inserted', count(*), 'skipped', -count(*))
  from pg_temp.intake_gone g where g.heir_id is not null group by g.heir_run;

  delete from public.judgments j using pg_temp.intake_gone g
  where j.id = g.judgment_id and g.heir_id is null and j.import_run_id = v_run and j.updated_at = j.created_at;
  get diagnostics v_judgments = row_count;
  -- Jobs of judgments that stay, stay.
  select ingest.delete_unread(array_agg(q.queue), array_agg(q.msg_id), array_agg(q.judgment_id)) into v_jobs
  from (select e.key as queue, (e.value #>> '{}')::bigint as msg_id, g.judgment_id
        from pg_temp.intake_gone g cross join lateral jsonb_each(g.queued_jobs) e
        where not exists (select from public.judgments j where j.id = g.judgment_id)) q;

  -- Side rows: of plaintiffs that keep an edited judgment of this run they stay, too; else what another live run carries passes to it.
  drop table if exists pg_temp.intake_side;
  create temp table intake_side on commit drop as
  select p.plaintiff_id, bool_or(p.stays) as stays
  from (select g.plaintiff_id, g.heir_id is null and exists (select from public.judgments j where j.id = g.judgment_id) as stays
        from pg_temp.intake_gone g) p
  group by p.plaintiff_id;
  drop table if exists pg_temp.intake_other;
  create temp table intake_other on commit drop as
  select o.* from ingest.other_operations(v_run, (
    select array_agg(j.id) from public.judgments j where j.plaintiff_id in (select s.plaintiff_id from pg_temp.intake_side s))) o;

  update public.plaintiff_contacts c set import_run_id = h.import_run_id
  from (select distinct on (k.id) k.id, o.import_run_id from pg_temp.intake_other o cross join lateral unnest(o.contact_ids) as k (id)
        order by k.id, o.created_at, o.id) h
  where c.id = h.id and c.import_run_id = v_run;
  update public.plaintiff_tasks t set import_run_id = h.import_run_id
  from (select distinct on (o.follow_up_task_id) o.follow_up_task_id as id, o.import_run_id from pg_temp.intake_other o
        where o.follow_up_task_id is not null order by o.follow_up_task_id, o.created_at, o.id) h
  where t.id = h.id and t.import_run_id = v_run;
  update public.plaintiff_status_history s set import_run_id = h.heir_run
  from (select distinct on (g.plaintiff_id) g.plaintiff_id, g.heir_run from pg_temp.intake_gone g where g.heir_id is not null
        order by g.plaintiff_id, g.heir_id) h
  where s.plaintiff_id = h.plaintiff_id and s.import_run_id = v_run;

  delete from public.plaintiff_contacts c using pg_temp.intake_side s
  where c.plaintiff_id = s.plaintiff_id and not s.stays and c.import_run_id = v_run and c.updated_at = c.created_at;
  get diagnostics v_contacts = row_count;
  delete from public.plaintiff_tasks t using pg_temp.intake_side s
  where t.plaintiff_id = s.plaintiff_id and not s.stays and t.import_run_id = v_run and t.updated_at = t.created_at;
  get diagnostics v_tasks = row_count;
  delete from public.plaintiff_status_history h using pg_temp.intake_side s
  where h.plaintiff_id = s.plaintiff_id and not s.stays and h.import_run_id = v_run;
  get diagnostics v_history = row_count;
  -- A plaintiff that lost its primary contact has the oldest of the others for one.
  update public.plaintiff_contacts c set is_primary = true
  from (select distinct on (k.plaintiff_id, k.kind) k.id from public.plaintiff_contacts k
        where k.plaintiff_id in (select s.plaintiff_id from pg_temp.intake_side s)
          and not exists (select from public.plaintiff_contacts m where m.plaintiff_id = k.plaintiff_id and m.kind = k.kind and m.is_primary)
        order by k.plaintiff_id, k.kind, k.id) f
  where c.id = f.id;

  perform ingest.pass_plaintiffs(v_run, (select array_agg(s.plaintiff_id) from pg_temp.intake_side s));
  -- Plaintiffs that this run made go unless somebody edited them or anything is attached to them.
  delete from public.plaintiffs p using pg_temp.intake_side s
  where p.id = s.plaintiff_id and p.import_run_id = v_run and p.updated_at = p.created_at
    and not exists (select from public.judgments j where j.plaintiff_id = p.id)
    and not exists (select from public.plaintiff_contacts c where c.plaintiff_id = p.id)
    and not exists (select from public.plaintiff_tasks t where t.plaintiff_id = p.id)
    and not exists (select from public.plaintiff_status_history h where h.plaintiff_id = p.id);
  get diagnostics v_plaintiffs = row_count;
  update public.plaintiffs p set import_run_id = h.import_run_id
  from (select distinct on (j.plaintiff_id) j.plaintiff_id, j.import_run_id
        from public.judgments j join ingest.import_runs o on o.id = j.import_run_id
        where j.import_run_id <> v_run and j.plaintiff_id in (select s.plaintiff_id from pg_temp.intake_side s)
          and o.status in ('pending', 'processing', 'completed', 'failed')
        order by j.plaintiff_id, j.created_at, j.id) h
  where p.id = h.plaintiff_id and p.import_run_id = v_run;

  execute format('update %s l set status = ''rolled_back'', reason = ''ROLLED_BACK'', updated_at = now(),
                    error_log = coalesce(l.reason || '': '' || l.error_log, l.error_log) where l.import_run_id = $1', v_log) using v_run;
  get diagnostics v_rows = row_count;

  select jsonb_build_object(
    'count', (select count(*) from public.judgments j join pg_temp.intake_gone g on g.judgment_id = j.id where g.heir_id is null),
    'judgment_ids', coalesce((select jsonb_agg(k.id) from (select j.id from public.judgments j join pg_temp.intake_gone g on g.judgment_id = j.id
                              where g.heir_id is null order by j.id limit 1000) k), '[]'),
    'plaintiff_ids', coalesce((select jsonb_agg(k.id) from (select p.id from public.plaintiffs p join pg_temp.intake_side s on s.plaintiff_id = p.id
                               where p.import_run_id = v_run order by p.id limit 1000) k), '[]')) into v_kept;
  return jsonb_build_object('rows_affected', v_rows, 'removed', v_judgments, 'inherited', v_inherited, 'kept_edited', v_kept,
    'effects', jsonb_build_object('judgments', v_judgments, 'plaintiffs', v_plaintiffs, 'contacts', v_contacts, 'tasks', v_tasks,
                                  'history', v_history, 'jobs', v_jobs -> 'deleted', 'jobs_read_already', v_jobs -> 'read_already'));
end
$$;

-- The messages that are in a queue now, of pgmq and of its stand-in; the two number them independently.
create or replace function ingest.queue_contents(queue text)
returns table (msg_id bigint, read_ct integer, enqueued_at timestamptz, message jsonb)
language plpgsql stable security definer set search_path = ''
as $$
begin
  if to_regnamespace('pgmq') is not null and to_regclass(format('pgmq.%I', 'q_' || $1)) is not null then
    return query execute format('select q.msg_id, q.read_ct::integer, q.enqueued_at, q.message from pgmq.%I q', 'q_' || $1);
  end if;
  return query select q.msg_id, q.read_ct, q.enqueued_at, q.message from public.queue_messages q where q.queue_name = $1;
end
$$;

create or replace function ingest.queue_names() returns setof text
language plpgsql stable security definer set search_path = ''
as $$
begin
  if to_regclass('pgmq.meta') is not null then
    return query execute 'select m.queue_name::text from pgmq.meta m union select q.queue_name from public.queue_messages q';
    return;
  end if;
  return query select unnest(array['enforce', 'enrich']) union select distinct q.queue_name from public.queue_messages q;
end
$$;

-- Deletes messages of these judgments that nobody has read. {deleted, read_already, gone}
create or replace function ingest.delete_unread(queues text[], msg_ids bigint[], judgment_ids bigint[]) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '64MB'
as $$
declare
  v_queue text;
  v_total integer := coalesce(cardinality($1), 0);
  v_deleted integer := 0;
  v_read integer := 0;
  v_n integer;
begin
  for v_queue in select distinct q from unnest($1) q loop
    delete from public.queue_messages m using unnest($1, $2, $3) as u (queue, id, judgment)
    where m.queue_name = v_queue and u.queue = v_queue and m.msg_id = u.id and m.read_ct = 0
      and (m.message #>> '{payload,judgment_id}')::bigint = u.judgment;
    get diagnostics v_n = row_count;
    v_deleted := v_deleted + v_n;
    select v_read + count(*) filter (where c.read_ct > 0), count(*) filter (where c.read_ct = 0 and public.pgmq_delete(v_queue, c.msg_id))
      into v_read, v_n
    from ingest.queue_contents(v_queue) c
    join unnest($1, $2, $3) as u (queue, id, judgment)
      on u.queue = v_queue and u.id = c.msg_id and u.judgment = (c.message #>> '{payload,judgment_id}')::bigint;
    v_deleted := v_deleted + v_n;
  end loop;
  return jsonb_build_object('deleted', v_deleted, 'read_already', v_read, 'gone', v_total - v_deleted - v_read);
end
$$;

-- Runbook 000, "Queue cleanup": the messages of a run, while nobody has read them.
create or replace function ingest.purge_jobs(run_id uuid) returns jsonb
language plpgsql security definer set search_path = '' set statement_timeout = '10min'
as $$
declare
  v_result jsonb;
begin
  execute format('select ingest.delete_unread(array_agg(e.key), array_agg((e.value #>> ''{}'')::bigint), array_agg(l.judgment_id))
                  from %s l cross join lateral jsonb_each(l.queued_jobs) e where l.import_run_id = $1 and l.queued_jobs is not null',
                 ingest.judgments_log($1)) into v_result using $1;
  return v_result;
end
$$;

create or replace function ingest.list_jobs(run_id uuid default null, queue text default null, max_rows integer default 100) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(to_jsonb(m) order by m.enqueued_at, m.message_id), '[]')
  from (
    select n.name as queue, c.msg_id as message_id, c.enqueued_at, c.read_ct, c.message ->> 'kind' as kind,
           c.message #>> '{payload,import_run_id}' as run_id, (c.message #>> '{payload,judgment_id}')::bigint as judgment_id
    from ingest.queue_names() as n (name) cross join lateral ingest.queue_contents(n.name) c
    where ($2 is null or n.name = $2) and ($1 is null or c.message #>> '{payload,import_run_id}' = $1::text)
    order by c.enqueued_at, c.msg_id limit $3
  ) m
$$;

-- Rejected rows of every kind.
create or replace function ingest.errored_judgments()
returns table (import_run_id uuid, row_index integer, line_number integer, reason text, error_log text, created_at timestamptz)
language plpgsql stable security invoker set search_path = ''
as $$
begin
  if to_regclass('public.raw_simplicity_imports') is not null then
    return query execute 'select l.import_run_id, l.row_index, l.line_number, l.reason, l.error_log, l.created_at
                          from public.raw_simplicity_imports l where l.status = ''failed''';
  end if;
  return query select l.import_run_id, l.row_index, l.line_number, l.reason, l.error_log, l.created_at
               from ingest.raw_simplicity_fallback l where l.status = 'failed';
end
$$;
create or replace view ingest.v_errored_rows with (security_invoker = true) as
select p.import_run_id, r.filename, p.row_index, p.line_number, p.plaintiff_name, p.error_code, p.error_message, p.source_system,
       p.created_at
from ingest.plaintiffs_raw p join ingest.import_runs r on r.id = p.import_run_id
where p.status = 'failed'
union all
select j.import_run_id, r.filename, j.row_index, j.line_number, null, j.reason, j.error_log, r.source_system, j.created_at
from ingest.errored_judgments() j join ingest.import_runs r on r.id = j.import_run_id;

-- As before; a plaintiff that has judgments by now stays, in the name of the run that brought them.
create or replace function ingest.rollback_plaintiffs(run ingest.import_runs) returns jsonb
language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_rows integer;
  v_removed integer;
  v_inherited integer;
  v_kept jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('intake.people', 0)); -- no judgment is attached to what goes
  create temporary table if not exists intake_withdrawn (
    raw_id bigint primary key, plaintiff_key text, plaintiff_id bigint, heir_id bigint, heir_run uuid) on commit drop;
  truncate intake_withdrawn;
  insert into intake_withdrawn (raw_id, plaintiff_key, plaintiff_id, heir_id, heir_run)
  select r.id, r.plaintiff_key, r.promoted_plaintiff_id, h.id, h.import_run_id
  from ingest.plaintiffs_raw r
  left join lateral (
    select h.id, h.import_run_id from ingest.plaintiffs_raw h
    where h.duplicate_of = r.id and h.status = 'skipped' and h.import_run_id <> v_run
    order by h.created_at, h.row_index limit 1) h on true
  where r.import_run_id = v_run and r.status = 'promoted';
  analyze intake_withdrawn;

  -- Rows of later runs that pointed to a withdrawn row point to its heir.
  update ingest.plaintiffs_raw d set duplicate_of = w.heir_id, updated_at = now()
  from intake_withdrawn w
  where d.duplicate_of = w.raw_id and w.heir_id is not null and d.id <> w.heir_id and d.import_run_id <> v_run;

  update ingest.plaintiffs_raw r set
    status = 'rolled_back', error_code = 'ROLLED_BACK', updated_at = now(),
    error_message = coalesce(r.error_code || ': ' || r.error_message, r.error_message),
    dedupe_key = coalesce(r.plaintiff_key, r.dedupe_key) || ':' || r.id
  where r.import_run_id = v_run;
  get diagnostics v_rows = row_count;

  update ingest.plaintiffs_raw h set
    status = 'promoted', dedupe_key = w.plaintiff_key, promoted_at = now(), promoted_plaintiff_id = w.plaintiff_id,
    duplicate_of = null, updated_at = now()
  from intake_withdrawn w where h.id = w.heir_id;
  get diagnostics v_inherited = row_count;
  update ingest.import_runs i set
    rows_inserted = i.rows_inserted + n.rows, rows_skipped = greatest(i.rows_skipped - n.rows, 0), updated_at = now()
  from (select heir_run, count(*)::int as rows from intake_withdrawn where heir_id is not null group by heir_run) n
  where i.id = n.heir_run;
  -- An heir that is still at work sums its counters from its ledger.
  insert into ingest.import_run_steps (run_id, step, part, result)
  select w.heir_run, 'inherit',
         (select count(*) from ingest.import_run_steps s where s.run_id = w.heir_run and s.step = 'inherit'),
         jsonb_build_object('inserted', count(*), 'skipped', -count(*))
  from intake_withdrawn w where w.heir_id is not null group by w.heir_run;
  -- An inherited plaintiff takes its heir's values, unless somebody edited it.
  update public.plaintiffs p set
    source_reference = h.source_reference, name = h.plaintiff_name, firm_name = h.firm_name, short_name = h.short_name,
    contact_name = h.contact_name, email = h.contact_email, phone = h.contact_phone, address = h.contact_address,
    import_run_id = w.heir_run, created_at = now(), updated_at = now()
  from intake_withdrawn w join ingest.plaintiffs_raw h on h.id = w.heir_id
  where p.id = w.plaintiff_id and p.updated_at = p.created_at;
  update public.plaintiffs p set import_run_id = w.heir_run from intake_withdrawn w
  where p.id = w.plaintiff_id and w.heir_id is not null and p.import_run_id is distinct from w.heir_run;

  update public.plaintiffs p set import_run_id = j.import_run_id
  from intake_withdrawn w
  cross join lateral (select o.import_run_id from public.judgments o where o.plaintiff_id = w.plaintiff_id order by o.created_at, o.id limit 1) j
  where p.id = w.plaintiff_id and w.heir_id is null and p.import_run_id = v_run and j.import_run_id is not null;

  delete from public.plaintiffs p using intake_withdrawn w
  where p.id = w.plaintiff_id and w.heir_id is null and p.import_run_id = v_run and p.updated_at = p.created_at
    and not exists (select from public.judgments j where j.plaintiff_id = p.id);
  get diagnostics v_removed = row_count;
  update ingest.plaintiffs_raw r set promoted_plaintiff_id = null
  from intake_withdrawn w
  where r.id = w.raw_id and not exists (select from public.plaintiffs p where p.id = w.plaintiff_id and w.heir_id is null);

  select jsonb_build_object('count', count(*), 'plaintiff_ids', coalesce(jsonb_agg(k.id) filter (where k.n <= 1000), '[]'))
    into v_kept
  from (select p.id, row_number() over (order by p.id) as n from intake_withdrawn w join public.plaintiffs p on p.id = w.plaintiff_id
        where w.heir_id is null) k;
  drop table intake_withdrawn;
  return jsonb_build_object('rows_affected', v_rows, 'removed', v_removed, 'inherited', v_inherited, 'kept_edited', v_kept);
end
$$;

-- Plans that avoid scans look immensely dear to the planner, dear enough for JIT where it is on: seconds for nothing.
alter function ingest.judge_plaintiffs(text, uuid, integer, boolean) set jit = off;
alter function ingest.upsert_plaintiffs(ingest.import_runs, uuid, integer) set jit = off;
alter function ingest.compare_plaintiffs(ingest.import_runs, uuid, integer) set jit = off;

grant select on all tables in schema ingest to service_role, dragonfly_app;
revoke execute on all functions in schema ingest from public, anon, authenticated;
grant execute on all functions in schema ingest to service_role, dragonfly_app;
