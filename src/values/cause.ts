/** Why a cell is no value, in words for the operator and without the cell. */
import { orderOf, type DateOrder } from './date.ts';

/** Signs of money but for `$` alone, `US$` and `USD $`. */
const OTHER_SIGN = /(?!\$)\p{Sc}|\b(?!USD?\b)[A-Z]{1,3}\s*\$|\b(?:euros?|pounds?)\b/iu;
const CODES = new Set(Intl.supportedValuesOf('currency'));

/** Whether an amount of money is named as one of another country. */
function namesOtherCurrency(value: string): boolean {
  if (!/\d/.test(value)) return false;
  const code = /(?<!\p{L})[A-Z]{3}(?!\p{L})/iu.exec(value)?.[0].toUpperCase();
  return OTHER_SIGN.test(value) || (code !== undefined && code !== 'USD' && CODES.has(code));
}

/** More than the sentence of the code says; undefined where nothing more is known. */
export function causeOf(code: string, cell: string | undefined, order: DateOrder): string | undefined {
  const value = cell?.trim() ?? '';
  if (/^#{3,}$/.test(value))
    return 'A spreadsheet wrote it so where the column was too narrow; widen it and export anew.';
  if (/^BAD_(?:EMAIL|PHONE|STATE)$/.test(code) && /^(?:n\.?\/?a\.?|none|unknown|no|nil|tbd|-+|\?+|\.)$/i.test(value))
    return 'If the word stands for nothing, name it with --null-words.';
  if (code === 'BAD_DATE') return causeOfDate(value, order);
  if (code === 'BAD_PHONE') {
    if (/["'=]/.test(value)) return 'It holds a quote or a formula.';
    if (/e\+\d+$/i.test(value)) return 'A spreadsheet has cut it to its first digits; export the column as text.';
    if (/\p{L}/u.test(value)) return 'It holds letters.';
  }
  if (code === 'BAD_AMOUNT') {
    if (namesOtherCurrency(value)) return 'It names another currency; amounts are US dollars here: convert it.';
    if (/^\D*\d{1,3}\.\d{3}\D*$/.test(value)) return 'It could mean thousands or a fraction; write 1234.00 or 1.2340.';
    if (/,\d{1,2}\D*$/.test(value)) return 'A comma is no decimal point here.';
  }
  return undefined;
}

function causeOfDate(value: string, order: DateOrder): string | undefined {
  const fits = orderOf(value);
  if (fits !== undefined && fits !== 'both' && fits !== order) return `--date-order ${fits} would fit this date.`;
  if (/^\d{5}(?:\.\d+)?$/.test(value)) return "It is a spreadsheet's number of a day; format the column as a date.";
  if (/^0?[01][-/]0?[01][-/]1900$/.test(value))
    return "It is a spreadsheet's nought, formatted as a date; leave the cell empty.";
  if (/^\d{10}(?:\d{3})?$/.test(value)) return 'It is a number of seconds or milliseconds; write it as YYYY-MM-DD.';
  if (/^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}$/.test(value)) return 'The year has two digits; write four.';
  return undefined;
}
