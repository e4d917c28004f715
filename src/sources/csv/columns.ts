import { IntakeError } from '../../errors.ts';
import { maskHeader, normalizeHeader } from './header.ts';
import { nearest } from './distance.ts';

export interface Column {
  /** Our name for it. */
  readonly name: string;
  /** Headers that mean it besides its name, matched without case, spaces, `-` and `_`. */
  readonly aliases: readonly string[];
}

export interface ColumnSet {
  readonly columns: readonly Column[];
  /** Groups of which each needs at least one column, e.g. `[['name'], ['number', 'reference']]`. */
  readonly required: readonly (readonly string[])[];
  /** Other formats that a file may be by mistake. */
  readonly confusableWith?: readonly Format[];
}

/** A set of columns under the name of its kind and a title such as `JBI export`. */
export interface Format extends ColumnSet {
  readonly name: string;
  readonly title: string;
}

export interface HeaderMapping {
  /** For each column its index in the header, in the order of `columns`. */
  readonly positions: readonly (number | undefined)[];
  /** Indexes of headers that mean no column, ascending. */
  readonly unmapped: readonly number[];
}

/**
 * Finds the columns of a kind in a header. `map` (their header -> our column) wins over names, a column's own name over its
 * aliases. Throws UNKNOWN_COLUMN for a map entry without its header or column, DUPLICATE_HEADER for two headers of one column,
 * MISSING_COLUMNS, also for the headers of a kind it is confusable with; messages name headers, and none at all where the first line looks like
 * data.
 */
export function mapHeader(
  header: readonly string[],
  set: ColumnSet,
  map: Readonly<Record<string, string>> = {},
): HeaderMapping {
  const mapped = applyMap(header, set, map);
  const free = header.map((_, i) => i).filter((i) => !mapped.has(i));
  const normalized = header.map(normalizeHeader);
  const positions = set.columns.map((column) => {
    const explicit = [...mapped].filter(([, name]) => name === column.name).map(([i]) => i);
    if (explicit.length > 0) return single(explicit, column, header);
    const named = free.filter((i) => normalized[i] === normalizeHeader(column.name));
    if (named.length > 0) return single(named, column, header);
    const aliases = new Set(column.aliases.map(normalizeHeader));
    return single(
      free.filter((i) => aliases.has(normalized[i]!)),
      column,
      header,
    );
  });
  const present = new Set(set.columns.filter((_, i) => positions[i] !== undefined).map(({ name }) => name));
  const missing = set.required.filter((group) => !group.some((name) => present.has(name)));
  if (Object.keys(map).length === 0) refuseOtherFormat(header, set, missing);
  if (missing.length > 0) refuseMissing(header, set, positions, missing);
  const used = new Set(positions);
  return { positions, unmapped: header.map((_, i) => i).filter((i) => !used.has(i)) };
}

/** Index in the header -> our column, from the operator's map. */
function applyMap(
  header: readonly string[],
  set: ColumnSet,
  map: Readonly<Record<string, string>>,
): Map<number, string> {
  const mapped = new Map<number, string>();
  for (const [theirs, ours] of Object.entries(map)) {
    const column = set.columns.find(({ name }) => normalizeHeader(name) === normalizeHeader(ours));
    if (column === undefined) {
      const names = set.columns.map(({ name }) => name).join(', ');
      throw new IntakeError('UNKNOWN_COLUMN', `--map names an unknown column: ${ours}; columns: ${names}`);
    }
    const exact = header.indexOf(theirs.trim());
    const index = exact >= 0 ? exact : header.findIndex((cell) => normalizeHeader(cell) === normalizeHeader(theirs));
    if (index < 0) {
      throw new IntakeError(
        'UNKNOWN_COLUMN',
        `--map names a header the file does not have: ${theirs}; ${found(header)}`,
        {
          remedy: 'Use a header of the file on the left of --map.',
        },
      );
    }
    mapped.set(index, column.name);
  }
  return mapped;
}

function single(indexes: readonly number[], column: Column, header: readonly string[]): number | undefined {
  if (indexes.length < 2) return indexes[0];
  const names = indexes.map((i) => maskHeader(header[i]!, i));
  throw new IntakeError('DUPLICATE_HEADER', `Several headers mean ${column.name}: ${names.join(', ')}`, {
    line: 1,
    remedy: `Say which one counts: --map "${names[0]}=${column.name}".`,
  });
}

/** What a column may be called; the cells of a data row are hardly all of this form. */
const WORD = /^[A-Za-z][A-Za-z]*(?:[_-][A-Za-z]+)*$/;

/** Without a map, which would say that the operator has looked: a file that speaks another format's words and none of ours. */
function refuseOtherFormat(header: readonly string[], set: ColumnSet, missing: ColumnSet['required']): void {
  const enough = missing.length > 0 ? 1 : 2;
  const other = set.confusableWith?.find(
    (format) => ownWords(header, set, format) === 0 && ownWords(header, format, set) >= enough,
  );
  if (other === undefined) return;
  const fault = missing.length > 0 ? missingNames(missing) : 'Another format';
  throw new IntakeError('MISSING_COLUMNS', `${fault}; these are the headers of a ${other.title}`, {
    line: 1,
    remedy: `Import it as \`${other.name}\`: intake import ${other.name} FILE.`,
  });
}

/** How many headers mean something to one set and nothing to the other. */
function ownWords(header: readonly string[], set: ColumnSet, other: ColumnSet): number {
  return header.filter((cell) => knows(set, cell) && !knows(other, cell)).length;
}

function knows({ columns }: ColumnSet, header: string): boolean {
  const normalized = normalizeHeader(header);
  return columns.some(({ name, aliases }) => [name, ...aliases].some((word) => normalizeHeader(word) === normalized));
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
  const free = header.filter((_, i) => !positions.includes(i));
  const hints = missing.flatMap((group) => suggestion(group, free, set.columns) ?? []);
  if (free.length === header.length && hints.length === 0 && !header.every((cell) => WORD.test(cell))) {
    const cells = `${header.length} column${header.length === 1 ? '' : 's'}`;
    throw new IntakeError('MISSING_COLUMNS', `${message}; the first line does not look like a header (${cells})`, {
      line: 1,
    });
  }
  const hint = hints.length === 0 ? '' : `; did you mean ${hints.join(' ')}?`;
  throw new IntakeError('MISSING_COLUMNS', `${message}; ${found(header)}${hint}`, { line: 1 });
}

/** A `--map` for the free header that is nearest to one of the group's names or aliases. */
function suggestion(group: readonly string[], free: readonly string[], columns: readonly Column[]): string | undefined {
  for (const name of group) {
    const aliases = columns.find((column) => column.name === name)?.aliases ?? [];
    const header = nearest([name, ...aliases].map(normalizeHeader), free, normalizeHeader);
    if (header !== undefined) return `--map "${header}=${name}"`;
  }
  return undefined;
}

function found(header: readonly string[]): string {
  return `headers found: ${header.map(maskHeader).join(', ')}`;
}
