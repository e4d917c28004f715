/** A header that cannot be taken: what is said of it, and what would help. */
import { IntakeError } from '../../errors.ts';
import { nearest } from '../../values/nearest.ts';
import { knows, means, wordsOfSet, type ColumnSet, type Format, type HeaderMapping } from './columnSet.ts';
import { MOST_NAMED, normalizeHeader, wordsOf } from './header.ts';
import { publicName } from './headerNames.ts';

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
export function refuseOtherFormat(header: readonly string[], set: ColumnSet, missing: ColumnSet['required']): void {
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

const missingNames = (missing: ColumnSet['required']): string =>
  `Missing required columns: {${missing
    .map((group) => `'${group[0]}'`)
    .sort()
    .join(', ')}}`;

/** Says what is missing, what was found and, where one is near, the map that would take it. */
export function refuseMissing(
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

/** The headers as a message names them. */
export function found(header: readonly string[], set: ColumnSet): string {
  const more = header.length > MOST_NAMED ? ` and ${header.length - MOST_NAMED} more` : '';
  const names = header.slice(0, MOST_NAMED).map((text, i) => publicName(text, i, wordsOfSet(set)));
  return `headers found: ${names.join(', ')}${more}`;
}
