/** A project row as JSON: its keys are matched as the headers of a file are, and none is left out without a word. */
import { textCleaner, type Cleaning, type Notice } from '../cleanText.ts';
import { nearest } from '../../values/nearest.ts';
import { normalizeHeader } from '../csv/header.ts';
import { numberText } from '../../values/json.ts';
import { COUNTS, PROJECT_COLUMNS, SCALARS, type ProjectColumn } from './columns.ts';

export interface JsonFault {
  /** As the sender wrote it; empty for the row as a whole. */
  readonly key: string;
  /** Of a key that is no column, which may be anybody's data: which of the row's it is, from 1. */
  readonly place?: number;
  readonly message: string;
}

export interface JsonRow {
  readonly cell: (column: ProjectColumn) => string | null | undefined;
  /** The sender's key of a column. */
  readonly keyOf: (column: ProjectColumn) => string;
  readonly faults: readonly JsonFault[];
}

export interface JsonRowReader {
  /** @param row its number, 1-based, for remarks. */
  read(value: unknown, row: number): JsonRow;
  /** Keys that are no column and near none, in the order of their coming; the first 50. */
  readonly ignored: ReadonlySet<string>;
}

/** Of more unknown keys than this, in one batch, nobody asks what they resemble. */
const MOST_UNKNOWN = 50;

const columnOf = new Map(
  PROJECT_COLUMNS.flatMap(({ name, aliases }) => [name, ...aliases].map((word) => [normalizeHeader(word), name])),
);
const PLAIN = { useGrouping: false, maximumFractionDigits: 20 } as const;
const counts: ReadonlySet<string> = new Set(COUNTS);
const names = PROJECT_COLUMNS.map(({ name }) => name);

/** For the rows of one batch or file, which have the same keys mostly. */
export function createJsonRowReader(cleaning: Cleaning, notice: Notice): JsonRowReader {
  const known = new Map<string, { readonly column?: ProjectColumn; readonly near?: ProjectColumn }>();
  const ignored = new Set<string>();
  let place = 0;
  const clean = textCleaner(cleaning, (code, remark) => notice(code, { ...remark, row: place }));

  function meaningOf(key: string): { readonly column?: ProjectColumn; readonly near?: ProjectColumn } {
    const former = known.get(key);
    if (former) return former;
    const column = columnOf.get(normalizeHeader(key));
    if (column === undefined && known.size > MOST_UNKNOWN + names.length) return {};
    const near = column ?? (nearest([normalizeHeader(key)], names, normalizeHeader) as ProjectColumn | undefined);
    const meaning = column ? { column } : near ? { near } : {};
    known.set(key, meaning);
    return meaning;
  }

  return {
    ignored,
    read(value, row) {
      place = row;
      const cells = new Map<ProjectColumn, string | null>();
      const faults: JsonFault[] = [];
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      if (!isObject) faults.push({ key: '', message: 'not an object' });
      const fields = (isObject ? value : {}) as Readonly<Record<string, unknown>>;
      const keys = Object.keys(fields);
      const keyOf = (column: ProjectColumn): string => keys.find((key) => meaningOf(key).column === column) ?? column;
      const unknown: [key: string, near: ProjectColumn | undefined, place: number][] = [];
      for (const [at, key] of keys.entries()) {
        const { column, near } = meaningOf(key);
        if (!column) unknown.push([key, near, at + 1]);
        else if (cells.has(column)) faults.push({ key, message: `the same column as ${keyOf(column)}` });
        else {
          const cell = cellOf(key, fields[key], column, faults);
          cells.set(column, cell && clean(cell));
        }
      }
      for (const [key, near, place] of unknown) {
        // A field beside the one that it resembles, such as address2, is another one.
        if (near && !cells.has(near)) faults.push({ key, place, message: `no column; did you mean ${near}?` });
        else if (ignored.size < MOST_UNKNOWN) ignored.add(key);
      }
      return { cell: (column) => cells.get(column), keyOf, faults };
    },
  };
}

function cellOf(key: string, value: unknown, column: ProjectColumn, faults: JsonFault[]): string | null {
  if (value === null || typeof value === 'string') return value;
  const scalar = SCALARS.has(column);
  const digits = scalar ? numberText(value) : undefined;
  if (digits === undefined) faults.push({ key, message: scalar ? 'neither a text nor a number' : 'not a text' });
  // An identifier keeps its digits; 1e2 and 5.0 are whole numbers, and 1e-7 is a decimal, however they are written.
  if (digits === undefined || column === 'fod_id') return digits ?? null;
  const plain = /e/i.test(digits) ? Number(digits).toLocaleString('en', PLAIN) : digits;
  return counts.has(column) ? plain.replace(/\.0+$/, '') : plain;
}
