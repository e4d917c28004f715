import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type postgres from 'postgres';
import { withDatabase } from '../support/suite.ts';

const read = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));
const FORMER = gunzipSync(read('0.3.0.sql.gz')).toString();
const MODELS = ['plaintiffs', 'judgments', 'search_results', 'projects'];

/** A function of 0.3.0, in schema former. */
function former(name: string): string {
  const [text] =
    new RegExp(`CREATE FUNCTION ingest\\.${name}\\([^$]*?AS (\\$\\w*\\$)[\\s\\S]*?\\1;`).exec(FORMER) ?? [];
  assert.ok(text, name);
  return text
    .replace(`ingest.${name}`, `former.${name}`)
    .replaceAll('ingest.plaintiff_counts', 'former.plaintiff_counts')
    .replaceAll('ingest.judgments_log', 'ingest.landed_judgments')
    .replaceAll('ingest.is_as_landed', 'ingest.has_landed_values')
    .replaceAll('ingest.judge_plaintiffs', 'ingest.classify_plaintiffs');
}

describe('the steps that kinds share', () => {
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));

  it('have every function that a kind names', async () => {
    assert.deepEqual([...(await sql`SELECT ingest.missing_functions() AS missing`)], [{ missing: [] }]);
  });

  it('answer what each kind had functions of its own for', async () => {
    const names = MODELS.flatMap((model) => [
      `stop_${model}`,
      `tally_${model}`,
      `rejects_${model}`,
      `compare_${model}`,
    ]);
    await sql
      .begin(async (tx) => {
        await tx.unsafe(`CREATE SCHEMA former; ${names.map(former).join('\n')}`);
        await tx.unsafe(read('kinds/steps.sql').toString());
        // 0.3.0 counted a plaintiff as inserted although somebody had deleted it from production.
        assert.deepEqual(
          [...(await tx`SELECT * FROM problems WHERE NOT (kind = 'plaintiffs' AND what LIKE 'tampered%: tally')`)],
          [],
        );
        assert.deepEqual(
          [...(await tx`SELECT kind, count(*)::int AS checks FROM checks GROUP BY kind ORDER BY kind`)],
          [
            { kind: 'plaintiffs', checks: 65 },
            { kind: 'projects', checks: 44 },
            { kind: 'search-results', checks: 6 },
            { kind: 'simplicity', checks: 44 },
          ],
        );
        throw new Error('undo');
      })
      .catch((error: Error) => assert.equal(error.message, 'undo'));
  });

  it('land, promote and count as plaintiffs had functions of its own for', async () => {
    await sql
      .begin(async (tx) => {
        const names = ['plaintiff_counts', 'count_plaintiffs', 'upsert_plaintiffs'];
        await tx.unsafe(`CREATE SCHEMA former; ${names.map(former).join('\n')}`);
        await tx.unsafe(read('kinds/frame.sql').toString());
        const rows = await tx`
        SELECT t.what, f.answer = t.answer AS same FROM answers t JOIN answers f ON f.what = t.what AND f.way = 'frame'
        WHERE t.way = 'today' ORDER BY 1`;
        assert.deepEqual(
          rows.map(({ same }) => same),
          [true, true, true, true, true, true],
        );
        throw new Error('undo');
      })
      .catch((error: Error) => assert.equal(error.message, 'undo'));
  });
});
