import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { RecordScanner } from '../../../src/sources/csv/scanner.ts';
import type { ScanLimits } from '../../../src/sources/csv/scanner.ts';
import type { Dialect } from '../../../src/sources/csv/dialect.ts';
import { dirtyText } from './dirtyText.ts';

const COMMA: Dialect = { delimiter: ',', newline: 'lf' };

interface Found {
  text: string;
  start: number;
  after: number;
  line: number;
  error: string | undefined;
}

/** Scans in blocks, as a stream would bring them. */
function scan(text: string, { dialect = COMMA, block = Infinity, line = 1, limits = {} as ScanLimits } = {}): Found[] {
  const bytes = Buffer.from(text);
  const scanner = new RecordScanner(dialect, line, limits);
  const found: Found[] = [];
  let base = 0;
  for (let read = 0, last = false; !last;) {
    base += scanner.keepFrom;
    read = Math.min(bytes.length, read + block);
    last = read === bytes.length;
    scanner.refill(bytes.subarray(base, read), read - base, last);
    while (scanner.next()) {
      const { start, end, after, line, error } = scanner;
      found.push({
        text: bytes.toString('utf8', base + start, base + end),
        start: base + start,
        after: base + after,
        line,
        error,
      });
    }
  }
  return found;
}

const brief = (found: Found[]): unknown[] =>
  found.map(({ text, line, error }) => (error === undefined ? [line, text] : [line, text, error]));

describe('RecordScanner', () => {
  it('finds no record in an empty text or one of blank lines', () => {
    assert.deepEqual(scan(''), []);
    assert.deepEqual(scan('\n\r\n\n'), []);
    assert.deepEqual(scan('\r'), []);
  });

  it('ends records at LF and CRLF, and the last one at the end of the text', () => {
    assert.deepEqual(brief(scan('a,b\r\n1,2\n3,4')), [
      [1, 'a,b'],
      [2, '1,2'],
      [3, '3,4'],
    ]);
    assert.deepEqual(brief(scan('a\n"b"\r')), [
      [1, 'a'],
      [2, '"b"'],
    ]);
  });

  it('ends records at a lone CR where that is the line end', () => {
    const dialect: Dialect = { delimiter: ',', newline: 'cr' };
    assert.deepEqual(brief(scan('a,b\r"1\r2",3\r\r4,5', { dialect })), [
      [1, 'a,b'],
      [2, '"1\r2",3'],
      [5, '4,5'],
    ]);
  });

  it('counts blank lines and quoted newlines as physical lines', () => {
    assert.deepEqual(brief(scan('a\n\n"x\ny",z\n\nb\n')), [
      [1, 'a'],
      [3, '"x\ny",z'],
      [6, 'b'],
    ]);
  });

  it('rejects a quote inside an unquoted cell, and takes two inside a quoted one as an escape', () => {
    assert.deepEqual(brief(scan('5" pipe,a""b\n"say ""hi""",""\n')), [
      [1, '5" pipe,a""b', 'UNBALANCED_QUOTE'],
      [2, '"say ""hi""",""'],
    ]);
    assert.deepEqual(brief(scan('Acme"Smith, Jones LLP",12 Main St\na,b\n')), [
      [1, 'Acme"Smith, Jones LLP",12 Main St', 'UNBALANCED_QUOTE'],
      [2, 'a,b'],
    ]);
  });

  it('reads a quoted cell behind blanks', () => {
    assert.deepEqual(brief(scan(' "a\nb", \t"c"\nd, e\n')), [
      [1, ' "a\nb", \t"c"'],
      [3, 'd, e'],
    ]);
  });

  it('takes a quote inside a header cell as data, there alone', () => {
    assert.deepEqual(brief(scan('\nSize",Width (")\n5",2\n', { limits: { header: true } })), [
      [2, 'Size",Width (")'],
      [3, '5",2', 'UNBALANCED_QUOTE'],
    ]);
  });

  it('accepts no line that may be the text of a cell that the broken line before it leaves open', () => {
    assert.deepEqual(brief(scan('5" pipe,"Main St\nSuite 3, Springfield\nIL",x\nAnn,1\n')), [
      [1, '5" pipe,"Main St\nSuite 3, Springfield\nIL",x', 'UNBALANCED_QUOTE'],
      [4, 'Ann,1'],
    ]);
    assert.deepEqual(brief(scan('"He said "go\naway,now\nthen" left",1\nAnn,1\n')), [
      [1, '"He said "go', 'UNBALANCED_QUOTE'],
      [2, 'away,now'],
      [3, 'then" left",1', 'UNBALANCED_QUOTE'],
      [4, 'Ann,1'],
    ]);
    assert.deepEqual(brief(scan(`"open,1\nAnn,2\n"Bob",3\n"${'x,y\n'.repeat(150)}`)).slice(0, 2), [
      [1, '"open,1\nAnn,2\n"Bob",3', 'UNBALANCED_QUOTE'],
      [4, '"x,y', 'UNBALANCED_QUOTE'],
    ]);
    for (const record of ['"Acme\nSuite 3," 12 Main St"', '"Acme\nSuite 3";Main St"'])
      assert.deepEqual(brief(scan(`${record}\nAnn,1\n`)), [
        [1, record, 'UNBALANCED_QUOTE'],
        [3, 'Ann,1'],
      ]);
  });

  it('takes a record of empty cells as a record, quoted or not', () => {
    assert.deepEqual(brief(scan(',,\n""\n')), [
      [1, ',,'],
      [2, '""'],
    ]);
  });

  it('rejects one physical line when a quote stays open to the end and reads on behind it', () => {
    assert.deepEqual(brief(scan('a\n"open,1\nb\n\nc')), [
      [1, 'a'],
      [2, '"open,1', 'UNBALANCED_QUOTE'],
      [3, 'b'],
      [5, 'c'],
    ]);
    assert.deepEqual(brief(scan('a\n"open')), [
      [1, 'a'],
      [2, '"open', 'UNBALANCED_QUOTE'],
    ]);
  });

  it('rejects one physical line when text follows a closing quote, on the same or a later line', () => {
    assert.deepEqual(brief(scan('"a"b,1\nc\n')), [
      [1, '"a"b,1', 'UNBALANCED_QUOTE'],
      [2, 'c'],
    ]);
    assert.deepEqual(brief(scan('x,"open\r\n"ok",2\nc\n')), [
      [1, 'x,"open', 'UNBALANCED_QUOTE'],
      [2, '"ok",2'],
      [3, 'c'],
    ]);
    assert.deepEqual(brief(scan('"a"\rb\nc')), [
      [1, '"a"\rb', 'UNBALANCED_QUOTE'],
      [2, 'c'],
    ]);
  });

  it('rejects a record with a cell over the limit and allows one exactly at it', () => {
    const limits = { cellBytes: 5 };
    assert.deepEqual(brief(scan('12345,"12345","a""b"\n', { limits })), [[1, '12345,"12345","a""b"']]);
    assert.deepEqual(brief(scan('1,123456\n"12\n456"\n"1\n34567"\nb', { limits })), [
      [1, '1,123456', 'FIELD_TOO_LARGE'],
      [2, '"12\n456"', 'FIELD_TOO_LARGE'],
      [4, '"1\n34567"', 'FIELD_TOO_LARGE'],
      [6, 'b'],
    ]);
  });

  it('gives up an open quote at the cap and reads the lines behind it', () => {
    const limits = { recordBytes: 12 };
    assert.deepEqual(brief(scan('"open\nb\nc\nd\ne\nf\n"\n', { limits })).slice(0, 3), [
      [1, '"open', 'UNBALANCED_QUOTE'],
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  it('reads a text in which every line joins the open quote of the one before in linear time', () => {
    const text = 'z",b,"c\n'.repeat(200_000);
    const found = scan(text, { block: 1 << 20 });
    assert.deepEqual(
      found.map(({ error, after }) => [error, after]),
      [['UNBALANCED_QUOTE', text.length]],
    );
  });

  it('finds the same records whatever the block size', () => {
    fc.assert(
      fc.property(
        dirtyText,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom<ScanLimits>({}, { recordBytes: 9, cellBytes: 4 }),
        (text, block, limits) => {
          assert.deepEqual(scan(text, { block, limits }), scan(text, { limits }));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('finds in a part cut at record boundaries what it found in the whole', () => {
    const limitSets = fc.constantFrom<ScanLimits>({}, { recordBytes: 9, cellBytes: 4 });
    fc.assert(
      fc.property(
        dirtyText,
        fc.nat(),
        fc.nat(),
        limitSets,
        fc.constantFrom('lf', 'cr'),
        (text, a, b, limits, newline) => {
          const dialect: Dialect = { delimiter: ',', newline };
          const whole = scan(text, { limits, dialect });
          if (whole.length === 0) return;
          const [first, last] = [a % whole.length, b % whole.length].sort((x, y) => x - y) as [number, number];
          const { start, line } = whole[first]!;
          const part = Buffer.from(text).subarray(start, whole[last]!.after).toString();
          const shifted = scan(part, { line, limits, dialect }).map((r) => ({
            ...r,
            start: r.start + start,
            after: r.after + start,
          }));
          assert.deepEqual(shifted, whole.slice(first, last + 1));
        },
      ),
      { numRuns: 5000 },
    );
  });
});
