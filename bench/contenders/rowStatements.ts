/** The statements of the row-by-row importer; each look-up has its index. */
export const STATEMENTS = {
  openRun: `select ingest.open_import_run('simplicity', 'row-by-row', 'row-by-row', 'judgments.csv', 'simplicity') ->> 'run_id'`,
  closeRun: `
    update ingest.import_runs i set status = 'completed', completed_at = now(), rows_fetched = l.fetched, rows_inserted = l.inserted
    from (select count(*) as fetched, count(*) filter (where status = 'inserted') as inserted
          from public.raw_simplicity_imports where import_run_id = $1) l
    where i.id = $1`,
  findByNumber: `
    select id from public.judgments
    where hashtextextended(ingest.normalize_text(judgment_number), 0) = hashtextextended($1, 0)
      and hashtextextended(ingest.normalize_text(judgment_number), 1) = hashtextextended($1, 1)`,
  findByCase: `
    select id from public.judgments
    where hashtextextended(ingest.normalize_text(case_number), 0) = hashtextextended($1, 0)
      and ingest.normalize_text(case_number) = $1 order by id limit 1`,
  findByEmail: `
    select id from public.plaintiffs
    where hashtextextended(lower(btrim(email) collate "C"), 0) = hashtextextended($1, 0) and lower(btrim(email) collate "C") = $1
    order by id limit 1`,
  findByOtherEmail: `
    select plaintiff_id from public.plaintiff_contacts
    where kind = 'email' and not is_copy and hashtextextended(lower(btrim(value) collate "C"), 0) = hashtextextended($1, 0)
      and lower(btrim(value) collate "C") = $1 order by id limit 1`,
  findByPhone: `
    select id from public.plaintiffs
    where hashtextextended(translate(phone, ' +-().', ''), 0) = hashtextextended($1, 0) and translate(phone, ' +-().', '') = $1
    order by id limit 1`,
  findByOtherPhone: `
    select plaintiff_id from public.plaintiff_contacts
    where kind = 'phone' and not is_copy and hashtextextended(translate(value, ' +-().', ''), 0) = hashtextextended($1, 0)
      and translate(value, ' +-().', '') = $1 order by id limit 1`,
  findByName: `
    select id from public.plaintiffs
    where hashtextextended(ingest.normalize_text(name), 0) = hashtextextended($1, 0) and ingest.normalize_text(name) = $1
    order by id limit 1`,
  insertPlaintiff: `
    insert into public.plaintiffs (dedupe_key, source_system, source_reference, name, email, phone, address, import_run_id)
    values ($1, 'simplicity', $2, $3, $4, $5, $6, $7) returning id`,
  findHistory: `select id from public.plaintiff_status_history where plaintiff_id = $1 and import_run_id = $2`,
  insertHistory: `
    insert into public.plaintiff_status_history (plaintiff_id, status, note, changed_by, import_run_id)
    select id, status, 'Imported from simplicity, batch row-by-row', 'intake', $2 from public.plaintiffs where id = $1`,
  insertJudgment: `
    insert into public.judgments (
      judgment_number, case_number, plaintiff_id, plaintiff_name, judgment_amount, judgment_balance, entry_date, judgment_date, filing_date,
      court_name, county, state, defendant_name, defendant_address, case_type, case_status, source_system, source_reference, import_run_id)
    values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'simplicity', $16, $17) returning id`,
  findContact: `
    select id from public.plaintiff_contacts
    where plaintiff_id = $1 and kind = $2
      and case kind when 'phone' then translate(value, ' +-().', '') else lower(btrim(value)) end = $3`,
  findPrimary: `select id from public.plaintiff_contacts where plaintiff_id = $1 and kind = $2 and is_primary`,
  insertContact: `
    insert into public.plaintiff_contacts (plaintiff_id, kind, value, is_primary, is_copy, import_run_id) values ($1, $2, $3, $4, $5, $6)`,
  findCall: `select id from public.plaintiff_tasks where plaintiff_id = $1 and kind = 'call' and status = 'open' order by id limit 1`,
  insertCall: `
    insert into public.plaintiff_tasks (plaintiff_id, kind, status, note, created_by, import_run_id)
    values ($1, 'call', 'open', 'First call, batch row-by-row', 'intake', $2) returning id`,
  setStage: `select public.set_enforcement_stage($1, 'pre_enforcement')`,
  queueJob: `
    select public.queue_job(jsonb_build_object('kind', $1::text, 'idempotency_key', $1::text || ':judgment:' || $2::bigint, 'payload',
      jsonb_build_object('judgment_id', $2::bigint, 'plaintiff_id', $3::bigint, 'source_system', 'simplicity', 'import_run_id', $4::uuid)))`,
  log: `
    insert into public.raw_simplicity_imports (
      import_run_id, row_index, line_number, raw_data, status, reason, judgment_id, plaintiff_id, matched_by, contact_inserts,
      follow_up_task_id, follow_up_task_created, enforcement_initialized, queued_jobs)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
} as const;

export type Statement = keyof typeof STATEMENTS;
