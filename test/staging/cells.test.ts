import { strict as assert } from 'node:assert';
import stageRows, { COMMON_COLUMNS, type StageJob } from '../../src/staging/stageRows.ts';
import { csvKindNamed } from '../../src/kinds/index.ts';

const JOB = {
  format: 'json',
  sourceSystem: 'csv',
  dateOrder: 'mdy',
  map: {},
  encoding: 'utf-8',
  delimiter: ',',
  newline: 'lf',
  line: 2,
  firstRow: 0,
  partitions: 1,
  stageId: '00000000-0000-4000-8000-000000000001',
  chunk: 0,
} as const;

function staged(kind: string, text: string, more: Partial<StageJob> = {}) {
  const [header = '', ...lines] = text.split('\n');
  const job = { ...JOB, kind, header: header.split(','), bytes: Buffer.from(`${lines.join('\n')}\n`), ...more };
  const { payload, codes, remarks } = stageRows(job);
  const columns = [...COMMON_COLUMNS, ...csvKindNamed(kind).stageColumns];
  const rows = (JSON.parse(Buffer.from(payload).toString()) as unknown[][]).map((row) =>
    Object.fromEntries(columns.map((column, i) => [column, row[i]])),
  );
  const counts = Object.fromEntries(Object.entries(remarks).map(([code, { count }]) => [code, count]));
  return { rows, codes, counts, remarks };
}

describe('cells of rows', () => {
  it('are empty where they hold a word for nothing, in every kind, and are counted', () => {
    const words = [
      '(No value)',
      '#SPILL!',
      '[object Object]',
      'NULL',
      '\\N',
      '(null)',
      '#N/A',
      '#REF!',
      'nan',
      'undefined',
      ' null ',
    ];
    const people = staged(
      'plaintiffs',
      `name,email\n${words.map((word, i) => `Ann ${i},${word}`).join('\n')}\nNULL,x@y.example`,
    );
    assert.deepEqual([people.codes, people.counts], [{ MISSING_VALUE: 1 }, { NULL_WORDS: 12 }]);
    assert.ok(people.rows.every((row) => row['contact_email'] === null || row['error_code']));
    assert.equal((people.rows[1]!['raw_payload'] as Record<string, string>)['email'], '#SPILL!');
    const cases = staged('jbi', 'case_number,party_name,judgment_amount,judgment_date\nM-4,Ann,NULL,NULL\nNULL,Bob,1,');
    assert.deepEqual(cases.codes, { MISSING_VALUE: 2 });
    const own = { nullWords: ['none'] };
    assert.deepEqual(staged('plaintiffs', 'name,email\nNull,NONE', own).rows[0]!['plaintiff_name'], 'Null');
    assert.deepEqual(staged('projects', 'stage_application,address\nA-1,NULL').counts, { NULL_WORDS: 1 });
  });

  it('are that text without quotes around the wrapper, too, also beside delimiters, line ends and in other delimiters', () => {
    const { rows, codes } = staged(
      'jbi',
      'case_number,party_name,judgment_amount,court_name\n="00124",Ann,1,="A, B"\n ="7",Bob,="5",="x""y"\n="1"&"2",Cat,1,z',
    );
    assert.deepEqual(
      rows
        .slice(0, 2)
        .map((row) => [row['case_number'], row['plaintiff_name'], row['judgment_amount'], row['court_name']]),
      [
        ['00124', 'Ann', '1', 'A, B'],
        ['7', 'Bob', '5', 'x"y'],
      ],
    );
    assert.deepEqual(codes, { UNBALANCED_QUOTE: 1 });
  });

  it('say where a backslash stands before quotes, and where bytes are read as Windows-1252 by their look', () => {
    const { rows, counts, remarks } = staged('plaintiffs', 'name,address\nAnn,x\n"Acme \\"Best\\" LLC",y\n"open,z');
    assert.deepEqual([counts, remarks['BACKSLASH_QUOTES']?.line], [{ BACKSLASH_QUOTES: 1 }, 3]);
    assert.match(String(rows[1]!['error_message']), /A backslash stands before its quotes/);
    assert.doesNotMatch(String(rows[2]!['error_message']), /backslash/);
    const bytes = Buffer.from('Ann,x\nJos\xe9,y\nN\xfa\xf1ez,z\n', 'latin1');
    const latin = { bytes, encoding: 'windows-1252', isGuessed: true } as const;
    const read = staged('plaintiffs', 'name,address\n', latin);
    assert.deepEqual(read.remarks, { WINDOWS_1252: { count: 2, line: 3 } });
    assert.deepEqual(staged('plaintiffs', 'name,address\n', { ...latin, isGuessed: false }).counts, {});
  });

  it('end before the end-of-text of old programs, which is no row of its own', () => {
    const { rows, codes } = staged(
      'plaintiffs',
      'name,email\nAnn,a@b.example\u001a\n\u001a\u001a\n\u001aBob,\n\u001aname,email',
    );
    assert.deepEqual(
      rows.map((row) => [row['plaintiff_name'], row['contact_email'], row['error_code']]),
      [
        ['Ann', 'a@b.example', null],
        ['Bob', null, null],
        ['name', 'email', 'HEADER_AGAIN'],
      ],
    );
    assert.deepEqual(codes, { HEADER_AGAIN: 1 });
  });

  it('are the text that a spreadsheet has wrapped, and rejects where it has converted it', () => {
    const file = 'case_number,party_name,judgment_amount,party_phone\n';
    const { rows, codes } = staged(
      'jbi',
      `${file}"=""00124""",Ann,1,\n'00124,'t Hooft,1,'555-401-1000\n4-Mar,Ann,1,\nMar-24,Ann,1,\n1.23E+09,Ann,1,\nA-1,Ann,1,5.55301E+09\n=1+2,Ann,1,\n########,Ann,1,`,
    );
    assert.deepEqual(
      rows.slice(0, 2).map((row) => [row['case_number'], row['plaintiff_name'], row['phone']]),
      [
        ['00124', 'Ann', null],
        ['00124', "'t Hooft", '5554011000'],
      ],
    );
    assert.deepEqual(codes, { SPREADSHEET_VALUE: 5 });
    assert.match(String(rows[5]!['error_message']), /^party_phone: A spreadsheet has /);
    assert.equal(rows[6]!['case_number'], '=1+2');
  });

  it('of totals and footers are rejects, those of companies are not', () => {
    const { codes, rows } = staged(
      'plaintiffs',
      'name,email,address\nGrand Total,,1234\nTotal,,\n-- end of report --,,\nPage 2 of 7,,\n(345 rows),,\nTotal\nTotal Wine,,\nTotal,a@b.example,\nEnd of Days LLC,,\n\u001a',
    );
    assert.deepEqual(codes, { FOOTER_ROW: 6 });
    assert.equal(rows.length, 9);
    const closing = [
      'Records: 345',
      'Total records: 3',
      'Page 2/7',
      '345 record(s) selected.',
      'Printed on 01/02/2024',
      '---',
      'Total (USD)',
    ];
    const kept = ['Records LLC', 'Page Two LLC', 'Total Recall 2', 'Printed Matter 2024 LLC', 'Copyright Agency'];
    const mixed = staged(
      'plaintiffs',
      `name,email,address\n${[...closing, ...kept].map((name) => `${name},,`).join('\n')}`,
    );
    assert.deepEqual(mixed.codes, { FOOTER_ROW: closing.length });
    const jbi = staged(
      'jbi',
      'case_number,party_name,judgment_amount\n,Total,125000.00\nTotal:,,"125,000.00"\nT-1,Total Co,1',
    );
    assert.deepEqual(jbi.codes, { FOOTER_ROW: 2 });
  });

  it('of totals and footers as programs write them are rejects, in any shape of the file', () => {
    const head = 'name,email,phone,address\n';
    const closing = [
      // Sums, alone or with what they add up to.
      ...[
        'Total Amount,,,',
        'Total due,,,',
        'Total Amount,,"1,234.00",',
        'TOTAL DUE,,,$500',
        'Balance due,,,12.50',
        'Total Records,,,345',
      ],
      ...[
        'Total for Smith & Co,,,"1,234.00"',
        'Suma,,,"1.234,50"',
        'Sum,,,12.00',
        'Average,,,3.5',
        '*,,,100.00',
        '**,,,"2,000.00"',
      ],
      ...[
        'Summe,,,',
        'Gesamtsumme:,,,"1.234,00"',
        'Gesamtergebnis,,,5',
        'Zwischensumme,,,5',
        'Total general,,,5',
        'Total général,,,5',
      ],
      ...[
        'Sous-total,,,5',
        'Totale complessivo,,,5',
        'Eindtotaal,,,5',
        'Razem,,,5',
        'Celkem,,,5',
        'Grand Totals (123 records),,,',
      ],
      // QuickBooks.
      ...[
        'Generated by QuickBooks,,,',
        '"Accrual Basis  Friday, November 27, 2026 09:08 AM GMT-08:00",,,',
        'Cash Basis,,,',
      ],
      ...['"Friday, Nov 27, 2026 09:08:12 AM GMT-8 - Accrual Basis",,,', 'Friday, Nov 27, 2026 09:08 AM - Cash Basis'],
      // Salesforce.
      ...[
        'Confidential Information - Do Not Distribute,,,',
        '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.",,,',
      ],
      ...[
        'Copyright (c) 2000-2026 salesforce.com,,,',
        'Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.,,',
      ],
      ...['© 2026 Example Inc.,,,', 'Generated By:  Ann Lee  11/27/2026 9:08 AM,,,', ',,Generated by Example,'],
      // Databases.
      ...[
        '345 rows selected.,,,',
        '(345 rows),,,',
        '(1 row),,,',
        'no rows selected,,,',
        '345 rows in set (0.01 sec),,,',
        '(345 row(s) affected),,,',
      ],
      ...[
        '345 Row(s) produced. Time Elapsed: 0.5s,,,',
        'Time: 12.345 ms,,,',
        'Elapsed: 00:00:00.01,,,',
        'Empty set (0.00 sec),,,',
      ],
      ...[
        'Seite 2 von 7,,,',
        'Página 2 de 7,,,',
        'Page 2 sur 7,,,',
        'Ende der Liste,,,',
        'Anzahl: 12,,,',
        'Número de registros: 12,,,',
      ],
    ];
    // Numbers of what is listed; sums of other countries; Power BI.
    const counts =
      'Total contacts: 1|Count of contacts: 1|Contacts exported: 1|1 of 1 records|Showing 1 to 1 of 1 entries|Records 1 - 25 of 345|TOTAL 345|Total (345)|No. of records: 345|Total # of records 345|Query returned 345 rows|Total number of cases: 3|Report Total: 3 cases|-- 345 rows --|Page: 1 of 3|This report was generated on November 27, 2026|[EOF]|...|Applied filters: Status is Open|Continued on next page';
    closing.push(...counts.split('|').map((text) => `"${text}",,,`));
    const sums = 'Итого|合計|总计|Yhteensä|Összesen|Carried forward|Ending Balance|Total USD|Net';
    closing.push(...sums.split('|').map((text) => `${text},,,"1,234.00"`));
    for (const line of closing)
      assert.deepEqual(staged('plaintiffs', `${head}${line}\n`).codes, { FOOTER_ROW: 1 }, line);
    const kept = [
      ...'Total 1 LLC|Page One|Contact 9|Net Worth LLC|Records 21|Total Care 24|No. 1 Plumbing|Balance Forward LLC|Clients First 1|Results 4 U|Applied Filters LLC|Total Clients LLC|As of Now|Showing Off|Net'
        .split('|')
        .map((name) => `${name},,,`),
      ...[
        'Total Wine,,,',
        'Total Balance,,555-401-1000,',
        'Total Balance,,5554011000,',
        'Total Amount LLC,,,',
        'Total Claims,a@b.example,,',
      ],
      ...[
        'Mei Sum,,,',
        'Sum,,555-401-1000,',
        'Sum,,,"1 Main St"',
        'Suma,,,',
        'Total for Men LLC,,,',
        'Average Joe,,,',
        'Confidential,,,',
      ],
      ...[
        'Generated Power LLC,,,',
        'Copyright Clearance Center,,,',
        'Cash Basis LLC,,,',
        'Friday Harbor Inc,,,',
        'Page Turner,,,',
        'Rows and Sons,,,',
      ],
      ...[
        'Due Balance Inc,,,',
        'Printed By Us,,,',
        'Time Out LLC,,,',
        'Elapsed Studios,,,',
        'Fin de Semana LLC,,,',
        'No Rows LLC,,,',
        'Ann, ann@example.com, 555-401-1000, 1 Oak',
      ],
    ];
    for (const line of kept) assert.deepEqual(staged('plaintiffs', `${head}${line}\n`).codes, {}, line);
    const columns = 'party_name,case_number,judgment_amount\n';
    assert.deepEqual(staged('jbi', `${columns}Total Balance,123,500.00\nSum,12,500.00\n`).codes, {});
    assert.deepEqual(staged('jbi', `${columns}Total Amount,,125000.00\nTotal,2,125000.00\n`).codes, { FOOTER_ROW: 2 });
  });

  it('with entities, text decoded twice and reversing signs are said, with the first line', () => {
    const text = 'name,note\nSmith &amp; Sons,&lt;\nJos\u00c3\u00a9,x\nJosé\u00a0Pe\u00f1a,\nA\u202eB,';
    const seen = staged('plaintiffs', text);
    assert.deepEqual(seen.remarks, {
      HTML_ENTITIES: { count: 1, line: 2 },
      TWICE_DECODED: { count: 1, line: 3 },
      BIDI_CONTROLS: { count: 1, line: 5 },
    });
    assert.equal(seen.rows[0]!['plaintiff_name'], 'Smith &amp; Sons');
    assert.equal(staged('plaintiffs', text, { decodeHtml: true }).rows[0]!['plaintiff_name'], 'Smith & Sons');
  });

  it('hold addresses in the forms of address books; of several the first is taken, and said', () => {
    const cells = [
      '<a@b.example>',
      'mailto:a@b.example',
      'Ann <a@b.example>',
      'a@b.example; c@d.example',
      "'a@b.example'",
      'a@b.example;',
      '\u200ba@b.example\u200b',
      'a@b.example c@',
    ];
    const { rows, codes, counts } = staged(
      'plaintiffs',
      `name,email,phone\n${cells.map((c, i) => `A${i},${c},tel:5554011000`).join('\n')}`,
    );
    assert.deepEqual(
      rows.slice(0, 7).map((row) => [row['contact_email'], row['contact_phone']]),
      Array.from({ length: 7 }, () => ['a@b.example', '5554011000']),
    );
    assert.deepEqual([codes, counts], [{ BAD_EMAIL: 1 }, { SEVERAL_ADDRESSES: 1 }]);
  });

  it('hold phone numbers as people write them; of several the first is taken, and said', () => {
    const cells: [cell: string, phone: string | undefined][] = [
      ['tel:+1-555-401-1000;ext=12', '15554011000x12'],
      ['(h) 555-401-1000', '5554011000'],
      ['Phone:(555) 401-1000 Mobile:(555) 401-2000', '5554011000'],
      ['+1 555-401-1000 ::: +1 555-401-2000', '15554011000'],
      ['555-401-1000; 555-401-2000 x7', '5554011000'],
      ['555-401-1000 or 555-401-2000', '5554011000'],
      ['555-401-1000 (cell)', '5554011000'],
      ['5554011000.0', '5554011000'],
      ['555.401.1000', '5554011000'],
      ['555-401-1000 / 2000', undefined],
      ['555-401-1000; ask Ann', undefined],
    ];
    const { rows, codes, counts } = staged(
      'plaintiffs',
      `name,phone\n${cells.map(([c], i) => `A${i},${c}`).join('\n')}`,
    );
    assert.deepEqual(
      rows.map((row) => (row['error_code'] ? undefined : row['contact_phone'])),
      cells.map(([, phone]) => phone),
    );
    assert.deepEqual([codes, counts], [{ BAD_PHONE: 2 }, { SEVERAL_PHONES: 4 }]);
  });

  it('are found under the headers of address books and ledgers, each with its own name of a person', () => {
    const exports: [header: string, row: string, ...person: (string | null)[]][] = [
      [
        'First Name,Middle Name,Last Name,Name Suffix,Organization Name,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Value,Address 1 - Formatted',
        'Ann,B.,Lee,Jr.,,*,a@b.example ::: c@d.example,555-401-1000,1 Main St',
        ...['Ann B. Lee Jr.', 'a@b.example', '5554011000', '1 Main St'],
      ],
      [
        'Title,First Name,Middle Name,Last Name,Suffix,Company,Business Street,E-mail Address,Primary Phone,Business Phone,Mobile Phone',
        'Mr.,Ann,,Lee,,Lee & Co,1 Main St,a@b.example,,,555-401-1000',
        ...['Ann Lee', 'a@b.example', '5554011000', '1 Main St'],
      ],
      [
        'Salutation,First Name,Last Name,Account Name,Mailing Street,Phone,Mobile,Email',
        'Ms.,Ann,Lee,Lee & Co,1 Main St,(555) 401-1000,555-401-2000,a@b.example',
        ...['Ann Lee', 'a@b.example', '5554011000', '1 Main St'],
      ],
      [
        'Type,First Name,Last Name,Company,Primary Email Address,Primary Phone Number,Primary Street,Clio ID',
        'Person,Ann,Lee,,a@b.example,+15554011000,1 Main St,12',
        ...['Ann Lee', 'a@b.example', '15554011000', '1 Main St'],
      ],
      [
        'Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Contact owner',
        '12,Ann,Lee,a@b.example,,,',
        ...['Ann Lee', 'a@b.example', null, null],
      ],
      [
        'Customer full name,Phone numbers,Email,Full name,Bill address,Ship address',
        'Acme LLC,Phone:(555) 401-1000,a@b.example,Ann Lee,1 Main St,',
        ...['Acme LLC', 'a@b.example', '5554011000', '1 Main St'],
      ],
      [
        'Active Status,Customer,Balance Total,Company,First Name,M.I.,Last Name,Main Phone,Alt. Phone,Main Email,Bill to 1',
        'Active,Acme LLC,0,,Ann,B,Lee,555-401-1000,,a@b.example,1 Main St',
        ...['Acme LLC', 'a@b.example', '5554011000', '1 Main St'],
      ],
    ];
    for (const [header, line, ...person] of exports) {
      const [row] = staged('plaintiffs', `${header}\n${line}`).rows;
      const found = ['plaintiff_name', 'contact_email', 'contact_phone', 'contact_address'].map((name) => row![name]);
      assert.deepEqual(found, person, header);
    }
  });

  it('of names in several columns are rejects, too, where a row is cut short: what reports close with has one cell', () => {
    const { codes, rows } = staged(
      'plaintiffs',
      'Account Name,First Name,Last Name,Email,Phone,Mobile\nAcme,Ann,Lee,a@b.example,,\nAcme,Ann\nCopyright (c) 2000-2026 salesforce.com\nExample Org\n,Ann,Lee,,,,x',
    );
    assert.deepEqual([codes, rows.length], [{ RAGGED_ROW: 3, FOOTER_ROW: 1 }, 5]);
  });

  it('name the organization of a contact that is no person, in files of address books alone', () => {
    for (const header of [
      'First Name,Last Name,Organization Name,E-mail 1 - Value', // Google
      'First Name,Last Name,Company,E-mail Address', // Outlook
      'First Name,Last Name,Account Name,Email', // Salesforce
      'First Name,Last Name,Associated Company,Email', // HubSpot
    ]) {
      const { rows, codes, remarks } = staged(
        'plaintiffs',
        `${header}\n,,Acme LLC,a@b.example\nAnn,Lee,Lee & Co,\n ,,,c@d.example\n,,Bolt Inc,`,
      );
      assert.deepEqual(
        rows.map((row) => [row['plaintiff_name'], row['firm_name']]),
        [
          ['Acme LLC', 'Acme LLC'],
          ['Ann Lee', 'Lee & Co'],
          [null, null],
          ['Bolt Inc', 'Bolt Inc'],
        ],
      );
      assert.deepEqual([codes, remarks], [{ MISSING_VALUE: 1 }, { FIRM_AS_NAME: { count: 2, line: 2 } }]);
    }
    // A plaintiff's firm is its lawyer's: it is no name.
    for (const header of ['name,firm_name', 'name,company'])
      assert.deepEqual(staged('plaintiffs', `${header}\n,Acme LLC`).codes, { MISSING_VALUE: 1 }, header);
  });

  it('that are no values are told with their cause', () => {
    const cells = ['25/12/2023', '45292', '1/2/24', '########', '1/0/1900'];
    const file = 'case_number,party_name,judgment_amount,judgment_date,party_phone\n';
    const dates = staged('jbi', file + cells.map((cell, i) => `C-${i},A,1,${cell},`).join('\n'));
    const other = staged('jbi', `${file}C-1,A,1.234,,\nC-2,A,"1,23",,\nC-3,A,1,,"=""555"\nC-4,A,1,,N/A`);
    const causes = [...dates.rows, ...other.rows].map((row) => String(row['error_message']));
    for (const [i, cause] of [
      /--date-order dmy would fit/,
      /number of a day/,
      /two digits/,
      /column was too narrow/,
      /nought/,
      /thousands or a fraction/,
      /comma/,
      /quote or a formula/,
      /--null-words/,
    ].entries())
      assert.match(causes[i]!, cause);
  });
});
