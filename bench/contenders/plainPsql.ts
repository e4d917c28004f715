/** The script a good engineer writes without Intake: COPY, land with key and payload, promote, mark; one connection. */
import { countRows, PLAIN } from '../database.ts';
import { missingFromPath, psql, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const plainPsql: Contender = {
  name: 'plain-psql',
  about: 'plain psql script on one connection, file without ragged rows: COPY, land, promote, mark landed rows',
  missing: missingFromPath('psql'),
  run,
};

/** Tables with the columns, defaults, constraints and indexes of Intake's. */
const TABLES = `
create schema ${PLAIN};
create table ${PLAIN}.plaintiffs (like public.plaintiffs including all);
create table ${PLAIN}.plaintiffs_raw (
  like ingest.plaintiffs_raw including all,
  foreign key (import_run_id) references ingest.import_runs (id),
  foreign key (duplicate_of) references ${PLAIN}.plaintiffs_raw (id) on delete set null);`;

const script = (file: string): string => `
begin;
select (ingest.open_import_run('csv', 'plain', 'plain', 'plaintiffs.csv') ->> 'run_id') as run \\gset
create temporary table staging (
  plaintiff_name text, firm_name text, contact_name text, email text, phone text, address text, external_id text, notes text,
  row_index integer generated always as identity);
\\copy staging (plaintiff_name, firm_name, contact_name, email, phone, address, external_id, notes) from '${file}' with (format csv, header)
analyze staging;
insert into ${PLAIN}.plaintiffs_raw (
  import_run_id, row_index, plaintiff_name, plaintiff_name_normalized, firm_name, contact_name, contact_email, contact_phone,
  contact_address, source_system, source_reference, raw_payload, plaintiff_key, dedupe_key, status, error_code)
select :'run', row_index, nullif(trim(plaintiff_name), ''), lower(trim(plaintiff_name)), firm_name, contact_name, trim(email), phone,
       address, 'csv', external_id, to_jsonb(s) - 'row_index' - 'key' - 'error', key, key,
       case when error is null then 'pending' else 'failed' end, error
from (
  select *, encode(sha256(convert_to('csv|' || lower(trim(coalesce(plaintiff_name, ''))) || '|' || lower(trim(coalesce(email, ''))), 'UTF8')), 'hex') as key,
         case when trim(coalesce(plaintiff_name, '')) = '' then 'MISSING_VALUE'
              when email !~ '^\\s*[^@\\s]+@[^@\\s]+\\.[^@\\s]+\\s*$' then 'BAD_EMAIL'
              when length(regexp_replace(phone, '\\D', '', 'g')) not between 7 and 15 then 'BAD_PHONE' end as error
  from staging) s
order by row_index
on conflict (dedupe_key) do nothing;
insert into ${PLAIN}.plaintiffs (dedupe_key, source_system, source_reference, name, firm_name, contact_name, email, phone, address, import_run_id, name_hash)
select dedupe_key, source_system, source_reference, plaintiff_name, firm_name, contact_name, contact_email, contact_phone, contact_address, import_run_id,
       hashtextextended(plaintiff_name_normalized, 0)
from ${PLAIN}.plaintiffs_raw where import_run_id = :'run' and status = 'pending'
order by row_index
on conflict (dedupe_key) do nothing;
update ${PLAIN}.plaintiffs_raw r set status = 'promoted', promoted_at = now(), promoted_plaintiff_id = p.id, updated_at = now()
from ${PLAIN}.plaintiffs p
where p.dedupe_key = r.dedupe_key and r.import_run_id = :'run' and r.status = 'pending';
update ingest.import_runs set
  rows_inserted = (select count(*) from ${PLAIN}.plaintiffs_raw where import_run_id = :'run' and status = 'promoted'),
  status = 'completed', completed_at = now()
where id = :'run';
commit;
`;

async function run({ stack, database, cleanedFile }: Course): Promise<Outcome> {
  await psql(stack.databaseUrl, TABLES);
  const seconds = await timed(() => psql(stack.databaseUrl, script(cleanedFile)));
  return { seconds, counts: { plaintiffs: await countRows(database, `${PLAIN}.plaintiffs`) } };
}
