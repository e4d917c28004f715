import { strict as assert } from 'node:assert';
import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { parseChunk as readChunk } from '../../../src/sources/csv/parse.ts';

const parseChunk = (...args: Parameters<typeof readChunk>) => [...readChunk(...args)];
import type { ParseChunkOptions } from '../../../src/sources/csv/parse.ts';
import { dirtyText } from './dirtyText.ts';

const OPTIONS: ParseChunkOptions = {
  encoding: 'utf-8',
  delimiter: ',',
  newline: 'lf',
  columns: 2,
  line: 2,
  firstRow: 0,
};

function rows(content: string | Buffer, options: Partial<ParseChunkOptions> = {}): unknown[] {
  const records = parseChunk(Buffer.from(content as Buffer), { ...OPTIONS, ...options });
  return records.map(({ line, cells, error }) => (error === undefined ? [line, ...cells!] : [line, error]));
}

describe('parseChunk', () => {
  it('reads unquoted, quoted and empty cells with line numbers of the file', () => {
    assert.deepEqual(rows('a,b\r\n\n"x, ""y""\nz",\n,'), [
      [2, 'a', 'b'],
      [4, 'x, "y"\nz', ''],
      [6, '', ''],
    ]);
    assert.deepEqual(rows(''), []);
  });

  it('continues the row index of the chunks before it', () => {
    const records = parseChunk(Buffer.from('1,2\n"3,4\n5,6\n'), { ...OPTIONS, firstRow: 7 });
    assert.deepEqual(
      records.map(({ rowIndex, line, error }) => [rowIndex, line, error]),
      [
        [7, 2, undefined],
        [8, 3, 'UNBALANCED_QUOTE'],
        [9, 4, undefined],
      ],
    );
  });

  it('names rows with too few and too many cells and keeps the cells they have', () => {
    assert.deepEqual(rows('1\n1,2,3\n1,2\n'), [
      [2, 'RAGGED_ROW'],
      [3, 'RAGGED_ROW'],
      [4, '1', '2'],
    ]);
    assert.deepEqual(parseChunk(Buffer.from('1,"2",3'), OPTIONS)[0]!.cells, ['1', '2', '3']);
  });

  it('rejects only the rows with invalid bytes or a NUL', () => {
    const bytes = Buffer.from('é,1\nX,2\nY,3\n"é",4\n');
    bytes[bytes.indexOf('X')] = 0xe9;
    bytes[bytes.indexOf('Y')] = 0;
    assert.deepEqual(rows(bytes), [
      [2, 'é', '1'],
      [3, 'INVALID_ENCODING'],
      [4, 'NUL_BYTE'],
      [5, 'é', '4'],
    ]);
  });

  it('rejects a cell over 1 MB and reads one of exactly that size', () => {
    const cell = 'x'.repeat(1_000_000);
    assert.deepEqual(rows(`${cell}x,1\n"${cell}",1\n"${cell}x",1\na,b\n`), [
      [2, 'FIELD_TOO_LARGE'],
      [3, cell, '1'],
      [4, 'FIELD_TOO_LARGE'],
      [5, 'a', 'b'],
    ]);
  });

  it('rejects a record of more cells than a spreadsheet has columns', () => {
    const [plain, quoted, good] = parseChunk(
      Buffer.from(`${','.repeat(3_000_000)}\n${'"",'.repeat(20_000)}\n1,2\n`),
      OPTIONS,
    );
    assert.deepEqual(
      [plain, quoted].map((r) => [r!.error, r!.cells]),
      [
        ['RECORD_TOO_LARGE', undefined],
        ['RECORD_TOO_LARGE', undefined],
      ],
    );
    assert.deepEqual(good!.cells, ['1', '2']);
  });

  it('rejects a row with a line end of another kind outside quotes, never joins two rows into one', () => {
    assert.deepEqual(rows('Ann,1\rBob\n"a\rb",2\nCy,3\r\r\n', { newline: 'lf' }), [
      [2, 'MIXED_LINE_ENDS'],
      [3, 'a\rb', '2'],
      [4, 'Cy', '3\r'],
    ]);
    assert.deepEqual(rows('Ann,1\nBob\r"a\nb",2\r\n', { newline: 'cr' }), [
      [2, 'MIXED_LINE_ENDS'],
      [3, 'a\nb', '2'],
    ]);
    assert.deepEqual(rows('Ann\nBob\rCy\r', { newline: 'cr', columns: 1 }), [
      [2, 'MIXED_LINE_ENDS'],
      [3, 'Cy'],
    ]);
  });

  it('reads Windows-1252 and both orders of UTF-16, and rejects a lone surrogate there', () => {
    assert.deepEqual(rows(Buffer.from([0x80, 0x2c, 0x22, 0x92, 0x22]), { encoding: 'windows-1252' }), [[2, '€', '’']]);
    const text = 'é,"😀\n"\n\ud800,1\nŊ\u0a0a\u222c,\u2200\n\0,1\n';
    const expected = [
      [2, 'é', '😀\n'],
      [4, 'INVALID_ENCODING'],
      [5, 'Ŋ\u0a0a\u222c', '\u2200'],
      [6, 'NUL_BYTE'],
    ];
    assert.deepEqual(rows(Buffer.from(text, 'utf16le'), { encoding: 'utf-16le' }), expected);
    assert.deepEqual(rows(Buffer.from(text, 'utf16le').swap16(), { encoding: 'utf-16be' }), expected);
    assert.deepEqual(rows(Buffer.from([0x61, 0, 0x2c, 0, 0x62]), { encoding: 'utf-16le' }), [[2, 'INVALID_ENCODING']]);
  });

  it('reads semicolons, tabs, pipes and lone carriage returns', () => {
    for (const delimiter of [';', '\t', '|'] as const)
      assert.deepEqual(rows(`a${delimiter}"b,"`, { delimiter }), [[2, 'a', 'b,']]);
    assert.deepEqual(rows('a,"\r"\r1,2', { newline: 'cr' }), [
      [2, 'a', '\r'],
      [4, '1', '2'],
    ]);
  });

  it('gives every record in its original bytes without the line end', () => {
    const records = parseChunk(Buffer.from('"a",1\r\n"b\nc,2\n'), OPTIONS);
    assert.deepEqual(
      records.map((record) => record.bytes().toString()),
      ['"a",1', '"b', 'c,2'],
    );
  });

  it('reads every good record as csv-parse does', () => {
    fc.assert(
      fc.property(dirtyText, (text) => {
        const records = parseChunk(Buffer.from(text), OPTIONS).filter(({ cells }) => cells !== undefined);
        const settings = { record_delimiter: ['\r\n', '\n'], relax_column_count: true };
        for (const record of records) {
          const text = record.bytes().toString();
          // Blanks before a quote are the one thing beyond RFC 4180.
          const trimmed = { ...settings, ltrim: true };
          if (/(?:^|,) +"/.test(text)) assert.equal(record.cells!.length, parseCsv(text, trimmed)[0]!.length);
          else assert.deepEqual([record.cells], parseCsv(text, settings));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
