/** What PostgreSQL did for a statement and for all within its functions. */
import postgres from 'postgres';
import { sharedStack, type TestDatabase } from './stack.ts';

/** Pairs of rows that a join of the statement compared in vain, the most of any. Throws unless a plan names `part`. */
export async function pairsInVain(database: TestDatabase, statement: string, part: string): Promise<number> {
  const plans: string[] = [];
  const asAdmin = new URL((await sharedStack()).adminUrl);
  asAdmin.pathname = new URL(database.databaseUrl).pathname;
  const admin = postgres(asAdmin.href, { max: 1, onnotice: ({ message }) => plans.push(message ?? '') });
  try {
    await admin.unsafe(`
      LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;
      SET auto_explain.log_nested_statements = on; SET client_min_messages = log`);
    await admin.unsafe(statement);
  } finally {
    await admin.end();
  }
  if (!plans.some((plan) => plan.includes(part))) throw new Error(`no plan of ${part}`);
  return Math.max(
    0,
    ...plans.flatMap((plan) => [...plan.matchAll(/Rows Removed by Join Filter: (\d+)/g)].map(([, n]) => Number(n))),
  );
}
