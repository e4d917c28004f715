/** What became of the headers of a file: for people who look whether all of them are taken. */
import { IntakeError } from '../../errors.ts';
import type { HeaderUse } from '../../messages/imports.ts';
import { nearest } from '../../values/nearest.ts';
import { wordsOfSet, type Column, type ColumnSet, type HeaderMapping } from './columnSet.ts';
import { MOST_NAMED, normalizeHeader, wordsOf } from './header.ts';
import { publicName } from './headerNames.ts';

/** What became of each header that is taken, and of the first `most` others. */
export function headerUses(
  header: readonly string[],
  set: ColumnSet,
  { positions, parts }: HeaderMapping,
  most = Infinity,
): HeaderUse[] {
  const free = set.columns.filter((_, i) => positions[i] === undefined);
  const words = wordsOfSet(set);
  let left = 0;
  return header.flatMap((cell, i) => {
    const place = positions.findIndex((at, column) => at === i || parts.get(column)?.includes(i));
    const column = set.columns[place]?.name ?? null;
    if (column === null && ++left > most) return [];
    const near = column === null && free.length > 0 ? nearColumn(cell, free) : undefined;
    return { header: publicName(cell, i, words), column, ...(near === undefined ? {} : { suggestion: near }) };
  });
}

/** The column whose name or alias is near a header, or whose words the header has among its own. */
function nearColumn(header: string, columns: readonly Column[]): string | undefined {
  const words = ({ name, aliases }: Column) => [name, ...aliases];
  const spelled = columns.find((column) => nearest(words(column).map(normalizeHeader), [header], normalizeHeader));
  if (spelled) return spelled.name;
  const parts = new Set(wordsOf(header));
  return columns.find((column) =>
    words(column).some((word) => word.length > 3 && wordsOf(word).every((part) => parts.has(part))),
  )?.name;
}

/** @throws IntakeError UNKNOWN_HEADERS naming the headers that mean no column. */
export function refuseUnknown(uses: readonly HeaderUse[]): void {
  const unknown = uses.filter(({ column }) => column === null);
  if (unknown.length === 0) return;
  const names = unknown.slice(0, MOST_NAMED).map(({ header }) => header);
  const hints = unknown.flatMap(({ header, suggestion }) => (suggestion ? [`--map "${header}=${suggestion}"`] : []));
  throw new IntakeError('UNKNOWN_HEADERS', `Headers that are not taken: ${names.join(', ')}`, {
    ...(hints.length > 0
      ? { remedy: `Map them, as in ${hints.slice(0, 3).join(' ')}, or leave --strict-headers away.` }
      : {}),
  });
}
