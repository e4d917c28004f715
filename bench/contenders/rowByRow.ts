/** The importer most begin with: for each row one statement after the other. Rows are read and judged as Intake does it. */
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { Client } from 'pg';
import { JUDGMENT_COLUMNS } from '../../src/kinds/judgments.ts';
import type { StagedRow } from '../../src/kinds/kind.ts';
import { simplicity } from '../../src/kinds/simplicity.ts';
import { timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';
import { STATEMENTS, type Statement } from './rowStatements.ts';

/** It takes this share of the file, or it would take hours. */
const SHARE = 20;

export const rowByRow: Contender = {
  name: 'row-by-row',
  about: `one prepared statement after the other on one connection, each row a transaction; a ${SHARE}th of the file`,
  missing: () => undefined,
  run: (course) => importRows(course, Math.max(1, Math.ceil(course.rows / SHARE))),
};

type Row = Record<(typeof JUDGMENT_COLUMNS)[number], string | null>;
type Ask = (statement: Statement, ...values: unknown[]) => Promise<string | undefined>;

/** Imports the first rows of a file. */
export async function importRows(
  { stack, file, count }: Pick<Course, 'stack' | 'file' | 'count'>,
  rows: number,
): Promise<Outcome> {
  const connection = new Client({ connectionString: stack.databaseUrl });
  await connection.connect();
  try {
    await connection.query('set enable_seqscan = off'); // plans are made while the tables are empty
    const ask: Ask = async (name, ...values) =>
      (await connection.query<[string]>({ name, text: STATEMENTS[name], values, rowMode: 'array' })).rows[0]?.[0];
    const seconds = await timed(async () => {
      const run = await ask('openRun');
      let index = 0;
      for await (const record of createReadStream(file).pipe(parse({ columns: true, to: rows })) as AsyncIterable<
        Record<string, string>
      >) {
        await connection.query('begin');
        await importRow(ask, run as string, index++, record);
        await connection.query('commit');
      }
      await ask('closeRun', run);
    });
    return { seconds, rows, counts: await count() };
  } finally {
    await connection.end();
  }
}

const HEADERS = new Map(
  simplicity.columns.map(({ name, aliases: [alias] }) => [name, alias ?? name[0]?.toUpperCase() + name.slice(1)]),
);

/** What Intake makes of a record under Simplicity's headers. */
export const judge = (record: Readonly<Record<string, string>>): StagedRow =>
  simplicity.row((column) => record[HEADERS.get(column) as string], { sourceSystem: 'simplicity', dateOrder: 'mdy' });

async function importRow(ask: Ask, run: string, index: number, record: Record<string, string>): Promise<void> {
  const { values, error } = judge(record);
  const row = Object.fromEntries(JUDGMENT_COLUMNS.map((column, i) => [column, values[i]])) as Row;
  const log = (
    status: string,
    outcome: Partial<
      Record<'reason' | 'judgment' | 'plaintiff' | 'matchedBy' | 'contacts' | 'task' | 'newTask' | 'jobs', unknown>
    >,
  ) =>
    ask(
      'log',
      run,
      index,
      index + 2,
      JSON.stringify(record),
      status,
      outcome.reason,
      outcome.judgment,
      outcome.plaintiff,
      outcome.matchedBy,
      outcome.contacts ?? 0,
      outcome.task,
      outcome.newTask ?? false,
      status === 'inserted',
      outcome.jobs,
    );

  if (error) return void (await log('failed', { reason: error }));
  const known = (await ask('findByNumber', row.number_key)) ?? (await ask('findByCase', row.case_key));
  if (known) return void (await log('skipped', { reason: 'EXISTING_JUDGMENT', judgment: known }));

  const found = await findPlaintiff(ask, row);
  const plaintiff =
    found?.id ??
    (await ask(
      'insertPlaintiff',
      row.plaintiff_key,
      row.lead_id,
      row.plaintiff_name,
      row.email,
      row.phone,
      row.address,
      run,
    ));
  if (!(await ask('findHistory', plaintiff, run))) await ask('insertHistory', plaintiff, run);
  const judgment = await ask(
    'insertJudgment',
    row.judgment_number,
    row.case_number,
    plaintiff,
    row.plaintiff_name,
    row.judgment_amount,
    row.judgment_balance,
    row.judgment_date,
    row.filing_date,
    row.court_name,
    row.county,
    row.state,
    row.defendant_name,
    row.defendant_address,
    row.case_type,
    row.case_status,
    row.lead_id,
    run,
  );
  let contacts = 0;
  for (const [kind, value, key] of [
    ['email', row.email, row.email_key],
    ['phone', row.phone, row.phone],
    ['address', row.address, row.address?.toLowerCase()],
  ]) {
    if (!value || (await ask('findContact', plaintiff, kind, key))) continue;
    const primary = await ask('findPrimary', plaintiff, kind);
    await ask('insertContact', plaintiff, kind, value, !primary, !found, run);
    contacts++;
  }
  const task = await ask('findCall', plaintiff);
  const made = task ? undefined : await ask('insertCall', plaintiff, run);
  await ask('setStage', judgment);
  const jobs = {
    enrich: await ask('queueJob', 'enrich', judgment, plaintiff, run),
    enforce: await ask('queueJob', 'enforce', judgment, plaintiff, run),
  };
  await log('inserted', {
    judgment,
    plaintiff,
    matchedBy: found?.by ?? 'created',
    contacts,
    task: task ?? made,
    newTask: !task,
    jobs,
  });
}

async function findPlaintiff(
  ask: Ask,
  { email_key, phone, name_key }: Row,
): Promise<{ id: string; by: string } | undefined> {
  const tries: readonly (readonly [string, Statement, string | null])[] = [
    ['email', 'findByEmail', email_key],
    ['email', 'findByOtherEmail', email_key],
    ['phone', 'findByPhone', phone],
    ['phone', 'findByOtherPhone', phone],
    ['name', 'findByName', name_key],
  ];
  for (const [by, statement, key] of tries) {
    const id = key === null ? undefined : await ask(statement, key);
    if (id) return { id, by };
  }
  return undefined;
}
