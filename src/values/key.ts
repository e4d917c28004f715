import { hash } from 'node:crypto';
import { lowerText } from './case.ts';

/** White space of keys, an explicit list that SQL repeats (`ingest.normalize_text`). */
const BLANK = String.raw`\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`;
const BLANKS = new RegExp(`[${BLANK}]+`, 'g');
const OUTER_BLANKS = new RegExp(`^[${BLANK}]+|[${BLANK}]+$`, 'g');

const TIDY_ASCII = /^(?:[!-~]+(?: [!-~]+)*)?$/;

/** `lower(trim(collapse_whitespace(name)))`; equal to SQL's `ingest.normalize_text` for any text PostgreSQL can store. */
export function normalizeName(name: string): string {
  if (TIDY_ASCII.test(name)) return name.toLowerCase();
  return lowerText(name.replace(OUTER_BLANKS, '').replace(BLANKS, ' '));
}

/** `lower(trim(email))`, the empty string for none. */
export function normalizeEmail(email: string | null | undefined): string {
  if (email === null || email === undefined) return '';
  return TIDY_ASCII.test(email) ? email.toLowerCase() : lowerText(email.replace(OUTER_BLANKS, ''));
}

/** Natural key: SHA-256 of `source|name|email` as hex, from parts that are normalized already. */
export const keyOfNormalized = (source: string, name: string, email: string): string =>
  hash('sha256', `${source}|${name}|${email}`, 'hex');
