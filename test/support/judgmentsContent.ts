/** What imports of judgments left in the tables, without ids and times. */
import type postgres from 'postgres';
import type { Contact, Operation, Person } from './judgmentsOracle.ts';

/** The tables in the words of the oracle: persons and judgments numbered as the rows of the runs, in their order, made them. */
export async function readAsOracle(sql: postgres.Sql): Promise<{ operations: Operation[][]; persons: Person[] }> {
  const rows = await sql<
    {
      import_run_id: string;
      status: 'inserted' | 'skipped' | 'failed';
      reason: string | null;
      matched_by: string;
      plaintiff_id: number;
      judgment_id: number;
      contact_inserts: number;
      follow_up_task_created: boolean;
    }[]
  >`
    SELECT l.* FROM public.raw_simplicity_imports l JOIN ingest.import_runs r ON r.id = l.import_run_id ORDER BY r.created_at, r.id, l.row_index`;
  const base = await sql<{ id: number }[]>`
    SELECT id FROM public.plaintiffs p WHERE NOT EXISTS (
      SELECT FROM public.raw_simplicity_imports l WHERE l.plaintiff_id = p.id AND l.matched_by = 'created') ORDER BY id`;
  const persons = new Map(base.map(({ id }, i) => [id, i]));
  const judgments = new Map<number, number>();
  const operations = new Map<string, Operation[]>();
  for (const { import_run_id: run, status: action, reason, matched_by: matchedBy, ...row } of rows) {
    if (matchedBy === 'created') persons.set(row.plaintiff_id, persons.size);
    if (action === 'inserted') judgments.set(row.judgment_id, judgments.size);
    const [person, judgment] = [persons.get(row.plaintiff_id)!, judgments.get(row.judgment_id)!];
    if (!operations.has(run)) operations.set(run, []);
    operations.get(run)!.push(
      action === 'failed'
        ? { action, reason: reason! }
        : action === 'skipped'
          ? { action, reason: reason!, person, judgment }
          : {
              action,
              reason: reason ?? undefined,
              matchedBy,
              person,
              judgment,
              contactInserts: row.contact_inserts,
              makesTask: row.follow_up_task_created,
            },
    );
  }
  return { operations: [...operations.values()], persons: await personsOf(sql, persons, judgments) };
}

async function personsOf(
  sql: postgres.Sql,
  persons: ReadonlyMap<number, number>,
  judgments: ReadonlyMap<number, number>,
): Promise<Person[]> {
  const found = await sql<
    {
      id: number;
      name: string;
      contacts: Contact[] | null;
      judgments: number[] | null;
      tasks: number;
      history: number;
    }[]
  >`
    SELECT p.id, ingest.normalize_text(p.name) AS name,
      (SELECT json_agg(json_build_object('kind', c.kind, 'key', CASE c.kind WHEN 'phone' THEN ingest.phone_key(c.value) ELSE lower(c.value) END, 'primary', c.is_primary)) FROM public.plaintiff_contacts c WHERE c.plaintiff_id = p.id) AS contacts,
      (SELECT json_agg(j.id) FROM public.judgments j WHERE j.plaintiff_id = p.id) AS judgments,
      (SELECT count(*) FROM public.plaintiff_tasks t WHERE t.plaintiff_id = p.id) AS tasks,
      (SELECT count(*) FROM public.plaintiff_status_history h WHERE h.plaintiff_id = p.id) AS history
    FROM public.plaintiffs p`;
  const result: Person[] = [];
  for (const { id, name, contacts, judgments: owned, tasks, history } of found) {
    result[persons.get(id)!] = inOrder({
      name,
      contacts: contacts ?? [],
      judgments: (owned ?? []).map((judgment) => judgments.get(judgment)!),
      tasks,
      history,
    });
  }
  return result;
}

/** A person with its lists in one order. */
export const inOrder = (person: Person): Person => ({
  ...person,
  contacts: person.contacts.toSorted((a, b) => `${a.kind} ${a.key}`.localeCompare(`${b.kind} ${b.key}`)),
  judgments: person.judgments.toSorted((a, b) => a - b),
});

/** Every table that imports of judgments write, row by row. */
export async function contentOfJudgments(sql: postgres.Sql): Promise<Record<string, unknown[]>> {
  const tables = {
    log: sql`
      SELECT l.row_index, l.line_number, l.raw_data, encode(l.raw_record, 'hex') AS record, l.status, l.reason, l.error_log, j.judgment_number,
             p.dedupe_key AS plaintiff, l.matched_by, l.duplicate_of_line, l.contact_inserts, l.follow_up_task_created, l.enforcement_initialized,
             (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(l.queued_jobs) k) AS jobs
      FROM public.raw_simplicity_imports l LEFT JOIN public.judgments j ON j.id = l.judgment_id LEFT JOIN public.plaintiffs p ON p.id = l.plaintiff_id
      ORDER BY l.row_index, l.id`,
    plaintiffs: sql`SELECT dedupe_key, source_system, source_reference, name, email, phone, address, status FROM public.plaintiffs ORDER BY dedupe_key`,
    judgments: sql`
      SELECT j.judgment_number, j.case_number, p.dedupe_key AS plaintiff, j.plaintiff_name, j.judgment_amount, j.judgment_balance, j.entry_date::text,
             j.judgment_date::text, j.filing_date::text, j.court_name, j.county, j.state, j.defendant_name, j.defendant_address, j.case_type, j.case_status,
             j.enforcement_stage, j.enforcement_stage_updated_at IS NOT NULL AS staged, j.source_system, j.source_reference, j.created_at = j.updated_at AS untouched
      FROM public.judgments j JOIN public.plaintiffs p ON p.id = j.plaintiff_id ORDER BY j.judgment_number`,
    contacts: sql`
      SELECT p.dedupe_key AS plaintiff, c.kind, c.value, c.is_primary, c.is_copy FROM public.plaintiff_contacts c JOIN public.plaintiffs p ON p.id = c.plaintiff_id
      ORDER BY 1, 2, 3`,
    tasks: sql`SELECT p.dedupe_key AS plaintiff, t.kind, t.status, t.note FROM public.plaintiff_tasks t JOIN public.plaintiffs p ON p.id = t.plaintiff_id ORDER BY 1`,
    history: sql`SELECT p.dedupe_key AS plaintiff, h.status, h.note FROM public.plaintiff_status_history h JOIN public.plaintiffs p ON p.id = h.plaintiff_id ORDER BY 1`,
    jobs: sql`
      SELECT m.queue_name, m.message ->> 'kind' AS kind, j.judgment_number, p.dedupe_key AS plaintiff
      FROM public.queue_messages m JOIN public.judgments j ON j.id = (m.message #>> '{payload,judgment_id}')::bigint
      JOIN public.plaintiffs p ON p.id = (m.message #>> '{payload,plaintiff_id}')::bigint ORDER BY 1, 3`,
    runs: sql`
      SELECT status, rows_fetched, rows_inserted, rows_updated, rows_skipped, rows_errored, metadata #> '{summary,effects}' AS effects
      FROM ingest.import_runs ORDER BY created_at`,
  };
  const read = Object.entries(tables).map(
    async ([name, query]) => [name, (await query).map((row) => ({ ...row }))] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Rows in each table that an import writes, and in the queue. */
export async function tableSizes(sql: postgres.Sql): Promise<Record<string, number>> {
  const [row] = await sql`
    SELECT (SELECT count(*) FROM public.plaintiffs) AS plaintiffs, (SELECT count(*) FROM public.judgments) AS judgments,
           (SELECT count(*) FROM public.plaintiff_contacts) AS contacts, (SELECT count(*) FROM public.plaintiff_tasks) AS tasks,
           (SELECT count(*) FROM public.plaintiff_status_history) AS history, (SELECT count(*) FROM public.queue_messages) AS jobs`;
  return { ...row } as Record<string, number>;
}

/** Empties what imports of judgments write, so that the next one starts from nothing. */
export async function forgetJudgments(sql: postgres.Sql): Promise<void> {
  await sql`TRUNCATE ingest.import_runs, ingest.import_run_steps, ingest.plaintiffs_raw, public.plaintiffs, public.judgments, public.plaintiff_contacts,
    public.plaintiff_tasks, public.plaintiff_status_history, public.raw_simplicity_imports, ingest.raw_simplicity_fallback, public.queue_messages,
    ingest_stage.chunks, ingest_stage.judgments, ingest_stage.judgments_plan, ingest_stage.resolved CASCADE`;
}
