import { strict as assert } from 'node:assert';
import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { parseChunk } from '../../../src/sources/csv/parse.ts';

const options = { encoding: 'utf-8', newline: 'lf', columns: 3, line: 1, firstRow: 0, delimiter: ',' } as const;

/** Cells as people write them: addresses of several lines, sizes, nicknames. */
const cellOf = (signs: readonly string[]) =>
  fc
    .array(
      fc.tuple(fc.constantFrom(...signs), fc.constantFrom('Acme', 'Main St', '12', 'Suite 3', 'LLP', 'Ann', 'x')),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((parts) => parts.map(([sign, word], i) => (i === 0 ? word : sign + word)).join(''));
const fileOf = (signs: readonly string[]) =>
  fc
    .record({
      records: fc.array(fc.array(cellOf(signs), { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 7 }),
      all: fc.boolean(),
    })
    .map(({ records, all }) => ({
      records,
      text: records
        .map((cells) =>
          cells.map((cell) => (all || /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(','),
        )
        .join('\n'),
    }));

type Damage = (text: string, at: number) => string;
const quoteLost: Damage = (text, at) => {
  const quotes = [...text.matchAll(/"/g)].map(({ index }) => index);
  const quote = quotes[at % quotes.length] ?? text.length;
  return text.slice(0, quote) + text.slice(quote + 1);
};
const quoteAdded: Damage = (text, at) => `${text.slice(0, at % text.length)}"${text.slice(at % text.length)}`;
const cutOff: Damage = (text, at) => text.slice(0, at % text.length);

/** Whether the text is no damaged one to anybody: another reader finds whole records, or lines too many or too short. */
const isWellFormed = (text: string): boolean => {
  try {
    parseCsv(text, { record_delimiter: '\n', relax_column_count: true });
    return true;
  } catch {
    return false;
  }
};

const SIGNS = {
  'cells of one line': [', ', ',', ' ', '"', ' "'],
  'cells of several lines': [', ', ',', ' ', '"', ' "', '\n', '\n'],
};

describe('a damaged file', () => {
  for (const [cells, signs] of Object.entries(SIGNS))
    for (const [name, damage] of Object.entries({ quoteLost, quoteAdded, cutOff }))
      it(`gives no record that nobody wrote: ${cells}, ${name}`, () => {
        fc.assert(
          fc.property(fileOf(signs), fc.nat(), ({ records, text }, at) => {
            const damaged = damage(text, at);
            if (isWellFormed(damaged)) return;
            const truth = new Set(records.map((record) => JSON.stringify(record)));
            for (const { error, cells: found } of parseChunk(Buffer.from(damaged), options))
              if (error === undefined) assert.ok(truth.has(JSON.stringify(found)), JSON.stringify({ damaged, found }));
          }),
          { numRuns: 1000 },
        );
      });

  it('that reads as another file, whole or with one fault, is taken as that: nothing in it tells', () => {
    const read = (text: string) => [...parseChunk(Buffer.from(text), options)].map((row) => row.error ?? row.cells);
    // Of `"x,y",1,2` a quote moved; of `Ann,1,"Suite 3\nx"` and `Bob,3,4` a piece is lost from the quote at the end to the first comma.
    assert.deepEqual(read('"x",y,1'), [['x', 'y', '1']]);
    assert.deepEqual(read('Ann,1,"Suite 3\nx,3,4'), ['UNBALANCED_QUOTE', ['x', '3', '4']]);
  });

  const errors = (text: string) => [...parseChunk(Buffer.from(text), options)].map(({ line, error }) => [line, error]);
  const UNBALANCED = 'UNBALANCED_QUOTE';

  it('has no good record before one that may be the rest of it', () => {
    for (const broken of ['Suite 3"', 'Suite 3",12,x', 'Suite 3, ""B""",1'])
      assert.deepEqual(errors(`Ann,1,2\nBob,3,12 Main St\nx\n${broken}\nEve,5,6`), [
        [1, undefined],
        [2, UNBALANCED],
        [3, 'RAGGED_ROW'],
        [4, UNBALANCED],
        [5, undefined],
      ]);
    assert.deepEqual(errors('Ann,1,2\n5" pipe,3,4\nEve,5,6'), [
      [1, undefined],
      [2, UNBALANCED],
      [3, undefined],
    ]);
  });

  it('has no good record behind one that lacks cells and leaves a quote open', () => {
    assert.deepEqual(errors('Ann,1,2\nBob,"12 Main St\nSuite, x,5\nEve,5,6'), [
      [1, undefined],
      [2, UNBALANCED],
      [3, UNBALANCED],
      [4, undefined],
    ]);
    assert.deepEqual(errors('"Main St\n"Acme","2","3"\nEve,5,6'), [
      [1, UNBALANCED],
      [3, undefined],
    ]);
    assert.deepEqual(errors('"Ann,1,2\nBob,3,4\nEve,5,6'), [
      [1, UNBALANCED],
      [2, undefined],
      [3, undefined],
    ]);
  });
});
