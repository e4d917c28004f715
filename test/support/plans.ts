/** What PostgreSQL did for a statement and for all within its functions. */
import postgres from 'postgres';
import { sharedStack, type TestDatabase } from './stack.ts';

/** Pairs of rows that a join of the statement, or of one within, compared in vain, the most of any. Throws unless a plan names `part`. */
export const pairsInVain = async (database: TestDatabase, statement: string, part: string): Promise<number> =>
  most((await plansOf(database, statement, part)).all, /Rows Removed by Join Filter: (\d+)/g);

/** Rows that a look-up of the statements that name `part` read in vain each time, the most of any. */
export const rowsInVain = async (database: TestDatabase, statement: string, part: string): Promise<number> =>
  most((await plansOf(database, statement, part)).named, /Rows Removed by Filter: (\d+)/g);

/** Look-ups of a kind that the statements that name `part` made, one after another, the most of any. */
export const lookUps = async (database: TestDatabase, statement: string, part: string): Promise<number> =>
  most((await plansOf(database, statement, part)).named, /loops=(\d+)/g);

const most = (plans: readonly string[], counted: RegExp): number =>
  Math.max(0, ...plans.flatMap((plan) => [...plan.matchAll(counted)].map(([, n]) => Number(n))));

async function plansOf(database: TestDatabase, statement: string, part: string) {
  const all: string[] = [];
  const asAdmin = new URL((await sharedStack()).adminUrl);
  asAdmin.pathname = new URL(database.databaseUrl).pathname;
  const admin = postgres(asAdmin.href, { max: 1, onnotice: ({ message }) => all.push(message ?? '') });
  try {
    await admin.unsafe(`
      LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
      SET auto_explain.log_nested_statements = on; SET client_min_messages = log`);
    await admin.unsafe(statement);
  } finally {
    await admin.end();
  }
  const named = all.filter((plan) => plan.includes(part));
  if (named.length === 0) throw new Error(`no plan of ${part}`);
  return { all, named };
}
