import { largestCell } from './cellSize.ts';
import type { Dialect } from './dialect.ts';

/** A cell over this many bytes makes its record a FIELD_TOO_LARGE reject. */
export const MAX_CELL_BYTES = 1_000_000;
/** An open quote is given up this many bytes after its record began: a bound on memory. */
export const MAX_RECORD_BYTES = 32 * 1024 * 1024;

const QUOTE = 0x22;
const CR = 0x0d;
const LF = 0x0a;

export type ScanError = 'UNBALANCED_QUOTE' | 'FIELD_TOO_LARGE';

export interface ScanLimits {
  readonly cellBytes?: number;
  readonly recordBytes?: number;
}

/** Where the scan stands within a record. `skip`: the record is lost, only the end of its physical line matters. */
const CELL = 0;
const QUOTED = 1;
const CLOSED = 2;
const CLOSED_CR = 3;
const SKIP = 4;

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
 * A quote opens a quoted cell at a cell's start only, elsewhere it is data. After the closing quote comes a delimiter or the
 * end of the line; otherwise, and where a quote stays open to the end or beyond the cap, the record is UNBALANCED_QUOTE: it is
 * the physical line it began on, and the scan restarts at the next one. Blank lines are no records.
 *
 * Restarts are linear. A failed scan was inside quotes at every line it crossed, so a later scan that is inside quotes at
 * the end of one of those lines is on the same path: it fails where the first did (`#failEnd`), or, when the first only met
 * its cap, goes on from there. No unit is therefore read more than twice, and results do not depend on what came before,
 * so a chunk scanned alone gives what the whole file gave.
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
  #skipError: ScanError = 'UNBALANCED_QUOTE';
  /** After the first newline of the current record, or -1. */
  #secondLine = -1;
  /** Line number at #pos while inside a record. */
  #posLine: number;
  /** End of the last failed scan: lines between its restart and here were inside its quotes. */
  #failEnd = -1;
  #failLine = 0;
  #failState = QUOTED;
  /** The failed scan met its cap, not an error: a scan on the same path goes on from `#failEnd`. */
  #failOpen = false;

  /** `line` is the physical line of the first unit. Limits are in units of the window. */
  constructor(dialect: Dialect, line = 1, limits: ScanLimits = {}) {
    this.#newline = dialect.newline === 'cr' ? CR : LF;
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#maxCell = limits.cellBytes ?? MAX_CELL_BYTES;
    this.#maxRecord = limits.recordBytes ?? MAX_RECORD_BYTES;
    this.nextLine = line;
    this.#posLine = line;
  }

  /** Units before this position are no longer needed; of a lost line only a possible carriage return at the end is kept. */
  get keepFrom(): number {
    return this.#state === SKIP ? Math.max(this.#pos - 1, this.after) : this.after;
  }

  /** The window now begins with the unit that was at `keepFrom`; `last`: the text ends at `length`. */
  refill(window: Uint8Array, length: number, last: boolean): void {
    const shift = this.keepFrom;
    this.after -= shift;
    this.#pos -= shift;
    this.#failEnd -= shift;
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
    scan: for (;;) {
      if (state === CELL) {
        let unit = 0;
        while (pos < limit && (unit = window[pos]!) !== newline && unit !== QUOTE) pos++;
        if (pos < limit) {
          if (unit === QUOTE) {
            if (pos === start || window[pos - 1] === delimiter) {
              state = QUOTED;
              this.#opened = true;
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
          if (this.#secondLine >= 0) continue;
          this.#secondLine = pos;
          if (pos > this.#failEnd) continue;
          if (!this.#failOpen) return this.#fail(start);
          pos = this.#failEnd;
          state = this.#failState;
          this.#posLine = this.#failLine;
          continue scan;
        }
        if (pos < limit) {
          state = CLOSED;
          pos++;
          continue;
        }
      } else if (state === SKIP) {
        while (pos < this.#length && window[pos] !== newline) pos++;
        if (pos < this.#length || this.#last) {
          return this.#finish(start, pos, pos < this.#length ? pos + 1 : pos, true, this.#skipError);
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
          if (this.#secondLine >= 0) return this.#remember(start, pos, state, false);
          state = SKIP;
          this.#skipError = 'UNBALANCED_QUOTE';
          continue;
        }
        pos++;
        continue;
      }
      // The window, the text or the record's allowance ends here.
      if (state !== SKIP && pos >= start + this.#maxRecord) {
        if (state !== CELL && this.#secondLine >= 0) return this.#remember(start, pos, state, true);
        this.#skipError = state === CELL ? 'FIELD_TOO_LARGE' : 'UNBALANCED_QUOTE';
        state = SKIP;
        continue;
      }
      this.#pos = pos;
      this.#state = state;
      if (!this.#last || start >= this.#length) return false;
      if (state === QUOTED) {
        if (this.#secondLine >= 0) return this.#remember(start, pos, state, false);
        this.#skipError = 'UNBALANCED_QUOTE';
        state = SKIP;
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
    if (end === start && !quoted) return false;
    this.start = start;
    this.end = end;
    this.line = line;
    this.error = error;
    if (error !== undefined || end - start <= this.#maxCell) return true;
    const largest = largestCell(this.#window.subarray(start, end), this.#delimiter);
    if (largest > this.#maxCell) this.error = 'FIELD_TOO_LARGE';
    return true;
  }

  /** The record breaks at `pos`, on a later line than it began. */
  #remember(start: number, pos: number, state: number, open: boolean): true {
    this.#failEnd = pos;
    this.#failLine = this.#posLine;
    this.#failState = state;
    this.#failOpen = open;
    return this.#fail(start);
  }

  /** The record is broken: it is its first physical line, and the next begins behind that. */
  #fail(start: number): true {
    const after = this.#secondLine;
    const hasCr = this.#newline === LF && after - 2 >= start && this.#window[after - 2] === CR;
    this.start = start;
    this.end = hasCr ? after - 2 : after - 1;
    this.line = this.nextLine;
    this.error = 'UNBALANCED_QUOTE';
    this.#begin(after, this.nextLine + 1);
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
  }
}
