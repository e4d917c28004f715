/** Rows as a table of text; where it has to fit, columns that matter less go, and long cells are cut. */
import stringWidth from 'fast-string-width';
import type { Row } from '../../database/rows.ts';
import { printable } from '../../observability/printable.ts';

export interface Fit {
  /** Columns of the terminal. */
  readonly width: number;
  /** Headings in place of the columns' names. */
  readonly headings: Readonly<Record<string, string>>;
  /** Columns that go first, in this order. */
  readonly spare: readonly string[];
  /** Columns whose cells are cut, the first first, down to so many characters. */
  readonly elastic: Readonly<Record<string, number>>;
}

const GAP = '  ';

/** @param columns which columns, in which order. */
export function renderTable(rows: readonly Row[], columns: readonly string[], fit?: Fit): string[] {
  const headingOf = (column: string) => fit?.headings[column] ?? column;
  let shown = columns.map((column) => {
    const cells = rows.map((row) => cellText(row[column]));
    const numeric = rows.every((row) => typeof row[column] === 'number' || (row[column] ?? null) === null);
    const width = Math.max(headingOf(column).length, ...cells.map((cell) => stringWidth(cell)));
    return { column, cells, numeric, width };
  });
  if (fit) {
    const surplus = () => shown.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length) - fit.width;
    const narrow = () => {
      for (const each of shown) {
        const least = fit.elastic[each.column];
        if (least !== undefined && surplus() > 0)
          each.width = Math.max(Math.min(least, each.width), each.width - surplus());
      }
    };
    const whole = shown.map((each) => ({ ...each }));
    narrow();
    for (const column of fit.spare) {
      if (surplus() <= 0) break;
      const gone = new Set(fit.spare.slice(0, fit.spare.indexOf(column) + 1));
      shown = whole.filter((each) => !gone.has(each.column)).map((each) => ({ ...each }));
      narrow();
    }
  }
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        const { numeric, width } = shown[i]!;
        const short = stringWidth(cell) > width ? `${cutToWidth(cell, width - 3)}...` : cell;
        const blanks = ' '.repeat(width - stringWidth(short));
        return numeric ? blanks + short : short + blanks;
      })
      .join(GAP)
      .trimEnd();
  return [
    line(shown.map(({ column }) => headingOf(column))),
    shown.map(({ width }) => '-'.repeat(width)).join(GAP),
    ...rows.map((_, i) => line(shown.map(({ cells }) => cells[i]!))),
  ];
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return printable(JSON.stringify(value));
  const text = String(value);
  return isTime(text) ? text.slice(0, 19).replace('T', ' ') : printable(text.replace(/[\r\n\t]+/g, ' '));
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/.test(text);

/** A time of the database where the reader is: of today `14:03`, of this year `26 Nov 14:03`, else with its year. */
export function localTime(value: unknown, now = new Date()): string {
  const time = new Date(String(value));
  if (value === null || value === undefined || Number.isNaN(time.getTime())) return '';
  const clock = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === now.toDateString()) return clock;
  const day = time.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' });
  return time.getFullYear() === now.getFullYear() ? `${day} ${clock}` : `${day} ${time.getFullYear()}`;
}

/** Cuts a line to a width in cells. */
export function cutToWidth(line: string, width: number): string {
  let cells = 0;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    cells += stringWidth(segment);
    if (cells > width) break;
    kept += segment;
  }
  return kept;
}
