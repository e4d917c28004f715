/** Quotes in a window of code units. */
const QUOTE = 0x22;
const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;

/** Units of the largest cell of a well-formed record, without the quotes around it and blanks before them. */
export function largestCell(record: Uint8Array, delimiter: number): number {
  let largest = 0;
  let cell = 0;
  let quoted = false;
  for (let i = 0; i <= record.length; i++) {
    const unit = record[i];
    if (quoted) {
      if (unit !== QUOTE) continue;
      if (record[i + 1] === QUOTE) i++;
      else quoted = false;
    } else if (unit === QUOTE) {
      quoted = true;
      cell = i;
    } else if (unit === delimiter || i === record.length) {
      largest = Math.max(largest, i - cell - (record[cell] === QUOTE ? 2 : 0));
      cell = i + 1;
    }
  }
  return largest;
}

/** How many cells a well-formed record has. */
export function cellsIn(units: Uint8Array, start: number, end: number, delimiter: number): number {
  let cells = 1;
  let quoted = false;
  for (let at = start; at < end; at++) {
    if (units[at] === QUOTE) quoted = !quoted;
    else if (units[at] === delimiter && !quoted) cells++;
  }
  return cells;
}

/** How many cells a broken record may have at most: the good ones at both of its ends, and between them as many as delimiters allow. */
export function mostCells(record: Uint8Array, delimiter: number): number {
  const before = goodCells(record, 0, 1, delimiter);
  const behind = goodCells(record, record.length - 1, -1, delimiter);
  let cells = before.cells + behind.cells + 1;
  for (let at = before.at; at <= behind.at; at++) if (record[at] === delimiter) cells++;
  return cells;
}

/** The cells from one end of a record to the first broken one, and where this begins. A record read backwards is one too. */
function goodCells(record: Uint8Array, from: number, step: 1 | -1, delimiter: number): { cells: number; at: number } {
  let cells = 0;
  let at = from;
  for (let next = at; ;) {
    if (record[next] === QUOTE) {
      do {
        next += step;
        while (record[next] !== QUOTE && next in record) next += step;
        next += step;
      } while (record[next] === QUOTE);
    } else {
      while (record[next] !== delimiter && record[next] !== QUOTE && next in record) next += step;
    }
    if (record[next] !== delimiter) return { cells, at };
    cells++;
    at = next += step;
  }
}

/** Whether only blanks stand between the quote at `pos` and the start of its cell or line; or a spreadsheet's `=` before a text (`="00124"`). */
export function opensCell(units: Uint8Array, pos: number, delimiter: number, newline: number): boolean {
  for (let at = units[pos - 1] === EQUALS ? pos - 2 : pos - 1; at >= 0; at--) {
    const unit = units[at]!;
    if (unit === delimiter || unit === newline) return true;
    if (unit !== SPACE && unit !== TAB) return false;
  }
  return true;
}

/** Whether the first sign from `start` is a quote, blanks aside. */
export function startsQuoted(units: Uint8Array, start: number): boolean {
  let at = start;
  while (units[at] === SPACE || units[at] === TAB) at++;
  return units[at] === QUOTE;
}

/** Whether a line that begins with a quote goes on to its end in the cell that this opens. */
export function staysInFirstCell(units: Uint8Array, start: number, end: number): boolean {
  if (!startsQuoted(units, start)) return false;
  return !closesCell(units, units.indexOf(QUOTE, start) + 1, end);
}

/**
 * Whether the text from `start`, read as the inside of a quoted cell, ends it: with `delimiter`, where behind its closing quote
 * the cell ends too.
 */
export function closesCell(units: Uint8Array, start: number, end: number, delimiter?: number): boolean {
  for (let at = start; at < end; at++) {
    if (units[at] !== QUOTE) continue;
    if (units[at + 1] === QUOTE && at + 1 < end) at++;
    else return delimiter === undefined || at + 1 >= end || units[at + 1] === delimiter || isLineEnd(units[at + 1]);
  }
  return false;
}

const isLineEnd = (unit: number | undefined): boolean => unit === 0x0a || unit === 0x0d;

/**
 * Whether the lines of a broken record leave a quoted cell open that may go on behind them: their last quote begins one, or a
 * quote has no partner. `inside`: they begin inside of one.
 */
export function leavesOpen(
  units: Uint8Array,
  start: number,
  end: number,
  delimiter: number,
  newline: number,
  inside: boolean,
): boolean {
  let open = inside;
  let opening = false;
  let last = false;
  for (let at = start; at < end; at++) {
    if (units[at] !== QUOTE) continue;
    open = !open;
    last = opensCell(units, at, delimiter, newline);
    opening ||= last;
  }
  return last || (opening && open);
}
