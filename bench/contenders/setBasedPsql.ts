/** The set-based script a good SQL programmer writes for such a file: `setBased.sql`, in one transaction on one connection. */
import { fileURLToPath } from 'node:url';
import { HEADER } from '../generators/judgments.ts';
import { missingFromPath, psql, timed } from '../programs.ts';
import type { Contender, Course, Outcome } from './contender.ts';

export const setBasedPsql: Contender = {
  name: 'set-based-psql',
  about:
    'hand-written set-based psql script on one connection: COPY, match, insert with all side effects, log every row',
  missing: missingFromPath('psql'),
  run,
};

const SCRIPT = fileURLToPath(new URL('setBased.sql', import.meta.url));
const COLUMNS = HEADER.map((name) => `"${name}"`);

/** psql replaces no variables in the path of \copy, so the table of the file is filled here. */
const script = (file: string): string => `
begin;
create temporary table file (${COLUMNS.map((name) => `${name} text`).join(', ')}, row_index integer generated always as identity (minvalue 0));
\\copy file (${COLUMNS.join(', ')}) from '${file}' with (format csv, header)
\\i '${SCRIPT}'
commit;`;

async function run({ stack, file, count }: Pick<Course, 'stack' | 'file' | 'count'>): Promise<Outcome> {
  const seconds = await timed(() => psql(stack.databaseUrl, script(file)));
  return { seconds, counts: await count() };
}
