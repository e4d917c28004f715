/** Who is who, and which judgment is which: random files against a plain importer. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { forgetJudgments, inOrder, readAsOracle } from '../support/judgmentsContent.ts';
import { dryRun, leadRow, openJudgments, promote, settleJudgments, type JudgmentsBatch, type Lead } from '../support/judgmentsImport.ts';
import { Oracle } from '../support/judgmentsOracle.ts';
import { createDatabase, type TestDatabase } from '../support/stack.ts';
import { connect } from '../support/sqlImport.ts';

// Few values, so that everything collides; each in more than one spelling.
const maybe = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 3 });
const lead = fc.record({
  name: fc.constantFrom('Ann', 'ANN ', 'Bob', 'Cy', 'Di'),
  email: maybe('a@x.co', 'A@X.CO', 'b@x.co', 'c@x.co', 'no address'),
  phone: maybe('5550001', '555-0001', '5550002', '5550003', '5550004'),
  address: maybe('1 Elm', '1 ELM', '2 Oak'),
  number: maybe('N1', 'n1', 'N2', 'N3', 'N4', 'N5', 'N6', 'N7', 'N8'),
  case: maybe('C1', 'c1', 'C2', 'C3', 'C4', 'C5', 'C6', 'N1', 'N2'),
}) as fc.Arbitrary<Lead>;
const leads = fc.array(lead, { minLength: 6, maxLength: 30 });
const cut = fc.record({ chunkRows: fc.integer({ min: 1, max: 30 }), parts: fc.integer({ min: 1, max: 4 }), shuffle: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), atOnce: fc.integer({ min: 1, max: 2 }) });
type Cut = { chunkRows: number; parts: number; shuffle: number[]; atOnce: number };

describe('judgments and their plaintiffs', function () {
  this.timeout(400_000);
  let database: TestDatabase;
  let sql: postgres.Sql;
  const numRuns = 700;

  before(async () => {
    database = await createDatabase();
    sql = connect(database.databaseUrl);
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });

  const importAll = async (batch: JudgmentsBatch, { shuffle, atOnce }: Cut) => {
    const open = await openJudgments(sql, batch);
    const order = [...Array(open.parts).keys()].toSorted((a, b) => shuffle[a]! - shuffle[b]!);
    const counts = await promote(sql, open, order, atOnce);
    await settleJudgments(sql, open);
    return counts;
  };
  const existing = async (oracle: Oracle, plaintiffs: readonly Lead[]) => {
    for (const [i, plaintiff] of plaintiffs.entries()) {
      const [, name, , email, emailKey, phone] = leadRow(plaintiff).values;
      const nameKey = name!.toLowerCase();
      await sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name, email, phone) VALUES (${`given-${i}`}, 'hand', ${name!}, ${email!}, ${phone!})`;
      oracle.add({ name: nameKey, email: emailKey!, phone: phone! });
    }
  };

  it('are those that a row-by-row importer finds, whatever the chunks, parts and their order', async () => {
    await fc.assert(fc.asyncProperty(fc.array(lead, { maxLength: 2 }), leads, cut, async (given, rows, how) => {
      await forgetJudgments(sql);
      const oracle = new Oracle();
      await existing(oracle, given);
      const expected = oracle.importFile(rows);
      const batch = { rows, chunkRows: how.chunkRows, parts: how.parts };
      const dry = await dryRun(sql, batch);
      const counts = await importAll(batch, how);
      assert.deepEqual(dry, counts);
      const found = await readAsOracle(sql);
      assert.deepEqual(found.operations[0] ?? [], expected);
      assert.deepEqual(found.persons, oracle.persons.map(inOrder));
    }), { numRuns });
  });

  it('are the same from two halves of a file as from the whole', async () => {
    await fc.assert(fc.asyncProperty(leads, fc.nat(24), cut, cut, async (rows, at, first, second) => {
      await forgetJudgments(sql);
      const oracle = new Oracle();
      const halves = [rows.slice(0, at), rows.slice(at)];
      const expected = halves.map((half) => oracle.importFile(half)).filter((operations) => operations.length > 0);
      await importAll({ batch: '1', rows: halves[0]!, ...first }, first);
      await importAll({ batch: '2', rows: halves[1]!, ...second }, second);
      const found = await readAsOracle(sql);
      assert.deepEqual(found.operations, expected);
      assert.deepEqual(found.persons, oracle.persons.map(inOrder));
      const whole = new Oracle();
      whole.importFile(rows);
      const lasting = (persons: Oracle['persons']) => persons.map(({ name, contacts, judgments, tasks }) => ({ name, contacts, judgments, tasks }));
      assert.deepEqual(lasting(found.persons), lasting(whole.persons.map(inOrder)));
    }), { numRuns });
  });
});
