/**
 * sources/cleanText.ts: What spreadsheets and databases write around a text, or in the place of nothing, wherever texts come in.
 */
import type { Remark, RemarkCode } from '../messages/remarks.ts';

/** Hears what is noticed beside rejects. */
export type Notice = (code: RemarkCode, remark: Remark) => void;

/** How texts are cleaned, as who imports them wants it. */
export interface Cleaning {
  /** Texts that stand for nothing, in any case of letters. */
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
  '#SPILL!',
  '#CALC!',
  '#FIELD!',
  '#BLOCKED!',
  '#CONNECT!',
  '#UNKNOWN!',
  '#ERROR!',
  '#GETTING_DATA',
  '<NA>',
  'nat',
  '[object Object]',
  'nan',
  'undefined',
  '(no value)',
] as const;

const FORMULA_TEXT = /^="((?:[^"]|"")*)"$/;
/** A spreadsheet's mark of text; before a word it may be part of a name (`'t Hooft`). */
const TEXT_MARK = /^'(?=[\d=+@-])/;
const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
/** UTF-8 that was read as Windows-1252 and written as UTF-8 again. */
const TWICE_DECODED =
  /[ÃÂ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u017d\u017e\u0178\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|â€/;
const BIDI = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const EQUALS = 0x3d;
const APOSTROPHE = 0x27;
const SPACE = 0x20;

/** What texts can hold at all, where that is known of all of them beforehand. */
export interface MayHold {
  readonly entities: boolean;
  readonly beyondAscii: boolean;
}

/** Cleans texts one by one; `line` is where a remark says that it stands. */
export type TextCleaner = (text: string, line?: number) => string;

/** Most texts need no look but at their first sign, and come back as they are. */
export function textCleaner(
  { nullWords = NULL_WORDS, decodeHtml = false }: Cleaning,
  notice: Notice,
  { entities, beyondAscii }: MayHold = { entities: true, beyondAscii: true },
): TextCleaner {
  const words = new Set(nullWords.map((word) => word.trim().toLowerCase()).filter(Boolean));
  const longest = Math.max(0, ...[...words].map((word) => word.length));
  const initials = new Set([...words].flatMap((word) => [word.charCodeAt(0), word.toUpperCase().charCodeAt(0)]));
  const isSuspect = (text: string): boolean => {
    const first = text.charCodeAt(0);
    return (
      first === EQUALS ||
      first === APOSTROPHE ||
      first <= SPACE ||
      (text.length <= longest && initials.has(first)) ||
      (entities && text.includes('&')) ||
      (beyondAscii && /[^\0-\x7f]/.test(text))
    );
  };

  return (text, line) => {
    if (text === '' || !isSuspect(text)) return text;
    const see = (code: RemarkCode) => notice(code, { count: 1, ...(line === undefined ? {} : { line }) });
    const trimmed = text.trim();
    let value = FORMULA_TEXT.exec(trimmed)?.[1]?.replaceAll('""', '"') ?? trimmed;
    value = value.replace(TEXT_MARK, '');
    if (value.length <= longest && words.has(value.toLowerCase())) {
      see('NULL_WORDS');
      return '';
    }
    if (entities && value.search(ENTITY) >= 0) {
      see('HTML_ENTITIES');
      if (decodeHtml) value = decodeEntities(value);
    }
    if (beyondAscii && TWICE_DECODED.test(value)) see('TWICE_DECODED');
    if (beyondAscii && BIDI.test(value)) see('BIDI_CONTROLS');
    return value === trimmed ? text : value;
  };
}

/** As texts are cleaned where nobody says otherwise; what is noticed is not told. */
export const usualTexts: TextCleaner = textCleaner({}, () => undefined);

const decodeEntities = (text: string): string =>
  text.replace(ENTITY, (whole, decimal: string, hex: string, name: string) => {
    if (name) return ENTITIES[name.toLowerCase()]!;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
  });

/** A day without its year, a number cut to its first digits, a column too narrow: what a spreadsheet makes of an identifier when it takes it for more. */
const CONVERTED =
  /^(?:\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\d{2,4}|\d(?:\.\d+)?e\+\d{1,3}|#{3,})$/i;

/** Whether an identifier was converted by a spreadsheet: what it was before cannot be known. */
export function isConverted(cell: string | undefined): boolean {
  if (cell === undefined || cell.length < 4) return false;
  // Days are short, and powers have their plus near the end: most identifiers need no closer look.
  const at = cell.lastIndexOf('+');
  if (cell.length > 10 && (at < 0 || at < cell.length - 6)) return false;
  return CONVERTED.test(cell.trim());
}
