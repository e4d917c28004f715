/** Who is who, and which judgment is which: random files against a plain importer. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type postgres from 'postgres';
import { lead, leads, rule } from '../support/judgmentsArbitraries.ts';
import { forgetJudgments, inOrder, readAsOracle } from '../support/judgmentsContent.ts';
import {
  dryRun,
  importLeads,
  leadRow,
  openJudgments,
  promote,
  settleJudgments,
  type JudgmentsBatch,
  type Lead,
} from '../support/judgmentsImport.ts';
import { Oracle } from '../support/judgmentsOracle.ts';
import { withDatabase } from '../support/suite.ts';

// A row between two cases whose first row is a duplicate itself; a plaintiff whose first row has no contact.
const chain: Lead[] = [
  { name: 'Ann', number: 'N1', case: 'C1' },
  { name: 'Ann', number: 'N2', case: 'C1' },
  { name: 'Ann', number: 'N2' },
  { name: 'Ann', number: 'N2', case: 'C1' },
];
const late: Lead[] = [
  { name: 'Bob', number: 'N1' },
  { name: 'Bob', email: 'b@x.co', phone: '5550002', number: 'N2' },
  { name: 'Cy', email: 'b@x.co', number: 'N3' },
];
const plainly = { chunkRows: 30, parts: 2, shuffle: [0, 1, 2, 3], atOnce: 1 };
const cut = fc.record({
  chunkRows: fc.integer({ min: 1, max: 30 }),
  parts: fc.integer({ min: 1, max: 4 }),
  shuffle: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
  atOnce: fc.integer({ min: 1, max: 2 }),
});
type Cut = { chunkRows: number; parts: number; shuffle: number[]; atOnce: number };

describe('judgments and their plaintiffs', function () {
  this.timeout(120_000);
  let sql: postgres.Sql;
  withDatabase((opened) => (sql = opened));
  const numRuns = 30;

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
    await fc.assert(
      fc.asyncProperty(fc.array(lead, { maxLength: 2 }), leads, cut, rule, async (given, rows, how, match) => {
        await forgetJudgments(sql);
        const oracle = new Oracle(match === 'contact' ? () => true : undefined);
        await existing(oracle, given);
        const expected = oracle.importFile(rows);
        const batch = { rows, chunkRows: how.chunkRows, parts: how.parts, match };
        const dry = await dryRun(sql, batch);
        const counts = await importAll(batch, how);
        assert.deepEqual(dry, counts);
        const found = await readAsOracle(sql);
        assert.deepEqual(found.operations[0] ?? [], expected);
        assert.deepEqual(found.persons, oracle.persons.map(inOrder));
      }),
      { numRuns: 2 * numRuns, examples: [[[], chain, plainly, 'names']] },
    );
  });

  it('are the same from two halves of a file as from the whole', async () => {
    await fc.assert(
      fc.asyncProperty(leads, fc.nat(24), cut, cut, async (rows, at, first, second) => {
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
        const lasting = (persons: Oracle['persons']) =>
          persons.map(({ name, contacts, judgments, tasks }) => ({ name, contacts, judgments, tasks }));
        assert.deepEqual(lasting(found.persons), lasting(whole.persons.map(inOrder)));
      }),
      { numRuns, examples: [[late, 2, plainly, plainly]] },
    );
  });

  it('are found by the name, email and phone they came with, whatever they were changed to', async () => {
    await forgetJudgments(sql);
    const given: Lead[] = [{ name: 'Ann' }, { name: 'Bob', email: 'b@x.co', phone: '5550002' }];
    const importGiven = (batch: string) =>
      importLeads(sql, { batch, rows: given.map((one, i) => ({ ...one, number: `${batch}-${i}` })) });
    await importGiven('1');
    await sql`UPDATE public.plaintiffs SET name = name || ' Ash', email = 'new@x.co', phone = '5550009' WHERE email IS NOT NULL`;
    await sql`UPDATE public.plaintiffs SET name = name || ' Elm' WHERE email IS NULL`;
    await importGiven('2');
    await importLeads(sql, {
      batch: '3',
      rows: [
        { name: 'Robert Ash', email: 'b@x.co', number: '3-0' },
        { name: 'B Ash', phone: '5550002', number: '3-1' },
      ],
    });
    const matched =
      await sql`SELECT matched_by FROM public.raw_simplicity_imports WHERE matched_by <> 'created' ORDER BY id`;
    assert.deepEqual(matched.map((row) => row['matched_by']).sort(), ['email', 'email', 'name', 'phone']);
    assert.deepEqual([...(await sql`SELECT count(*) AS n FROM public.plaintiffs`)], [{ n: 2 }]);
  });

  it('are found by the name of now, whoever wrote it', async () => {
    await forgetJudgments(sql);
    await sql`INSERT INTO public.plaintiffs (dedupe_key, source_system, name) VALUES ('typed', 'hand', '  ÉVA  İnce ')`;
    await importLeads(sql, { batch: '1', rows: [{ name: 'Ann', number: '1' }] });
    await sql`UPDATE public.plaintiffs SET name = 'Anne' WHERE name = 'Ann'`;
    await importLeads(sql, {
      batch: '2',
      rows: ['anne', 'Ann', 'Éva ince'].map((name, i) => ({ name, number: `2-${i}` })),
    });
    assert.deepEqual(
      [...(await sql`SELECT matched_by FROM public.raw_simplicity_imports ORDER BY id`)].map(
        (row) => row['matched_by'],
      ),
      ['created', 'name', 'name', 'name'],
    );
    const wrong = await sql`
      SELECT name FROM public.plaintiffs WHERE name_hash IS DISTINCT FROM hashtextextended(ingest.normalize_text(name), 0)`;
    assert.deepEqual([...wrong], []);
  });

  it('are the same whichever part landed first, for later imports, too', async () => {
    const people = ['Ann', 'Bob', 'Cy', 'Di'].map((name) => ({ name, email: `${name}@x.co` }));
    const rows = [...people, ...people.map((one) => ({ ...one, phone: '5550005' }))].map((one, i) => ({
      ...one,
      number: `1-${i}`,
    }));
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
    ]) {
      await forgetJudgments(sql);
      const open = await openJudgments(sql, { batch: '1', rows, parts: 4 });
      await promote(sql, open, order, 1);
      await settleJudgments(sql, open);
      await importLeads(sql, {
        batch: '2',
        match: 'contact',
        rows: [{ name: 'Eve', phone: '5550005', number: '2-0' }],
      });
      const [owner] =
        await sql`SELECT p.name FROM public.judgments j JOIN public.plaintiffs p ON p.id = j.plaintiff_id WHERE j.judgment_number = '2-0'`;
      assert.equal(owner!['name'], 'Ann');
    }
  });
});
