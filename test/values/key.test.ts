import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CAPITALS, SMALLS, lowerText } from '../../src/values/case.ts';
import { plaintiffKey } from '../../src/kinds/plaintiffs.ts';
import { normalizeEmail, normalizeName } from '../../src/values/key.ts';
import { keyText } from './arbitraries.ts';

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');

describe('plaintiffKey', () => {
  it('is the SHA-256 of source, normalized name and normalized e-mail', () => {
    const key = sha256('simplicity|john doe|john@example.com');
    assert.equal(plaintiffKey('simplicity', 'John Doe', 'john@example.com'), key);
    assert.equal(plaintiffKey('simplicity', ' JOHN \u00a0\t DOE\u3000', '\u2003JOHN@EXAMPLE.COM '), key);
    assert.equal(plaintiffKey('jbi', 'José', null), sha256('jbi|josé|'));
  });

  it('lowers letters one by one, whatever stands around them', () => {
    assert.equal(normalizeName('ΟΔΟΣ İSTANBUL STRAẞE ÉCOLE ЖУК ß'), 'οδοσ istanbul straße école жук ß');
    assert.equal(normalizeEmail('A  b'), 'a  b');
    assert.equal(normalizeEmail(undefined), '');
  });

  it('gives normalized text no other key', () => {
    fc.assert(
      fc.property(keyText, (text) => {
        assert.equal(normalizeName(normalizeName(text)), normalizeName(text));
      }),
    );
  });
});

describe('the table of letters', () => {
  it('pairs characters one to one, none of them twice or back again', () => {
    assert.equal([...CAPITALS].length, [...SMALLS].length);
    assert.equal(new Set(CAPITALS).size, CAPITALS.length);
    assert.equal(lowerText(SMALLS), SMALLS);
  });

  it('is what lowers every letter, alone and among others', () => {
    const pairs = new Map([...CAPITALS].map((capital, i) => [capital, SMALLS[i]!]));
    for (let code = 0x80; code < 0x3000; code++) {
      const letter = String.fromCharCode(code);
      const small = pairs.get(letter) ?? letter;
      assert.deepEqual([lowerText(letter), lowerText(`É${letter}Z`)], [small, `é${small}z`], code.toString(16));
    }
  });

  it('never changes, since keys are stored', () => {
    assert.equal(sha256(CAPITALS + SMALLS), '3c8c4e68d748a6ef91f6fc92fe347d929750832a82de2b8637e25766bb68056b');
  });
});
