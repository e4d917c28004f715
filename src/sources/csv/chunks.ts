import { createHash } from 'node:crypto';

/** A byte range of the file that ends at a record boundary. */
export interface Chunk {
  readonly index: number;
  /** In bytes from the start of the file. */
  readonly offset: number;
  /** In bytes; blank lines before and between records are part of it. */
  readonly length: number;
  /** Physical line of its first byte, 1-based. */
  readonly line: number;
  /** 0-based index of its first record, the header not counted. */
  readonly firstRow: number;
  /** Records in it, broken ones included; 0 only for blank lines at the end of the file. */
  readonly rows: number;
  /** SHA-256 of its bytes, hex. */
  readonly sha256: string;
  /** A piece of a record that is RECORD_TOO_LARGE, and of nothing else; the first piece counts it in its rows. */
  readonly tooLarge?: true;
}

/** Cuts the bytes after the header into chunks, at the first record boundary at or beyond the target size. */
export class ChunkCutter {
  readonly chunks: Chunk[] = [];
  readonly #target: number;
  #hash = createHash('sha256');
  #offset: number;
  #length = 0;
  #line: number;
  #firstRow = 0;
  #rows = 0;
  #tooLarge = false;

  /** `offset` and `line` are those of the first byte after the header; `target` is in bytes. */
  constructor(target: number, offset: number, line: number) {
    this.#target = target;
    this.#offset = offset;
    this.#line = line;
  }

  /** Bytes that the current chunk still takes before it is cut at the next record boundary. */
  get room(): number {
    return this.#target - this.#length;
  }

  /** Appends `rows` records and the bytes up to wherever the caller stands, a record boundary or not. */
  add(bytes: Uint8Array, rows: number): void {
    this.#hash.update(bytes);
    this.#length += bytes.length;
    this.#rows += rows;
  }

  /**
   * Appends the next bytes of a record that is too large to be read. It fills chunks of its own, so that nobody ever holds it
   * whole; `line` is the one that it begins on.
   */
  addTooLarge(bytes: Uint8Array, line: number): void {
    if (!this.#tooLarge) {
      this.cut(line);
      this.#tooLarge = true;
      this.#rows = 1;
    }
    for (let at = 0; at < bytes.length;) {
      if (this.room <= 0) {
        this.cut(line);
        this.#tooLarge = true;
      }
      const piece = bytes.subarray(at, at + this.room);
      this.add(piece, 0);
      at += piece.length;
    }
  }

  /** Ends the chunk, if it has any bytes; `nextLine` is the physical line of the byte after it. */
  cut(nextLine: number): void {
    if (this.#length === 0) return;
    this.chunks.push({
      index: this.chunks.length,
      offset: this.#offset,
      length: this.#length,
      line: this.#line,
      firstRow: this.#firstRow,
      rows: this.#rows,
      sha256: this.#hash.digest('hex'),
      ...(this.#tooLarge ? { tooLarge: true } : {}),
    });
    this.#hash = createHash('sha256');
    this.#offset += this.#length;
    this.#length = 0;
    this.#line = nextLine;
    this.#firstRow += this.#rows;
    this.#rows = 0;
    this.#tooLarge = false;
  }
}
