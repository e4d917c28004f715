import { EMPTY } from './result.ts';
import type { Result } from './result.ts';
import { text } from './text.ts';

const EXTENSION = /[\s,;]*(?:x|ext|extn|extension|#)\s*[.:#]?\s*\d{1,8}$/i;
const PHONE = /^[+\d\s().\-/\u00a0\u2010-\u2015]+$/;
const EMAIL = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\].]+(?:\.[^\s@"(),:;<>[\\\].]+)+$/;

/** The digits of a phone number, 7 to 15 of them, without its extension. */
export function parsePhone(cell: string | null | undefined): Result<string> {
  const trimmed = text(cell);
  if (trimmed === null) return EMPTY;
  const number = trimmed.replace(/^(?:tel|phone|ph|p|mobile|cell)\s*[.:]\s*/i, '').replace(EXTENSION, '');
  const digits = number.replace(/\D/g, '');
  return PHONE.test(number) && digits.length >= 7 && digits.length <= 15 ? { value: digits } : { error: 'BAD_PHONE' };
}

/** An e-mail address, trimmed and otherwise as written: case is folded in keys only. */
export function parseEmail(cell: string | null | undefined): Result<string> {
  const trimmed = text(cell);
  if (trimmed === null) return EMPTY;
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
