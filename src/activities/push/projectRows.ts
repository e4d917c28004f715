/** The rows of a file of projects, CSV or JSON, as the gateway takes them. */
import { createReadStream } from 'node:fs';
import { projects } from '../../kinds/projects.ts';
import type { ProjectColumn } from '../../sources/projects/columns.ts';
import { createJsonRowReader, type JsonFault } from '../../sources/projects/jsonRow.ts';
import { readProjectRow, type CellFault, type ProjectRow } from '../../sources/projects/row.ts';
import { readHead } from '../../sources/csv/head.ts';
import { HEAD_BYTES } from '../../sources/csv/layout.ts';
import { csvRows } from '../../sources/projects/csvRows.ts';
import { jsonRows, looksLikeJson } from '../../sources/projects/jsonRows.ts';
import type { Cleaning, Notice } from '../../sources/cleanText.ts';
import type { DateOrder } from '../../values/date.ts';

/** Where a row is in its file. */
export interface RowPlace {
  /** 1-based. */
  readonly row: number;
  /** Physical line, of a CSV file. */
  readonly line?: number;
}

/** A row that cannot be posted: why, and the cell itself, which goes into the anomaly alone. */
export interface LeftOutRow extends RowPlace {
  readonly code: string;
  /** The sender's word for it, or the place of a word that is none of ours; undefined when it is the row as a whole. */
  readonly column?: string;
  readonly message: string;
  readonly key?: string;
  readonly value?: string;
}

export type PushedRow =
  | { readonly row: ProjectRow; readonly leftOut?: undefined }
  | { readonly row?: undefined; readonly leftOut: LeftOutRow };

/**
 * Every row of the file in its normal form, or why it is left out; headers and keys are matched without case, spaces, `-` and `_`.
 * @param notice hears what is noticed beside rows that are left out.
 * @throws IntakeError for a file that cannot be read as a whole: INVALID_ROW, FILE_NOT_FOUND, EMPTY_FILE, MISSING_COLUMNS, ...
 */
export async function* projectRows(
  path: string,
  order: DateOrder,
  signal?: AbortSignal,
  cleaning: Cleaning = {},
  notice: Notice = () => undefined,
): AsyncGenerator<PushedRow> {
  const { head } = await readHead(path);
  let row = 0;
  if (looksLikeJson(head)) {
    const reader = createJsonRowReader(cleaning, notice);
    const blocks = createReadStream(path, { highWaterMark: HEAD_BYTES, ...(signal ? { signal } : {}) });
    for await (const value of jsonRows(blocks)) {
      row++;
      const { cell, faults } = reader.read(value, row);
      const [fault] = faults;
      yield fault
        ? {
            leftOut: {
              row,
              code: 'INVALID_ROW',
              key: cell('stage_application') ?? '',
              message: fault.message,
              ...columnOf(fault),
            },
          }
        : judged(cell, order, { row });
    }
    return;
  }
  for await (const { cells, line, error } of csvRows(path, head, projects, signal, cleaning, notice)) {
    row++;
    yield error
      ? { leftOut: { row, line, code: error, message: 'cannot be read' } }
      : judged((column) => cells[column], order, { row, line });
  }
}

/** A key that is no column goes, as the value of a cell, into the anomaly alone. */
function columnOf({ key, place }: JsonFault): Pick<LeftOutRow, 'column' | 'value'> {
  if (!key) return {};
  return place === undefined ? { column: key } : { column: `<field ${place}>`, value: key };
}

function judged(
  cell: (column: ProjectColumn) => string | null | undefined,
  order: DateOrder,
  place: RowPlace,
): PushedRow {
  const { row, faults } = readProjectRow(cell, order);
  const [fault] = faults;
  return fault ? { leftOut: { ...place, ...faultOf(fault, cell) } } : { row };
}

function faultOf(
  { column, code, message }: CellFault,
  cell: (column: ProjectColumn) => string | null | undefined,
): Omit<LeftOutRow, 'row'> {
  return { code, column, message, key: cell('stage_application') ?? '', value: cell(column) ?? '' };
}
