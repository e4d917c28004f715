import { strict as assert } from 'node:assert';
import { encode, firstCells, hasControls, withoutControls } from '../../../src/sources/csv/controls.ts';

const UTF8 = { encoding: 'utf-8', delimiter: ',' } as const;

describe('control columns of rejects', () => {
  it('are known by name and place', () => {
    assert.ok(hasControls(['name', '_line', '_code', '_error', '_run']));
    assert.ok(!hasControls(['name', '_line', '_code', '_error']));
    assert.ok(!hasControls(['_line', '_code', '_error', '_run']));
  });

  it('come off a record whatever its first cells hold', () => {
    for (const cells of ['a,b', '"x, ""y""",b', '5" pipe,b', '"two\nlines",', ',']) {
      assert.equal(firstCells(Buffer.from(`${cells},7,BAD_EMAIL,"no, not one",run`), 2, UTF8).toString(), cells);
    }
  });

  it('come off in UTF-16 of either order', () => {
    for (const encoding of ['utf-16le', 'utf-16be'] as const) {
      const record = encode('a;"b;c";7;CODE;text;run', encoding);
      assert.deepEqual(firstCells(record, 2, { encoding, delimiter: ';' }), encode('a;"b;c"', encoding));
    }
  });

  it('leaves a record with fewer cells whole', () => {
    assert.equal(firstCells(Buffer.from('a,b'), 3, UTF8).toString(), 'a,b');
  });

  it('come off a record that was sent back unmended, whatever its number of cells and however its quotes stand', () => {
    const run = '01c91882-99cd-4a09-ae96-e229679abfde';
    const records = [
      'a',
      'a;b;c;d;e',
      '"a;b',
      'a "q" b;x',
      'a;1;CODE;"b;c"',
      '',
      'a;9;RAGGED_ROW;no cells;',
      '"two\nlines";x',
    ];
    for (const encoding of ['utf-8', 'utf-16le', 'utf-16be'] as const)
      for (const delimiter of [';', '|', '\t'])
        for (const record of records.map((text) => text.replaceAll(';', delimiter)))
          for (const id of [run, ''])
            for (const tail of [`4;RAGGED_ROW;not as many;${id}`, `"4";"BAD_EMAIL";"x; ""y""";"${id}";;`]) {
              const whole = encode(`${record};${tail}`.replaceAll(';', delimiter), encoding);
              assert.deepEqual(withoutControls(whole, 2, { encoding, delimiter }), encode(record, encoding));
            }
    assert.equal(withoutControls(Buffer.from('a,b,7,typed over'), 2, UTF8).toString(), 'a,b');
  });
});
