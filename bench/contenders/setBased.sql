-- One Simplicity export, in the temporary table "file", into the tables of runbook 000. Within the transaction of the caller.
set local work_mem = '256MB';
set local datestyle = 'ISO, MDY';

select (ingest.open_import_run('simplicity', 'set-based', 'set-based', 'judgments.csv', 'simplicity') ->> 'run_id') as run \gset

-- Cells as values and keys, and what is wrong with a row.
create temporary table staging as
select v.*,
       case when name is null then 'MISSING_VALUE'
            when email_key !~ '^[^\s@"(),:;<>\[\]\\]+@[^\s@"(),:;<>\[\]\\.]+(\.[^\s@"(),:;<>\[\]\\.]+)+$' then 'BAD_EMAIL'
            when length(phone) not between 7 and 15 then 'BAD_PHONE'
            when number is null or amount is null then 'MISSING_VALUE'
            when not pg_input_is_valid(amount, 'numeric') then 'BAD_AMOUNT'
            when not pg_input_is_valid(judged, 'date') then 'BAD_DATE'
            when state !~ '^[A-Z]{2}$' then 'BAD_STATE' end as error,
       encode(sha256(convert_to('simplicity|' || coalesce(name_key, '') || '|' || coalesce(email_key, ''), 'UTF8')), 'hex') as plaintiff_key
from (
  select row_index, nullif(btrim("PlaintiffName"), '') as name,
         nullif(lower(regexp_replace(btrim("PlaintiffName"), '\s+', ' ', 'g')), '') as name_key,
         nullif(btrim("Email"), '') as email, nullif(lower(btrim("Email")), '') as email_key,
         nullif(regexp_replace("Phone", '\D', '', 'g'), '') as phone, nullif(btrim("PlaintiffAddress"), '') as address,
         nullif(btrim("IndexNumber"), '') as number, nullif(lower(regexp_replace(btrim("IndexNumber"), '\s+', ' ', 'g')), '') as number_key,
         nullif(translate("JudgmentAmount", '$, ', ''), '') as amount, nullif(btrim("JudgmentDate"), '') as judged,
         nullif(upper(btrim("State")), '') as state
  from file
) v;
analyze staging;

-- Judgments that are there already, by number, then by case number; of those in the file the first row of a number counts.
create temporary table known_judgments as
select distinct on (row_index) row_index, judgment_id, plaintiff_id
from (
  select s.row_index, 1 as rank, j.id as judgment_id, j.plaintiff_id
  from staging s
  join public.judgments j on hashtextextended(ingest.normalize_text(j.judgment_number), 0) = hashtextextended(s.number_key, 0)
    and ingest.normalize_text(j.judgment_number) = s.number_key
  where s.error is null
  union all
  select s.row_index, 2, j.id, j.plaintiff_id
  from staging s
  join public.judgments j on hashtextextended(ingest.normalize_text(j.case_number), 0) = hashtextextended(s.number_key, 0)
    and ingest.normalize_text(j.case_number) = s.number_key
  where s.error is null
) k
order by row_index, rank, judgment_id;

create temporary table candidates as
select s.row_index, min(s.row_index) over (partition by s.number_key) as first_row, s.email_key, s.phone, s.name_key
from staging s
where s.error is null and not exists (select from known_judgments k where k.row_index = s.row_index);
analyze known_judgments;
analyze candidates;

-- Plaintiffs of the tables that a row's email, phone or name belongs to.
create temporary table known_plaintiffs as
select distinct on (row_index) row_index, rank, id
from (
  select c.row_index, 1 as rank, p.id
  from candidates c
  join public.plaintiffs p on hashtextextended(lower(btrim(p.email) collate "C"), 0) = hashtextextended(c.email_key, 0)
    and lower(btrim(p.email) collate "C") = c.email_key
  union all
  select c.row_index, 2, t.plaintiff_id
  from candidates c
  join public.plaintiff_contacts t on t.kind = 'email' and not t.is_copy
    and hashtextextended(lower(btrim(t.value) collate "C"), 0) = hashtextextended(c.email_key, 0)
    and lower(btrim(t.value) collate "C") = c.email_key
  union all
  select c.row_index, 3, p.id
  from candidates c
  join public.plaintiffs p on hashtextextended(translate(p.phone, ' +-().', ''), 0) = hashtextextended(c.phone, 0)
    and translate(p.phone, ' +-().', '') = c.phone
  union all
  select c.row_index, 4, t.plaintiff_id
  from candidates c
  join public.plaintiff_contacts t on t.kind = 'phone' and not t.is_copy
    and hashtextextended(translate(t.value, ' +-().', ''), 0) = hashtextextended(c.phone, 0)
    and translate(t.value, ' +-().', '') = c.phone
  union all
  select c.row_index, 5, p.id
  from candidates c
  join public.plaintiffs p on hashtextextended(ingest.normalize_text(p.name), 0) = hashtextextended(c.name_key, 0)
    and ingest.normalize_text(p.name) = c.name_key
) k
order by row_index, rank, id;
analyze known_plaintiffs;

-- Who is who: the plaintiff of the tables, or the earlier row with the same email, phone or name; else a new plaintiff.
create temporary table people as
select row_index, known, matched_by, parent, nextval('public.judgments_id_seq') as judgment_id,
       case when known is not null then known when parent is null then nextval('public.plaintiffs_id_seq') end as plaintiff_id
from (
  select row_index, known,
         coalesce(matched_by, case when named < row_index then 'name' end) as matched_by,
         coalesce(parent, case when matched_by is null and named < row_index then named end) as parent
  from (
    select m.*, min(row_index) filter (where matched_by is null) over (partition by name_key) as named
    from (
      select c.row_index, c.name_key,
             case when k.rank <= 2 then 'email' when c.by_email < c.row_index then 'email'
                  when k.rank <= 4 then 'phone' when c.by_phone < c.row_index then 'phone' when k.rank = 5 then 'name' end as matched_by,
             case when k.rank <= 2 then k.id when c.by_email < c.row_index then null
                  when k.rank <= 4 then k.id when c.by_phone < c.row_index then null else k.id end as known,
             case when k.rank <= 2 then null when c.by_email < c.row_index then c.by_email
                  when k.rank <= 4 then null when c.by_phone < c.row_index then c.by_phone end as parent
      from (
        select row_index, name_key,
               case when email_key is not null then min(row_index) over (partition by email_key) end as by_email,
               case when phone is not null then min(row_index) over (partition by phone) end as by_phone
        from candidates where first_row = row_index
      ) c
      left join known_plaintiffs k using (row_index)
    ) m
  ) n
) o;
create index on people (row_index);
analyze people;
do $$
begin
  loop
    update people p set plaintiff_id = q.plaintiff_id from people q
    where q.row_index = p.parent and p.plaintiff_id is null and q.plaintiff_id is not null;
    exit when not found;
  end loop;
end
$$;

create temporary table taken as
select s.*, p.plaintiff_id, p.judgment_id, p.matched_by, p.matched_by is null as is_new,
       p.row_index = min(p.row_index) over (partition by p.plaintiff_id) as is_first
from staging s join people p using (row_index);
create index on taken (row_index);
analyze taken;

insert into public.plaintiffs (id, dedupe_key, source_system, source_reference, name, email, phone, address, import_run_id)
select t.plaintiff_id, t.plaintiff_key, 'simplicity', f."LeadID", t.name, t.email, t.phone, t.address, :'run'
from taken t join file f using (row_index)
where t.is_new
order by t.row_index;

insert into public.plaintiff_status_history (plaintiff_id, status, note, changed_by, import_run_id)
select p.id, p.status, 'Imported from simplicity, batch set-based', 'intake', :'run'
from taken t join public.plaintiffs p on p.id = t.plaintiff_id
where t.is_first;

insert into public.judgments (
  id, judgment_number, case_number, plaintiff_id, plaintiff_name, judgment_amount, entry_date, judgment_date, court_name, county, state,
  defendant_name, defendant_address, case_type, case_status, source_system, source_reference, import_run_id)
select t.judgment_id, t.number, t.number, t.plaintiff_id, t.name, t.amount::numeric, t.judged::date, t.judged::date, f."Court", f."County",
       t.state, f."DefendantName", f."DefendantAddress", f."CaseType", f."Status", 'simplicity', f."LeadID", :'run'
from taken t join file f using (row_index)
order by t.row_index;

-- Contacts: each value once for a plaintiff, the first of a kind primary unless there is one.
create temporary table contacts as
select n.*, case when is_made then nextval('public.plaintiff_contacts_id_seq') else existing end as contact_id
from (
  select c.*, e.id as existing,
         e.id is null and row_number() over (partition by c.plaintiff_id, c.kind, c.key order by c.row_index) = 1 as is_made,
         row_number() over (partition by c.plaintiff_id, c.kind order by (e.id is null) desc, c.row_index) = 1
           and not exists (select from public.plaintiff_contacts o where o.plaintiff_id = c.plaintiff_id and o.kind = c.kind and o.is_primary) as is_primary
  from (
    select t.row_index, t.plaintiff_id, t.is_new, v.*
    from taken t
    cross join lateral (values ('email', t.email, t.email_key), ('phone', t.phone, t.phone), ('address', t.address, lower(t.address))) as v (kind, value, key)
    where v.value is not null
  ) c
  left join public.plaintiff_contacts e on e.plaintiff_id = c.plaintiff_id and e.kind = c.kind
    and case c.kind when 'phone' then translate(e.value, ' +-().', '') else lower(btrim(e.value)) end = c.key
) n;
analyze contacts;

insert into public.plaintiff_contacts (id, plaintiff_id, kind, value, is_primary, is_copy, import_run_id)
select contact_id, plaintiff_id, kind, value, is_primary, is_new, :'run' from contacts where is_made;

create temporary table calls as
select t.plaintiff_id, o.id as existing, coalesce(o.id, nextval('public.plaintiff_tasks_id_seq')) as task_id
from taken t
left join lateral (select min(k.id) as id from public.plaintiff_tasks k
                   where k.plaintiff_id = t.plaintiff_id and k.kind = 'call' and k.status = 'open') o on true
where t.is_first;
analyze calls;

insert into public.plaintiff_tasks (id, plaintiff_id, kind, status, note, created_by, import_run_id)
select task_id, plaintiff_id, 'call', 'open', 'First call, batch set-based', 'intake', :'run' from calls where existing is null;

select count(public.set_enforcement_stage(judgment_id, 'pre_enforcement')) from taken;

create temporary table jobs as
select row_index, jsonb_build_object(
         'enrich', public.queue_job(jsonb_build_object('kind', 'enrich', 'idempotency_key', 'enrich:judgment:' || judgment_id, 'payload', payload)),
         'enforce', public.queue_job(jsonb_build_object('kind', 'enforce', 'idempotency_key', 'enforce:judgment:' || judgment_id, 'payload', payload))) as queued
from (
  select row_index, judgment_id, jsonb_build_object('judgment_id', judgment_id, 'plaintiff_id', plaintiff_id, 'source_system', 'simplicity',
                                                    'import_run_id', :'run') as payload
  from taken order by row_index
) t;
analyze jobs;

-- Every row of the file, as it came, and what became of it.
insert into public.raw_simplicity_imports (
  import_run_id, row_index, line_number, raw_data, status, reason, judgment_id, plaintiff_id, matched_by, duplicate_of_line,
  contact_ids, contact_inserts, follow_up_task_id, follow_up_task_created, enforcement_initialized, queued_jobs)
select :'run', f.row_index, f.row_index + 2, to_jsonb(f) - 'row_index',
       case when s.error is not null then 'failed' when t.row_index is not null then 'inserted' else 'skipped' end,
       case when s.error is not null then s.error when k.row_index is not null then 'EXISTING_JUDGMENT'
            when t.row_index is null then 'DUPLICATE_IN_FILE' end,
       coalesce(k.judgment_id, w.judgment_id), coalesce(k.plaintiff_id, w.plaintiff_id),
       case when t.row_index is not null then coalesce(t.matched_by, 'created') end,
       case when c.first_row <> f.row_index then c.first_row + 2 end,
       n.ids, coalesce(n.made, 0), a.task_id, coalesce(t.is_first and a.existing is null, false), t.row_index is not null, j.queued
from file f
join staging s using (row_index)
left join known_judgments k using (row_index)
left join candidates c using (row_index)
left join taken t using (row_index)
left join jobs j using (row_index)
left join (select row_index, array_agg(contact_id order by is_made desc) as ids, count(*) filter (where is_made) as made
           from contacts group by row_index) n using (row_index)
left join people w on w.row_index = c.first_row
left join calls a on a.plaintiff_id = t.plaintiff_id
order by f.row_index;

update ingest.import_runs i set
  status = 'completed', completed_at = now(), rows_fetched = l.fetched, rows_inserted = l.inserted, rows_skipped = l.skipped, rows_errored = l.failed
from (select count(*) as fetched, count(*) filter (where status = 'inserted') as inserted, count(*) filter (where status = 'skipped') as skipped,
             count(*) filter (where status = 'failed') as failed
      from public.raw_simplicity_imports where import_run_id = :'run') l
where i.id = :'run';
