/**
 * Until 0.5.0 the migrations are made anew from supabase/schemas. A database of 0.3.0 (or of any state since) is carried
 * over: its tables by supabase/bridge, then all generated migrations run once more, which makes what is not there yet and
 * replaces functions and views. All of it is one transaction.
 */
import { readFileSync } from 'node:fs';
import type { ClientBase } from 'pg';
import { IntakeError } from '../errors.ts';
import { execute, GENERATED, pendingOf, textOf, type Migration, type Recorded } from './migrations.ts';

const BRIDGE = new URL('../../supabase/bridge/0.3.0.sql', import.meta.url);
/** Times of day of the migrations of 0.3.0, all of the same day. */
const TIMES =
  '010000 010050 010100 010200 010300 010400 010500 020000 020100 020200 020300 020400 030000 030100 030200 030300 030400 050000 050100 ' +
  '050200 050300 050400 050500 050600 050700 050800 050900 060000 060100 061000 061100 061200 061300 062000 062100 063000 063100';
const OF_0_3_0 = TIMES.split(' ').map((time) => `20261121${time}`);
/** Functions of runbook 000 that a team may have replaced by its own. */
const REPLACEABLE = ['public.queue_job(jsonb)', 'public.set_enforcement_stage(bigint, text, text, text)'];

/** Whether the database is of an earlier state than these migrations, but not empty. */
export function needsCarrying(wanted: readonly Migration[], recorded: Recorded): boolean {
  return (
    OF_0_3_0.some((version) => recorded.has(version)) ||
    pendingOf(wanted, recorded).some(({ version }) => recorded.has(version))
  );
}

/** Those that may run more than once. */
export const generatedOf = (wanted: readonly Migration[]): Migration[] =>
  wanted.filter((migration) => textOf(migration).startsWith(GENERATED));

/**
 * @returns the migrations that ran.
 * @throws IntakeError DATABASE_SCHEMA when the database has some of the migrations of 0.3.0 only.
 */
export async function carryOver(
  transaction: ClientBase,
  wanted: readonly Migration[],
  recorded: Recorded,
  onStep?: (line: string) => void,
): Promise<Migration[]> {
  const found = OF_0_3_0.filter((version) => recorded.has(version));
  if (found.length > 0 && found.length < OF_0_3_0.length) {
    throw new IntakeError(
      'DATABASE_SCHEMA',
      `The database has ${found.length} of the ${OF_0_3_0.length} migrations of 0.3.0`,
      {
        remedy: 'Bring it to 0.3.0 with the `intake migrate` of that version, then run this one.',
      },
    );
  }
  onStep?.('Carrying over a database of an earlier version, or one that lacks something');
  const generated = generatedOf(wanted);
  const { rows: teams } = await transaction.query<{ signature: string; definition: string; comment: string | null }>(
    `SELECT s.signature, pg_get_functiondef(p.oid) AS definition, obj_description(p.oid, 'pg_proc') AS comment
     FROM unnest($1::text[]) AS s (signature) JOIN pg_proc p ON p.oid = to_regprocedure(s.signature)
     WHERE coalesce(obj_description(p.oid, 'pg_proc'), '') NOT LIKE '%' || md5(p.prosrc)`,
    [REPLACEABLE],
  );
  await transaction.query(readFileSync(BRIDGE, 'utf8'));
  for (const migration of generated) await execute(transaction, migration, onStep);
  for (const { signature, definition, comment } of teams) {
    await transaction.query(definition);
    const text = comment === null ? 'NULL' : `'${comment.replaceAll("'", "''")}'`;
    await transaction.query(`COMMENT ON FUNCTION ${signature} IS ${text}`);
  }
  const known = new Set(wanted.map(({ version }) => version));
  const gone = [...recorded].filter(([version, text]) => text?.startsWith(GENERATED) && !known.has(version));
  const versions = [...OF_0_3_0, ...gone.map(([version]) => version)];
  await transaction.query('DELETE FROM supabase_migrations.schema_migrations WHERE version = ANY ($1)', [versions]);
  return generated;
}
