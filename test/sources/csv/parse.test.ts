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
        const settings = { record_delimiter: ['\r\n', '\n'], relax_quotes: true, relax_column_count: true };
        for (const record of records) assert.deepEqual([record.cells], parseCsv(record.bytes(), settings));
      }),
      { numRuns: 2000 },
    );
  });
});
