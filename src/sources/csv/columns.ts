import { IntakeError } from '../../errors.ts';
import { wordsOfSet, type Column, type ColumnSet, type HeaderMapping } from './columnSet.ts';
import { normalizeHeader } from './header.ts';
import { mapKey, placesOfKey, publicName } from './headerNames.ts';
import { found, refuseMissing, refuseOtherFormat } from './headerRefusals.ts';

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
  names: readonly string[] = header,
): HeaderMapping {
  const mapped = applyMap(header, set, map, names);
  const explicitly = new Set([...mapped.values()].flat(2));
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
  const foreign = new Set<string>();
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
    if (places.length > 0) foreign.add(column.name);
  }
  const present = new Set(set.columns.filter((_, i) => positions[i] !== undefined).map(({ name }) => name));
  const missing = set.required.filter((group) => !group.some((name) => present.has(name)));
  if (Object.keys(map).length === 0) refuseOtherFormat(header, set, missing);
  if (missing.length > 0) refuseMissing(header, set, positions, missing);
  const used = new Set([...positions, ...[...parts.values()].flat()]);
  const instead = new Map(
    set.columns.flatMap(({ name, instead }, i): [number, number][] =>
      instead !== undefined && foreign.has(name) && foreign.has(instead)
        ? [[i, positions[set.columns.findIndex((column) => column.name === instead)]!]]
        : [],
    ),
  );
  return {
    positions,
    parts,
    ...(instead.size > 0 ? { instead } : {}),
    unmapped: header.map((_, i) => i).filter((i) => !used.has(i)),
  };
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
  names: readonly string[],
): Map<string, (readonly number[])[]> {
  const mapped = new Map<string, (readonly number[])[]>();
  for (const [theirs, ours] of Object.entries(map)) {
    const column = columnNamed(set, ours);
    const asWritten = placesOfKey(header, theirs);
    const indexes = asWritten.includes(undefined) ? placesOfKey(names, theirs) : asWritten;
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

/**
 * The text of a record under one of our columns; undefined where the file has no such column. Of one that is read from several, the
 * first that is filled where any of them will do, else all of them joined. Of one that is empty, what is read instead.
 */
export function cellReader(
  set: ColumnSet,
  { positions, parts, instead }: HeaderMapping,
): (cells: readonly string[] | undefined, column: string) => string | undefined {
  const others = new Map([...(instead ?? [])].map(([i, at]) => [set.columns[i]!.name, at]));
  const placeOf = new Map(set.columns.map(({ name }, i) => [name, parts.get(i) ?? positions[i]]));
  const ofAny = new Set(set.columns.flatMap(({ name, anyOf }) => (anyOf ? [name] : [])));
  const own = (cells: readonly string[] | undefined, column: string): string | undefined => {
    const place = placeOf.get(column);
    if (place === undefined || typeof place === 'number') return place === undefined ? undefined : cells?.[place];
    const filled = cells && place.map((at) => cells[at]?.trim() ?? '').filter(Boolean);
    return ofAny.has(column) ? filled && (filled[0] ?? '') : filled?.join(' ');
  };
  if (others.size === 0) return own;
  return (cells, column) => {
    const found = own(cells, column);
    const other = found?.trim() === '' ? others.get(column) : undefined;
    return other === undefined ? found : cells?.[other];
  };
}

/** All places in the header that a column is read from. */
export const placesOf = ({ positions, parts }: HeaderMapping): number[] => [
  ...new Set([...positions, ...[...parts.values()].flat()].filter((place) => place !== undefined)),
];
