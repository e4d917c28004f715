import { strict as assert } from 'node:assert';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvCell, csvLine } from '../../../src/sources/csv/write.ts';

describe('csvLine', () => {
  it('quotes what needs it and nothing else', () => {
    assert.equal(
      csvLine(['a', 'b,c', 'say "hi"', 'x\ny', ' z', null, 1], { escapeFormulas: false }),
      'a,"b,c","say ""hi""","x\ny"," z",,1\n',
    );
    assert.equal(csvCell(undefined), '');
  });

  it('disarms text that begins like a formula, but no number, when asked to', () => {
    assert.equal(csvLine(['=1', '+1', '-1', '@a', '\tb', -5], { escapeFormulas: true }), `'=1,'+1,'-1,'@a,'\tb,-5\n`);
    assert.equal(csvLine(['＝1', '＋1', '－1', '＠a'], { escapeFormulas: true }), `'＝1,'＋1,'－1,'＠a\n`);
    assert.equal(csvLine(['=1'], { escapeFormulas: false }), '=1\n');
  });

  it('writes what a CSV parser reads back', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 2 }), (cells) => {
        assert.deepEqual(parse(csvLine(cells, { escapeFormulas: false }), { record_delimiter: '\n' }), [cells]);
      }),
    );
  });
});
