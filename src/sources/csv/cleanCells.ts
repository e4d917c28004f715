/** What spreadsheets and databases write around a value, taken off before a kind reads the cells; the raw row keeps them as they are. */
import { isAscii } from 'node:buffer';
import type { Encoding } from './encoding.ts';
import type { Remark, RemarkCode } from '../../messages/remarks.ts';

/** Hears what is noticed beside rejects. */
export type Notice = (code: RemarkCode, remark: Remark) => void;

export interface Cleaning {
  /** Cells that are empty, in any case of letters. */
  readonly nullWords?: readonly string[] | undefined;
  /** HTML entities become the signs they stand for. */
  readonly decodeHtml?: boolean | undefined;
}

/** What databases and spreadsheets write where nothing is. */
const NULL_WORDS = [
  'NULL',
  '\\N',
  '(null)',
  '<null>',
  '[null]',
  '#N/A',
  '#REF!',
  '#VALUE!',
  '#NAME?',
  '#DIV/0!',
  '#NULL!',
  '#NUM!',
  'nan',
  'undefined',
] as const;

const EQUALS = 0x3d;
const APOSTROPHE = 0x27;
const SPACE = 0x20;
const AMPERSAND = 0x26;
const ENTITY_START = /^&(?:#[\dx]|[a-z]{2,4};)/i;
const FORMULA_TEXT = /^="([^"]*)"$/;
/** A spreadsheet's mark of text; before a word it may be part of a name (`'t Hooft`). */
const TEXT_MARK = /^'(?=[\d=+@-])/;
const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
/** UTF-8 that was read as Windows-1252 and written as UTF-8 again. */
const TWICE_DECODED =
  /[ÃÂ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u017d\u017e\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|â€/;
const BIDI = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Bytes that text decoded twice and reversing signs have in UTF-8. */
const LITTER = [
  'c383',
  'c382',
  'c3a2',
  ...'8e8faaabacadae'.match(/../g)!.map((last) => `e280${last}`),
  'e281a6',
  'e281a7',
  'e281a8',
  'e281a9',
].map((hex) => Buffer.from(hex, 'hex'));

/** Whether a chunk may hold text decoded twice or reversing signs; most hold none. */
const holdsLitter = (chunk: Buffer, encoding: Encoding): boolean =>
  encoding === 'utf-8' ? !isAscii(chunk) && LITTER.some((bytes) => chunk.includes(bytes)) : !isAscii(chunk);

/** Whether a chunk may hold HTML entities; an `&` between names is none. Of encodings of two bytes, any `&` counts. */
function mayHoldEntities(chunk: Buffer, encoding: Encoding): boolean {
  if (encoding.startsWith('utf-16')) return chunk.includes(AMPERSAND);
  for (let at = chunk.indexOf(AMPERSAND); at >= 0; at = chunk.indexOf(AMPERSAND, at + 1))
    if (chunk[at + 1] !== SPACE && ENTITY_START.test(chunk.toString('latin1', at, at + 6))) return true;
  return false;
}

/** Cleans the cells of a chunk's records at some places. */
export function cellCleaner(
  chunk: Buffer,
  places: readonly number[],
  { nullWords = NULL_WORDS, decodeHtml = false, encoding }: Cleaning & { readonly encoding: Encoding },
  notice: Notice,
): (cells: readonly string[], line: number) => readonly string[] {
  const words = new Set(nullWords.map((word) => word.trim().toLowerCase()).filter(Boolean));
  const longest = Math.max(0, ...[...words].map((word) => word.length));
  // Most cells of most files need no look but at their first sign.
  const initials = new Set([...words].flatMap((word) => [word.charCodeAt(0), word.toUpperCase().charCodeAt(0)]));
  const entities = mayHoldEntities(chunk, encoding);
  const beyondAscii = holdsLitter(chunk, encoding);
  const see = (code: RemarkCode, line: number) => notice(code, { count: 1, line });

  const clean = (cell: string, line: number): string => {
    let value = cell.trim();
    value = FORMULA_TEXT.exec(value)?.[1] ?? value;
    value = value.replace(TEXT_MARK, '');
    if (value.length <= longest && words.has(value.toLowerCase())) {
      see('NULL_WORDS', line);
      return '';
    }
    if (entities && value.search(ENTITY) >= 0) {
      see('HTML_ENTITIES', line);
      if (decodeHtml) value = decodeEntities(value);
    }
    if (beyondAscii && TWICE_DECODED.test(value)) see('TWICE_DECODED', line);
    if (beyondAscii && BIDI.test(value)) see('BIDI_CONTROLS', line);
    return value;
  };

  return (cells, line) => {
    let own: string[] | undefined;
    for (const place of places) {
      const cell = cells[place];
      if (cell === undefined || cell === '') continue;
      const first = cell.charCodeAt(0);
      const suspect =
        first === EQUALS || first === APOSTROPHE || first <= SPACE || (cell.length <= longest && initials.has(first));
      if (!suspect && !(entities && cell.includes('&')) && !(beyondAscii && /[^\0-\x7f]/.test(cell))) continue;
      const value = clean(cell, line);
      if (value === cell || value === cell.trim()) continue;
      own ??= [...cells];
      own[place] = value;
    }
    return own ?? cells;
  };
}

const decodeEntities = (text: string): string =>
  text.replace(ENTITY, (whole, decimal: string, hex: string, name: string) => {
    if (name) return ENTITIES[name.toLowerCase()]!;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
  });

/** A day without its year, or a number cut to its first digits: what a spreadsheet makes of an identifier when it takes it for more. */
const CONVERTED =
  /^(?:\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\d{2,4}|\d(?:\.\d+)?e\+\d{1,3})$/i;

/** Whether an identifier was converted by a spreadsheet: what it was before cannot be known. */
export function isConverted(cell: string | undefined): boolean {
  if (cell === undefined || cell.length < 4) return false;
  // Days are short, and powers have their plus near the end: most identifiers need no closer look.
  const at = cell.lastIndexOf('+');
  if (cell.length > 10 && (at < 0 || at < cell.length - 6)) return false;
  return CONVERTED.test(cell.trim());
}
