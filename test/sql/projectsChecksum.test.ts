import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { rowsChecksum, type JsonCells } from '../../src/sources/projects/checksum.ts';
import { merge } from '../support/projectsBatch.ts';
import { keyText } from '../values/arbitraries.ts';
import { withDatabase } from '../support/suite.ts';

const COLUMNS = [
  'stage_application',
  'delivery_partner',
  'developer_class',
  'eFscd',
  'latitude',
  'fod_id',
  'residential',
  'premises_count',
  'unknown',
];
const value = fc.oneof(
  keyText,
  fc.constantFrom(
    '',
    ' ',
    '\u00a0',
    '\t\n',
    '"',
    '\\',
    '\\n',
    '\u001c',
    '\u0001x\u0001',
    'a\u2028b',
    '\u{1f600}',
    '\ufeffx',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(1e21, -1e-7, 5e-324, 1.7976931348623157e308, -0, 0.1, 1.5e-10),
  fc.boolean(),
  fc.constant(null),
);
const rows = fc.array(
  fc
    .tuple(
      fc.constantFrom('A', 'B', 'a', '\u00e9', 'e\u0301', '\uff21', '\u{1f600}', ' A'),
      fc.dictionary(fc.constantFrom(...COLUMNS), value, { noNullPrototype: true }),
    )
    .map(([stage_application, row]) => ({ ...row, stage_application }) as JsonCells),
  { maxLength: 12 },
);

describe('the checksum of project rows in SQL', function () {
  this.timeout(60_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  const inSql = async (batches: readonly string[]): Promise<string[]> =>
    (
      await sql<{ sum: string }[]>`
    SELECT public.fn_rows_checksum(b::jsonb) AS sum FROM unnest(${batches as string[]}::text[]) WITH ORDINALITY AS x (b, n) ORDER BY n`
    ).map(({ sum }) => sum);

  it('equals the one in TypeScript, for any text, number, order of keys and duplicates', async () => {
    const samples = fc.sample(rows, 1500);
    const found = await inSql(samples.map((sample) => JSON.stringify(sample)));
    samples.forEach((sample, i) => assert.equal(found[i], rowsChecksum(sample), JSON.stringify(sample)));
  });

  it('is the same for every order of rows with different keys', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.infiniteStream(fc.nat()), async (sample, random) => {
        const unique = [...new Map(sample.map((row) => [String(row['stage_application']).trim(), row])).values()];
        const shuffled = unique
          .map((row) => [random.next().value, row] as const)
          .sort(([a], [b]) => a! - b!)
          .map(([, row]) => row);
        const [one, other] = await inSql([JSON.stringify(unique), JSON.stringify(shuffled)]);
        assert.equal(one, other);
        assert.equal(rowsChecksum(shuffled), one);
      }),
      { numRuns: 40 },
    );
  });

  it('is what the merge stores', async () => {
    const batch = [{ stage_application: ' Z \u00e9' }, { stage_application: 'A', address: 'x\ty', residential: 3 }];
    const { staging_id } = await merge(sql, batch);
    const [staged] = await sql`SELECT checksum, batch_checksum FROM public.staging_imports WHERE id = ${staging_id}`;
    assert.deepEqual({ ...staged }, { checksum: rowsChecksum(batch), batch_checksum: rowsChecksum(batch) });
  });
});
