-- Which judgments are there already, and who is the same person: by email, then phone, then name (runbook 000, step 5).

-- Judgments with the same number, else with the same case number. Probes of indexes only, whatever the planner believes; and
-- `offset 0`, or each mention of an answer looks it up again.
create or replace function ingest.find_judgments(rows integer[], numbers text[], cases text[])
returns table (row_index integer, judgment_id bigint, plaintiff_id bigint)
language sql stable security definer set search_path = '' rows 50000
  set enable_nestloop = on set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
  select u.n, f.id, (select j.plaintiff_id from public.judgments j where j.id = f.id)
  from unnest($1, $2, $3) as u (n, number, case_number)
  cross join lateral (select coalesce(
    (select j.id from public.judgments j
     where hashtextextended(ingest.normalize_text(j.judgment_number), 0) = hashtextextended(u.number, 0)
       and hashtextextended(ingest.normalize_text(j.judgment_number), 1) = hashtextextended(u.number, 1)),
    (select j.id from public.judgments j
     where hashtextextended(ingest.normalize_text(j.case_number), 0) = hashtextextended(u.case_number, 0)
       and ingest.normalize_text(j.case_number) = u.case_number order by j.id limit 1)) as id offset 0) f
  where f.id is not null
$$;

-- Plaintiffs of the tables: by their own columns, and by further contacts. A plaintiff found by email hides the other two.
-- One that was renamed is still found by the name and email it was imported with, which its key holds. Contacts that this run
-- has landed say nothing: whose they are was planned for the whole run, and rows that follow from it have landed with them.
create or replace function ingest.find_plaintiffs(run_id uuid, rows integer[], emails text[], phones text[], names text[], keys text[])
returns table (row_index integer, by_email bigint, by_phone bigint, by_name bigint)
language sql stable security definer set search_path = '' rows 50000
  set enable_nestloop = on set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
  select u.n, e.id, p.id, m.id
  from unnest($2, $3, $4, $5, $6) as u (n, email, phone, name, key)
  cross join lateral (select coalesce(
    (select t.id from public.plaintiffs t
     where hashtextextended(lower(btrim(t.email) collate "C"), 0) = hashtextextended(u.email, 0)
       and lower(btrim(t.email) collate "C") = u.email order by t.id limit 1),
    (select c.plaintiff_id from public.plaintiff_contacts c left join ingest.import_runs o on o.id = c.import_run_id
     where c.kind = 'email' and not c.is_copy and hashtextextended(lower(btrim(c.value) collate "C"), 0) = hashtextextended(u.email, 0)
       and lower(btrim(c.value) collate "C") = u.email
       and ($1 is null or c.import_run_id is distinct from $1) order by o.created_at, c.row_index, c.id limit 1)) as id offset 0) e
  cross join lateral (select case when e.id is null then coalesce(
    (select t.id from public.plaintiffs t
     where hashtextextended(translate(t.phone, ' +-().', ''), 0) = hashtextextended(u.phone, 0)
       and translate(t.phone, ' +-().', '') = u.phone order by t.id limit 1),
    (select c.plaintiff_id from public.plaintiff_contacts c left join ingest.import_runs o on o.id = c.import_run_id
     where c.kind = 'phone' and not c.is_copy and hashtextextended(translate(c.value, ' +-().', ''), 0) = hashtextextended(u.phone, 0)
       and translate(c.value, ' +-().', '') = u.phone
       and ($1 is null or c.import_run_id is distinct from $1) order by o.created_at, c.row_index, c.id limit 1)) end as id offset 0) p
  cross join lateral (select case when e.id is null and p.id is null then coalesce(
    (select t.id from public.plaintiffs t
     where hashtextextended(ingest.normalize_text(t.name), 0) = hashtextextended(u.name, 0)
       and ingest.normalize_text(t.name) = u.name order by t.id limit 1),
    (select t.id from public.plaintiffs t where t.dedupe_key = u.key)) end as id offset 0) m
  where coalesce(e.id, p.id, m.id) is not null
$$;

-- The log that rows of new runs go to, and the one that has the rows of a run.
create or replace function ingest.judgments_log(run_id uuid default null) returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  if to_regclass('public.raw_simplicity_imports') is null
     or $1 is not null and exists (select from ingest.raw_simplicity_fallback f where f.import_run_id = $1) then
    return 'ingest.raw_simplicity_fallback';
  end if;
  return 'public.raw_simplicity_imports';
end
$$;

-- Plans every staged row that has not landed. The answer depends on the rows and the tables only, not on chunks or workers:
--   * A judgment is taken once: a row whose number or case number the tables have, or an earlier taken row has, is skipped.
--   * An email and a phone belong to the person of the first taken row (or plaintiff) that carries it, a name to the plaintiff
--     made with it. A row is of the person its email belongs to, else its phone, else its name; else it makes a plaintiff.
-- With `part`, the rows of that part alone are planned anew: others have created people since.
create or replace function ingest.resolve_judgments(run ingest.import_runs, stage_id uuid, partitions integer, part integer default null) returns jsonb
language plpgsql security definer set search_path = '' set work_mem = '64MB' set enable_seqscan = off set enable_nestloop = off set jit = off
as $$
#variable_conflict use_column
declare
  v_run uuid := ($1).id;
  v_log text;
  v_from integer;
  v_last integer;
  v_undecided record;
  v_winner integer;
  v_rows integer;
begin
  drop table if exists pg_temp.intake_rows, pg_temp.intake_known, pg_temp.intake_taken, pg_temp.intake_found, pg_temp.intake_people;
  create temp table intake_rows (stage_tid tid, row_index integer, line_number integer, error_code text, number_key text, case_key text,
                                 email_key text, phone text, name_key text, plaintiff_key text) on commit drop;
  if $4 is null then
    insert into pg_temp.intake_rows
    select s.ctid, s.row_index, s.line_number, s.error_code, s.number_key, s.case_key, s.email_key, s.phone, s.name_key, s.plaintiff_key
    from ingest_stage.judgments s where s.stage_id = $2;
  else
    insert into pg_temp.intake_rows
    select p.stage_tid, s.row_index, s.line_number, s.error_code, s.number_key, s.case_key, s.email_key, s.phone, s.name_key, s.plaintiff_key
    from ingest_stage.judgments_plan p cross join lateral (select * from ingest_stage.judgments x where x.ctid = p.stage_tid offset 0) s
    where p.stage_id = $2 and p.part = $4;
    delete from ingest_stage.judgments_plan p where p.stage_id = $2 and p.part = $4;
  end if;

  if v_run is not null and $4 is null then
    v_log := ingest.judgments_log(v_run);
    if exists (select from ingest.import_run_steps t where t.run_id = v_run and t.step = 'upsert') then
      execute format('delete from pg_temp.intake_rows r using %s l where l.import_run_id = $1 and l.row_index = r.row_index', v_log) using v_run;
    else
      -- An earlier attempt stopped at --max-errors; its rows make place for these.
      execute format('delete from %s l where l.import_run_id = $1', v_log) using v_run;
    end if;
  end if;
  analyze pg_temp.intake_rows;

  create temp table intake_known (row_index integer, judgment_id bigint, plaintiff_id bigint) on commit drop;
  select min(row_index), max(row_index) into v_from, v_last from pg_temp.intake_rows where error_code is null;
  while v_from <= v_last loop
    insert into pg_temp.intake_known
    select f.*
    from (select array_agg(row_index) as rows, array_agg(number_key) as numbers, array_agg(case_key) as cases
          from pg_temp.intake_rows where error_code is null and row_index >= v_from and row_index < v_from + 50000) b
    cross join lateral ingest.find_judgments(b.rows, b.numbers, b.cases) f
    where b.rows is not null;
    v_from := v_from + 50000;
  end loop;
  analyze pg_temp.intake_known;

  -- The first row of a number and of a case number is taken, the others of both are duplicates of it.
  create temp table intake_taken on commit drop as
  select f.row_index, f.line_number, f.number_key, f.case_key, f.email_key, f.phone, f.name_key, f.plaintiff_key,
         case when f.is_first then f.row_index
              when first_value(f.is_first) over (partition by f.number_key order by f.row_index) and f.by_number <> f.row_index then f.by_number
              when f.by_number = f.row_index and first_value(f.is_first) over (partition by f.case_key order by f.row_index)
                   and f.by_case <> f.row_index then f.by_case
         end as taken
  from (
    select w.*, w.by_number = w.row_index and w.by_case = w.row_index as is_first
    from (
      select r.*, min(r.row_index) over (partition by r.number_key) as by_number, min(r.row_index) over (partition by r.case_key) as by_case
      from pg_temp.intake_rows r
      where r.error_code is null and not exists (select from pg_temp.intake_known k where k.row_index = r.row_index)
    ) w
  ) f;
  -- Chains: a row between two cases, whose own first row is a duplicate. Seldom, and decided one by one in the file's order.
  if exists (select from pg_temp.intake_taken where taken is null) then
    create index on pg_temp.intake_taken (row_index);
    create index on pg_temp.intake_taken (number_key) where taken = row_index;
    create index on pg_temp.intake_taken (case_key) where taken = row_index;
    for v_undecided in select row_index, number_key, case_key from pg_temp.intake_taken where taken is null order by row_index loop
      select coalesce(
        (select row_index from pg_temp.intake_taken where number_key = v_undecided.number_key and taken = row_index),
        (select row_index from pg_temp.intake_taken where case_key = v_undecided.case_key and taken = row_index)) into v_winner;
      update pg_temp.intake_taken t set taken = coalesce(v_winner, t.row_index) where t.row_index = v_undecided.row_index and t.taken is null;
    end loop;
  end if;
  analyze pg_temp.intake_taken;

  create temp table intake_found (row_index integer, by_email bigint, by_phone bigint, by_name bigint) on commit drop;
  select min(row_index) into v_from from pg_temp.intake_taken;
  while v_from <= v_last loop
    insert into pg_temp.intake_found
    select f.*
    from (select array_agg(row_index) as rows, array_agg(email_key) as emails, array_agg(phone) as phones, array_agg(name_key) as names,
                 array_agg(plaintiff_key) as keys
          from pg_temp.intake_taken where taken = row_index and row_index >= v_from and row_index < v_from + 50000) b
    cross join lateral ingest.find_plaintiffs(v_run, b.rows, b.emails, b.phones, b.names, b.keys) f
    where b.rows is not null;
    v_from := v_from + 50000;
  end loop;
  analyze pg_temp.intake_found;

  -- Each taken row points to a plaintiff of the tables, or to the earlier row that carries its email, phone or name first.
  create temp table intake_people on commit drop as
  select n.row_index, n.plaintiff_id,
         case when n.link < n.row_index then n.link
              when n.plaintiff_id is null and n.by_name < n.row_index then n.by_name end as parent,
         coalesce(n.matched_by, case when n.by_name < n.row_index then 'name' end) as matched_by
  from (
    select m.*, min(m.row_index) filter (where m.matched_by is null) over (partition by m.name_key) as by_name
    from (
      select l.row_index, l.name_key,
             case when l.x_email is not null then l.x_email
                  when l.email_row < l.row_index then null
                  when l.x_phone is not null then l.x_phone
                  when l.phone_row < l.row_index then null
                  else l.x_name end as plaintiff_id,
             case when l.x_email is not null then null
                  when l.email_row < l.row_index then l.email_row
                  when l.x_phone is not null then null
                  when l.phone_row < l.row_index then l.phone_row end as link,
             case when l.x_email is not null or l.email_row < l.row_index then 'email'
                  when l.x_phone is not null or l.phone_row < l.row_index then 'phone'
                  when l.x_name is not null then 'name' end as matched_by
      from (
        select t.row_index, t.name_key, f.by_email as x_email, f.by_phone as x_phone, f.by_name as x_name,
               case when t.email_key is not null then min(t.row_index) over (partition by t.email_key) end as email_row,
               case when t.phone is not null then min(t.row_index) over (partition by t.phone) end as phone_row
        from pg_temp.intake_taken t left join pg_temp.intake_found f on f.row_index = t.row_index
        where t.taken = t.row_index
      ) l
    ) m
  ) n;
  analyze pg_temp.intake_people;
  -- Pointers are followed by doubling: each round halves every way to its end.
  loop
    update pg_temp.intake_people p set parent = q.parent, plaintiff_id = q.plaintiff_id
    from pg_temp.intake_people q
    where p.parent = q.row_index and (q.parent is not null or q.plaintiff_id is not null);
    exit when not found;
  end loop;

  insert into ingest_stage.judgments_plan (stage_id, part, row_index, line_number, stage_tid, outcome, reason, duplicate_of_line,
                                           judgment_id, plaintiff_id, matched_by, is_new)
  with made as materialized (
    select p.row_index, case when v_run is null then -1 - p.row_index else nextval('public.plaintiffs_id_seq') end as id
    from pg_temp.intake_people p where p.parent is null and p.plaintiff_id is null
  ), taken as materialized (
    select t.row_index, t.line_number, coalesce(p.plaintiff_id, m.id) as plaintiff_id, p.matched_by, p.plaintiff_id is null as is_new,
           case when v_run is null then -1 - t.row_index else nextval('public.judgments_id_seq') end as judgment_id,
           (abs(hashint8(coalesce(p.plaintiff_id, p.parent, p.row_index))::bigint) % $3)::integer as part
    from pg_temp.intake_taken t join pg_temp.intake_people p on p.row_index = t.row_index
    left join made m on m.row_index = coalesce(p.parent, p.row_index)
    where t.taken = t.row_index
  )
  select $2, o.part, o.row_index, o.line_number, o.stage_tid, o.outcome, o.reason, o.duplicate_of_line, o.judgment_id, o.plaintiff_id,
         o.matched_by, o.is_new
  from (
    -- A known judgment's rows go with its plaintiff: should a rollback take it back, they are new rows of one person.
    select coalesce($4, w.part, (abs(hashint8(coalesce(k.plaintiff_id, r.row_index))::bigint) % $3)::integer) as part,
           r.row_index, r.line_number, r.stage_tid,
           case when r.error_code is not null then 'failed' when w.row_index = r.row_index then 'inserted' else 'skipped' end as outcome,
           case when r.error_code is not null then r.error_code when k.judgment_id is not null then 'EXISTING_JUDGMENT'
                when w.row_index <> r.row_index then 'DUPLICATE_IN_FILE' end as reason,
           case when w.row_index <> r.row_index then w.line_number end as duplicate_of_line,
           coalesce(k.judgment_id, w.judgment_id) as judgment_id,
           coalesce(k.plaintiff_id, w.plaintiff_id) as plaintiff_id,
           case when w.row_index = r.row_index then w.matched_by end as matched_by,
           coalesce(w.is_new, false) as is_new
    from pg_temp.intake_rows r
    left join pg_temp.intake_known k on k.row_index = r.row_index
    left join pg_temp.intake_taken t on t.row_index = r.row_index
    left join taken w on w.row_index = t.taken
  ) o
  order by o.part, o.row_index;
  get diagnostics v_rows = row_count;
  return jsonb_build_object('rows', v_rows, 'people', (select count(*) from pg_temp.intake_people where parent is null));
end
$$;
