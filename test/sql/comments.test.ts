import { strict as assert } from 'node:assert';
import type postgres from 'postgres';
import { currentPage, referencePages } from '../../scripts/reference.ts';
import { withDatabase } from '../support/suite.ts';

describe('comments in the database', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  it('say of every table, column, view and function what it is for', async () => {
    const missing = await sql`
      WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'ingest', 'ingest_stage'))
      SELECT c.oid::regclass::text AS name FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
      UNION ALL SELECT c.oid::regclass || '.' || a.attname FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'v') AND col_description(c.oid, a.attnum) IS NULL
      UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
      WHERE obj_description(p.oid, 'pg_proc') IS NULL ORDER BY 1`;
    assert.deepEqual(
      missing.map(({ name }) => name as string),
      [],
      'add them to supabase/schemas/comments.sql',
    );
  });

  it('are what docs/reference shows: `npm run reference` writes it', async () => {
    for (const [name, text] of await referencePages(sql)) assert.equal(currentPage(name), text, name);
  });
});
