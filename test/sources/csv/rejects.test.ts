import { strict as assert } from 'node:assert';
import { encode } from '../../../src/sources/csv/controls.ts';
import { rejectsHeader, rejectsLine } from '../../../src/sources/csv/rejects.ts';

const CSV = { encoding: 'utf-8', delimiter: ',', newline: 'lf', header: ['name', 'email'] } as const;

describe('a file of rejects', () => {
  it('keeps the header byte for byte and adds the control columns', () => {
    assert.equal(
      rejectsHeader(Buffer.from('\ufeffName, "e mail"\r\n'), CSV).toString(),
      '\ufeffName, "e mail",_line,_code,_error,_run\n',
    );
  });

  it('keeps a record byte for byte, formulas and invalid bytes included', () => {
    const record = Buffer.from([0x3d, 0x31, 0xff, 0x2c, 0x22]);
    const line = rejectsLine({ line: 7, code: 'INVALID_ENCODING', message: 'a, b', record }, CSV, 'run-1');
    assert.deepEqual(line, Buffer.concat([record, Buffer.from(',7,INVALID_ENCODING,"a, b",run-1\n')]));
  });

  it('quotes what holds its own delimiter', () => {
    const line = rejectsLine(
      { line: 1, code: 'C', message: 'a; b', record: Buffer.from('x') },
      { ...CSV, delimiter: ';' },
      '',
    );
    assert.equal(line.toString(), 'x;1;C;"a; b";\n');
  });

  it('takes the old control columns off a header that has them', () => {
    const header = ['name', '_line', '_code', '_error', '_run'];
    assert.equal(
      rejectsHeader(Buffer.from(`${header.join()}\n`), { ...CSV, header }).toString(),
      'name,_line,_code,_error,_run\n',
    );
  });

  it('is UTF-16 where the file was', () => {
    const format = { ...CSV, encoding: 'utf-16le', delimiter: '\t' } as const;
    assert.deepEqual(
      rejectsHeader(encode('\ufeffname\temail\r\n', 'utf-16le').fill(Buffer.from([0xff, 0xfe]), 0, 2), format),
      Buffer.concat([Buffer.from([0xff, 0xfe]), encode('name\temail\t_line\t_code\t_error\t_run\n', 'utf-16le')]),
    );
  });
});
