import { EMPTY } from './result.ts';
import type { Result } from './result.ts';
import { asciiDigits, text } from './text.ts';

/** The one order of numeric dates in a file. */
export type DateOrder = 'mdy' | 'dmy';

const ABSENT = new Set(['not on file', 'not available', 'n/a', '---', 'unknown']);
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const FULL_MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

const CLOCK = String.raw`([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d|60)(?:[.,]\d+)?)?`;
const TIME = String.raw`(?:[T ]\s*${CLOCK}\s*(?:[ap]\.?m\.?)?\s*(?:z|utc|[+-]\d\d(?::?\d\d)?)?)?`;
const ISO = new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})${TIME}$`, 'i');
const COMPACT = /^(\d{4})(\d\d)(\d\d)$/;
const NUMERIC = new RegExp(String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})${TIME}$`, 'i');
const MONTH_FIRST = /^([a-z]{3,9})\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$/i;
const DAY_FIRST = /^(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})\.?,?[\s-]+(\d{4})$/i;
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+/i;

/**
 * A calendar date as `YYYY-MM-DD`, years 1800 to 2200. Takes ISO dates and timestamps (the date as written, whatever the zone),
 * month names, and numeric dates in the file's one order; words such as "N/A" are null. A date that does not exist in that
 * order is BAD_DATE, with a hint where the other order would fit: it is never swapped.
 */
export function parseDate(cell: string | null | undefined, order: DateOrder): Result<string> {
  return cell && cell.length <= LONGEST_KEPT ? (order === 'mdy' ? monthFirst : dayFirst)(cell) : readDate(cell, order);
}

function readDate(cell: string | null | undefined, order: DateOrder): Result<string> {
  const written = text(cell);
  if (written === null) return EMPTY;
  const trimmed = asciiDigits(written);
  const numeric = NUMERIC.exec(trimmed);
  if (numeric !== null) return numericDate(+numeric[1]!, +numeric[3]!, +numeric[4]!, order);
  const iso = ISO.exec(trimmed) ?? COMPACT.exec(trimmed);
  if (iso !== null)
    return iso.length === 4 ? calendar(+iso[1]!, +iso[2]!, +iso[3]!) : calendar(+iso[1]!, +iso[3]!, +iso[4]!);
  if (ABSENT.has(trimmed.toLowerCase())) return EMPTY;
  return namedDate(trimmed.replace(WEEKDAY, ''));
}

/** Which order a numeric date with a four-digit year exists in; undefined for every other cell. */
export function orderOf(cell: string | undefined): DateOrder | 'both' | undefined {
  if (!cell) return undefined;
  return cell.length <= LONGEST_KEPT ? knownOrder(cell) : readOrder(cell);
}

function readOrder(cell: string): DateOrder | 'both' | undefined {
  const numeric = NUMERIC.exec(cell.trim());
  if (numeric === null) return undefined;
  const [first, second, year] = [+numeric[1]!, +numeric[3]!, +numeric[4]!];
  const mdy = calendar(year, first, second).error === undefined;
  const dmy = calendar(year, second, first).error === undefined;
  return mdy && dmy ? 'both' : mdy ? 'mdy' : dmy ? 'dmy' : undefined;
}

function numericDate(first: number, second: number, year: number, order: DateOrder): Result<string> {
  const [month, day] = order === 'mdy' ? [first, second] : [second, first];
  const date = calendar(year, month, day);
  if (date.error === undefined || calendar(year, day, month).error !== undefined) return date;
  return bad(`the file's order is ${order}; --date-order ${order === 'mdy' ? 'dmy' : 'mdy'} would fit this date`);
}

function namedDate(value: string): Result<string> {
  const first = MONTH_FIRST.exec(value);
  if (first !== null) return calendar(+first[3]!, monthOf(first[1]!), +first[2]!);
  const second = DAY_FIRST.exec(value);
  if (second !== null) return calendar(+second[3]!, monthOf(second[2]!), +second[1]!);
  if (/^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}$/.test(value)) return bad('the year has two digits; write four');
  return bad();
}

/** 1 to 12, or 0 for a word that is no month. */
function monthOf(word: string): number {
  const name = word.toLowerCase();
  if (name === 'sept') return 9;
  return (name.length === 3 ? MONTHS : FULL_MONTHS).indexOf(name) + 1;
}

function calendar(year: number, month: number, day: number): Result<string> {
  if (year < 1800 || year > 2200 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return bad();
  return { value: `${year}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}` };
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function bad(hint?: string): Result<string> {
  return hint === undefined ? { error: 'BAD_DATE' } : { error: 'BAD_DATE', hint };
}

/** Dates of a file repeat: those without a time are read once. A bounded number is kept. */
const LONGEST_KEPT = 10;
const MOST_KEPT = 20_000;
const monthFirst = keeping((cell) => readDate(cell, 'mdy'));
const dayFirst = keeping((cell) => readDate(cell, 'dmy'));
const knownOrder = keeping(readOrder);

function keeping<T>(read: (cell: string) => T): (cell: string) => T {
  const kept = new Map<string, T>();
  return (cell) => {
    let answer = kept.get(cell);
    if (answer === undefined && !kept.has(cell)) {
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(cell, (answer = read(cell)));
    }
    return answer as T;
  };
}
