import { strict as assert } from 'node:assert';
import { rowsChecksum } from '../../../src/sources/projects/checksum.ts';

const row = { stage_application: 'STG-1', delivery_partner: 'Acme', residential: 4 };

describe('the checksum of project rows', () => {
  it('is the same whatever the order of rows and keys, blanks around values, and keys that are no column', () => {
    const other = { stage_application: 'STG-2' };
    const sum = rowsChecksum([row, other]);
    assert.equal(rowsChecksum([other, row]), sum);
    assert.equal(
      rowsChecksum([
        {
          residential: ' 4 ',
          note: 'x',
          delivery_partner: '\u00a0Acme\t',
          stage_application: 'STG-1',
        },
        other,
      ]),
      sum,
    );
  });

  it('tells values, columns and neighbours apart', () => {
    const sums = [
      [row],
      [{ ...row, residential: 5 }],
      [{ ...row, delivery_partner: 'acme' }],
      [{ ...row, commercial: '' }], // clears what is there; a column that the batch lacks leaves it
      [{ ...row, delivery_partner: '', developer_class: 'Acme' }],
      [{ ...row, delivery_partner: 'Ac","me' }],
      [{ ...row, delivery_partner: 'Ac', developer_class: 'me' }],
      [row, row],
      [],
    ].map(rowsChecksum);
    assert.equal(new Set(sums).size, sums.length);
  });

  it('depends on which of two rows of one stage_application is the last, for that one wins', () => {
    const later = { ...row, residential: 9 };
    assert.notEqual(rowsChecksum([row, later]), rowsChecksum([later, row]));
  });
});
