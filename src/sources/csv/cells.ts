const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;

/**
 * Cuts a record into its cells, at most `most` of them. The scanner has already found it well-formed: a quoted cell closes
 * before a delimiter or the end; blanks before its quote are no part of it. csv-parse reads the same (the tests hold it against
 * this) at a third of the speed.
 */
export function cutCells(record: string, delimiter: string, most = Infinity): string[] {
  const cells: string[] = [];
  let at = 0;
  while (cells.length < most) {
    let end: number;
    let code = record.charCodeAt(at);
    if (code <= SPACE && (at = quoteBehindBlanks(record, at, delimiter)) >= 0) code = record.charCodeAt(at);
    if (code === QUOTE) {
      end = record.indexOf('"', at + 1);
      const escaped = record.charCodeAt(end + 1) === QUOTE;
      while (record.charCodeAt(end + 1) === QUOTE) end = record.indexOf('"', end + 2);
      const cell = record.slice(at + 1, end);
      cells.push(escaped || cell.includes('""') ? cell.replaceAll('""', '"') : cell);
      end++;
    } else {
      const text = code === EQUALS && record.charCodeAt(at + 1) === QUOTE ? record.indexOf('"', at + 2) : at;
      end = record.indexOf(delimiter, text);
      if (end < 0) end = record.length;
      cells.push(record.slice(at, end));
    }
    if (end >= record.length) return cells;
    at = end + 1;
    if (at === record.length) {
      cells.push('');
      return cells;
    }
  }
  return cells;
}

/** Where the quote stands that only blanks separate from the start of its cell; that start when there is none. */
function quoteBehindBlanks(record: string, start: number, delimiter: string): number {
  let at = start;
  for (let code; (code = record.charCodeAt(at)) === SPACE || (code === TAB && delimiter !== '\t');) at++;
  return record.charCodeAt(at) === QUOTE ? at : start;
}
