/**
 * sources/projects/: Rows of projects, from CSV and JSON: the one reader of a project.
 *
 * The one reader of a project row: what its cells mean, whether they come from a file, a push or a request. Messages
 * hold no values.
 */
import type { RowErrorCode } from '../../errors.ts';
import { isConverted } from '../cleanText.ts';
import { parseDate, type DateOrder } from '../../values/date.ts';
import { causeOf } from '../../values/cause.ts';
import { text } from '../../values/text.ts';
import { COUNTS, DATES, DEGREES, IDENTIFIERS, LENIENT, longestOf, TEXTS, type ProjectColumn } from './columns.ts';

/** Typed and canonical: dates are `YYYY-MM-DD`, counts numbers. Null where the cell is empty, undefined where the row has no such column. */
export type ProjectRow = { readonly stage_application: string } & {
  readonly [C in ProjectColumn]?: string | number | null | undefined;
};

/** Row errors that no other kind has. */
export type ProjectErrorCode = 'BAD_COUNT' | 'BAD_COORDINATE' | 'TEXT_TOO_LONG';

export interface CellFault {
  readonly column: ProjectColumn;
  readonly code: RowErrorCode | ProjectErrorCode;
  /** What the cell is, in words that follow its place. */
  readonly message: string;
}

export interface ReadRow {
  /** A LENIENT cell that cannot be read stands here as it was written; of other faults there is nothing. */
  readonly row: ProjectRow;
  /** In the order of the reader; empty for a good row. */
  readonly faults: readonly CellFault[];
}

const WHOLE = /^\d{1,9}(?:\.(?:0{0,2}|0{4,}))?$/;
/** A thousand in one country, one in another. */
const GROUP_OR_FRACTION = /\.000$/;
const DECIMAL = /^[+-]?\d{1,3}(?:\.\d{0,30})?$/;

/** @param cell the text under a column, null for an empty cell, undefined where there is no such column. */
export function readProjectRow(cell: (column: ProjectColumn) => string | null | undefined, order: DateOrder): ReadRow {
  const faults: CellFault[] = [];
  const row: { -readonly [C in ProjectColumn]?: string | number | null } = {};
  const read = (column: ProjectColumn, meaning: (value: string) => Meaning): void => {
    const given = cell(column);
    if (given === undefined) return;
    const value = text(given);
    const { fault, ...meant } = value === null ? { value: null } : meaning(value);
    if (!fault) row[column] = meant.value ?? null;
    else {
      faults.push({ column, ...fault });
      if (LENIENT.has(column)) row[column] = value;
    }
  };
  for (const column of TEXTS)
    read(column, (value) =>
      IDENTIFIERS.has(column) && isConverted(value) ? CONVERTED : textOf(value, longestOf(column)),
    );
  for (const column of DATES) read(column, (value) => dateOf(value, order));
  for (const column of Object.keys(DEGREES) as (keyof typeof DEGREES)[])
    read(column, (value) => degreesOf(value, DEGREES[column]));
  for (const column of COUNTS) {
    read(column, countOf);
    if (row[column] === null) row[column] = 0;
  }
  if (!row.stage_application && !faults.some(({ column }) => column === 'stage_application'))
    faults.unshift({ column: 'stage_application', code: 'MISSING_VALUE', message: 'blank' });
  return { row: row as ProjectRow, faults };
}

interface Meaning {
  readonly value?: string | number | null;
  readonly fault?: Omit<CellFault, 'column'>;
}

const fault = (code: CellFault['code'], message: string): Meaning => ({ fault: { code, message } });

const CONVERTED = fault(
  'SPREADSHEET_VALUE',
  'a date or a number that a spreadsheet made of an identifier; export the column as text',
);

/** PostgreSQL stores neither NUL nor half of a surrogate pair. */
function textOf(value: string, longest: number): Meaning {
  if (value.length > longest && [...value].length > longest)
    return fault('TEXT_TOO_LONG', `longer than ${longest} characters`);
  if (value.includes('\0')) return fault('NUL_BYTE', 'not valid Unicode text');
  return value.isWellFormed() ? { value } : fault('INVALID_ENCODING', 'not valid Unicode text');
}

function dateOf(value: string, order: DateOrder): Meaning {
  const date = parseDate(value, order);
  if (!date.error) return { value: date.value };
  const why = date.hint ?? causeOf(date.error, value, order) ?? 'write it as YYYY-MM-DD';
  return fault(date.error, `not a date: ${why}`);
}

/** A blank is 0. */
function countOf(value: string): Meaning {
  if (WHOLE.test(value)) return { value: Number(value) };
  const why = GROUP_OR_FRACTION.test(value) ? '; write a thousand as 1000' : '';
  return fault('BAD_COUNT', `not a whole number from 0 to 999999999${why}`);
}

function degreesOf(value: string, most: number): Meaning {
  const degrees = Math.abs(Number(value));
  return DECIMAL.test(value) && (degrees < most || (degrees === most && !/\.0*[1-9]/.test(value)))
    ? { value }
    : fault('BAD_COORDINATE', `not a decimal number from -${most} to ${most}`);
}
