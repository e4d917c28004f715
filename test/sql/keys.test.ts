import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';
import { normalizeEmail, normalizeName } from '../../src/values/key.ts';
import { importRows } from '../support/sqlImport.ts';
import { keyText, maybeEmail } from '../values/arbitraries.ts';
import { withDatabase } from '../support/suite.ts';

describe('keys in SQL', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  it('equal those in TypeScript, for any text', async () => {
    const samples = fc.sample(fc.record({ source: keyText, name: keyText, email: maybeEmail }), 4000);
    const found = await sql<{ key: string; name: string; email: string | null }[]>`
      SELECT ingest.compute_plaintiff_dedupe_key(source, name, email) AS key, ingest.normalize_text(name) AS name,
             ingest.lower_text(ingest.trim_text(email)) AS email
      FROM unnest(${samples.map((s) => s.source)}::text[], ${samples.map((s) => s.name)}::text[], ${samples.map((s) => s.email) as string[]}::text[])
        WITH ORDINALITY AS s (source, name, email, n) ORDER BY n`;
    samples.forEach(({ source, name, email }, i) => {
      assert.deepEqual(
        { ...found[i] },
        {
          key: plaintiffKey(source, name, email),
          name: normalizeName(name),
          email: email === null ? null : normalizeEmail(email),
        },
        JSON.stringify({ source, name, email }),
      );
    });
  });

  it('have one live row, and a retired form of their own for every other row', async () => {
    const rows = [{ name: 'Same' }, { name: 'same' }, { name: 'SAME' }, { name: 'same', error: 'RAGGED_ROW' }];
    const first = await importRows(sql, { batch: '1', rows });
    const second = await importRows(sql, { batch: '2', rows });
    await sql`SELECT ingest.rollback_import_run(${first}, 'test')`;
    const key = plaintiffKey('csv', 'same', null);
    const found = await sql<{ id: number; run: string; dedupe_key: string; plaintiff_key: string; status: string }[]>`
      SELECT id, import_run_id AS run, dedupe_key, plaintiff_key, status FROM ingest.plaintiffs_raw ORDER BY id`;
    assert.ok(found.every(({ plaintiff_key }) => plaintiff_key === key));
    assert.deepEqual(
      found.filter(({ dedupe_key }) => dedupe_key === key).map(({ run, status }) => [run, status]),
      [[second, 'promoted']],
    );
    assert.ok(found.every(({ dedupe_key, id }) => dedupe_key === key || dedupe_key === `${key}:${id}`));
    await assert.rejects(sql`UPDATE ingest.plaintiffs_raw SET dedupe_key = ${key}`, { code: '23505' });
  });
});
