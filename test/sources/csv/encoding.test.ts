import { strict as assert } from 'node:assert';
import { decode, detectEncoding, isValid } from '../../../src/sources/csv/encoding.ts';

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const detected = (head: Buffer | string, given?: string): unknown[] =>
  Object.values(detectEncoding(Buffer.from(head as Buffer), given));

const C1 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
const to1252 = (sign: string): number =>
  sign === ' ' || !C1.includes(sign) ? sign.charCodeAt(0) : 0x80 + C1.indexOf(sign);

describe('detectEncoding', () => {
  it('trusts a byte order mark', () => {
    assert.deepEqual(detected('\ufeffa'), ['utf-8', 3, true]);
    assert.deepEqual(detected(utf16('\ufeffa')), ['utf-16le', 2, true]);
    assert.deepEqual(detected(utf16('\ufeffa').swap16()), ['utf-16be', 2, true]);
  });

  it('sees UTF-16 without a mark by its zero bytes', () => {
    assert.deepEqual(detected(utf16('name,email\n')), ['utf-16le', 0, true]);
    assert.deepEqual(detected(utf16('name,email\n').swap16()), ['utf-16be', 0, true]);
  });

  it('is uncertain about ASCII and an empty head', () => {
    assert.deepEqual(detected('a,b\n'), ['utf-8', 0, false]);
    assert.deepEqual(detected(''), ['utf-8', 0, false]);
  });

  it('tells UTF-8 from Windows-1252, also where the head ends within a character', () => {
    assert.deepEqual(detected('é€😀'), ['utf-8', 0, true]);
    assert.deepEqual(detected(Buffer.from('éé€').subarray(0, -1)), ['utf-8', 0, true]);
    assert.deepEqual(detected(Buffer.from('caf\xe9,\x93x\x94', 'latin1')), ['windows-1252', 0, true]);
    assert.deepEqual(detected(Buffer.concat([Buffer.from('éü\n'), Buffer.from([0xff])])), ['utf-8', 0, true]);
  });

  it('names the code page of names of every script, and looks at the lines that have them, wherever they are in the file', () => {
    const pages: [string, RegExp][] = [
      ['88a2a0ad208fa5e2e0aea22c8eabeca3a0', /look like (?:a code page of )?ibm866/],
      ['b8d2d0dd20bfd5e2e0ded22cbedbecd3d0', /look like (?:a code page of )?iso-8859-5/],
      ['4a69f8ed2044766ff8e16b2ca3756b61737a20aff3b3e6', /look like (?:a code page of )?windows-1250/],
      ['50617765b3205769b66e696577736b692ca3756b61737a20aff3b3e6', /look like (?:a code page of )?iso-8859-2/],
      ['eef9e420ebe4ef2ce3e5e320ece5e9', /look like (?:a code page of )?windows-1255/],
      ['cac1aad2c220e3a8b4d52cc1d2c5d5', /look like (?:a code page of )?windows-874/],
      ['a4fda470a9fa2ca578a55f', /look like (?:a code page of )?big5/],
      ['cdf5d0a1c3f72cb1b1bea9bfc6bcbcd3d0cfdeb9abcbbe2cb3c2beb2', /look like (?:a code page of )?gb18030/],
      ['c1d6bdc4c8b8bbe720c7d1b1b92cc0ccbfb5c8f12cb9dab9cebcf6', /look like (?:a code page of )?euc-kr/],
      ['c5c4c3e6c2c0cfba2cb9e2b6b6a4e6a4ea', /look like (?:a code page of )?euc-jp/],
      ['4a6f7382204ea3a4657a2c4672616e876f6973204d816c6c6572', /look like (?:a code page of )?MS-DOS/],
    ];
    const plain = Buffer.from('name,city\n' + 'Ann Lee,Boston\n'.repeat(40_000));
    for (const [hex, message] of pages)
      for (const head of [Buffer.from('name,city\n'), plain])
        assert.throws(() => detectEncoding(Buffer.concat([head, Buffer.from(`${hex}0a`, 'hex')])), {
          code: 'ENCODING_UNCLEAR',
          message,
        });
    const latin = Buffer.concat([plain, Buffer.from('Jos\xe9 N\xfa\xf1ez,Montr\xe9al\n', 'latin1')]);
    assert.equal(detectEncoding(latin).encoding, 'windows-1252');
  });

  it('knows UTF-16 without a mark by its line ends where few of its characters are ASCII, and stray zeros as such', () => {
    const text = '名前,name\n' + '田中太郎,鈴木花子株式会社\n'.repeat(20);
    const le = Buffer.from(text, 'utf16le');
    assert.deepEqual(detected(le), ['utf-16le', 0, true]);
    assert.deepEqual(detected(Buffer.from(le).swap16()), ['utf-16be', 0, true]);
    assert.equal(detected(Buffer.from('a,b\nx\0y,z\n'.repeat(20)))[0], 'utf-8');
  });

  it('takes bytes for Windows-1252 only where they make Latin words, and names what else they look like', () => {
    const bytes = (...parts: (string | number[])[]) =>
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
    const header = 'name,city\n';
    for (const text of [
      'Müller,Köln',
      'José Muñoz,“quoted” – 5€',
      'O’Brien,Århus',
      'ÉCOLE SUPÉRIEURE,ÎLE',
      '¿Qué?,20 °C',
      'Œuvre,naïve façade…',
      'François,«mot»',
      'Ž,Šimić',
    ]) {
      const coded = Buffer.from([...text].map((sign) => to1252(sign)));
      assert.equal(detectEncoding(bytes(header, [...coded])).encoding, 'windows-1252', text);
    }
    const foreign: [number[], RegExp][] = [
      [[0x4a, 0x6f, 0x73, 0x8e, 0x2c, 0x4d, 0x9f, 0x6c, 0x6c, 0x65, 0x72], /look like macintosh/],
      [[0xc8, 0xe2, 0xe0, 0xed, 0x2c, 0xcc, 0xee, 0xf1, 0xea, 0xe2, 0xe0], /windows-1251/],
      [[0xe9, 0xd7, 0xc1, 0xce, 0x2c, 0xed, 0xcf, 0xd3, 0xcb, 0xd7, 0xc1], /koi8-r/],
      [[0x93, 0x63, 0x92, 0x86, 0x2c, 0x93, 0x8c, 0x8b, 0x9e, 0x83, 0x5e, 0x83, 0x8f, 0x81, 0x5b], /shift_jis/],
      [[0x83, 0x65, 0x83, 0x58, 0x83, 0x67, 0x2c, 0x83, 0x5e, 0x83, 0x8d, 0x83, 0x45], /shift_jis/],
      [[...'\u001b$B$,\u001b(B,'].map((sign) => sign.charCodeAt(0)), /iso-2022-jp/],
      [[0xd5, 0xc5, 0xce, 0xb0, 0x2c, 0xb1, 0xb1, 0xbe, 0xa9], /gb18030/],
      [[0xb1, 0xe8, 0xc3, 0xb6, 0xbc, 0xf6, 0x2c, 0xbc, 0xad, 0xbf, 0xef], /euc-kr|gb18030/],
    ];
    for (const [line, message] of foreign)
      assert.throws(() => detectEncoding(bytes(header, line, '\n')), { code: 'ENCODING_UNCLEAR', message });
    assert.throws(() => detectEncoding(Buffer.from([...header].flatMap((c) => [c.charCodeAt(0), 0, 0, 0]))), {
      code: 'UNKNOWN_ENCODING',
      message: /UTF-32/,
    });
  });

  it("follows the operator's word in many spellings and refuses others", () => {
    for (const given of ['utf8', 'UTF-8', 'utf_8']) assert.deepEqual(detected('\xff', given), ['utf-8', 0, true]);
    for (const given of ['latin1', 'ISO-8859-1', 'cp1252', 'Windows-1252'])
      assert.deepEqual(detected('é', given), ['windows-1252', 0, true]);
    assert.deepEqual(detected(utf16('\ufeffa').swap16(), 'UTF-16'), ['utf-16be', 2, true]);
    assert.deepEqual(detected(utf16('a'), 'UTF-16LE'), ['utf-16le', 0, true]);
    for (const given of ['Shift_JIS', 'sjis']) assert.deepEqual(detected('a', given), ['shift_jis', 0, true]);
    assert.equal(decode(Buffer.from([0x93, 0x63, 0x2c]), 'shift_jis'), '田,');
    for (const given of ['iso-2022-jp', 'utf-32', 'klingon', 'constructor'])
      assert.throws(() => detected('a', given), { code: 'UNKNOWN_ENCODING' });
  });
});

describe('decode and isValid', () => {
  it('decode every encoding', () => {
    assert.equal(decode(Buffer.from('é'), 'utf-8'), 'é');
    assert.equal(decode(utf16('é'), 'utf-16le'), 'é');
    assert.equal(decode(utf16('é').swap16(), 'utf-16be'), 'é');
    assert.equal(decode(Buffer.from([0x80, 0xe9, 0x92]), 'windows-1252'), '€é’');
  });

  it('find overlong forms, surrogates and halves of characters invalid', () => {
    for (const bytes of [
      [0xc0, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xe2, 0x82],
    ])
      assert.equal(isValid(Buffer.from(bytes), 'utf-8'), false);
    assert.equal(isValid(utf16('\udc00'), 'utf-16le'), false);
    assert.equal(isValid(Buffer.from([0x61]), 'utf-16le'), false);
    for (const byte of [0x81, 0x8d, 0x8f, 0x90, 0x9d])
      assert.equal(isValid(Buffer.from([0x61, byte]), 'windows-1252'), false);
    assert.equal(isValid(Buffer.from([0x80, 0xe9]), 'windows-1252'), true);
    assert.equal(isValid(Buffer.from([0x83, 0x8f]), 'shift_jis'), true);
    assert.equal(isValid(Buffer.from([0x83, 0x0a]), 'shift_jis'), false);
  });

  it('takes a file with one letter of UTF-8 and a few broken bytes for UTF-8, so that they are rejected and not read as garbage', () => {
    const head = Buffer.concat([Buffer.from('name\nJos\u00e9\nA'), Buffer.from([0xff, 0xfe, 0x0a])]);
    assert.equal(detectEncoding(head).encoding, 'utf-8');
    assert.equal(detectEncoding(Buffer.from('name\nJos\u00e9 Mu\u00f1oz\n', 'latin1')).encoding, 'windows-1252');
  });
});
