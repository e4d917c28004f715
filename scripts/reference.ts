/**
 * Program: `npm run reference` writes docs/reference from the comments in a database of the migrations; a test holds that the
 * pages are current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import postgres from 'postgres';

const FOLDER = new URL('../docs/reference/', import.meta.url);
const SCHEMAS = {
  public: 'What rows become: production tables, and the functions of the runbooks.',
  ingest: 'Import runs, landed rows, and what moves them.',
  ingest_stage: 'Rows between parsing and landing. Not exposed; emptied by every run.',
} as const;

interface Column {
  readonly table: string;
  readonly kind: 'r' | 'v';
  readonly about: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly comment: string | null;
}

interface Routine {
  readonly signature: string;
  readonly answer: string;
  readonly open: boolean;
  readonly comment: string | null;
}

/** The pages by their file names. */
export async function referencePages(sql: postgres.Sql): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const [schema, about] of Object.entries(SCHEMAS)) {
    const columns = await sql<Column[]>`
      SELECT c.relname AS table, c.relkind AS kind, coalesce(obj_description(c.oid, 'pg_class'), '') AS about, a.attname AS name,
             format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable, col_description(c.oid, a.attnum) AS comment
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = ${schema}::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relkind, c.relname, a.attname`;
    const routines = await sql<Routine[]>`
      SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ')' AS signature, pg_get_function_result(p.oid) AS answer,
             has_function_privilege('dragonfly_app', p.oid, 'EXECUTE') AS open, obj_description(p.oid, 'pg_proc') AS comment
      FROM pg_proc p WHERE p.pronamespace = ${schema}::regnamespace ORDER BY p.proname`;
    pages.set(`${schema}.md`, page(schema, about, columns, routines));
  }
  return pages;
}

export const currentPage = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');

function page(schema: string, about: string, columns: readonly Column[], routines: readonly Routine[]): string {
  const lines = [
    `# Schema \`${schema}\``,
    '',
    about,
    '',
    'Made by `npm run reference` from the comments in the database: do not edit.',
    '',
  ];
  const relations = Map.groupBy(columns, ({ kind, table }) => `${kind}${table}`);
  const ofKind = (kind: 'r' | 'v'): Column[][] => [...relations.values()].filter(([first]) => first!.kind === kind);
  if (ofKind('r').length > 0) lines.push('## Tables', '');
  for (const table of ofKind('r')) {
    lines.push(`### ${table[0]!.table}`, '', table[0]!.about, '', '| column | type | |', '|---|---|---|');
    for (const { name, type, nullable, comment } of table)
      lines.push(`| \`${name}\` | ${type}${nullable ? '' : ', not null'} | ${cell(comment)} |`);
    lines.push('');
  }
  if (ofKind('v').length > 0) lines.push('## Views', '');
  for (const view of ofKind('v')) {
    lines.push(`### ${view[0]!.table}`, '', view[0]!.about, '', '| column | type | |', '|---|---|---|');
    for (const { name, type, comment } of view) lines.push(`| \`${name}\` | ${type} | ${cell(comment)} |`);
    lines.push('');
  }
  for (const [title, open] of [
    ['Functions that the program calls', true],
    ['Functions that only other functions call', false],
  ] as const) {
    const listed = routines.filter((routine) => routine.open === open);
    if (listed.length === 0) continue;
    lines.push(`## ${title}`, '', '| function | answer | |', '|---|---|---|');
    for (const { signature, answer, comment } of listed)
      lines.push(`| \`${cell(signature)}\` | ${cell(answer)} | ${cell(comment)} |`);
    lines.push('');
  }
  return `${lines.join('\n').trim()}\n`;
}

const cell = (text: string | null): string =>
  (text ?? '')
    .replaceAll('|', '\\|')
    .replace(/ ?Brought by Intake, source \w+/, 'Of runbook 000; a team may have its own.');

if (process.argv[1] === import.meta.filename) {
  const { createDatabase, stopSharedStack } = await import('../test/support/stack.ts');
  const { databaseUrl } = await createDatabase();
  const sql = postgres(databaseUrl, { max: 1 });
  for (const [name, text] of await referencePages(sql)) writeFileSync(new URL(name, FOLDER), text);
  await sql.end();
  await stopSharedStack();
}
