/** Rows of a JSON file of any size, one at a time: an array, an object with `rows`, or one object a line. */
import { IntakeError } from '../../errors.ts';

/** Longer than any row that the gateway takes. */
const LONGEST = 1024 * 1024;
/** `{..., "rows": [`, where nothing before it is nested. */
const WRAPPED = /^\s*\{[^[\]{}]*"rows"\s*:\s*\[/;

const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, OBJECT, END_OBJECT] = [...Buffer.from('"\\,[]{}')] as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Whether a file that begins like this is JSON. */
export const looksLikeJson = (head: Buffer): boolean => /^\ufeff?\s*[[{]/.test(head.toString('utf8', 0, 4096));

/**
 * @param head the first bytes, which say what the file is.
 * @param blocks the whole file, in order.
 * @throws IntakeError INVALID_ROW naming the row.
 */
export async function* jsonRows(head: Buffer, blocks: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  const start = head.toString('latin1');
  const opening = /^(\xef\xbb\xbf)?\s*\[/.exec(start) ?? WRAPPED.exec(start);
  let skip = opening ? opening[0].length : start.startsWith('\xef\xbb\xbf') ? 3 : 0;
  const rows = new ElementScanner(opening === null);
  for await (const block of blocks) {
    if (skip < block.length) yield* rows.read(block.subarray(skip));
    skip = Math.max(0, skip - block.length);
  }
  yield* rows.end();
}

/** Finds where the elements of a list end; what is within them is JSON.parse's. */
class ElementScanner {
  /** Of objects and arrays within the element. */
  #depth = 0;
  #quoted = false;
  #escaped = false;
  #over: boolean;
  #row = 0;
  #pieces: Buffer[] = [];
  #length = 0;
  readonly #lines: boolean;

  /** @param lines elements stand for themselves, without commas; else the list ends with a bracket. */
  constructor(lines: boolean) {
    this.#lines = lines;
    this.#over = false;
  }

  *read(block: Buffer): Generator<unknown> {
    let from = 0;
    for (let at = 0; at < block.length && !this.#over; at++) {
      const byte = block[at] as number;
      if (this.#quoted) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#quoted = false;
      } else if (byte === QUOTE) {
        this.#quoted = true;
      } else if (byte === OBJECT || byte === OPEN) {
        this.#depth++;
      } else if (this.#depth === 0 && (byte === CLOSE || byte === COMMA)) {
        this.#over = byte === CLOSE && !this.#lines;
        yield* this.#element(block.subarray(from, at));
        from = at + 1;
      } else if (byte === END_OBJECT || byte === CLOSE) {
        this.#depth--;
        if (this.#depth === 0 && this.#lines) {
          yield* this.#element(block.subarray(from, at + 1));
          from = at + 1;
        }
      }
    }
    if (!this.#over) this.#keep(block.subarray(from));
  }

  *end(): Generator<unknown> {
    if (this.#lines) yield* this.#element(Buffer.alloc(0));
    else if (!this.#over) throw this.#unreadable('the list does not end');
  }

  *#element(last: Buffer): Generator<unknown> {
    this.#keep(last);
    const text = Buffer.concat(this.#pieces);
    [this.#pieces, this.#length] = [[], 0];
    if (text.every(isBlank)) return;
    this.#row++;
    try {
      yield JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) throw this.#unreadable('it is not JSON in UTF-8'); // its own words quote the row
      throw error;
    }
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > LONGEST) throw this.#unreadable('it is larger than 1 MB');
    if (piece.length > 0) this.#pieces.push(piece);
  }

  #unreadable(why: string): IntakeError {
    return new IntakeError('INVALID_ROW', `Row ${Math.max(1, this.#row)} cannot be read: ${why}`);
  }
}
