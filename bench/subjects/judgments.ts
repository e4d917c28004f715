/** 200,000 rows of a Simplicity export with 150,000 plaintiffs: judgments and all that follows from them (runbook 000). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { intake } from '../contenders/intake.ts';
import { rowByRow } from '../contenders/rowByRow.ts';
import { setBasedPsql } from '../contenders/setBasedPsql.ts';
import type { Counts } from '../contenders/contender.ts';
import { countNatures, writeRows } from '../generators/file.ts';
import { HEADER, judgmentRows } from '../generators/judgments.ts';
import type { Subject } from './subject.ts';

const COUNTS = `
select jsonb_build_object(
  'plaintiffs', (select count(*) from public.plaintiffs),
  'status history', (select count(*) from public.plaintiff_status_history),
  'contacts', (select count(*) from public.plaintiff_contacts),
  'primary contacts', (select count(*) from public.plaintiff_contacts where is_primary),
  'open calls', (select count(*) from public.plaintiff_tasks where kind = 'call' and status = 'open'),
  'judgments', (select count(*) from public.judgments where enforcement_stage = 'pre_enforcement'),
  'enrich jobs', (select count(*) from public.queue_messages where queue_name = 'enrich'),
  'enforce jobs', (select count(*) from public.queue_messages where queue_name = 'enforce'),
  'completed runs', (select count(*) from ingest.import_runs where status = 'completed')) ||
  (select jsonb_build_object(
    'logged rows', count(*), 'skipped rows', count(*) filter (where status = 'skipped'), 'failed rows', count(*) filter (where status = 'failed'),
    'matched by email', count(*) filter (where matched_by = 'email'), 'matched by phone', count(*) filter (where matched_by = 'phone'),
    'matched by name', count(*) filter (where matched_by = 'name'), 'contacts in the log', coalesce(sum(contact_inserts), 0),
    'jobs in the log', count(queued_jobs), 'calls in the log', count(*) filter (where follow_up_task_created))
   from public.raw_simplicity_imports) as counts`;

export const judgments: Subject = {
  name: 'judgments',
  kind: 'simplicity',
  unit: 'rows',
  rows: 200_000,
  contenders: [intake('postgres'), intake('supabase'), setBasedPsql, rowByRow],
  ratios: [
    { head: 'rate / set-based', contender: 'set-based-psql', of: 'rate' },
    { head: 'rate / row by row', contender: 'row-by-row', of: 'rate' },
  ],
  async filesOf(dir, rows, seed) {
    const file = join(dir, `judgments-${rows}-${seed}.csv`);
    if (!existsSync(file)) await writeRows(file, HEADER, judgmentRows(seed, rows));
    return { file, cleanedFile: file }; // COPY takes all of its rows
  },
  expected(rows, seed) {
    const natures = countNatures(judgmentRows(seed, rows));
    const of = (...names: Parameters<typeof natures.get>[0][]): number =>
      names.reduce((sum, name) => sum + (natures.get(name) ?? 0), 0);
    return {
      plaintiffs: of('new'),
      judgments: of('new', 'email', 'phone', 'name'),
      'logged rows': rows,
      'skipped rows': of('duplicate'),
      'failed rows': of('missing-name', 'bad-email', 'bad-amount', 'bad-date'),
      'matched by email': of('email'),
      'matched by phone': of('phone'),
      'matched by name': of('name'),
    };
  },
  async count(database) {
    const { rows } = await database.query<{ counts: Counts }>(COUNTS);
    return rows[0]!.counts;
  },
};
