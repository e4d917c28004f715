import { IntakeError } from '../../errors.ts';
import { MOST_NAMED, normalizeHeader, wordsOf } from './header.ts';
import { mapKey, placesOfKey, publicName } from './headerNames.ts';
import { nearest } from '../../values/nearest.ts';

export interface Column {
  /** Our name for it. */
  readonly name: string;
  /** Headers that mean it besides its name, matched without case, spaces, `-` and `_`. */
  readonly aliases: readonly string[];
  /** Headers that it is joined from where neither its name nor an alias is there: those of the first group that is there whole. */
  readonly parts?: readonly (readonly string[])[];
  /** Headers of other programs, where it is found in no other way: the first that is there counts. */
  readonly also?: readonly string[];
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
  /** Indexes of headers that mean no column, ascending. */
  readonly unmapped: readonly number[];
}

/**
 * Finds the columns of a kind in a header. `map` (their header, or several as in `First Name + Last Name`, -> our column) wins
 * over names, a column's own name over its aliases. Throws UNKNOWN_COLUMN for a map entry without its header or column, DUPLICATE_HEADER for two headers of one column,
 * MISSING_COLUMNS, also for the headers of a kind it is confusable with; messages name words of the kind, other headers by their places, and
 * none at all where the first line looks like data.
 */
export function mapHeader(
  header: readonly string[],
  set: ColumnSet,
  map: Readonly<Record<string, string>> = {},
): HeaderMapping {
  const mapped = applyMap(header, set, map);
  const explicitly = new Set(mapped.values().toArray().flat(2));
  const normalized = header.map(normalizeHeader);
  const taken = new Set<number>(explicitly);
  const indexesOf = (word: string) =>
    header.flatMap((_, i) => (!explicitly.has(i) && normalized[i] === normalizeHeader(word) ? [i] : []));
  const parts = new Map<number, readonly number[]>();
  const positions: (number | undefined)[] = set.columns.map((column, i) => {
    const explicit = mapped.get(column.name) ?? [];
    if (explicit.length === 1 && explicit[0]!.length > 1) parts.set(i, explicit[0]!);
    if (explicit.length > 0)
      return single(
        explicit.map(([first]) => first!),
        column,
        header,
        set,
      );
    const named = indexesOf(column.name);
    const found = single(
      named.length > 0 ? named : column.aliases.flatMap(indexesOf).sort((a, b) => a - b),
      column,
      header,
      set,
    );
    if (found !== undefined) taken.add(found);
    return found;
  });
  const free = (word: string) => indexesOf(word).find((i) => !taken.has(i));
  for (const [i, column] of set.columns.entries()) {
    if (positions[i] !== undefined) continue;
    const joined = column.parts
      ?.map((words) => words.map(free))
      .find((places) => places.every((at) => at !== undefined)) as number[] | undefined;
    const others = (column.also ?? []).map(free).filter((at) => at !== undefined);
    const places = joined ?? others.slice(0, column.anyOf ? undefined : 1);
    if (places.length > 1) parts.set(i, places);
    positions[i] = places[0];
    for (const at of places) taken.add(at);
  }
  const present = new Set(set.columns.filter((_, i) => positions[i] !== undefined).map(({ name }) => name));
  const missing = set.required.filter((group) => !group.some((name) => present.has(name)));
  if (Object.keys(map).length === 0) refuseOtherFormat(header, set, missing);
  if (missing.length > 0) refuseMissing(header, set, positions, missing);
  const used = new Set([...positions, ...[...parts.values()].flat()]);
  return { positions, parts, unmapped: header.map((_, i) => i).filter((i) => !used.has(i)) };
}

/** The column that a `--map` names. @throws IntakeError UNKNOWN_COLUMN. */
export function columnNamed({ columns }: ColumnSet, ours: string): Column {
  const column = columns.find(({ name }) => normalizeHeader(name) === normalizeHeader(ours));
  if (column) return column;
  const names = columns.map(({ name }) => name).join(', ');
  throw new IntakeError('UNKNOWN_COLUMN', `--map names an unknown column: ${mapKey(ours)}; columns: ${names}`);
}

/** Our column -> for each entry of the operator's map the headers that it names. */
function applyMap(
  header: readonly string[],
  set: ColumnSet,
  map: Readonly<Record<string, string>>,
): Map<string, (readonly number[])[]> {
  const mapped = new Map<string, (readonly number[])[]>();
  for (const [theirs, ours] of Object.entries(map)) {
    const column = columnNamed(set, ours);
    const indexes = placesOfKey(header, theirs);
    if (indexes.some((index) => index === undefined)) {
      throw new IntakeError(
        'UNKNOWN_COLUMN',
        `--map names a header the file does not have: ${mapKey(theirs)}; ${found(header, set)}`,
        {
          remedy: 'Use a header of the file on the left of --map.',
        },
      );
    }
    mapped.set(column.name, [...(mapped.get(column.name) ?? []), indexes as number[]]);
  }
  return mapped;
}

function single(
  indexes: readonly number[],
  column: Column,
  header: readonly string[],
  set: ColumnSet,
): number | undefined {
  if (indexes.length < 2) return indexes[0];
  const names = indexes.map((i) => publicName(header[i]!, i, wordsOfSet(set)));
  throw new IntakeError('DUPLICATE_HEADER', `Several headers mean ${column.name}: ${names.join(', ')}`, {
    line: 1,
    remedy: `Say which one counts: --map "${names[0]}=${column.name}".`,
  });
}

/** What a column may be called; the cells of a data row are hardly all of this form. */
const WORD = /^[A-Za-z][A-Za-z]*(?:[_-][A-Za-z]+)*$/;

/** Words of headers; a row of data that has one of them in most of its cells is hardly one. */
const HEADER_WORDS = new Set(
  (
    'account address amount attorney balance case cell client code company contact created creditor ' +
    'customer date debtor defendant description docket email fax file filed firm first full id index judgment judgement last ' +
    'lead mail mobile name no note notes number owner phone plaintiff postal reference source status tel ' +
    'telephone title total type value work zip'
  ).split(' '),
);

function looksLikeHeader(header: readonly string[]): boolean {
  if (header.every((cell) => WORD.test(cell))) return true;
  const worded = header.filter((cell) => wordsOf(cell).some((part) => HEADER_WORDS.has(part)));
  return worded.length * 2 > header.length;
}

/** Without a map, which would say that the operator has looked: a file that speaks another format's words and none of ours. */
function refuseOtherFormat(header: readonly string[], set: ColumnSet, missing: ColumnSet['required']): void {
  const enough = missing.length > 0 ? 1 : 2;
  const other = set.confusableWith?.find(
    (format) => ownWords(header, set, format) === 0 && ownWords(header, format, set) >= enough,
  );
  const fault = missing.length > 0 ? missingNames(missing) : 'Another format';
  const importAs = ({ name }: Format): string => `Import it as \`${name}\`: intake import ${name} FILE`;
  if (other)
    throw new IntakeError('MISSING_COLUMNS', `${fault}; these are the headers of a ${other.title}`, {
      line: 1,
      remedy: `${importAs(other)}.`,
    });
  const [whole] = (set.others ?? [])
    .filter((format) => ownWords(header, set, format) === 0 && hasRequired(header, format))
    .map((format) => ({ format, words: ownWords(header, format, set) }))
    .filter(({ words }) => words >= 2)
    .sort((a, b) => b.words - a.words)
    .map(({ format }) => format);
  if (whole === undefined) return;
  const title = whole.title.includes(' ') ? `a ${whole.title}` : `a file of ${whole.title.toLowerCase()}`;
  const here =
    missing.length > 0 ? '' : `; for what this kind takes of it alone, map a column: --map "${known(header, set)}"`;
  throw new IntakeError('MISSING_COLUMNS', `${fault}; ${found(header, set)}; these are the headers of ${title}`, {
    line: 1,
    remedy: `${importAs(whole)}${here}.`,
  });
}

/** Whether a file with these headers could be imported as the format, by its own words. */
const hasRequired = (header: readonly string[], format: ColumnSet): boolean =>
  format.required.every((group) =>
    format.columns.some((column) => group.includes(column.name) && header.some((cell) => means(column, cell))),
  );

/** The map that a set would make by itself of the first header that it knows. */
function known(header: readonly string[], { columns }: ColumnSet): string {
  const column = columns.find((one) => header.some((cell) => means(one, cell)))!;
  return `${header.find((cell) => means(column, cell))}=${column.name}`;
}

/** How many headers mean something to one set and nothing to the other. */
function ownWords(header: readonly string[], set: ColumnSet, other: ColumnSet): number {
  return header.filter((cell) => knows(set, cell) && !knows(other, cell)).length;
}

const knows = ({ columns }: ColumnSet, header: string): boolean => columns.some((column) => means(column, header));

function means({ name, aliases }: Column, header: string): boolean {
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

const missingNames = (missing: ColumnSet['required']): string =>
  `Missing required columns: {${missing
    .map((group) => `'${group[0]}'`)
    .sort()
    .join(', ')}}`;

function refuseMissing(
  header: readonly string[],
  set: ColumnSet,
  positions: HeaderMapping['positions'],
  missing: ColumnSet['required'],
): never {
  const message = missingNames(missing);
  const free = header.flatMap((text, i) => (positions.includes(i) ? [] : [{ text, i }]));
  const hints = missing.flatMap((group) => suggestion(group, free, set) ?? []);
  if (free.length === header.length && hints.length === 0 && !looksLikeHeader(header)) {
    const cells = `${header.length} column${header.length === 1 ? '' : 's'}`;
    throw new IntakeError('MISSING_COLUMNS', `${message}; the first line does not look like a header (${cells})`, {
      line: 1,
    });
  }
  const hint = hints.length === 0 ? '' : `; did you mean ${hints.join(' ')}?`;
  throw new IntakeError('MISSING_COLUMNS', `${message}; ${found(header, set)}${hint}`, { line: 1 });
}

/** A `--map` for the free header that is nearest to one of the group's names or aliases. */
function suggestion(
  group: readonly string[],
  free: readonly { readonly text: string; readonly i: number }[],
  set: ColumnSet,
): string | undefined {
  for (const name of group) {
    const aliases = set.columns.find((column) => column.name === name)?.aliases ?? [];
    const texts = free.map(({ text }) => text);
    const near = nearest([name, ...aliases].map(normalizeHeader), texts, normalizeHeader);
    if (near !== undefined) return `--map "${publicName(near, free[texts.indexOf(near)]!.i, wordsOfSet(set))}=${name}"`;
  }
  return undefined;
}

function found(header: readonly string[], set: ColumnSet): string {
  const more = header.length > MOST_NAMED ? ` and ${header.length - MOST_NAMED} more` : '';
  const names = header.slice(0, MOST_NAMED).map((text, i) => publicName(text, i, wordsOfSet(set)));
  return `headers found: ${names.join(', ')}${more}`;
}

/**
 * The text of a record under one of our columns; undefined where the file has no such column. Of one that is read from several, the
 * first that is filled where any of them will do, else all of them joined.
 */
export function cellReader(
  set: ColumnSet,
  { positions, parts }: HeaderMapping,
): (cells: readonly string[] | undefined, column: string) => string | undefined {
  const placeOf = new Map(set.columns.map(({ name }, i) => [name, parts.get(i) ?? positions[i]]));
  const ofAny = new Set(set.columns.flatMap(({ name, anyOf }) => (anyOf ? [name] : [])));
  return (cells, column) => {
    const place = placeOf.get(column);
    if (place === undefined || typeof place === 'number') return place === undefined ? undefined : cells?.[place];
    const filled = cells && place.map((at) => cells[at]!.trim()).filter(Boolean);
    return ofAny.has(column) ? filled && (filled[0] ?? '') : filled?.join(' ');
  };
}

/** All places in the header that a column is read from. */
export const placesOf = ({ positions, parts }: HeaderMapping): number[] => [
  ...new Set([...positions, ...[...parts.values()].flat()].filter((place) => place !== undefined)),
];
