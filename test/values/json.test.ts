import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { parseJson, storableJson } from '../../src/values/json.ts';

const parsed = (text: string): unknown => (parseJson(Buffer.from(text)) as { value?: unknown }).value;
const errorOf = (bytes: string | Buffer): string | undefined => parseJson(Buffer.from(bytes)).error;

describe('parseJson', () => {
  it('equals JSON.parse for what that reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) =>
        assert.equal(JSON.stringify(parsed(text)), JSON.stringify(JSON.parse(text))),
      ),
    );
  });

  it('keeps every digit of a number', () => {
    const number = fc.tuple(
      fc.constantFrom('', '-'),
      fc.bigInt({ min: 1n, max: 10n ** 30n }),
      fc.constantFrom('', '.5', '.10', 'e5', 'E+400', '.25e-9'),
    );
    fc.assert(
      fc.property(
        fc.array(
          number.map((parts) => parts.join('')),
          { minLength: 1, maxLength: 4 },
        ),
        (numbers) => {
          const exact = numbers.filter((text) => text.replace(/\D/g, '').length >= 16 || /e/i.test(text));
          const text = `{"a":[${exact.join(' ,')}],"n":${exact[0] ?? 1}}`;
          assert.equal(JSON.stringify(parsed(text)), text.replaceAll(' ', ''));
        },
      ),
      { examples: [[['-12345678901234567890', '1e400']], [['5e5']], [['0.1234567890123456789']]] },
    );
  });

  it('takes a byte order mark', () => assert.deepEqual(parsed('\ufeff{"a":1}'), { a: 1 }));

  it('says where a text stops being JSON and what is wrong there, and none of what the file says', () => {
    const fault = (text: string) => errorOf(text)?.replace('it is not valid JSON ', '');
    assert.equal(fault('{"secret":1 "secret":2}'), '(line 1 column 13)');
    assert.equal(fault('{"a":\n  secret}'), '(line 2 column 3)');
    assert.equal(fault('{"a":[1,2'), '(line 1 column 10)');
    assert.equal(fault('{"a": 1}\n{"b": 2}'), '(line 2 column 1)');
    assert.equal(fault('{"a": "tab\there"}'), '(line 1 column 7)');
    assert.equal(fault('{"a": 01}'), '(line 1 column 7)');
    for (const [text, place, word] of [
      ['{"a":\n NaN}', 'line 2 column 2', 'null'],
      ['[1, -Infinity]', 'line 1 column 5', 'null'],
      ['{"a": None}', 'line 1 column 7', 'null'],
      ['{"a": True}', 'line 1 column 7', 'small letters'],
      ['```json\n{}\n```', 'line 1 column 1', 'fence'],
      ['{}\n```', 'line 2 column 1', 'fence'],
      ['\n<!DOCTYPE html><html>', 'line 2 column 1', 'HTML'],
      ['<html>', 'line 1 column 1', 'HTML'],
      ['// note\n{}', 'line 1 column 1', 'comments'],
      ['{"a": 1, /* b */ "c": 2}', 'line 1 column 10', 'comments'],
      ["{'a': 1}", 'line 1 column 2', 'double quotes'],
      ['{a: 1}', 'line 1 column 2', 'double quotes'],
      ['{"a": [1, 2,\n]}', 'line 2 column 1', 'comma'],
      ['{"a": 1,}', 'line 1 column 9', 'comma'],
      ['\0\0\0', 'line 1 column 1', 'NUL'],
    ] as const) {
      const said = errorOf(text) ?? '';
      assert.ok(said.startsWith(`it is not valid JSON (${place})`) && said.includes(word), `${text}: ${said}`);
    }
    assert.equal(errorOf('{"a":'), 'it ends too early');
    assert.equal(errorOf(''), 'the file is empty');
    assert.equal(errorOf(Buffer.from('"\xe9"', 'latin1')), 'the file is not UTF-8');
    for (const bytes of [
      Buffer.from('\ufeff{}', 'utf16le'),
      Buffer.from('{}', 'utf16le'),
      Buffer.from('{}', 'utf16le').swap16(),
    ])
      assert.equal(errorOf(bytes), 'the file is UTF-16; save it as UTF-8');
  });

  it('has a place for every fault that the engine finds', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '1',
      '-',
      '0',
      'e5',
      '.',
      'true',
      'nul',
      ' ',
      '\n',
      "'",
      'NaN',
      '"',
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 8 }), (all) => {
        const text = all.join('');
        const error = errorOf(text);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) assert.equal(error, undefined, text);
        else assert.match(error ?? '', /^(?:it ends too early|it is not valid JSON \(line \d+ column \d+\).*)$/, text);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses a file with a number beyond PostgreSQL's range, and takes what is just within", () => {
    const within = [
      '1e131071',
      '-9e131071',
      '1e-16383',
      '0.5e-16382',
      `1${'0'.repeat(131_071)}`,
      `0.${'0'.repeat(16_382)}1`,
      '10e131070',
    ];
    const beyond = [
      '1e131072',
      '-1E+131072',
      '10e131071',
      '1e-16384',
      '0.1e-16383',
      `1${'0'.repeat(131_072)}`,
      `0.${'0'.repeat(16_383)}1`,
      '1e99999999999999999999',
    ];
    for (const number of within) assert.equal(errorOf(`{"a":[${number}]}`), undefined, number.slice(0, 20));
    for (const number of beyond)
      assert.equal(
        errorOf(`{"b": "1e999999",\n"a":[${number}]}`),
        'a number is beyond the range of PostgreSQL (line 2 column 6)',
        number.slice(0, 20),
      );
  });

  it('refuses what is nested too deep for those who descend by recursion, however deep', () => {
    const nested = (depth: number): string => '[{"a":'.repeat(depth / 2) + '"]{\\""' + '}]'.repeat(depth / 2);
    assert.equal(errorOf(nested(100)), undefined);
    assert.equal(errorOf(nested(102)), 'it is nested deeper than 100');
    assert.equal(errorOf('['.repeat(1_000_000)), 'it is nested deeper than 100');
    assert.equal(errorOf(JSON.stringify({ a: `"\\${'[{'.repeat(200)}` })), undefined, 'brackets in a text are text');
  });

  it('never throws for any bytes', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '1',
      'e9',
      'null',
      '\\u0000',
      '\ud83d\ude00',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (all) => void parseJson(Buffer.from(all.join('')))),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => void parseJson(bytes)));
  });
});

describe('storableJson', () => {
  it('writes what jsonb can hold: no NUL, no half of a pair, all else as it is', () => {
    assert.equal(
      storableJson({ a: 'x\0y', '\ud800': '\udc00\u{1f600}', b: '\\u0000 \\ud800' }),
      '{"a":"x\ufffdy","\ufffd":"\ufffd\u{1f600}","b":"\\\\u0000 \\\\ud800"}',
    );
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = storableJson(value);
        assert.ok(!/(?<!\\)(?:\\\\)*\\u0000/.test(text) && text.isWellFormed());
        if (!JSON.stringify(value).includes('\\u')) assert.equal(text, JSON.stringify(value));
      }),
    );
  });
});
