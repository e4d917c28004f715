import { strict as assert } from 'node:assert';
import { cellReader, mapHeader } from '../../../src/sources/csv/columns.ts';
import type { ColumnSet } from '../../../src/sources/csv/columnSet.ts';
import { normalizeHeader, parseHeader, readHeader } from '../../../src/sources/csv/header.ts';
import { mapKey, placesOfKey, speller } from '../../../src/sources/csv/headerNames.ts';
import type { HeaderOptions } from '../../../src/sources/csv/header.ts';

const OPTIONS: HeaderOptions = { encoding: 'utf-8', bomBytes: 0, delimiter: ',', newline: 'lf' };
const header = (text: string | Buffer, options: Partial<HeaderOptions> = {}): readonly string[] =>
  parseHeader(Buffer.from(text as Buffer), { ...OPTIONS, ...options });

const SET: ColumnSet = {
  columns: [
    { name: 'plaintiff_name', aliases: ['name', 'plaintiff'] },
    { name: 'email', aliases: ['contact_email'] },
    { name: 'lead_id', aliases: [] },
    { name: 'index_number', aliases: ['case'] },
  ],
  required: [['plaintiff_name']],
};

describe('parseHeader', () => {
  it('reads the first record that is not blank, trimmed, without its mark', () => {
    assert.deepEqual(header('\ufeff\n Name ,"E\nMail",x\r\n1,2,3', { bomBytes: 3 }), ['Name', 'E\nMail', 'x']);
    assert.deepEqual(
      header(Buffer.from('\ufeffName;é', 'utf16le'), { encoding: 'utf-16le', bomBytes: 2, delimiter: ';' }),
      ['Name', 'é'],
    );
    assert.deepEqual(header('a,b\r1,2', { newline: 'cr' }), ['a', 'b']);
  });

  it('names empty headers by their place, never by a name that another has', () => {
    assert.deepEqual(header('a,,""\n'), ['a', 'column_2', 'column_3']);
    assert.deepEqual(header('a,,column_2,toString,__proto__\n'), [
      'a',
      'column_2 2',
      'column_2',
      'toString',
      '__proto__',
    ]);
  });

  it('keeps columns of one name apart', () => {
    const bytes = Buffer.from('Notes,Notes 2,Notes,x,Notes\n');
    const { written, names } = readHeader(bytes, OPTIONS);
    assert.deepEqual(names, ['Notes', 'Notes 2', 'Notes 3', 'x', 'Notes 4']);
    assert.deepEqual(written, ['Notes', 'Notes 2', 'Notes', 'x', 'Notes']);
    assert.throws(() => mapHeader(readHeader(Buffer.from('Email,Name,E-mail\n'), OPTIONS).written, SET), {
      code: 'DUPLICATE_HEADER',
    });
  });

  it('takes quotes inside a cell as text', () => {
    assert.deepEqual(header('Size",Width ("), "a ""b"""\n1,2,3'), ['Size"', 'Width (")', 'a "b"']);
  });

  it('refuses more columns than a spreadsheet has in a short sentence, and names few of many', () => {
    assert.throws(() => header(`name${',x'.repeat(100_000)}\n`), {
      code: 'HEADER_UNREADABLE',
      message: 'The header cannot be read: it has 100001 columns, more than 16384',
    });
    assert.throws(
      () =>
        mapHeader(
          Array.from({ length: 9000 }, (_, i) => `other ${i}`.slice(0, 8)),
          SET,
        ),
      (error: Error) => error.message.length < 1000,
    );
  });

  it('refuses an unreadable header and an empty file', () => {
    assert.throws(() => header('a,"b\n1,2\n'), { code: 'HEADER_UNREADABLE' });
    assert.throws(() => header(Buffer.from([0x61, 0xff])), { code: 'HEADER_UNREADABLE' });
    assert.throws(() => header('a,\0\n'), { code: 'HEADER_UNREADABLE' });
    assert.throws(() => header('\n\n'), { code: 'EMPTY_FILE' });
  });
});

describe('mapHeader', () => {
  it('finds columns by name and alias and lists the rest', () => {
    assert.equal(normalizeHeader('Plaintiff - Name_'), 'plaintiffname');
    assert.deepEqual(mapHeader(['x', 'PlaintiffName', 'Contact-Email'], SET), {
      positions: [1, 2, undefined, undefined],
      parts: new Map(),
      unmapped: [0],
    });
  });

  it('prefers the exact name to aliases and refuses two aliases of one column', () => {
    assert.equal(mapHeader(['Name', 'Plaintiff Name'], SET).positions[0], 1);
    assert.throws(() => mapHeader(['Name', 'Plaintiff'], SET), {
      code: 'DUPLICATE_HEADER',
      message: /Name, Plaintiff/,
      remedy: /--map "Name=plaintiff_name"/,
    });
  });

  it("lets the operator's map win and refuses unknown columns and headers", () => {
    assert.deepEqual(mapHeader(['Who', 'Name'], SET, { Who: 'plaintiff_name' }), {
      positions: [0, undefined, undefined, undefined],
      parts: new Map(),
      unmapped: [1],
    });
    assert.throws(() => mapHeader(['Who'], SET, { Who: 'nobody' }), {
      code: 'UNKNOWN_COLUMN',
      message: /columns: plaintiff_name, email/,
    });
    assert.throws(() => mapHeader(['Who'], SET, { What: 'email' }), {
      code: 'UNKNOWN_COLUMN',
      message: /^--map names a header the file does not have: #[0-9a-f]{12}\.[0-9a-f]{12}; headers found: <column 1>$/,
    });
  });

  it('joins parts, by the map or where a column says so, and takes words of other programs last', () => {
    const set: ColumnSet = {
      columns: [
        {
          name: 'plaintiff_name',
          aliases: ['name'],
          parts: [['first name', 'last name']],
          also: ['client', 'company'],
        },
        { name: 'email', aliases: [], also: ['email address', 'mail'] },
      ],
      required: [['plaintiff_name']],
    };
    const nameOf = (header: string[], cells: string[], map = {}) => {
      const mapping = mapHeader(header, set, map);
      return [cellReader(set, mapping)(cells, 'plaintiff_name'), mapping.unmapped.map((i) => header[i])];
    };
    assert.deepEqual(nameOf(['First Name', 'Last Name', 'Company'], ['Ann', ' Lee ', 'X']), ['Ann Lee', ['Company']]);
    assert.deepEqual(nameOf(['First Name', 'Last Name'], ['', 'Lee']), ['Lee', []]);
    assert.deepEqual(nameOf(['Name', 'First Name', 'Last Name'], ['N', 'A', 'L'])[0], 'N');
    assert.deepEqual(nameOf(['Company', 'Client'], ['X', 'C']), ['C', ['Company']]);
    assert.deepEqual(nameOf(['Vorname', 'Name + Nr'], ['V', 'N'], { 'Name + Nr': 'plaintiff_name' })[0], 'N');
    assert.deepEqual(nameOf(['V', 'N', 'Name'], ['Ann', 'Lee', 'x'], { 'V + N': 'plaintiff_name' }), [
      'Ann Lee',
      ['Name'],
    ]);
    assert.deepEqual(mapHeader(['Name', 'Mail', 'E-mail Address'], set).positions, [0, 2]);
    assert.throws(() => nameOf(['V', 'N'], [], { 'V + X': 'plaintiff_name' }), { code: 'UNKNOWN_COLUMN' });
  });

  it('names missing columns, the headers found and a near one', () => {
    assert.throws(() => mapHeader(['plantiff_name', 'email'], SET), {
      code: 'MISSING_COLUMNS',
      message: `Missing required columns: {'plaintiff_name'}; headers found: <column 1>, email; did you mean --map "<column 1>=plaintiff_name"?`,
    });
    const both = { ...SET, required: [['plaintiff_name'], ['index_number', 'lead_id']] };
    assert.throws(() => mapHeader(['email'], both), {
      message: /^Missing required columns: \{'index_number', 'plaintiff_name'\}; headers found: email$/,
    });
    assert.deepEqual(mapHeader(['name', 'lead id'], both).positions, [0, undefined, 1, undefined]);
  });

  describe('with a confusable format', () => {
    const theirs = {
      name: 'theirs',
      title: 'Theirs export',
      columns: [
        { name: 'plaintiff_name', aliases: [] },
        { name: 'docket', aliases: ['DocketNo'] },
        { name: 'party', aliases: [] },
      ],
      required: [['docket']],
    };
    const ours: ColumnSet = {
      ...SET,
      required: [['plaintiff_name'], ['index_number', 'lead_id']],
      confusableWith: [theirs],
    };

    it('refuses its headers and says what to do', () => {
      assert.throws(() => mapHeader(['Plaintiff Name', 'Docket-No'], ours), {
        code: 'MISSING_COLUMNS',
        message: "Missing required columns: {'index_number'}; these are the headers of a Theirs export",
        remedy: 'Import it as `theirs`: intake import theirs FILE.',
      });
    });

    it('refuses them even where no required column is missing, but not for one word', () => {
      const free: ColumnSet = { ...ours, required: [['plaintiff_name']] };
      assert.throws(() => mapHeader(['plaintiff_name', 'docket', 'party'], free), {
        code: 'MISSING_COLUMNS',
        message: 'Another format; these are the headers of a Theirs export',
      });
      assert.deepEqual(mapHeader(['plaintiff_name', 'docket'], free).unmapped, [1]);
    });

    it('takes a file for ours that has a word of ours, or a map', () => {
      assert.deepEqual(mapHeader(['plaintiff_name', 'case', 'docket', 'party'], ours).unmapped, [2, 3]);
      assert.deepEqual(mapHeader(['plaintiff_name', 'docket', 'party'], ours, { docket: 'lead_id' }).unmapped, [2]);
      assert.throws(() => mapHeader(['plaintiff_name', 'email', 'docket'], ours), {
        message: /headers found: plaintiff_name, email, <column 3>$/,
      });
    });
  });

  it('names headers that are no words of the kind by their places alone', () => {
    assert.throws(() => mapHeader(['Jane Roe', 'Elm Street'], SET), {
      message: `Missing required columns: {'plaintiff_name'}; the first line does not look like a header (2 columns)`,
    });
    assert.throws(() => mapHeader(['email', 'jane@example.com', '555-0100', '10 Elm'], SET), {
      message: /found: email, <column 2>, <column 3>, <column 4>$/,
    });
    assert.throws(() => mapHeader(['name', 'x'], SET, { x: 'Dustin Rivas' }), {
      message: /^--map names an unknown column: #[^ ]+; columns: plaintiff_name, /,
    });
  });

  it('finds the headers of a map by text, place and key, and only who has the header spells them out', () => {
    const header = ['Dustin Rivas', 'Name', 'name', 'A', 'B', '<column 1>', 'x'.repeat(61)];
    const places = (written: string) => [placesOfKey(header, written), placesOfKey(header, mapKey(written))];
    for (const [written, at] of [
      ['dustin_rivas', [0]],
      ['name', [2]],
      ['NAME', [1]],
      ['A + b', [3, 4]],
      ['<column 2>', [1]],
      ['<column 4>+<column 5>', [3, 4]],
      ['<column 1>', [5]],
      ['<column 9>', [undefined]],
      ['A+C', [3, undefined]],
    ] as const)
      assert.deepEqual(places(written), [at, at], written);
    assert.equal(mapKey(mapKey('A + b')), mapKey('A + b'));
    assert.ok(!mapKey('Dustin Rivas').includes('Dustin'));
    const spell = speller(header, ['Klient']);
    assert.equal(
      spell(`${mapKey('Klient')}, ${mapKey('DUSTIN RIVAS')}, ${mapKey('a+B')}, <column 4>, <column 7>, <column 8>, #1`),
      'Klient, Dustin Rivas, A + B, A, <column 7>, <column 8>, #1',
    );
    assert.equal(speller([])(`${mapKey('A')} <column 1>`), `${mapKey('A')} <column 1>`);
  });
});
