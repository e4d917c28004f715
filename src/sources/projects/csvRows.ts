/** Rows of a CSV file of projects, one at a time, by their columns' names. */
import { readRange } from '../file.ts';
import { cellReader, placesOf } from '../csv/columns.ts';
import type { ColumnSet } from '../csv/columnSet.ts';
import { HEAD_BYTES, readLayout } from '../csv/layout.ts';
import { parseChunk } from '../csv/parse.ts';
import type { Cleaning, Notice } from '../cleanText.ts';
import { cellCleaner } from '../csv/cleanCells.ts';
import { isFooter } from '../csv/footers.ts';
import { headerTest, isBlankRow } from '../csv/rowShape.ts';
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
 * Blank rows are left out.
 * @param head the first megabyte of the file.
 * @throws IntakeError what `readLayout` and `scanFile` throw.
 */
export async function* csvRows(
  path: string,
  head: Buffer,
  set: ColumnSet,
  signal: AbortSignal | undefined,
  cleaning: Cleaning,
  notice: Notice,
): AsyncGenerator<CsvRow> {
  const layout = readLayout(head, head.length < HEAD_BYTES, set);
  const { delimiter, newline, mapping, rowCells } = layout;
  const read = cellReader(set, mapping);
  const { encoding, chunks } = await scanFile(path, {
    ...layout,
    chunkBytes: CHUNK_BYTES,
    ...(signal ? { signal } : {}),
  });
  const isHeader = headerTest(layout.header.written);
  for (const chunk of chunks) {
    const bytes = await readRange(path, chunk);
    const clean = cellCleaner(bytes, placesOf(mapping), { ...cleaning, encoding }, notice);
    for (const { line, error, cells } of parseChunk(bytes, {
      delimiter,
      newline,
      encoding,
      columns: layout.header.written.length,
      rowCells,
      line: chunk.line,
      firstRow: chunk.firstRow,
    })) {
      if (cells && isBlankRow(cells)) continue;
      const shape = cells && (isHeader(cells) ? 'HEADER_AGAIN' : isFooter(cells) ? 'FOOTER_ROW' : undefined);
      const cleaned = cells && !shape ? clean(cells, line) : cells;
      yield {
        line,
        error: shape ?? error ?? (cells ? undefined : 'RAGGED_ROW'),
        cells: Object.fromEntries(set.columns.map(({ name }) => [name, read(cleaned, name)])),
      };
    }
  }
}
