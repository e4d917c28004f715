-- The steps of kinds simplicity and jbi: a part of the plan into the tables, with all its side effects, in one transaction.

-- The contacts that the taken rows of a part carry. `contact_id` is null where a dry run would make one; `is_made` marks the
-- row that makes it. A plaintiff without a primary contact of a kind gets the first one.
create or replace function ingest.plan_contacts(stage_id uuid, part integer, assign_ids boolean)
returns table (row_index integer, plaintiff_id bigint, kind text, value text, contact_id bigint, is_made boolean,
               is_primary boolean, is_copy boolean)
language sql volatile security definer set search_path = '' rows 25000 set work_mem = '32MB' set enable_seqscan = off set jit = off
as $$
  select n.row_index, n.plaintiff_id, n.kind, n.value, first_value(n.contact_id) over (partition by n.plaintiff_id, n.kind, n.key order by n.row_index),
         n.is_made, n.is_made and n.has_primary is not true and n.nth_made = 1, n.is_made and n.is_new and n.is_first
  from (
    select m.*, row_number() over (partition by m.plaintiff_id, m.kind order by m.is_made desc, m.row_index) as nth_made,
           case when m.existing is not null then m.existing
                when m.is_made and $3 then nextval('public.plaintiff_contacts_id_seq') end as contact_id
    from (
      select c.*, e.id as existing, r.has_primary,
             e.id is null and row_number() over (partition by c.plaintiff_id, c.kind, c.key order by c.row_index) = 1 as is_made
      from (
        select p.row_index, p.plaintiff_id, p.is_new, p.is_first, v.kind, v.value, v.key
        from (select *, t.row_index = min(t.row_index) over (partition by t.plaintiff_id) as is_first
              from ingest_stage.judgments_plan t where t.stage_id = $1 and t.part = $2 and t.outcome = 'inserted') p
        cross join lateral (select * from ingest_stage.judgments x where x.ctid = p.stage_tid offset 0) s
        cross join lateral (values ('email', s.email, s.email_key), ('phone', s.phone, s.phone),
                                   ('address', s.address, lower(s.address collate "C"))) as v (kind, value, key)
        where v.value is not null
      ) c
      left join lateral (
        select t.id from public.plaintiff_contacts t
        where t.plaintiff_id = c.plaintiff_id and t.kind = c.kind and c.key = case c.kind
          when 'phone' then translate(t.value, ' +-().', '') else lower(btrim(t.value) collate "C") end
        order by t.id limit 1) e on not c.is_new
      left join lateral (
        select exists (select from public.plaintiff_contacts t
                       where t.plaintiff_id = c.plaintiff_id and t.kind = c.kind and t.is_primary) as has_primary) r on not c.is_new
    ) m
  ) n
$$;

-- The open call task of each taken row's plaintiff; `is_made` marks the row that makes it.
create or replace function ingest.plan_tasks(stage_id uuid, part integer, assign_ids boolean)
returns table (row_index integer, plaintiff_id bigint, task_id bigint, is_made boolean)
language sql volatile security definer set search_path = '' rows 25000 set enable_seqscan = off set jit = off
as $$
  select n.row_index, n.plaintiff_id, first_value(n.task_id) over (partition by n.plaintiff_id order by n.row_index), n.is_made
  from (
    select m.row_index, m.plaintiff_id, m.is_first and m.existing is null as is_made,
           case when m.existing is not null then m.existing
                when m.is_first and $3 then nextval('public.plaintiff_tasks_id_seq') end as task_id
    from (
      select p.row_index, p.plaintiff_id, p.row_index = min(p.row_index) over (partition by p.plaintiff_id) as is_first,
             case when not p.is_new then (
               select t.id from public.plaintiff_tasks t
               where t.plaintiff_id = p.plaintiff_id and t.kind = 'call' and t.status = 'open' order by t.id limit 1) end as existing
      from ingest_stage.judgments_plan p
      where p.stage_id = $1 and p.part = $2 and p.outcome = 'inserted'
    ) m
  ) n
$$;

create or replace function ingest.count_judgments(source_system text, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = '' set enable_nestloop = off set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
declare
  v_contacts integer;
  v_tasks integer;
begin
  update ingest_stage.judgments_plan p set contact_inserts = c.made
  from (select row_index, count(*)::int as made from ingest.plan_contacts($2, $3, false) where is_made group by row_index) c
  where p.stage_id = $2 and p.part = $3 and p.row_index = c.row_index;
  update ingest_stage.judgments_plan p set makes_task = true
  from ingest.plan_tasks($2, $3, false) t
  where t.is_made and p.stage_id = $2 and p.part = $3 and p.row_index = t.row_index;
  select coalesce(sum(p.contact_inserts), 0), count(*) filter (where p.makes_task) into v_contacts, v_tasks
  from ingest_stage.judgments_plan p where p.stage_id = $2 and p.part = $3;
  return ingest.judgment_counts($2, $3, v_contacts, v_tasks, case when ingest.queues_jobs($2) then 2 * (
    select count(*)::int from ingest_stage.judgments_plan p where p.stage_id = $2 and p.part = $3 and p.outcome = 'inserted') else 0 end);
end
$$;

create or replace function ingest.judgment_counts(stage_id uuid, part integer, contacts integer, tasks integer, jobs integer) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'inserted', count(*) filter (where p.outcome = 'inserted'), 'updated', 0,
    'skipped', count(*) filter (where p.outcome = 'skipped'), 'errored', count(*) filter (where p.outcome = 'failed'),
    'effects', jsonb_build_object(
      'plaintiffs_created', count(distinct p.plaintiff_id) filter (where p.outcome = 'inserted' and p.is_new),
      'plaintiffs_matched', count(distinct p.plaintiff_id) filter (where p.outcome = 'inserted' and not p.is_new),
      'status_history', count(distinct p.plaintiff_id) filter (where p.outcome = 'inserted'),
      'contact_inserts', $3, 'follow_up_tasks', $4,
      'enforcement_initializations', count(*) filter (where p.outcome = 'inserted'), 'queued_jobs', $5))
  from ingest_stage.judgments_plan p where p.stage_id = $1 and p.part = $2
$$;

-- Jobs are queued unless --skip-jobs was given or the function is missing.
create or replace function ingest.queues_jobs(stage_id uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select to_regprocedure('public.queue_job(jsonb)') is not null
    and not coalesce((select (r.options ->> 'skip_jobs')::boolean from ingest_stage.resolved r where r.stage_id = $1), false)
$$;

-- Whether a function is the one that Intake brought; what it does may then be done for many rows at once.
create or replace function ingest.is_own(signature text) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (select from pg_catalog.pg_proc p
                 where p.oid = to_regprocedure($1) and obj_description(p.oid, 'pg_proc') like '%' || md5(p.prosrc))
$$;

-- Lands and promotes a part with all that follows from it. The plan is new and not analyzed, so the planner takes it for
-- empty: nested loops would be quadratic, and only those that are asked for (laterals over row addresses) remain. Jobs and stages go through the functions of runbook 000 where they
-- exist; being in this transaction, each is sent once.
create or replace function ingest.upsert_judgments(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '32MB' set enable_seqscan = off set enable_nestloop = off set jit = off
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_batch text := coalesce(($1).metadata ->> 'batch_name', ($1).source_batch_id);
  v_queues boolean := ingest.queues_jobs($2);
  v_stages boolean := exists (
    select from pg_catalog.pg_proc f
    where f.pronamespace = 'public'::regnamespace and f.proname = 'set_enforcement_stage' and f.pronargs - f.pronargdefaults <= 2
      and f.proargtypes[0] = 'bigint'::regtype and f.proargtypes[1] = 'text'::regtype);
  v_own_queue boolean := v_queues and to_regnamespace('pgmq') is null and ingest.is_own('public.queue_job(jsonb)');
  v_own_stages boolean := ingest.is_own('public.set_enforcement_stage(bigint, text, text, text)');
  v_recheck boolean;
  v_known integer;
  v_locked integer;
  v_contacts integer;
  v_tasks integer;
  v_jobs integer;
begin
  v_recheck := ingest.take_turn(v_run) <> (select s.epoch from ingest_stage.resolved s where s.stage_id = $2);
  for attempt in 1..10 loop
    if v_recheck then
      perform ingest.resolve_judgments($1, $2, 1, $3);
    end if;
    -- Known plaintiffs may be in other parts, too: one at a time, in one order.
    select count(*) into v_known
    from (select distinct p.plaintiff_id from ingest_stage.judgments_plan p
          where p.stage_id = $2 and p.part = $3 and p.outcome = 'inserted' and not p.is_new) k;
    perform from public.plaintiffs t
    where t.id in (select p.plaintiff_id from ingest_stage.judgments_plan p
                   where p.stage_id = $2 and p.part = $3 and p.outcome = 'inserted' and not p.is_new)
    order by t.id for no key update;
    get diagnostics v_locked = row_count;
    if v_locked < v_known then
      v_recheck := true; -- somebody deleted a plaintiff
      continue;
    end if;
    begin
      execute format($statement$
        with taken as materialized (
          select p.*, p.row_index = min(p.row_index) over (partition by p.plaintiff_id) as is_first
          from ingest_stage.judgments_plan p where p.stage_id = $2 and p.part = $3 and p.outcome = 'inserted'
        ), contacts as materialized (
          select * from ingest.plan_contacts($2, $3, true)
        ), tasks as materialized (
          select * from ingest.plan_tasks($2, $3, true)
        ), jobs as materialized (
          %2$s
        ), messages as (
          %4$s
        ), plaintiffs as (
          insert into public.plaintiffs (id, dedupe_key, source_system, source_reference, name, email, phone, address, import_run_id)
          select t.plaintiff_id, s.plaintiff_key, $4, s.lead_id, s.plaintiff_name, s.email, s.phone, s.address, $1
          from taken t cross join lateral (select * from ingest_stage.judgments x where x.ctid = t.stage_tid offset 0) s
          where t.is_new and t.is_first order by s.plaintiff_key -- the order in which all imports take these keys
        ), history as (
          insert into public.plaintiff_status_history (plaintiff_id, status, note, changed_by, import_run_id)
          select t.plaintiff_id, coalesce((select p.status from public.plaintiffs p where p.id = t.plaintiff_id), 'new'),
                 format('Imported from %%s, batch %%s', $4, $5), 'intake', $1
          from taken t where t.is_first
        ), judgments as (
          insert into public.judgments (
            id, judgment_number, case_number, plaintiff_id, plaintiff_name, judgment_amount, judgment_balance, entry_date, judgment_date,
            filing_date, court_name, county, state, defendant_name, defendant_address, case_type, case_status, enforcement_stage,
            enforcement_stage_updated_at, source_system, source_reference, import_run_id)
          select t.judgment_id, s.judgment_number, s.case_number, t.plaintiff_id, s.plaintiff_name, s.judgment_amount, s.judgment_balance,
                 s.judgment_date, s.judgment_date, s.filing_date, s.court_name, s.county, s.state, s.defendant_name, s.defendant_address,
                 s.case_type, s.case_status, %3$s, $4, s.lead_id, $1
          from taken t cross join lateral (select * from ingest_stage.judgments x where x.ctid = t.stage_tid offset 0) s
        ), contact_rows as (
          insert into public.plaintiff_contacts (id, plaintiff_id, kind, value, is_primary, is_copy, import_run_id, row_index)
          select c.contact_id, c.plaintiff_id, c.kind, c.value, c.is_primary, c.is_copy, $1, c.row_index from contacts c where c.is_made
        ), task_rows as (
          insert into public.plaintiff_tasks (id, plaintiff_id, kind, status, note, created_by, import_run_id)
          select t.task_id, t.plaintiff_id, 'call', 'open', format('First call, batch %%s', $5), 'intake', $1 from tasks t where t.is_made
        ), landed as (
          insert into %1$s (
            import_run_id, row_index, line_number, raw_data, raw_record, status, reason, error_log, judgment_id, plaintiff_id, matched_by,
            duplicate_of_line, contact_ids, contact_inserts, follow_up_task_id, follow_up_task_created, enforcement_initialized, queued_jobs)
          select $1, p.row_index, p.line_number, s.raw_payload, s.raw_record, p.outcome, p.reason,
                 case when p.outcome = 'failed' then s.error_message end, p.judgment_id, p.plaintiff_id,
                 case when p.outcome = 'inserted' then coalesce(p.matched_by, 'created') end, p.duplicate_of_line,
                 c.ids, coalesce(c.made, 0), k.task_id, coalesce(k.is_made, false), p.outcome = 'inserted', j.queued
          from ingest_stage.judgments_plan p
          cross join lateral (select * from ingest_stage.judgments x where x.ctid = p.stage_tid offset 0) s
          left join (select row_index, array_agg(contact_id order by is_made desc) as ids, count(*) filter (where is_made) as made
                     from contacts group by row_index) c on c.row_index = p.row_index
          left join tasks k on k.row_index = p.row_index
          left join jobs j on j.row_index = p.row_index
          where p.stage_id = $2 and p.part = $3
        )
        select (select count(*) from contacts where is_made), (select count(*) from tasks where is_made),
               (select count(*) * 2 from jobs where queued is not null)
        $statement$,
        ingest.judgments_log(v_run),
        case when v_own_queue then $jobs$
          select t.row_index, q.enrich, q.enforce, t.judgment_id, t.plaintiff_id, jsonb_build_object('enrich', q.enrich, 'enforce', q.enforce) as queued
          from (select * from taken order by row_index) t
          cross join lateral (select nextval('public.queue_messages_msg_id_seq') as enrich, nextval('public.queue_messages_msg_id_seq') as enforce
                              where t.row_index is not null) q $jobs$
        when v_queues then $jobs$
          select t.row_index, jsonb_build_object(
            'enrich', public.queue_job(ingest.job_payload('enrich', t.judgment_id, t.plaintiff_id, $4, $1)),
            'enforce', public.queue_job(ingest.job_payload('enforce', t.judgment_id, t.plaintiff_id, $4, $1))) as queued
          from taken t order by t.row_index $jobs$
        else 'select t.row_index, null::jsonb as queued from taken t where false' end,
        case when v_stages and not v_own_stages then 'null, null' else $stage$'pre_enforcement', now()$stage$ end,
        case when v_own_queue then $jobs$
          insert into public.queue_messages (msg_id, queue_name, message) overriding system value
          select j.enrich, 'enrich', ingest.job_payload('enrich', j.judgment_id, j.plaintiff_id, $4, $1) from jobs j
          union all select j.enforce, 'enforce', ingest.job_payload('enforce', j.judgment_id, j.plaintiff_id, $4, $1) from jobs j $jobs$
        else 'select' end)
      into v_contacts, v_tasks, v_jobs using v_run, $2, $3, ($1).source_system, v_batch;
      if v_stages and not v_own_stages then
        execute $stages$
          select public.set_enforcement_stage(p.judgment_id, 'pre_enforcement') from ingest_stage.judgments_plan p
          where p.stage_id = $1 and p.part = $2 and p.outcome = 'inserted' $stages$ using $2, $3;
      end if;
      return ingest.judgment_counts($2, $3, v_contacts, v_tasks, v_jobs);
    exception when unique_violation then
      -- Somebody without the turn (another kind, another program) made a plaintiff or a judgment meanwhile.
      v_recheck := true;
    end;
  end loop;
  raise exception 'keys are contended' using errcode = '40001';
end
$$;

create or replace function ingest.job_payload(kind text, judgment_id bigint, plaintiff_id bigint, source_system text, run_id uuid) returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_build_object('kind', $1, 'idempotency_key', $1 || ':judgment:' || $2, 'payload',
    jsonb_build_object('judgment_id', $2, 'plaintiff_id', $3, 'source_system', $4, 'import_run_id', $5))
$$;

-- The run stopped at --max-errors: its rows land as they are, bad ones failed, the others pending.
create or replace function ingest.stop_judgments(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_log text := ingest.judgments_log(($1).id);
  v_rows integer;
begin
  execute format('delete from %s r using ingest_stage.judgments s
                  where s.stage_id = $2 and s.part = $3 and r.import_run_id = $1 and r.row_index = s.row_index', v_log) using ($1).id, $2, $3;
  execute format($statement$
    insert into %s (import_run_id, row_index, line_number, raw_data, raw_record, status, reason, error_log)
    select $1, s.row_index, s.line_number, s.raw_payload, s.raw_record, case when s.error_code is null then 'pending' else 'failed' end,
           s.error_code, s.error_message
    from ingest_stage.judgments s where s.stage_id = $2 and s.part = $3 $statement$, v_log) using ($1).id, $2, $3;
  get diagnostics v_rows = row_count;
  return jsonb_build_object('rows', v_rows);
end
$$;

-- Every staged row against the log, and every taken row against its judgment. An edited judgment is told apart.
create or replace function ingest.compare_judgments(run ingest.import_runs, stage_id uuid, part integer) returns jsonb
language plpgsql stable security definer set search_path = '' set enable_seqscan = off
as $$
declare
  v_result jsonb;
begin
  execute format($statement$
    with compared as (
      select s.line_number, r.id is null as missing,
             r.id is not null and (
               (r.line_number, r.raw_data, r.raw_record) is distinct from (s.line_number, s.raw_payload, s.raw_record)
               or (r.status = 'failed') is distinct from (s.error_code is not null) and r.status <> 'rolled_back'
               or r.status = 'inserted' and (j.id is null or j.updated_at = j.created_at and
                 (j.judgment_number, j.case_number, j.judgment_amount, j.judgment_balance, j.judgment_date, j.filing_date, j.court_name,
                  j.county, j.state, j.defendant_name, j.plaintiff_name)
                 is distinct from
                 (s.judgment_number, s.case_number, s.judgment_amount, s.judgment_balance, s.judgment_date, s.filing_date, s.court_name,
                  s.county, s.state, s.defendant_name, s.plaintiff_name))
               or r.status = 'skipped' and j.id is null) as different,
             r.status = 'inserted' and j.updated_at <> j.created_at as edited
      from ingest_stage.judgments s
      left join %s r on r.import_run_id = $1 and r.row_index = s.row_index
      left join public.judgments j on j.id = r.judgment_id
      where s.stage_id = $2 and s.part = $3)
    select jsonb_build_object(
      'rows', count(*), 'missing', count(*) filter (where missing), 'different', count(*) filter (where different),
      'edited', count(*) filter (where edited),
      'lines', coalesce((select jsonb_agg(l.line_number) from (
        select c.line_number from compared c where c.missing or c.different order by 1 limit 20) l), '[]'))
    from compared $statement$, ingest.judgments_log(($1).id)) into v_result using ($1).id, $2, $3;
  return v_result;
end
$$;

-- Inserted are the rows whose judgment is really there.
create or replace function ingest.tally_judgments(run_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_result jsonb;
begin
  execute format($statement$
    select jsonb_build_object(
      'total', count(*), 'inserted', count(*) filter (where r.status = 'pending' or r.status = 'inserted' and j.id is not null),
      'skipped', count(*) filter (where r.status = 'skipped'), 'errored', count(*) filter (where r.status = 'failed'),
      'rolled_back', count(*) filter (where r.status = 'rolled_back'))
    from %s r left join public.judgments j on j.id = r.judgment_id and r.status = 'inserted'
    where r.import_run_id = $1 $statement$, ingest.judgments_log($1)) into v_result using $1;
  return v_result;
end
$$;

create or replace function ingest.rejects_judgments(run_id uuid, after_row integer, max_rows integer) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_result jsonb;
begin
  execute format($statement$
    select jsonb_agg(jsonb_build_object('row_index', r.row_index, 'line', r.line_number, 'code', r.reason, 'message', r.error_log,
                                        'record', encode(r.raw_record, 'base64')) order by r.row_index)
    from (select * from %s x where x.import_run_id = $1 and x.row_index > $2 and x.raw_record is not null
          order by x.row_index limit $3) r $statement$, ingest.judgments_log($1)) into v_result using $1, $2, $3;
  return v_result;
end
$$;

-- Runbook 000: what happened to each row of a run and why, after a row index; ids and codes, no values.
create or replace function ingest.read_operations(run_id uuid, after_row integer default -1, max_rows integer default 500) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_result jsonb;
begin
  execute format($statement$
    select jsonb_agg(jsonb_build_object(
      'row_index', r.row_index, 'line', r.line_number, 'action', r.status, 'reason', r.reason, 'message', r.error_log,
      'plaintiff_id', r.plaintiff_id,
      'plaintiff', case when r.matched_by = 'created' then 'created' when r.matched_by is not null then 'matched' end,
      'matched_by', nullif(r.matched_by, 'created'), 'judgment_id', r.judgment_id, 'duplicate_of_line', r.duplicate_of_line,
      'contact_inserts', r.contact_inserts,
      'follow_up_task', case when r.follow_up_task_id is not null then
        jsonb_build_object('id', r.follow_up_task_id, 'created', r.follow_up_task_created) end,
      'enforcement_initialized', r.enforcement_initialized,
      'queued_jobs', ingest.job_list(r.queued_jobs), 'raw_import_id', r.id) order by r.row_index)
    from (select * from %s x where x.import_run_id = $1 and x.row_index > $2 order by x.row_index limit $3) r
    $statement$, ingest.judgments_log($1)) into v_result using $1, $2, $3;
  return coalesce(v_result, '[]');
end
$$;

create or replace function ingest.job_list(queued jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('kind', q.key, 'queue', q.key, 'message_id', q.value)), '[]') from jsonb_each($1) q
$$;

-- The same of a dry run, from its plan: what a commit would do; ids of what it would make are null.
create or replace function ingest.plan_operations(stage_id uuid, after_row integer default -1, max_rows integer default 500) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'row_index', p.row_index, 'line', p.line_number, 'action', p.outcome, 'reason', p.reason, 'message', s.error_message,
    'plaintiff_id', case when p.plaintiff_id > 0 then p.plaintiff_id end,
    'plaintiff', case when p.outcome <> 'inserted' then null when p.matched_by is null then 'created' else 'matched' end,
    'matched_by', p.matched_by, 'judgment_id', case when p.judgment_id > 0 then p.judgment_id end,
    'duplicate_of_line', p.duplicate_of_line, 'contact_inserts', p.contact_inserts,
    'follow_up_task', case when p.outcome = 'inserted' then jsonb_build_object('id', null, 'created', p.makes_task) end,
    'enforcement_initialized', p.outcome = 'inserted', 'queued_jobs', '[]'::jsonb, 'raw_import_id', null) order by p.row_index), '[]')
  from (select * from ingest_stage.judgments_plan x where x.stage_id = $1 and x.row_index > $2 order by x.row_index limit $3) p
  cross join lateral (select t.error_message from ingest_stage.judgments t where t.ctid = p.stage_tid offset 0) s
$$;

-- Runbook 000's result, as far as it is not sums of the ledger; runs of up to 1,000 rows in full.
create or replace function ingest.describe_judgments(run ingest.import_runs) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_log text := ingest.judgments_log(($1).id);
  v_effects jsonb := coalesce(($1).metadata #> '{summary,effects}', '{}');
  v_rows jsonb;
  v_result jsonb;
begin
  v_result := jsonb_build_object(
    'raw_import_log', jsonb_build_object(
      'enabled', true, 'table', v_log, 'rows_written', ($1).rows_fetched,
      'failures', case when v_log = 'public.raw_simplicity_imports' then '[]'::jsonb
                  else '[{"code": "TABLE_MISSING", "table": "public.raw_simplicity_imports"}]' end),
    'contact_inserts', coalesce(v_effects -> 'contact_inserts', '0'), 'follow_up_tasks', coalesce(v_effects -> 'follow_up_tasks', '0'),
    'enforcement_initializations', coalesce(v_effects -> 'enforcement_initializations', '0'));
  if ($1).rows_fetched > 1000 then
    return v_result;
  end if;
  v_rows := ingest.read_operations(($1).id, -1, 1000);
  return v_result || jsonb_build_object(
    'row_operations', v_rows,
    'queued_jobs', (select coalesce(jsonb_agg(j.job), '[]') from jsonb_array_elements(v_rows) r cross join jsonb_array_elements(r -> 'queued_jobs') j (job)),
    'parse_errors', (select coalesce(jsonb_agg(jsonb_build_object('line', r -> 'line', 'code', r -> 'reason', 'message', r -> 'message',
                                                                  'raw_import_id', r -> 'raw_import_id')), '[]')
                     from jsonb_array_elements(v_rows) r where r ->> 'action' = 'failed'));
end
$$;
