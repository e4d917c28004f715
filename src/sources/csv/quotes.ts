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
