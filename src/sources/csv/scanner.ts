import type { Dialect } from './dialect.ts';
import { largestCell, leavesOpen, opensCell, startsQuoted, staysInFirstCell } from './quotes.ts';

/** A cell over this many bytes makes its record a FIELD_TOO_LARGE reject. */
export const MAX_CELL_BYTES = 1_000_000;
/** A record of so many bytes is RECORD_TOO_LARGE, and an open quote is given up so far behind its beginning: a bound on memory. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;

const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;

export type ScanError = 'UNBALANCED_QUOTE' | 'FIELD_TOO_LARGE' | 'RECORD_TOO_LARGE';

export interface ScanLimits {
  /** The first record is a header, in which a quote inside a cell (`Size"`) is data: it has no value to be taken wrongly. */
  readonly header?: boolean;
  readonly cellBytes?: number;
  readonly recordBytes?: number;
}

/** Lines without a quote that a broken record may take with it, and records before it that may be the beginning of its cell. */
export const MAX_TAIL_LINES = 100;

/**
 * Where the scan stands within a record. `skip`: the record is lost, only the end of the line matters; `tail`: its first line is
 * lost, and the lines behind may be the rest of a cell.
 */
const CELL = 0;
const QUOTED = 1;
const CLOSED = 2;
const CLOSED_CR = 3;
const SKIP = 4;
const TAIL = 5;

/**
 * Finds the records of a CSV text, RFC 4180 with recovery, over a window of code units that the caller refills.
 *
 *     while (true) {
 *       while (scanner.next()) use(scanner.start, scanner.end, scanner.after, scanner.line, scanner.error);
 *       if (last) break;
 *       move the units from scanner.keepFrom to the front of the window and append more
 *       scanner.refill(window, length, last);
 *     }
 *
 * A quote opens a quoted cell at a cell's start, blanks before it aside. After the closing quote comes a delimiter or the end
 * of the line; otherwise, where a quote stands inside an unquoted cell, and where one stays open to the end or beyond the cap,
 * the record is UNBALANCED_QUOTE: it is the physical line it began on, and the scan restarts at the next one. Where that line
 * leaves a quote open and the next quote to come looks like its end, or is one to a reader that fails behind it, the lines up to
 * there belong to it: they may be the text of a cell, and what may be that is no record. Blank lines are no records.
 *
 * Restarts are linear. Every quote opens or closes, so a failed scan, inside quotes at every line end it crossed, and a later
 * one from a line within cannot both be inside at the same line end: the later one crosses none of them. No unit is therefore
 * read more than thrice, and results do not depend on what came before, so a chunk scanned alone gives what the whole file gave.
 */
export class RecordScanner {
  /** First unit of the record in the window; negative when a record over the cap has left the window. */
  start = 0;
  /** End of the record without its line end, relative to the window. */
  end = 0;
  /** End of the record with its line end: where the next one begins. */
  after = 0;
  /** Physical line on which the record begins. */
  line = 0;
  error: ScanError | undefined = undefined;
  /** Whether any of its cells is quoted; without one, delimiters are all there is to it. */
  quoted = false;
  /** Physical line at `after`. */
  nextLine: number;

  readonly #newline: number;
  readonly #delimiter: number;
  readonly #maxCell: number;
  readonly #maxRecord: number;
  #window: Uint8Array = new Uint8Array(0);
  #length = 0;
  #last = false;
  #pos = 0;
  #state = CELL;
  #opened = false;
  #lenient: boolean;
  /** After the first newline of the current record, or -1; of a broken one, where its lines end for all that is known. */
  #secondLine = -1;
  /** Physical line at #secondLine of a broken record. */
  #secondLineNumber = 0;
  #tailLines = 0;
  /** Line number at #pos while inside a record. */
  #posLine: number;

  /** `line` is the physical line of the first unit. Limits are in units of the window. */
  constructor(dialect: Dialect, line = 1, limits: ScanLimits = {}) {
    this.#newline = dialect.newline === 'cr' ? CR : LF;
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#maxCell = limits.cellBytes ?? MAX_CELL_BYTES;
    this.#maxRecord = limits.recordBytes ?? MAX_RECORD_BYTES;
    this.#lenient = limits.header ?? false;
    this.nextLine = line;
    this.#posLine = line;
  }

  /** Whether the record that begins at `after` is over the limit already, though its end is still to come. */
  get overLimit(): boolean {
    return this.#state === SKIP && this.#pos - this.after > this.#maxRecord;
  }

  /** Units before this position are no longer needed; of a record over the limit only a carriage return that may end it is kept. */
  get keepFrom(): number {
    return this.overLimit ? this.#pos - 1 : this.after;
  }

  /** The window now begins with the unit that was at `keepFrom`; `last`: the text ends at `length`. */
  refill(window: Uint8Array, length: number, last: boolean): void {
    const shift = this.keepFrom;
    this.after -= shift;
    this.#pos -= shift;
    if (this.#secondLine >= 0) this.#secondLine -= shift;
    this.#window = window;
    this.#length = length;
    this.#last = last;
  }

  /** Moves to the next record; false when the window is used up. */
  next(): boolean {
    const window = this.#window;
    const newline = this.#newline;
    const delimiter = this.#delimiter;
    let start = this.after;
    let limit = Math.min(this.#length, start + this.#maxRecord);
    let pos = this.#pos;
    let state = this.#state;
    for (;;) {
      if (state === CELL) {
        let unit = 0;
        while (pos < limit && (unit = window[pos]!) !== newline && unit !== QUOTE) pos++;
        if (pos < limit) {
          if (unit === QUOTE) {
            if (pos === start || window[pos - 1] === delimiter || opensCell(window, pos, delimiter, newline)) {
              state = QUOTED;
              this.#opened = true;
            } else if (!this.#lenient) {
              [pos, state] = this.#break(pos, true);
              continue;
            }
            pos++;
            continue;
          }
          if (this.#finish(start, pos, pos + 1)) return true;
          start = pos = this.after;
          limit = Math.min(this.#length, start + this.#maxRecord);
          continue;
        }
      } else if (state === QUOTED) {
        let unit = 0;
        while (pos < limit && (unit = window[pos]!) !== QUOTE) {
          pos++;
          if (unit !== newline) continue;
          this.#posLine++;
          if (this.#secondLine < 0) this.#secondLine = pos;
        }
        if (pos < limit) {
          state = CLOSED;
          pos++;
          continue;
        }
      } else if (state === SKIP) {
        while (pos < this.#length && window[pos] !== newline) pos++;
        const from = Math.max(start, this.#secondLine);
        const whole = pos < this.#length && pos - start < this.#maxRecord;
        if (whole && leavesOpen(window, from, pos, delimiter, newline, this.#secondLine >= 0)) {
          this.#secondLine = ++pos;
          this.#secondLineNumber = ++this.#posLine;
          this.#tailLines = 0;
          state = TAIL;
          continue;
        }
        if (pos < this.#length || this.#last) {
          return this.#finish(start, pos, pos < this.#length ? pos + 1 : pos, true, 'UNBALANCED_QUOTE');
        }
      } else if (state === TAIL) {
        let unit = 0;
        while (pos < limit && (unit = window[pos]!) !== newline && unit !== QUOTE) pos++;
        if (pos < limit) {
          if (unit === QUOTE ? opensCell(window, pos, delimiter, newline) : ++this.#tailLines > MAX_TAIL_LINES)
            return this.#fail(start);
          if (unit === QUOTE) state = SKIP;
          else this.#posLine++;
          pos++;
          continue;
        }
      } else if (pos < limit) {
        const unit = window[pos]!;
        if (unit === newline) {
          this.#finish(start, pos, pos + 1, true);
          return true;
        }
        if (state === CLOSED && unit === QUOTE) state = QUOTED;
        else if (state === CLOSED && unit === delimiter) state = CELL;
        else if (state === CLOSED && unit === CR && newline === LF) state = CLOSED_CR;
        else {
          [pos, state] = this.#break(pos, true);
          continue;
        }
        pos++;
        continue;
      }
      // The window, the text or the record's allowance ends here.
      if (state !== SKIP && pos >= start + this.#maxRecord) {
        if (state === TAIL) return this.#fail(start);
        if (state === CELL) state = SKIP;
        else [pos, state] = this.#break(pos, false);
        continue;
      }
      this.#pos = pos;
      this.#state = state;
      if (!this.#last || start >= this.#length) return false;
      if (state === TAIL) return this.#fail(start);
      if (state === QUOTED) {
        [pos, state] = this.#break(pos, false);
        continue;
      }
      return this.#finish(start, pos, pos, state !== CELL);
    }
  }

  /** A record that ends at `pos`, properly unless it has an error; false when it is a blank line. */
  #finish(start: number, pos: number, after: number, quoted = false, error?: ScanError): boolean {
    const hasCr = pos > start && this.#newline === LF && this.#window[pos - 1] === CR;
    const end = hasCr ? pos - 1 : pos;
    const line = this.nextLine;
    this.#begin(after, after > pos ? this.#posLine + 1 : this.#posLine);
    if (!quoted && (end === start || (end - start === 1 && this.#isOtherEnd(start)))) return false;
    this.start = start;
    this.end = end;
    this.line = line;
    this.error = pos - start >= this.#maxRecord ? 'RECORD_TOO_LARGE' : error;
    this.#lenient = false;
    if (this.error !== undefined || end - start <= this.#maxCell) return true;
    const largest = largestCell(this.#window.subarray(start, end), this.#delimiter);
    if (largest > this.#maxCell) this.error = 'FIELD_TOO_LARGE';
    return true;
  }

  /** A line feed alone in a file of carriage returns is the rest of a line end. */
  #isOtherEnd(at: number): boolean {
    return this.#newline === CR && this.#window[at] === LF;
  }

  /**
   * The record breaks at `pos`. @returns where the scan goes on and in which state. Where it breaks `onLine` behind its first one, all
   * lines up to there may be the text of its cell; the second line alone is none that begins with a quote, as records do, unless
   * the first line is the beginning of a first cell and nothing else.
   */
  #break(pos: number, onLine: boolean): [pos: number, state: number] {
    if (this.#secondLine < 0) return [pos, SKIP];
    const lines = onLine ? this.#posLine - this.nextLine : 0;
    const window = this.#window;
    const isText =
      lines > 1
        ? lines <= MAX_TAIL_LINES
        : lines === 1 &&
          (!startsQuoted(window, this.#secondLine) || staysInFirstCell(window, this.after, this.#secondLine));
    if (isText) return [pos, SKIP];
    this.#posLine = this.#secondLineNumber = this.nextLine + 1;
    return [this.#secondLine, TAIL];
  }

  /** The record is broken: it ends with its first physical line, or a later one that belongs to it. */
  #fail(start: number): true {
    const after = this.#secondLine;
    const hasCr = this.#newline === LF && after - 2 >= start && this.#window[after - 2] === CR;
    this.start = start;
    this.end = hasCr ? after - 2 : after - 1;
    this.line = this.nextLine;
    this.error = 'UNBALANCED_QUOTE';
    this.#begin(after, this.#secondLineNumber);
    return true;
  }

  #begin(after: number, line: number): void {
    this.quoted = this.#opened;
    this.#opened = false;
    this.after = after;
    this.nextLine = line;
    this.#pos = after;
    this.#posLine = line;
    this.#state = CELL;
    this.#secondLine = -1;
    this.#tailLines = 0;
  }
}
