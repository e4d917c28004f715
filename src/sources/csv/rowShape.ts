/** Records that are no rows of their own: blank ones, and the header once more. */
import { normalizeHeader } from './header.ts';

/** Whether no cell holds anything. */
export function isBlankRow(cells: readonly string[]): boolean {
  for (const cell of cells) if (cell !== '' && (cell.charCodeAt(0) > SPACE || cell.trim() !== '')) return false;
  return true;
}

const SPACE = 0x20;
/** The first word of a sum; the row is one when nothing but numbers follow. */
const SUM =
  /^(?:(?:grand|sub|report|overall|net|page)[\s-]*)?totals?(?:\s*\([a-z]{3}\))?\s*:?$|^totals? (?:amount|due|balance|records|rows)\s*:$|^(?:sum|count|average)\s*:$/i;
/** A cell that closes a report, or names its size or the time of its making; nothing but numbers stands beside it. */
const FOOTERS = [
  /^[-=*_#\s]*end of (?:report|file|list|data|export|document)[-=*_#.\s]*$/i,
  /^page \d+(?:\s*(?:of|\/)\s*\d+)?$/i,
  /^\(?\d[\d,]* (?:rows?|records?|row\(s\)|record\(s\))(?: (?:affected|selected|returned|exported))?\.?\)?$/i,
  /^(?:total |number of )?(?:records|rows|count|entries)\s*[:=]\s*\d[\d,]*$/i,
  /^(?:report )?(?:generated|printed|exported|run)\b.*\b\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}\b/i,
  /^copyright\b.*\ball rights reserved\b/i,
  /^[-=_*+]{3,}$/,
];
const COUNT = /^\d[\d,]* (?:rows|records)$/i;
const NUMERIC = /^[\s$€£\d.,()%+-]*$/;

const isAsciiLetter = (code: number): boolean => (code | SPACE) >= 0x61 && (code | SPACE) <= 0x7a;

/** Whether a record closes a report: a total, a number of rows, a page, an end. */
export function isFooter(cells: readonly string[]): boolean {
  // A row that has words in two cells is none, and most rows have.
  let worded = 0;
  for (const cell of cells) if (isAsciiLetter(cell.charCodeAt(0)) && ++worded > 1) return false;
  const at = cells.findIndex((cell) => cell !== '' && cell.trim() !== '');
  const first = cells[at]?.trim() ?? '';
  if (first.length > 100) return false;
  const others = cells.slice(at + 1);
  return SUM.test(first)
    ? others.every((cell) => NUMERIC.test(cell) || COUNT.test(cell.trim()))
    : FOOTERS.some((footer) => footer.test(first)) &&
        others.every((cell) => NUMERIC.test(cell) || cell.trim() === first);
}

/** Whether a record is the header once more, as in files that were joined. */
export function headerTest(header: readonly string[]): (cells: readonly string[]) => boolean {
  const names = header.map((name, i) =>
    name === `column_${i + 1}` ? '' : normalizeHeader(writtenAs(name, i, header)),
  );
  const initial = names[0]?.charCodeAt(0) ?? Number.NaN;
  const plain = isAsciiLetter(initial);
  return (cells) => {
    // Few rows begin like the header: the others need no closer look.
    if (plain && isAsciiLetter(cells[0]!.charCodeAt(0)) && (cells[0]!.charCodeAt(0) | SPACE) !== initial) return false;
    if (cells.length !== names.length) return false;
    return cells.every((cell, i) => normalizeHeader(cell) === names[i] || cell.trim() === header[i]);
  };
}

/** `Notes 2` stands for a second `Notes`. */
function writtenAs(name: string, index: number, header: readonly string[]): string {
  const first = name.replace(/ \d+$/, '');
  return header.slice(0, index).includes(first) ? first : name;
}
