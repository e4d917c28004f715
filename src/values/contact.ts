import { EMPTY } from './result.ts';
import type { Result } from './result.ts';
import { asciiDigits, text } from './text.ts';

const EXTENSION = /[\s,;]*(?:x|ext|extn|extension|#)\s*[.:#=]?\s*(\d{1,8})$/i;
/** What people write before a number, and behind it. */
const KIND_OF_PHONE =
  /^(?:\((?:tel|phone|mobile|cell|home|work|office|main|[cmhwo])\)|(?:tel|phone|ph|p|mobile|cell|home|work|office|main|[cmhwo])\s*[.:])\s*|\s*[([](?:tel|phone|mobile|cell|home|work|office|main|[cmhwo])[)\]]$/gi;
/** A program took the number for an amount. */
const FRACTION = /^(\d{7,15})\.0$/;
/** Signs that nobody sees: they come along from web pages. */
const UNSEEN = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;
/** Between several numbers of a cell. */
const BETWEEN_PHONES = /\s*(?:;|:::|,|\n|\/|\|)\s*|\s+(?:or|and|&)\s+|\s+(?=[a-z]+\s*:)/i;
const PHONE = /^[+\d\s().\-/\u00a0\u2010-\u2015]+$/;
const EMAIL =
  /^(?!')[^\s@"(),:;<>[\\\]\u00ad\u200b-\u200f\u2060\ufeff]+@[^\s@"(),:;<>[\\\].]+(?:\.[^\s@"(),:;<>[\\\].\u00ad\u200b-\u200f\u2060\ufeff]+)+$/;

/**
 * The digits of a phone number, 7 to 15 of them, and its extension behind an `x`: many people have a switchboard, one has a line. Of
 * several in a cell, all of which are numbers, the first.
 */
export function parsePhone(cell: string | null | undefined): Result<string> {
  const written = text(cell);
  if (written === null) return EMPTY;
  const trimmed = written.endsWith('.0') ? written.replace(FRACTION, '$1') : written;
  const one = onePhone(trimmed);
  return one.error === undefined ? one : (severalPhones(trimmed) ?? one);
}

/** Whether a cell holds several phone numbers. */
export const hasSeveralPhones = (cell: string | undefined): boolean => {
  const trimmed = cell === undefined || cell.length < 15 ? null : text(cell);
  return trimmed !== null && onePhone(trimmed).error !== undefined && severalPhones(trimmed) !== undefined;
};

/** The first of them; undefined where it is not several, or one is none. */
function severalPhones(written: string): Result<string> | undefined {
  const all = written.split(BETWEEN_PHONES).filter(Boolean).map(onePhone);
  return all.length > 1 && all.every(({ error }) => error === undefined) ? all[0] : undefined;
}

function onePhone(trimmed: string): Result<string> {
  // Most have neither a word before them nor an extension behind.
  const plain = PHONE.test(trimmed);
  const written = plain ? trimmed : asciiDigits(trimmed).replace(KIND_OF_PHONE, '');
  const extension = plain ? undefined : EXTENSION.exec(written)?.[1];
  const number = plain ? trimmed : written.replace(EXTENSION, '');
  if (!PHONE.test(number)) {
    const latin = asciiDigits(trimmed);
    return latin === trimmed ? { error: 'BAD_PHONE' } : onePhone(latin);
  }
  // A whole number before a slash is one of two.
  if (number.includes('/') && number.split('/', 1)[0]!.replace(/\D/g, '').length > 9) return { error: 'BAD_PHONE' };
  const digits = number.replace(/\D/g, '');
  if (digits.length < 7 || digits.length > 15) return { error: 'BAD_PHONE' };
  return { value: extension === undefined ? digits : `${digits}x${extension}` };
}

/** The address in `mailto:a@b`, `<a@b>`, `Ann <a@b>` or `'a@b'`. */
const bareAddress = (value: string): string =>
  value.includes('<') || value.includes(':') || value.startsWith("'")
    ? (/^[^<>]*<([^<>]+)>$/.exec(value)?.[1] ?? value)
        .replace(/^mailto:([^?]*).*$/i, '$1')
        .replace(/^\s*'(.+)'\s*$/, '$1')
        .trim()
    : value;

/**
 * An e-mail address, trimmed and otherwise as written: case is folded in keys only. Of several, with `;`, `,`, `:::` or blanks between
 * them, all of which are addresses, the first.
 */
export function parseEmail(cell: string | null | undefined): Result<string> {
  const written = text(cell);
  if (written === null) return EMPTY;
  // Most are an address and nothing else.
  const plain = oneEmail(written);
  if (plain.error === undefined) return plain;
  const value = written.replace(UNSEEN, '').replace(/\s*[;,]$/, '');
  if (value.indexOf('@') === value.lastIndexOf('@')) return oneEmail(bareAddress(value));
  const all = value
    .split(/\s*(?:[;,|]|:::)\s*|\s+(?=[^\s<>]+@)/)
    .filter(Boolean)
    .map((part) => oneEmail(bareAddress(part)));
  return all.find(({ error }) => error !== undefined) ?? all[0] ?? { error: 'BAD_EMAIL' };
}

/** Whether a cell holds several addresses. */
export const hasSeveralEmails = (cell: string | undefined): boolean =>
  cell !== undefined && cell.indexOf('@') !== cell.lastIndexOf('@') && parseEmail(cell).error === undefined;

function oneEmail(trimmed: string): Result<string> {
  return trimmed.length <= 254 && EMAIL.test(trimmed) && !trimmed.includes('..')
    ? { value: trimmed }
    : { error: 'BAD_EMAIL' };
}

/** A two-letter state, upper-cased. */
export function parseState(cell: string | null | undefined): Result<string> {
  const trimmed = text(cell);
  if (trimmed === null) return EMPTY;
  return /^[a-z]{2}$/i.test(trimmed) ? { value: trimmed.toUpperCase() } : { error: 'BAD_STATE' };
}
