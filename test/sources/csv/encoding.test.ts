import { strict as assert } from 'node:assert';
import { decode, detectEncoding, isValid } from '../../../src/sources/csv/encoding.ts';

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const detected = (head: Buffer | string, given?: string): unknown[] =>
  Object.values(detectEncoding(Buffer.from(head as Buffer), given));

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

  it("follows the operator's word in many spellings and refuses others", () => {
    for (const given of ['utf8', 'UTF-8', 'utf_8']) assert.deepEqual(detected('\xff', given), ['utf-8', 0, true]);
    for (const given of ['latin1', 'ISO-8859-1', 'cp1252', 'Windows-1252'])
      assert.deepEqual(detected('é', given), ['windows-1252', 0, true]);
    assert.deepEqual(detected(utf16('\ufeffa').swap16(), 'UTF-16'), ['utf-16be', 2, true]);
    assert.deepEqual(detected(utf16('a'), 'UTF-16LE'), ['utf-16le', 0, true]);
    for (const given of ['klingon', 'constructor'])
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
    assert.equal(isValid(Buffer.from([0x81]), 'windows-1252'), true);
  });

  it('takes a file with one letter of UTF-8 and a few broken bytes for UTF-8, so that they are rejected and not read as garbage', () => {
    const head = Buffer.concat([Buffer.from('name\nJos\u00e9\nA'), Buffer.from([0xff, 0xfe, 0x0a])]);
    assert.equal(detectEncoding(head).encoding, 'utf-8');
    assert.equal(detectEncoding(Buffer.from('name\nJos\u00e9 Mu\u00f1oz\n', 'latin1')).encoding, 'windows-1252');
  });
});
