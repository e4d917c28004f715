import { strict as assert } from 'node:assert';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { cutCells } from '../../../src/sources/csv/cells.ts';

describe('cutCells', () => {
  it('cuts quoted cells, doubled quotes, empty cells and quotes that are data', () => {
    assert.deepEqual(cutCells('"a,b",c', ','), ['a,b', 'c']);
    assert.deepEqual(cutCells('"say ""hi""","",x', ','), ['say "hi"', '', 'x']);
    assert.deepEqual(cutCells('5" pipe,"b"', ','), ['5" pipe', 'b']);
    assert.deepEqual(cutCells('"a";;', ';'), ['a', '', '']);
    assert.deepEqual(cutCells('"two\nlines"', ','), ['two\nlines']);
  });

  it('reads any well-formed record as csv-parse does', () => {
    const quoted = fc
      .string({ unit: fc.constantFrom('a', 'é', ',', '"', '\n', ' ', ';') })
      .map((text) => `"${text.replaceAll('"', '""')}"`);
    const plain = fc.string({ unit: fc.constantFrom('a', 'b', ' ', ';') });
    const record = fc.array(fc.oneof(quoted, plain), { minLength: 1 }).map((cells) => cells.join(','));
    fc.assert(
      fc.property(
        record.filter((text) => text.trim() !== ''),
        (text) => {
          assert.deepEqual(cutCells(text, ','), parse(text, { relax_quotes: true, record_delimiter: '\u0000' })[0]);
        },
      ),
    );
  });
});
