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

  it('says where a text stops being JSON, and none of what stands there', () => {
    assert.equal(errorOf('{"secret":1 "secret":2}'), 'it is not valid JSON (line 1 column 13)');
    assert.equal(errorOf('{"a":\n  secret}'), 'it is not valid JSON');
    assert.equal(errorOf('{"a":[1,2'), 'it is not valid JSON (line 1 column 10)');
    assert.equal(errorOf('{"a":'), 'it ends too early');
    assert.equal(errorOf(''), 'the file is empty');
    assert.equal(errorOf(Buffer.from('"\xe9"', 'latin1')), 'the file is not UTF-8');
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
