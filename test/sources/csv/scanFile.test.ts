import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseChunk as readChunk } from '../../../src/sources/csv/parse.ts';

const parseChunk = (...args: Parameters<typeof readChunk>) => [...readChunk(...args)];
import { scanFile } from '../../../src/sources/csv/scanFile.ts';
import type { ScanFileOptions } from '../../../src/sources/csv/scanFile.ts';
import { MAX_RECORD_BYTES } from '../../../src/sources/csv/scanner.ts';
import { dirtyText } from './dirtyText.ts';

const OPTIONS: ScanFileOptions = {
  encoding: 'utf-8',
  certain: true,
  bomBytes: 0,
  delimiter: ',',
  newline: 'lf',
  chunkBytes: 20,
};
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const code =
  (name: string): ((error: { code?: string }) => boolean) =>
  (error) =>
    error.code === name;

describe('scanFile', () => {
  let dir: string;
  let path: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'intake-scan-'));
    path = join(dir, 'file.csv');
  });
  after(() => rm(dir, { recursive: true }));

  async function scan(content: string | Buffer, options: Partial<ScanFileOptions> = {}): ReturnType<typeof scanFile> {
    await writeFile(path, content);
    return scanFile(path, { ...OPTIONS, ...options });
  }

  it('cuts chunks at record boundaries that cover the file byte for byte', async () => {
    const text = 'a,b\n' + '11111,2\n"3\n3",4\n'.repeat(3);
    const scanned = await scan(text);
    assert.equal(scanned.sha256, sha256(Buffer.from(text)));
    assert.deepEqual([scanned.bytes, scanned.rows, scanned.broken, scanned.headerLength], [text.length, 6, 0, 4]);
    assert.deepEqual(
      scanned.chunks.map(({ offset, length, line, firstRow, rows }) => [offset, length, line, firstRow, rows]),
      [
        [4, 24, 2, 0, 3],
        [28, 24, 6, 3, 3],
      ],
    );
  });

  it('makes a larger chunk of a record larger than the target', async () => {
    const scanned = await scan(`a\n${'x'.repeat(100)}\nb\n`);
    assert.deepEqual(
      scanned.chunks.map(({ length, rows }) => [length, rows]),
      [
        [101, 1],
        [2, 1],
      ],
    );
  });

  it('cuts a record over the limit into pieces of its own, whatever the block size, and counts it once', async () => {
    const limit = MAX_RECORD_BYTES;
    const text = `a\nb\n\n${'x'.repeat(limit + 5_000_000)}\r\nc\n"${'y"z'.repeat(limit / 2)}\nd`;
    const chunkBytes = 4_000_000;
    const chunksOf = async (blockBytes: number) =>
      (await scan(text, { chunkBytes, blockBytes })).chunks.map(({ line, firstRow, rows, length, tooLarge }) => [
        line,
        firstRow,
        rows,
        length,
        tooLarge,
      ]);
    const first = await chunksOf(1 << 20);
    assert.deepEqual(first, [
      [2, 0, 1, 3, undefined],
      [4, 1, 1, 4_000_000, true],
      [4, 2, 0, 4_000_000, true],
      [4, 2, 0, 4_000_000, true],
      [4, 2, 0, 1_388_610, true],
      [5, 2, 1, 2, undefined],
      [6, 3, 1, 4_000_000, true],
      [6, 4, 0, 4_000_000, true],
      [6, 4, 0, 4_000_000, true],
      [6, 4, 0, 582_914, true],
      [7, 4, 1, 1, undefined],
    ]);
    for (const blockBytes of [3_000_001, 64 << 20]) assert.deepEqual(await chunksOf(blockBytes), first);
  });

  it('has no chunk for a file of a header only, with or without its line end', async () => {
    for (const text of ['a,b', 'a,b\n']) {
      const { rows, chunks, headerLength } = await scan(text);
      assert.deepEqual([rows, chunks.length, headerLength], [0, 0, text.length]);
    }
  });

  it('counts the byte order mark and leading blank lines as part of the header', async () => {
    const { headerLength, chunks } = await scan('\ufeff\n\na,b\n1,2\n', { bomBytes: 3 });
    assert.equal(headerLength, 9);
    assert.equal(chunks[0]!.line, 4);
  });

  it('refuses an empty file, a broken header, a directory and a missing file', async () => {
    await assert.rejects(scan(''), code('EMPTY_FILE'));
    await assert.rejects(scan('\ufeff\r\n', { bomBytes: 3 }), code('EMPTY_FILE'));
    await assert.rejects(scan('a,"b\n1,2\n'), code('HEADER_UNREADABLE'));
    await assert.rejects(scanFile(dir, OPTIONS), code('NOT_A_FILE'));
    await assert.rejects(scanFile(join(dir, 'none.csv'), OPTIONS), code('FILE_NOT_FOUND'));
  });

  it('stops with the reason of its signal', async () => {
    await assert.rejects(scan('a\n1\n', { signal: AbortSignal.abort(new Error('stop')) }), /stop/);
  });

  it('decides the encoding of an ASCII head by what the rest holds', async () => {
    const head = 'a,b\n' + '1,2\n'.repeat(20);
    const uncertain = { certain: false, blockBytes: 7 };
    assert.equal((await scan(head, uncertain)).encoding, 'utf-8');
    assert.equal((await scan(head + 'é\n', uncertain)).encoding, 'utf-8');
    assert.equal(
      (await scan(Buffer.concat([Buffer.from(head), Buffer.from([0xe9, 0x0a])]), uncertain)).encoding,
      'windows-1252',
    );
    const mixed = Buffer.concat([Buffer.from(`${head}é,ü\n`), Buffer.from([0xe9, 0x0a])]);
    assert.equal((await scan(mixed, uncertain)).encoding, 'utf-8');
  });

  for (const [encoding, encode] of [
    ['utf-8', (text: string) => Buffer.from(text)],
    ['utf-16le', (text: string) => Buffer.from(text, 'utf16le')],
    ['utf-16be', (text: string) => Buffer.from(text, 'utf16le').swap16()],
  ] as const) {
    it(`gives chunks of ${encoding} that parse to the rows of the whole, whatever the block and chunk size`, async () => {
      const sizes = fc.record({
        blockBytes: fc.integer({ min: 1, max: 30 }),
        chunkBytes: fc.integer({ min: 1, max: 40 }),
      });
      await fc.assert(
        fc.asyncProperty(dirtyText, sizes, async (text, size) => {
          const bytes = encode(`h\n${text}`);
          const scanned = await scan(bytes, { encoding, ...size });
          const header = bytes.subarray(0, scanned.headerLength);
          const parts = scanned.chunks.map(({ offset, length }) => bytes.subarray(offset, offset + length));
          assert.deepEqual(Buffer.concat([header, ...parts]), bytes);
          assert.deepEqual(
            scanned.chunks.map((chunk) => chunk.sha256),
            parts.map(sha256),
          );
          const options = { ...OPTIONS, encoding, columns: 1 };
          const view = (r: ReturnType<typeof parseChunk>[number]): unknown => [
            r.rowIndex,
            r.line,
            r.error,
            r.cells,
            r.bytes().toString('hex'),
          ];
          const whole = parseChunk(bytes.subarray(header.length), { ...options, line: 2, firstRow: 0 }).map(view);
          const chunked = scanned.chunks.flatMap((chunk, i) => {
            const rows = parseChunk(parts[i]!, { ...options, line: chunk.line, firstRow: chunk.firstRow });
            assert.equal(rows.length, chunk.rows);
            return rows.map(view);
          });
          assert.deepEqual(chunked, whole);
          assert.equal(scanned.rows, whole.length);
        }),
        { numRuns: 300 },
      );
    });
  }
});
