import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { licencesOf } from '../../../src/sources/search/licences.ts';
import { readSearchFile, searchKey, sourceImageOf, type SearchFile } from '../../../src/sources/search/searchFile.ts';
import { parseSearchTime } from '../../../src/sources/search/searchTime.ts';
import { bytesOf, licence, search } from './search.ts';

function fileOf(document: unknown): SearchFile {
  const read = readSearchFile(bytesOf(document));
  assert.ok(read.ok, read.ok ? '' : read.message);
  return read.file;
}
const messageOf = (document: unknown): string => {
  const read = readSearchFile(bytesOf(document));
  return read.ok ? [...read.file.faults.values()].join('; ') : `${read.code}: ${read.message}`;
};

describe('readSearchFile', () => {
  it('keeps fields it does not know', () => {
    const document = search([licence({ dea: { number: 1 } })], { run: 7 }, { extra: [1] });
    assert.deepEqual(fileOf(document).document, document);
  });

  it('takes what real files leave out or set to null', () => {
    const bare = { pharmacy_name: 'Birch', search_timestamp: '2025-08-03', state: 'FL' };
    const empty = { license_number: null, address: null, contact: null, additional_info: null, issue_date: null };
    for (const licenses of [undefined, null, [], [{}], [empty]])
      assert.equal(messageOf({ metadata: bare, search_result: { licenses } }), '');
  });

  it('names the place and the rule of what does not match, and no value', () => {
    assert.equal(messageOf(['secret']), 'SCHEMA_MISMATCH: the file must be object');
    assert.equal(messageOf({}), "SCHEMA_MISMATCH: the file must have required property 'metadata'");
    assert.equal(
      messageOf(search([], { state: undefined })),
      "SCHEMA_MISMATCH: /metadata must have required property 'state'",
    );
    assert.equal(
      messageOf(search([], { pharmacy_name: { secret: 1 } })),
      'SCHEMA_MISMATCH: /metadata/pharmacy_name must be string',
    );
    assert.equal(messageOf(search('secret')), 'SCHEMA_MISMATCH: /search_result/licenses must be array,null');
    assert.equal(
      messageOf(search([licence({ address: { zip_code: true } })])),
      '/search_result/licenses/0/address/zip_code must be string,null',
    );
  });

  it('faults only the licences that do not match, but the file for its own faults', () => {
    const licenses = [licence(), licence({ license_number: [5] }), null, licence({ license_number: 'x'.repeat(201) })];
    assert.deepEqual(
      [...fileOf(search(licenses)).faults],
      [
        [1, '/search_result/licenses/1/license_number must be string,null'],
        [2, '/search_result/licenses/2 must be object'],
        [3, '/search_result/licenses/3/license_number must NOT have more than 200 characters'],
      ],
    );
    const document = search(licenses);
    assert.equal(
      messageOf({
        search_result: { ...(document.search_result as object), result_status: 1 },
        metadata: document.metadata,
      }),
      'SCHEMA_MISMATCH: /search_result/result_status must be string,null',
    );
  });

  it('takes numbers where a text is wanted as they are written, and keeps the licence as it came', () => {
    const text = JSON.stringify(
      search([licence({ license_number: 'N', address: { zip_code: 'Z' } })], { pharmacy_name: 'P' }),
    )
      .replace('"N"', '12345678901234567890')
      .replace('"Z"', '33601.10')
      .replace('"P"', '711');
    const read = readSearchFile(Buffer.from(text));
    assert.ok(read.ok);
    const [row] = licencesOf(read.file);
    assert.deepEqual(
      [row!.error, row!.values[1], row!.values[4], row!.values[12]],
      [undefined, '711', '12345678901234567890', '33601.10'],
    );
    assert.match(row!.raw, /"license_number":12345678901234567890\b.*"zip_code":33601\.10\b/);
  });

  it('reads the published schema, in which every object may have further fields', () => {
    const text = readFileSync(new URL('../../../schemas/search-results.schema.json', import.meta.url), 'utf8');
    assert.match(text, /"\$id": "intake:search-results"/);
    assert.doesNotMatch(text, /additionalProperties|unevaluatedProperties/);
  });

  it('never throws, nor do its licences, for any JSON', () => {
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }),
      fc.constantFrom('N/A', '2025-08-03', 'FL', 'PH1', '\0', '\ud800', {}, []),
    );
    const field = (name: string): fc.Arbitrary<object> =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: odd.map((value) => ({ [name]: value })) },
      );
    const fields = (names: readonly string[]): fc.Arbitrary<object> =>
      fc.tuple(...names.map(field)).map((all) => Object.assign({}, ...all) as object);
    const licences = fc.array(
      fc.oneof(
        {
          weight: 5,
          arbitrary: fields(['license_number', 'address', 'contact', 'issue_date', 'pharmacy_name', '__proto__']).map(
            licence,
          ),
        },
        odd,
      ),
      { maxLength: 3 },
    );
    const document = fc
      .tuple(fc.oneof(licences, odd), fields(['pharmacy_name', 'state', 'search_timestamp', 'source_image_file']))
      .map(([all, metadata]) => search(all, metadata));
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: document }, odd), (value) => {
        const read = readSearchFile(bytesOf(value));
        if (!read.ok) return;
        searchKey(read.file);
        sourceImageOf(read.file);
        for (const { values, raw } of licencesOf(read.file)) {
          for (const text of [...values, raw])
            assert.ok(text === null || (typeof text === 'string' && text.isWellFormed() && !text.includes('\0')));
          JSON.parse(raw);
          JSON.parse(values.at(-1) as string);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('reads every file of the sample but none of the faults that are meant', () => {
    const folder = new URL('../../../samples/search-results/2025-08-04/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('_parse.json'),
    );
    assert.equal(files.length, 30);
    const errors = files.flatMap((path) => {
      const read = readSearchFile(readFileSync(new URL(path, folder)));
      return read.ok ? licencesOf(read.file).flatMap(({ error }) => error ?? []) : read.code;
    });
    assert.deepEqual(errors, ['BAD_DATE']);
  });
});

describe('searchKey', () => {
  const keyOf = (metadata: object): string => searchKey(fileOf(search([], metadata)));
  const key = keyOf({});

  it('is the same for the same name, state and instant, however written', () => {
    assert.equal(
      keyOf({
        pharmacy_name: ' Birch ',
        state: 'fl',
        search_timestamp: '2025-08-03 16:03:10.193602+02:00',
        scraper: 2,
      }),
      key,
    );
  });

  it('differs where any of the three does', () => {
    for (const other of [
      { pharmacy_name: 'Birch 2' },
      { state: 'PA' },
      { search_timestamp: '2025-08-03T14:03:10.193603' },
    ])
      assert.notEqual(keyOf(other), key);
  });
});

describe('parseSearchTime', () => {
  it('gives the instant in UTC to the microsecond, and takes a time without zone for UTC', () => {
    const cases = {
      '2025-08-03T14:03:10.193602': '2025-08-03T14:03:10.193602Z',
      '2025-08-03T14:03:10Z': '2025-08-03T14:03:10.000000Z',
      '20250803T140310Z': '2025-08-03T14:03:10.000000Z',
      '20250803T140310.5-0100': '2025-08-03T15:03:10.500000Z',
      '20250803': '2025-08-03T00:00:00.000000Z',
      '2025-08-03 14:03': '2025-08-03T14:03:00.000000Z',
      '2025-08-03': '2025-08-03T00:00:00.000000Z',
      '2025-12-31T23:30:00.5-01:00': '2026-01-01T00:30:00.500000Z',
      '2025-08-03T14:03:10.1234567899+0530': undefined,
      '2025-08-03T14:03:10.123456789+0530': '2025-08-03T08:33:10.123456Z',
      ' 2025-08-03T14:03:10,5 utc ': '2025-08-03T14:03:10.500000Z',
    };
    for (const [written, instant] of Object.entries(cases))
      assert.equal((parseSearchTime(written) as { value?: string }).value, instant, written);
  });

  it('refuses what is no time', () => {
    for (const written of [
      'yesterday',
      '2025-02-30T00:00:00',
      '2025-08-03T24:00:00',
      '2025-08-03T14:60',
      '08/03/2025',
      '2025-08-03T14:03:10+25:00',
      '1234567890',
      'N/A',
    ]) {
      assert.deepEqual(parseSearchTime(written), { error: 'BAD_DATE' }, written);
    }
    assert.deepEqual(parseSearchTime(' '), { value: null });
  });

  it('agrees with Date for every instant', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1801-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }),
        (date) => {
          assert.equal(
            (parseSearchTime(date.toISOString()) as { value: string }).value,
            date.toISOString().replace('Z', '000Z'),
          );
        },
      ),
    );
  });
});
