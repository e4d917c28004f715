import { strict as assert } from 'node:assert';
import { detectDialect } from '../../../src/sources/csv/dialect.ts';

const delimiter = (text: string, given?: string): string => detectDialect(Buffer.from(text), 'utf-8', given).delimiter;
const newline = (text: string): string => detectDialect(Buffer.from(text), 'utf-8').newline;

describe('detectDialect', () => {
  it('finds each delimiter, also in a file of a header only', () => {
    for (const mark of [',', ';', '\t', '|']) {
      assert.equal(delimiter(['a', 'b', 'c'].join(mark)), mark);
      assert.equal(delimiter(`a${mark}b\n1,5;x${mark}2\n3${mark}"4,,;;||\t\t"\n`), mark);
    }
  });

  it('prefers the delimiter that cuts all records alike', () => {
    assert.equal(delimiter('name, first;amount\nDoe, John;1,50\nRoe;2\n"a;b";3\n'), ';');
  });

  it('takes a comma for one column and for nothing', () => {
    assert.equal(delimiter('name\nx;y\n'), ',');
    assert.equal(delimiter(''), ',');
  });

  it("follows the operator's word and refuses others", () => {
    assert.equal(delimiter('a,b', 'tab'), '\t');
    assert.equal(delimiter('a,b', '\\t'), '\t');
    assert.equal(delimiter('a,b', '\t'), '\t');
    assert.equal(delimiter('a,b', ' Semicolon'), ';');
    assert.throws(() => delimiter('a', '#'), { code: 'USAGE' });
  });

  it('takes the line end that most lines have, and no stray quote hides it', () => {
    assert.equal(newline('Size",b\r\n"1\r2",2\r\n'), 'lf');
    assert.equal(newline('a,Width (")\r\n"1",2\r\n"3",4\r\n'), 'lf');
    assert.equal(newline('a,b\r1,2\r3,4\n5,6\r7,8\r'), 'cr');
    assert.equal(newline('a,b\n1,2\n3,4\r5,6\n'), 'lf');
    assert.equal(newline('a,b\r1,2\r'), 'cr');
    assert.equal(newline('a,b\r1,"x\ny"\r'), 'cr');
    assert.equal(newline('a,b\r\n1,2'), 'lf');
    assert.equal(newline('a,b'), 'lf');
  });

  it('reads the head in its encoding', () => {
    assert.equal(detectDialect(Buffer.from('\ufeffa;b\n', 'utf16le'), 'utf-16le').delimiter, ';');
  });
});
