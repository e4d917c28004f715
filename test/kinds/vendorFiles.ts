/** Files of the judgment vendors, read as an import reads them. */
import { existsSync, readFileSync } from 'node:fs';
import { readRows, type JudgedRow } from '../../src/staging/readRows.ts';
import { parseHeader } from '../../src/sources/csv/header.ts';
import type { CsvKind, StagedRow } from '../../src/kinds/kind.ts';

const FORMAT = { encoding: 'utf-8', bomBytes: 0, delimiter: ',', newline: 'lf' } as const;

/** Files that operators share beside the project; not everybody has them. */
export function sharedSample(path: string): string | undefined {
  const url = new URL(`../../../shared/samples/${path}`, import.meta.url);
  return existsSync(url) ? readFileSync(url, 'utf8') : undefined;
}

/** All rows of a file; throws as `mapHeader` does. The header is one physical line. */
export function rowsOf(kind: CsvKind, csv: string, map: Readonly<Record<string, string>> = {}): JudgedRow[] {
  const text = Buffer.from(csv);
  const start = text.indexOf('\n') + 1;
  const header = parseHeader(text.subarray(0, start), FORMAT);
  const place = { bytes: text.subarray(start), line: 2, firstRow: 0 };
  return [
    ...readRows({
      ...FORMAT,
      ...place,
      kind: kind.name,
      sourceSystem: kind.defaultSource,
      dateOrder: kind.dateOrder,
      map,
      header,
    }),
  ];
}

/** The staged values under their columns. */
export const staged = (kind: CsvKind, { values }: StagedRow): Record<string, string | null> =>
  Object.fromEntries(kind.stageColumns.map((column, i) => [column, values[i]!]));

/** A row of the kind from cells under our names. */
export function rowFrom(kind: CsvKind, cells: Readonly<Record<string, string>>): StagedRow {
  return kind.row((column) => cells[column], { sourceSystem: kind.defaultSource, dateOrder: kind.dateOrder });
}
