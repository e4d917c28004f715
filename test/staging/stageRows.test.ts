import { strict as assert } from 'node:assert';
import { RowBuffer } from '../../src/staging/rowBuffer.ts';
import { copyCell, payloadWriter } from '../../src/staging/stageFormat.ts';
import stageRows, { COMMON_COLUMNS, partitionOf, type StageJob } from '../../src/staging/stageRows.ts';
import { plaintiffs } from '../../src/kinds/plaintiffs.ts';

const STAGE = '00000000-0000-4000-8000-000000000001';

function job(text: string, more: Partial<StageJob> = {}): StageJob {
  return {
    bytes: Buffer.from(text),
    format: 'json',
    kind: 'plaintiffs',
    sourceSystem: 'csv',
    dateOrder: 'mdy',
    map: {},
    header: ['name', 'email', 'note'],
    encoding: 'utf-8',
    delimiter: ',',
    newline: 'lf',
    line: 2,
    firstRow: 0,
    partitions: 1,
    stageId: STAGE,
    chunk: 0,
    ...more,
  };
}

const COLUMNS = [...COMMON_COLUMNS, ...plaintiffs.stageColumns];
function rowsOf(text: string, more: Partial<StageJob> = {}): Record<string, unknown>[] {
  const rows = JSON.parse(Buffer.from(stageRows(job(text, more)).payload).toString()) as unknown[][];
  return rows.map((row) => Object.fromEntries(COLUMNS.map((column, i) => [column, row[i]])));
}

describe('stageRows', () => {
  it('gives each record its index, line, key and cells', () => {
    const [first, second] = rowsOf('Ann,ann@example.com,"a\nb"\nBob,,x\n', { firstRow: 10, line: 5 });
    assert.equal(first?.['row_index'], 10);
    assert.equal(first?.['line_number'], 5);
    assert.equal(second?.['line_number'], 7);
    assert.equal(first?.['plaintiff_name'], 'Ann');
    assert.deepEqual(first?.['raw_payload'], { name: 'Ann', email: 'ann@example.com', note: 'a\nb' });
  });

  it('keeps the exact bytes and place of a rejected record, and counts it', () => {
    const staged = stageRows(job(',x@example.com,n\nAnn,b@,n\n'));
    assert.deepEqual([staged.rows, staged.errored, staged.codes], [2, 2, { MISSING_VALUE: 1, BAD_EMAIL: 1 }]);
    const [missing] = rowsOf(',x@example.com,n\n');
    assert.equal(missing?.['raw_record'], `\\x${Buffer.from(',x@example.com,n').toString('hex')}`);
    assert.match(String(missing?.['error_message']), /^plaintiff_name: /);
  });

  it('keeps no NUL and no half surrogate in the payload', () => {
    const [row] = rowsOf('A\0nn,,\n');
    assert.equal(row?.['error_code'], 'NUL_BYTE');
    assert.ok(!JSON.stringify(row?.['raw_payload']).includes('\\u0000'));
  });

  it('sorts rows by partition and keeps their order within', () => {
    const text = Array.from({ length: 200 }, (_, i) => `Name ${i},,\n`).join('');
    const parts = rowsOf(text, { format: 'json', partitions: 1 }).length;
    assert.equal(parts, 200);
    const copy = Buffer.from(stageRows(job(text, { format: 'copy', partitions: 7 })).payload)
      .toString()
      .trimEnd()
      .split('\n');
    const seen = copy.map((line) => line.split('\t').slice(2, 4).map(Number)) as [number, number][];
    assert.equal(seen.length, 200);
    assert.deepEqual(
      seen,
      seen.toSorted(([a, i], [b, j]) => a - b || i - j),
    );
    assert.equal(new Set(seen.map(([part]) => part)).size, 7);
  });

  it('takes the control columns of a mended file for no data', () => {
    const header = ['name', 'email', '_line', '_code', '_error', '_run'];
    const [row] = rowsOf('Ann,,9,BAD_EMAIL,mended,run\n', { header });
    assert.deepEqual(row?.['raw_payload'], { name: 'Ann', email: '' });
    const [still] = rowsOf('Ann,b@,9,BAD_EMAIL,"not, mended",run\n', { header });
    assert.equal(still?.['raw_record'], `\\x${Buffer.from('Ann,b@').toString('hex')}`);
    // Saved by a spreadsheet, which makes all rows as long as the longest.
    const run = '01c91882-99cd-4a09-ae96-e229679abfde';
    const padded = ['Ann,a@x.com', 'Bob', 'Cid,c@x.com,d,e'].map((cells) => `${cells},9,RAGGED_ROW,text,${run}`);
    const rows = rowsOf(padded.map((row) => `${row}${','.repeat(7 - row.split(',').length + 1)}\n`).join(''), {
      header,
    });
    assert.deepEqual(
      rows.map(({ error_code, raw_record }) => [error_code, raw_record]),
      [
        [null, null],
        ...['Bob', 'Cid,c@x.com,d,e'].map((cells) => ['RAGGED_ROW', `\\x${Buffer.from(cells).toString('hex')}`]),
      ],
    );
  });
});

describe('partitionOf', () => {
  it('is the range of the key, so that a part is contiguous in every index on it', () => {
    assert.equal(partitionOf('00000000'.padEnd(64, '0'), 40), 0);
    assert.equal(partitionOf('ffffffff'.padEnd(64, 'f'), 40), 39);
    assert.equal(partitionOf('80000000'.padEnd(64, '0'), 40), 20);
  });
});

describe('COPY text', () => {
  it('escapes what COPY takes for its own', () => {
    assert.equal(copyCell(null), '\\N');
    assert.equal(copyCell('\\N'), '\\\\N');
    assert.equal(copyCell('a\tb\nc\rd\\'), 'a\\tb\\nc\\rd\\\\');
    assert.equal(payloadWriter(['a'], 'copy')(['x\n'], false), '{"a":"x\\\\n"}');
  });
});

describe('payloadWriter', () => {
  it('escapes the quotes of a plain record', () => {
    assert.deepEqual(JSON.parse(payloadWriter(['a'], 'json')(['5" pipe'], true)), { a: '5" pipe' });
  });

  it('writes cells under their headers and the rest under _extra', () => {
    const write = payloadWriter(['a "quoted"', 'b'], 'json');
    assert.deepEqual(JSON.parse(write(['1'], true)), { 'a "quoted"': '1' });
    assert.deepEqual(JSON.parse(write(['1', '2', '3\\'], false)), { 'a "quoted"': '1', b: '2', _extra: ['3\\'] });
    assert.equal(write(undefined, false), '{}');
  });
});

describe('RowBuffer', () => {
  it('grows, and hands the rows out by partition', () => {
    const buffer = new RowBuffer(4);
    for (const [part, row] of [
      [1, 'é1|'],
      [0, 'zero|'],
      [1, 'one|'],
    ] as const)
      buffer.add(part, row);
    assert.equal(buffer.sorted(2).toString(), 'zero|é1|one|');
  });
});
