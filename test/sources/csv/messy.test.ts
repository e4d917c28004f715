import { strict as assert } from 'node:assert';
import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { parseChunk } from '../../../src/sources/csv/parse.ts';

const COLUMNS = 3;
const options = { encoding: 'utf-8', newline: 'lf', columns: COLUMNS, line: 2, firstRow: 0 } as const;

/** Three cells, words with what careless writers stumble over between them: at its ends it would make other, well-formed cells. */
const recordOf = (signs: readonly string[]) => {
  const cell = fc
    .array(fc.constantFrom('Acme', 'Main St', '12', 'é', ...signs), { minLength: 1, maxLength: 5 })
    .map((parts) => `A${parts.join('')}z`);
  const plain = cell.filter((text) => !/"["\n,;]|[\n,;] *"/.test(text));
  return fc.array(plain, { minLength: COLUMNS, maxLength: COLUMNS });
};
type Writer = (cell: string, delimiter: string) => string;

const double = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

/** How programs write cells wrongly: the signs that a cell may hold so that the file still has one meaning, and what they make of it. */
const WRITERS: Record<string, [signs: readonly string[], write: Writer]> = {
  'no quotes at all': [['"', ' ', ','], (cell) => cell],
  'quotes around, none doubled': [['"', ' ', ',', '\n', ' "x" '], (cell) => `"${cell}"`],
  'quotes where a delimiter is, none doubled': [
    ['"', ' ', ',', ';'],
    (cell, delimiter) => (cell.includes(delimiter) ? `"${cell}"` : cell),
  ],
  'quotes where a delimiter or a line end is only': [
    ['"', ' ', ',', '\n'],
    (cell, delimiter) => (cell.includes(delimiter) || cell.includes('\n') ? double(cell) : cell),
  ],
  'backslashes before quotes': [['"', ' ', ',', '\n'], (cell) => `"${cell.replaceAll('"', '\\"')}"`],
  'quotes around a part of the cell': [
    [' ', ','],
    (cell, delimiter) => (cell.includes(delimiter) ? cell.replace(/[^A]*$/, (part) => `"${part}"`) : cell),
  ],
  'the last quote forgotten': [
    [' ', ',', '"'],
    (cell) => (cell.includes('"') ? double(cell).slice(0, -1) : double(cell)),
  ],
  'text behind the closing quote': [[' ', ','], (cell) => (cell.includes(',') ? `${double(cell)}x` : cell)],
};

describe('messy CSV', () => {
  for (const [name, [signs, write]] of Object.entries(WRITERS))
    it(`gives no wrong record: ${name}`, () => {
      fc.assert(
        fc.property(
          fc.array(recordOf(signs), { minLength: 1, maxLength: 8 }),
          fc.constantFrom(',', ';', '\t', '|'),
          (records, delimiter) => {
            const text = records.map((cells) => cells.map((cell) => write(cell, delimiter)).join(delimiter)).join('\n');
            // Where a standard reader finds a whole record in it, the file says that record.
            const truth = new Set(records.map((cells) => JSON.stringify(cells)));
            for (const { cells, error } of parseChunk(Buffer.from(text), { ...options, delimiter } as never)) {
              if (error === undefined) assert.ok(truth.has(JSON.stringify(cells)), JSON.stringify({ text, cells }));
            }
          },
        ),
        { numRuns: 1500 },
      );
    });

  it('reads 20,000 well-formed records as csv-parse does', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'Ž', '"', ',', '\n', '\r\n', ' ', ';', '\\', '0'),
      maxLength: 8,
    });
    const record = fc.array(cell, { minLength: COLUMNS, maxLength: COLUMNS });
    const style = fc.constantFrom(
      (text: string) => double(text),
      (text: string) => (/[",\r\n]|^\s/.test(text) || text === '' ? double(text) : text),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(record, style), { minLength: 50, maxLength: 50 }), (rows) => {
        const text = rows.map(([cells, write]) => cells.map(write).join(',')).join('\n');
        const found = [...parseChunk(Buffer.from(text), { ...options, delimiter: ',' })];
        assert.deepEqual(
          found.map(({ cells, error }) => error ?? cells),
          parseCsv(text, { record_delimiter: '\n' }),
        );
      }),
      { numRuns: 400 },
    );
  });
});
