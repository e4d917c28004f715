import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { LICENCE_COLUMNS, licencesOf, rowsOf, type LicenceRow } from '../../../src/sources/search/licences.ts';
import { textCleaner, type Cleaning } from '../../../src/sources/cleanText.ts';
import { readSearchFile } from '../../../src/sources/search/searchFile.ts';
import { bytesOf, licence, search } from './search.ts';

function rows(document: unknown): LicenceRow[] {
  const read = readSearchFile(bytesOf(document));
  assert.ok(read.ok);
  const found = licencesOf(read.file);
  assert.equal(rowsOf(read.file), found.length);
  return found;
}
const columns = ({ values }: LicenceRow): Record<string, string | null> =>
  Object.fromEntries(LICENCE_COLUMNS.map((name, i) => [name, values[i] ?? null]));
const faults = (document: unknown): (string | undefined)[] =>
  rows(document).map(({ error, message }) => error && `${error} ${message}`);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('licencesOf', () => {
  it('gives a licence cleaned and typed, with all that the file says beside it', () => {
    const [row] = rows(search([licence()], { scraper: '1.0' }, { errors: [], debug_info: { parser: 'FL' } }));
    const { meta, ...values } = columns(row as LicenceRow);
    assert.deepEqual(values, {
      result_key: sha256('FL|PH100'),
      search_name: 'Birch',
      search_state: 'FL',
      search_ts: '2025-08-03T14:03:10.193602Z',
      license_number: 'PH100',
      license_status: 'Clear/',
      license_name: 'BIRCH PHARMACY',
      license_type: 'Pharmacy',
      address: '1 Main St',
      suite: null,
      city: 'Tampa',
      state: 'Florida',
      zip: '33601',
      issue_date: '2020-01-15',
      expiration_date: '2027-02-28',
      result_status: 'found',
    });
    assert.deepEqual(JSON.parse(meta ?? ''), {
      pharmacy_name: 'Birch',
      search_timestamp: '2025-08-03T14:03:10.193602',
      state: 'FL',
      source_image_file: '/data/FL/Birch_01.png',
      search_result_type: 'pharmacy_data',
      scraper: '1.0',
      _file: {
        errors: [],
        debug_info: { parser: 'FL' },
        search_result: { result_status: 'found', search_query: 'Birch' },
      },
      contact: { phone: '(813) 555-0100', email: null },
      additional_info: { specialties: ['Sterile'] },
    });
    assert.equal(row?.key, values.result_key);
    assert.deepEqual(JSON.parse(row?.raw ?? ''), licence());
  });

  it('takes the words for no date as null, and any other that is none as a reject of that licence alone', () => {
    const words = ['Not On File', 'Not Available', 'N/A', '---', 'Unknown', '', null, 'not on file '];
    for (const word of words)
      assert.equal(columns(rows(search([licence({ expiration_date: word })]))[0] as LicenceRow).expiration_date, null);
    const rule = 'must be a date: YYYY-MM-DD, month/day/year, or with the name of the month';
    assert.deepEqual(
      faults(search([licence({ issue_date: '13/45/2020' }), licence(), licence({ expiration_date: 'soon' })])),
      [
        `BAD_DATE /search_result/licenses/0/issue_date ${rule}`,
        undefined,
        `BAD_DATE /search_result/licenses/2/expiration_date ${rule}`,
      ],
    );
  });

  it('makes one row of a search in which nothing has a number', () => {
    const key = sha256('FL|Birch|2025-08-03T14:03:10.193602Z');
    for (const licenses of [
      [],
      null,
      [licence({ license_number: null })],
      [licence({ license_number: 'N/A' }), licence({ license_number: ' ' })],
    ]) {
      const found = rows(search(licenses));
      assert.deepEqual(
        found.map((row) => [row.key, row.line, columns(row).license_number, columns(row).license_name, row.error]),
        [[key, 1, null, null, undefined]],
      );
    }
  });

  it('keeps, of such a search, what came in place of licences', () => {
    const numberless = licence({ license_number: null });
    assert.deepEqual(JSON.parse(rows(search([numberless]))[0]?.raw ?? ''), numberless);
    assert.deepEqual(JSON.parse(rows(search([numberless, numberless]))[0]?.raw ?? ''), {
      licenses: [numberless, numberless],
    });
  });

  it('rejects a licence without number beside others, and one that does not match the schema, but not their siblings', () => {
    assert.deepEqual(
      faults(search([licence(), licence({ license_number: '---' }), 'secret', licence({ address: 5 })])),
      [
        undefined,
        'MISSING_VALUE /search_result/licenses/1/license_number must not be empty beside licences that have one',
        'SCHEMA_MISMATCH /search_result/licenses/2 must be object',
        'SCHEMA_MISMATCH /search_result/licenses/3/address must be object,null',
      ],
    );
    assert.equal(rows(search([licence(), 'kept']))[1]?.raw, '"kept"');
  });

  it("makes every row a reject for the file's own faults", () => {
    const both = (metadata: object): unknown[] => [
      ...new Set(faults(search([licence(), licence({ license_number: 5 })], metadata))),
    ];
    assert.deepEqual(both({ state: 'Florida' }), ['BAD_STATE /metadata/state must be two letters']);
    assert.deepEqual(both({ state: '' }), ['MISSING_VALUE /metadata/state must be two letters']);
    assert.deepEqual(both({ search_timestamp: 'noon' }), [
      'BAD_DATE /metadata/search_timestamp must be an ISO 8601 time',
    ]);
    assert.deepEqual(both({ pharmacy_name: ' ' }), ['MISSING_VALUE /metadata/pharmacy_name must not be empty']);
    assert.deepEqual(both({ pharmacy_name: 'a\0' }), [
      'NUL_BYTE /metadata/pharmacy_name has characters that PostgreSQL cannot store',
    ]);
  });

  it('rejects what PostgreSQL cannot store in a column, and keeps it readable in raw', () => {
    const [nul, half] = rows(search([licence({ license_type: 'a\0b' }), licence({ address: { city: 'T\ud800' } })]));
    assert.deepEqual([nul?.error, columns(nul as LicenceRow).license_type], ['NUL_BYTE', null]);
    assert.deepEqual(
      [half?.error, half?.message],
      ['INVALID_ENCODING', '/search_result/licenses/1/address/city has characters that PostgreSQL cannot store'],
    );
    assert.equal((JSON.parse(nul?.raw ?? '') as { license_type: string }).license_type, 'a\ufffdb');
  });

  it('reads words for nothing as empty, texts without their wrapper, and no licence by a number that a spreadsheet made', () => {
    const words = [
      licence({ license_number: '#N/A', license_status: 'NULL', address: { city: '(null)', street: '&amp; Co' } }),
      licence({ license_number: '="00124"', issue_date: '\\N', expiration_date: 'undefined', pharmacy_name: 'nan' }),
      licence({ license_number: '1.23E+09' }),
      licence({ license_number: '4-Mar' }),
    ];
    const [missing, wrapped, power, day] = rows(search(words, {}, {}));
    assert.equal(missing?.error, 'MISSING_VALUE');
    const { license_number, issue_date, expiration_date, license_name } = columns(wrapped as LicenceRow);
    assert.deepEqual([license_number, issue_date, expiration_date, license_name], ['00124', null, null, null]);
    assert.deepEqual(JSON.parse(wrapped?.raw ?? ''), words[1]);
    for (const row of [power, day]) assert.equal(row?.error, 'SPREADSHEET_VALUE');
    assert.match(power?.message ?? '', /license_number .*export the column as text/);
    assert.equal(rows(search([licence({ license_number: 'NULL' })])).length, 1); // without results
    assert.equal(rows(search([], { pharmacy_name: 'NULL' }))[0]?.error, 'MISSING_VALUE');
  });

  it('takes the words for nothing and the decoding of HTML as given, and says what it met', () => {
    const met: Record<string, number> = {};
    const read = (cleaning: Cleaning) => {
      const clean = textCleaner(cleaning, (code, { count }) => (met[code] = (met[code] ?? 0) + count));
      const file = readSearchFile(
        bytesOf(search([licence({ license_status: 'NULL', pharmacy_name: 'A &amp; B' })])),
        clean,
      );
      assert.ok(file.ok);
      const { license_status, license_name } = columns(licencesOf(file.file)[0] as LicenceRow);
      return [license_status, license_name];
    };
    assert.deepEqual(read({ nullWords: [], decodeHtml: true }), ['NULL', 'A & B']);
    assert.deepEqual(met, { HTML_ENTITIES: 1 });
    assert.deepEqual(read({}), [null, 'A &amp; B']);
    assert.deepEqual(met, { HTML_ENTITIES: 2, NULL_WORDS: 1 });
  });

  it('does not repeat a large file for each of its licences', () => {
    const log = 'x'.repeat(100_000);
    const found = rows(search([licence(), licence({ license_number: 'PH200' })], {}, { debug_info: { log } }));
    assert.deepEqual(
      found.map(({ values }) => (values.at(-1) ?? '').includes(log)),
      [true, false],
    );
    assert.deepEqual(JSON.parse(found[1]?.values.at(-1) ?? ''), {
      contact: licence().contact,
      additional_info: licence().additional_info,
    });
  });
});
