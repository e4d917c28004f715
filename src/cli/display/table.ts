/** Rows as a table of text; what is too long for the terminal is cut at its end. */
import stringWidth from 'string-width';
import type { Row } from '../../database/rows.ts';
import { printable } from '../../observability/printable.ts';

/** @param columns which columns, in which order. */
export function renderTable(rows: readonly Row[], columns: readonly string[]): string[] {
  const cells = rows.map((row) => columns.map((column) => cellText(row[column])));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((row) => stringWidth(row[i] ?? ''))));
  const numeric = columns.map((column) =>
    rows.every((row) => typeof row[column] === 'number' || (row[column] ?? null) === null),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => {
        const blanks = ' '.repeat((widths[i] ?? 0) - stringWidth(cell));
        return numeric[i] ? blanks + cell : cell + blanks;
      })
      .join('  ')
      .trimEnd();
  return [line(columns), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)];
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return printable(JSON.stringify(value));
  const text = String(value);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.test(text)
    ? text.slice(0, 19).replace('T', ' ')
    : printable(text.replace(/[\r\n\t]+/g, ' '));
}
