/**
 * How a header is called outside of its file. Its text may be anybody's data: errors, histories, logs and manifests have its place
 * (`<column 3>`) or its hash; the text itself has only who holds the file, or may read the database.
 */
import { createHash } from 'node:crypto';
import { normalizeHeader } from './header.ts';

/** Texts of that length stand in no sentence. */
const LONGEST = 60;

/** The texts as they are kept and shown: what is longer than anybody reads is called by its place. */
export const shownTexts = (header: readonly string[]): string[] =>
  header.map((text, i) => (text.length <= LONGEST ? text : placeName(i)));

/** A header by its place, which `--map` takes, too. */
const placeName = (index: number): string => `<column ${index + 1}>`;

/** A header as a message names it: a word of the kind as it is written, any other by its place. */
export const publicName = (header: string, index: number, words: ReadonlySet<string>): string =>
  words.has(normalizeHeader(header)) ? header : placeName(index);

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
/** Of the text as it is written, and as headers are compared. */
const hashName = (text: string): string => `#${digest(text.trim())}.${digest(normalizeHeader(text))}`;

const PLACE = /^<column (\d+)>$/;
const HASH = /^#([0-9a-f]{12})\.([0-9a-f]{12})$/;
const NAME = '(?:<column \\d+>|#[0-9a-f]{12}\\.[0-9a-f]{12})';
/** One header; several that are joined, behind the one whose text they would be otherwise. */
const KEY = `(?:${NAME}\\|)?${NAME}(?:\\+${NAME})*`;
const IS_KEY = new RegExp(`^${KEY}$`);
const KEYS = new RegExp(KEY, 'g');

/** The left side of a `--map` without its text, for a file that nobody has read yet; what has none already stays as it is. */
export function mapKey(written: string): string {
  if (IS_KEY.test(written)) return written;
  const names = written.split('+').map((part) => (PLACE.test(part.trim()) ? part.trim() : hashName(part)));
  return names.length === 1 ? names[0]! : `${hashName(written)}|${names.join('+')}`;
}

/** Where the headers of a `--map`, as text or key, stand: one, or several that are joined; undefined for one that is not there. */
export function placesOfKey(header: readonly string[], key: string): (number | undefined)[] {
  const [whole, parts = key] = IS_KEY.test(key) ? (key.split('|') as [string, string?]) : [key];
  const place = placeOf(header, whole);
  return place === undefined ? parts.split('+').map((part) => placeOf(header, part)) : [place];
}

function placeOf(header: readonly string[], written: string): number | undefined {
  const name = written.trim();
  const exact = header.indexOf(name);
  if (exact >= 0) return exact;
  const place = Number(PLACE.exec(name)?.[1] ?? 0);
  if (place > 0) return place <= header.length ? place - 1 : undefined;
  const [, asWritten, compared] = HASH.exec(name) ?? [];
  const index = asWritten
    ? header.findIndex((cell) => digest(cell) === asWritten)
    : header.findIndex((cell) => normalizeHeader(cell) === normalizeHeader(name));
  if (index >= 0) return index;
  const alike = asWritten ? header.findIndex((cell) => digest(normalizeHeader(cell)) === compared) : -1;
  return alike < 0 ? undefined : alike;
}

/** Puts the texts of headers in place of their names. */
export type Spell = (text: string) => string;

/**
 * For people who may see the texts.
 * @param header of the file; empty where nobody can say it.
 * @param written the left sides of `--map` as they were given.
 */
export function speller(header: readonly string[], written: readonly string[] = []): Spell {
  const shown = shownTexts(header);
  const keys = new Map(written.map((text) => [mapKey(text), text]));
  const textOf = (key: string): string => {
    const texts = placesOfKey(header, key).map((place) => (place === undefined ? undefined : shown[place]));
    return texts.every((text) => text !== undefined) ? texts.join(' + ') : key;
  };
  return (text) => text.replace(KEYS, (key) => keys.get(key) ?? textOf(key));
}
