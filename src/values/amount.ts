import { EMPTY } from './result.ts';
import type { Result } from './result.ts';
import { asciiDigits, text } from './text.ts';

const BAD = { error: 'BAD_AMOUNT' } as const;
const PLAIN = /^\d{1,30}(?:\.\d{1,20})?$/;
/** Digits, alone or in groups of three, and a fraction that is not mistaken for a group. */
const DIGITS = /^(?:\d{1,30}|\d{1,3}(?:,\d{3}){1,9})(?:\.\d{0,20})?$|^\.\d{1,20}$/;

/** `1.234`: thousands in one country, a fraction in another. */
const GROUP_OR_FRACTION = /^[1-9]\d{0,2}\.\d{3}$/;
/** The dollar's name on one side of the amount. */
const DOLLARS = /^USD?(?=[\s$\d(+-])\s*|\s*USD$/i;
const NOTHING = /^(?:-{1,3}|n\/a|\$\s*-)$/i;

/**
 * An amount of money as an exact decimal string (`-1234567.89`), digits kept as written but for leading zeros. Takes `$`,
 * groups (`1,234,567.89`), parentheses or a minus before or after; `USD` on either side, also within
 * the parentheses; `5.-` for 5; a dash alone and `N/A` are empty. Anything that could mean two numbers (`1.234,56`, `1,23`, `1.234`) is BAD_AMOUNT, and so is
 * another currency. No floating point on the way.
 */
export function parseAmount(cell: string | null | undefined): Result<string> {
  const trimmed = text(cell);
  if (trimmed === null) return EMPTY;
  if (PLAIN.test(trimmed) && !GROUP_OR_FRACTION.test(trimmed)) return { value: canonical(trimmed, false) };
  let rest = asciiDigits(trimmed).replace(/[\u2212\u2013\u2014]/g, '-');
  if (NOTHING.test(rest)) return EMPTY;
  const named = rest;
  rest = rest.replace(DOLLARS, '');
  const isNamed = rest !== named;
  rest = rest.replace(/(\d)\.\s*-{1,2}$/, '$1');
  let negative = false;
  // The sign of the currency before the parentheses.
  rest = rest.replace(/^\$\s*(?=\()/, '');
  if (rest.startsWith('(') && rest.endsWith(')')) {
    negative = true;
    rest = rest.slice(1, -1).trim();
    if (!isNamed) rest = rest.replace(DOLLARS, '');
  } else if (rest.endsWith('-')) {
    negative = true;
    rest = rest.slice(0, -1).trim();
  }
  const sign = /^(?:([+-])\s*\$?|\$\s*([+-])?)\s*/.exec(rest);
  if (sign !== null) {
    const mark = sign[1] ?? sign[2];
    if (mark !== undefined && negative) return BAD;
    negative ||= mark === '-';
    rest = rest.slice(sign[0].length);
    if (!isNamed && mark !== undefined) rest = rest.replace(DOLLARS, '').replace(/^\$\s*/, '');
  }
  if (GROUP_OR_FRACTION.test(rest)) return BAD;
  return DIGITS.test(rest) ? { value: canonical(rest.replaceAll(',', ''), negative) } : BAD;
}

function canonical(digits: string, negative: boolean): string {
  const point = digits.indexOf('.');
  const whole = (point < 0 ? digits : digits.slice(0, point)).replace(/^0+(?=\d)/, '') || '0';
  const fraction = point < 0 ? '' : digits.slice(point + 1);
  const value = fraction === '' ? whole : `${whole}.${fraction}`;
  return negative && /[1-9]/.test(value) ? `-${value}` : value;
}
