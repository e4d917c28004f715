import { strict as assert } from 'node:assert';
import type { ColumnSet } from '../../../src/sources/csv/columnSet.ts';
import { refuseUnknown, headerUses } from '../../../src/sources/csv/headerUses.ts';
import { speller } from '../../../src/sources/csv/headerNames.ts';
import { headerTexts, readLayout, type LayoutOptions } from '../../../src/sources/csv/layout.ts';

const SET: ColumnSet = {
  columns: [
    { name: 'plaintiff_name', aliases: ['name'] },
    { name: 'contact_email', aliases: ['email'] },
    { name: 'contact_phone', aliases: ['phone'] },
  ],
  required: [['plaintiff_name']],
};

const layout = (text: string, options: LayoutOptions = {}) => readLayout(Buffer.from(text), true, SET, options);
const brief = (text: string, options: LayoutOptions = {}) => {
  const { headerLine, bomBytes, delimiter, header, remarks, rowCells } = layout(text, options);
  return [headerLine, bomBytes, delimiter, header.written[0], rowCells, Object.keys(remarks)];
};

describe('readLayout', () => {
  it('finds the header below titles, blank rows and the line of Excel, and says so', () => {
    assert.deepEqual(brief('name,email\nAnn,a@b\n'), [1, 0, ',', 'name', undefined, []]);
    assert.deepEqual(brief('Client list\n\n;;\nName;Email\nAnn;a@b\n'), [
      4,
      16,
      ';',
      'Name',
      undefined,
      ['TITLE_ROWS'],
    ]);
    assert.deepEqual(brief('\ufeffsep=;\r\nName;Email, work\r\nAnn;a@b\r\n'), [
      2,
      10,
      ';',
      'Name',
      undefined,
      ['TITLE_ROWS'],
    ]);
    assert.deepEqual(brief('"Clients, 2024"\n"Total",3\nemail,name\nx,Ann\n').slice(0, 4), [3, 26, ',', 'email']);
  });

  it('takes the line that the operator names, and no other', () => {
    assert.deepEqual(brief('name,email\nold,x\nName,Phone\nAnn,1\n', { headerRow: 3 }).slice(0, 4), [
      3,
      17,
      ',',
      'Name',
    ]);
    assert.throws(() => layout('name,email\nAnn,x\n', { headerRow: 2 }), { code: 'MISSING_COLUMNS' });
  });

  it('blames the first record where no line has the columns', () => {
    assert.throws(() => layout('Client Name,Tel\nAnn,1\n'), {
      code: 'MISSING_COLUMNS',
      message: /headers found: <column 1>, <column 2>/,
    });
  });

  it('sees cells that every row has more or less than the header', () => {
    assert.deepEqual(brief('name,email\nAnn,a@b,\nBob,,\n').slice(4), [3, ['TRAILING_DELIMITERS']]);
    assert.deepEqual(brief('name,email,phone\nAnn,a@b\nBob,\n').slice(4), [2, ['MISSING_DELIMITERS']]);
    assert.deepEqual(brief('name,email,\nAnn,a@b\nBob,\n').slice(4), [2, ['MISSING_DELIMITERS']]);
    // One other row, a value in the surplus, a header that may be cut in two: no rule of the file.
    assert.deepEqual(brief('name,email\nAnn,a@b,\nBob,x\n').slice(4), [undefined, []]);
    assert.deepEqual(brief('name,email\n1,Ann,a@b\n').slice(4), [undefined, []]);
    assert.deepEqual(brief('name,Street, City,email\nAnn,Main St,a@b\n').slice(4), [undefined, []]);
  });
});

describe('headerUses', () => {
  it('calls headers of one name by the names under which they are kept, which --map takes', () => {
    const text = 'Name,Notes,Notes,\n';
    const texts = headerTexts(Buffer.from(text), true, SET, {});
    assert.deepEqual(texts, ['Name', 'Notes', 'Notes 2', 'column_4']);
    const { header, mapping } = layout(text, { map: { 'Notes 2': 'contact_email' } });
    assert.deepEqual(
      headerUses(header.written, SET, mapping).map(({ header: name, column }) => [speller(texts)(name), column]),
      [
        ['Name', 'plaintiff_name'],
        ['Notes', null],
        ['Notes 2', 'contact_email'],
        ['column_4', null],
      ],
    );
  });

  it('names what became of each header, with a suggestion where one is near', () => {
    const { header, mapping } = layout('Name,Client Email,Phne,Colour,bob@example.com\nAnn,,,,\n');
    const uses = headerUses(header.written, SET, mapping);
    assert.deepEqual(uses, [
      { header: 'Name', column: 'plaintiff_name' },
      { header: '<column 2>', column: null, suggestion: 'contact_email' },
      { header: '<column 3>', column: null, suggestion: 'contact_phone' },
      { header: '<column 4>', column: null },
      { header: '<column 5>', column: null },
    ]);
    assert.throws(() => refuseUnknown(uses), {
      code: 'UNKNOWN_HEADERS',
      message: /<column 2>, <column 3>, <column 4>, <column 5>/,
    });
    refuseUnknown(uses.slice(0, 1));
  });

  it('lists every header that is taken, and of thousands of others the first', () => {
    const others = Array.from({ length: 16_000 }, () => 'x').join(',');
    const { header, mapping } = layout(`${others},Name\n`);
    assert.deepEqual([header.names[1], header.names.at(-2)], ['x 2', 'x 16000']);
    assert.deepEqual(headerUses(header.written, SET, mapping, 1), [
      { header: '<column 1>', column: null },
      { header: 'Name', column: 'plaintiff_name' },
    ]);
  });
});
