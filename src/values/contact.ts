import { EMPTY } from './result.ts';
import type { Result } from './result.ts';
import { asciiDigits, text } from './text.ts';

const EXTENSION = /[\s,;]*(?:x|ext|extn|extension|#)\s*[.:#]?\s*(\d{1,8})$/i;
const PHONE = /^[+\d\s().\-/\u00a0\u2010-\u2015]+$/;
const EMAIL = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\].]+(?:\.[^\s@"(),:;<>[\\\].]+)+$/;

/** The digits of a phone number, 7 to 15 of them, and its extension behind an `x`: many people have a switchboard, one has a line. */
export function parsePhone(cell: string | null | undefined): Result<string> {
  const trimmed = text(cell);
  if (trimmed === null) return EMPTY;
  // Most have neither a word before them nor an extension behind.
  const plain = PHONE.test(trimmed);
  const written = plain ? trimmed : asciiDigits(trimmed).replace(/^(?:tel|phone|ph|p|mobile|cell)\s*[.:]\s*/i, '');
  const extension = plain ? undefined : EXTENSION.exec(written)?.[1];
  const number = plain ? trimmed : written.replace(EXTENSION, '');
  if (!PHONE.test(number)) {
    const latin = asciiDigits(trimmed);
    return latin === trimmed ? { error: 'BAD_PHONE' } : parsePhone(latin);
  }
  const digits = number.replace(/\D/g, '');
  if (digits.length < 7 || digits.length > 15) return { error: 'BAD_PHONE' };
  return { value: extension === undefined ? digits : `${digits}x${extension}` };
}

/** The address in `mailto:a@b`, `<a@b>` or `Ann <a@b>`. */
const bareAddress = (value: string): string =>
  value.includes('<') || value.includes(':')
    ? (/^[^<>]*<([^<>]+)>$/.exec(value)?.[1] ?? value).replace(/^mailto:/i, '').trim()
    : value;

/**
 * An e-mail address, trimmed and otherwise as written: case is folded in keys only. Of several, with `;`, `,` or blanks between
 * them, all of which are addresses, the first.
 */
export function parseEmail(cell: string | null | undefined): Result<string> {
  const value = text(cell);
  if (value === null) return EMPTY;
  if (value.indexOf('@') === value.lastIndexOf('@')) return oneEmail(bareAddress(value));
  const all = value
    .split(/\s*[;,]\s*|\s+(?=[^\s<>]+@)/)
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
