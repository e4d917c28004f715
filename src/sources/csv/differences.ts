/** What rows of a file say otherwise than the tables, or than an earlier row of it, as CSV: a line for each field. */
import { csvLine } from './write.ts';

export interface DifferenceCells {
  readonly line: number | null;
  readonly table: string;
  readonly production_id: number | null;
  readonly field: string;
  readonly file_value: string;
  readonly database_value: string | null;
  readonly status: string;
}

const ESCAPED = { escapeFormulas: true };

export const DIFFERENCES_HEADER = csvLine(['line', 'table', 'id', 'field', 'file', 'database', 'status'], ESCAPED);

export const differenceLine = (d: DifferenceCells): string =>
  csvLine([d.line, d.table, d.production_id, d.field, d.file_value, d.database_value, d.status], ESCAPED);
