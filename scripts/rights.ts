/**
 * Program: `npm run audit:rights` writes who may do what after the migrations: supabase/rights.json, which `intake doctor` compares with, and the tables of docs/security.md. A test holds that both are current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import postgres from 'postgres';
import { IDENTITIES, LETTERS, RIGHTS_QUERY, type RightsRow } from '../src/database/rights.ts';

const EXPECTED = new URL('../supabase/rights.json', import.meta.url);
const PAGE = new URL('../docs/security.md', import.meta.url);
const [BEGIN, END] = ['<!-- rights: made by `npm run audit:rights` -->', '<!-- end of rights -->'];

/** Both files as they should be, by their addresses. */
export async function rightsFiles(sql: postgres.Sql): Promise<Map<URL, string>> {
  const rows = (await sql.unsafe(RIGHTS_QUERY)) as unknown as RightsRow[];
  const lines = rows.map(({ object, rights }) => `  ${JSON.stringify(object)}: ${JSON.stringify(rights)}`);
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest = ''] = page.split(BEGIN);
  return new Map([
    [EXPECTED, `{\n${lines.join(',\n')}\n}\n`],
    [PAGE, `${before}${BEGIN}\n\n${tables(rows)}\n\n${END}${rest.split(END)[1] ?? '\n'}`],
  ]);
}

export const currentFile = (file: URL): string => readFileSync(file, 'utf8');

function tables(rows: readonly RightsRow[]): string {
  const table = (kind: string): string =>
    [
      `| ${kind} | ${IDENTITIES.join(' | ')} |`,
      `|---|${IDENTITIES.map(() => '---').join('|')}|`,
      ...rows
        .filter(({ object, rights }) => object.startsWith(`${kind} `) && rights.some(Boolean))
        .map(
          ({ object, rights }) =>
            `| \`${object.slice(kind.length + 1)}\` | ${rights.map((text) => text || '-').join(' | ')} |`,
        ),
    ].join('\n');
  const none = rows.filter(({ object, rights }) => object.startsWith('function ') && !rights.some(Boolean)).length;
  const words = Object.entries(LETTERS).map(([sign, word]) => `\`${sign}\` ${word}`);
  return [
    `${words.join(', ')}.`,
    table('schema'),
    table('relation'),
    table('function'),
    `${none} further functions are for the owner alone.`,
  ].join('\n\n');
}

if (process.argv[1] === import.meta.filename) {
  const { createDatabase, stopSharedStack } = await import('../test/support/stack.ts');
  const { databaseUrl } = await createDatabase();
  const sql = postgres(databaseUrl, { max: 1 });
  for (const [file, text] of await rightsFiles(sql)) writeFileSync(file, text);
  await sql.end();
  await stopSharedStack();
}
