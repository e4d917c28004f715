/** What a kind calls its columns, and which header of a file means one. */
import { normalizeHeader } from './header.ts';

export interface Column {
  /** Our name for it. */
  readonly name: string;
  /** Headers that mean it besides its name, matched without case, spaces, `-` and `_`. */
  readonly aliases: readonly string[];
  /** Headers that it is joined from where neither its name nor an alias is there: those of the first group that is there whole. */
  readonly parts?: readonly (readonly string[])[];
  /** Headers of other programs, where it is found in no other way: the first that is there counts. */
  readonly also?: readonly string[];
  /** The column that is read where this one is empty, in files where both stand under headers of other programs: a contact may be a firm alone. */
  readonly instead?: string;
  /** Of several of these a row has the first that is filled, as of a person's phones. */
  readonly anyOf?: true;
}

export interface ColumnSet {
  readonly columns: readonly Column[];
  /** Groups of which each needs at least one column, e.g. `[['name'], ['number', 'reference']]`. */
  readonly required: readonly (readonly string[])[];
  /** Other formats that a file may be by mistake. */
  readonly confusableWith?: readonly Format[];
  /** Formats with which it shares little: a file is one of these when it has all that such a file must have. */
  readonly others?: readonly Format[];
}

/** A set of columns under the name of its kind and a title such as `JBI export`. */
export interface Format extends ColumnSet {
  readonly name: string;
  readonly title: string;
}

export interface HeaderMapping {
  /** For each column its index in the header, in the order of `columns`; of a joined one the first of its `parts`. */
  readonly positions: readonly (number | undefined)[];
  /** Columns that are read from several: index in `columns` -> indexes in the header. */
  readonly parts: ReadonlyMap<number, readonly number[]>;
  /** Columns with another one for rows in which they are empty: index in `columns` -> index in the header. */
  readonly instead?: ReadonlyMap<number, number>;
  /** Indexes of headers that mean no column, ascending. */
  readonly unmapped: readonly number[];
}

/** Whether a header means a column of the set. */
export const knows = ({ columns }: ColumnSet, header: string): boolean =>
  columns.some((column) => means(column, header));

/** Whether a header means the column by its name or an alias. */
export function means({ name, aliases }: Column, header: string): boolean {
  const normalized = normalizeHeader(header);
  return [name, ...aliases].some((word) => normalizeHeader(word) === normalized);
}

const sets = new WeakMap<ColumnSet, ReadonlySet<string>>();

/** Every header that means something to a set, as headers are compared. */
export function wordsOfSet(set: ColumnSet): ReadonlySet<string> {
  let words = sets.get(set);
  if (!words) {
    const all = set.columns.flatMap(({ name, aliases, parts = [], also = [] }) => [
      name,
      ...aliases,
      ...parts.flat(),
      ...also,
    ]);
    sets.set(set, (words = new Set(all.map(normalizeHeader))));
  }
  return words;
}
