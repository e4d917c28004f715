/** Rows of a CSV file of projects, one at a time, by their columns' names. */
import { readRange } from '../readRange.ts';
import { mapHeader, type ColumnSet } from '../csv/columns.ts';
import { detectDialect } from '../csv/dialect.ts';
import { detectEncoding } from '../csv/encoding.ts';
import { parseHeader } from '../csv/header.ts';
import { parseChunk } from '../csv/parse.ts';
import { scanFile } from '../csv/scanFile.ts';
import type { RowErrorCode } from '../../errors.ts';

const CHUNK_BYTES = 2 * 1024 * 1024;

export interface CsvRow {
  readonly cells: Readonly<Record<string, string | undefined>>;
  /** Of a record that cannot be read. */
  readonly error: RowErrorCode | undefined;
  /** Physical line on which it begins, 1-based. */
  readonly line: number;
}

/**
 * @param head the first bytes of the file.
 * @throws IntakeError what `scanFile`, `parseHeader` and `mapHeader` throw.
 */
export async function* csvRows(
  path: string,
  head: Buffer,
  set: ColumnSet,
  signal: AbortSignal | undefined,
): AsyncGenerator<CsvRow> {
  const detected = detectEncoding(head);
  const dialect = detectDialect(head.subarray(detected.bomBytes), detected.encoding);
  const { encoding, headerLength, chunks } = await scanFile(path, {
    ...detected,
    ...dialect,
    chunkBytes: CHUNK_BYTES,
    ...(signal ? { signal } : {}),
  });
  const header = parseHeader(await readRange(path, { offset: 0, length: headerLength }), {
    ...dialect,
    encoding,
    bomBytes: detected.bomBytes,
  });
  const { positions } = mapHeader(header, set);
  for (const chunk of chunks) {
    const bytes = await readRange(path, chunk);
    for (const { line, error, cells } of parseChunk(bytes, {
      ...dialect,
      encoding,
      columns: header.length,
      line: chunk.line,
      firstRow: chunk.firstRow,
    })) {
      yield {
        line,
        error: error ?? (cells ? undefined : 'RAGGED_ROW'),
        cells: Object.fromEntries(
          set.columns.map(({ name }, i) => [name, positions[i] === undefined ? undefined : cells?.[positions[i]]]),
        ),
      };
    }
  }
}
