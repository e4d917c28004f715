import { copyUnits } from './units.ts';
import { unitBytes } from './encoding.ts';
import type { Encoding } from './encoding.ts';

/** A sliding window over the bytes of a file and, for the scanner, over their code units; it grows with an open record. */
export class SlidingWindow {
  bytes: Buffer;
  units: Uint8Array;
  /** Bytes filled. */
  length = 0;
  readonly #encoding: Encoding;
  readonly #block: number;
  readonly #width: 1 | 2;

  constructor(encoding: Encoding, block: number) {
    this.#encoding = encoding;
    this.#block = block;
    this.bytes = Buffer.allocUnsafe(block * 2);
    this.#width = unitBytes(encoding);
    this.units = this.#width === 1 ? this.bytes : new Uint8Array(block);
  }

  /** Drops the bytes before `from` and returns the free part to read the next block into. */
  advance(from: number): Buffer {
    const kept = this.length - from;
    const { bytes, units } = this;
    if (kept + this.#block > bytes.length) {
      this.bytes = Buffer.allocUnsafe((kept + this.#block) * 2);
      this.units = this.#width === 1 ? this.bytes : new Uint8Array(this.bytes.length / 2);
    }
    this.bytes.set(bytes.subarray(from, this.length));
    if (this.#width === 2) this.units.set(units.subarray(from / 2, Math.ceil(this.length / 2)));
    this.length = kept;
    return this.bytes.subarray(kept, kept + this.#block);
  }

  /** The free part now holds `count` bytes more. Returns the code units in the window, half a unit only at the end. */
  filled(count: number, last: boolean): number {
    const from = this.length - (this.length % this.#width);
    this.length += count;
    if (this.#width === 1) return this.length;
    copyUnits(this.bytes.subarray(from, this.length), this.#encoding, this.units, from / 2);
    return last ? Math.ceil(this.length / 2) : Math.floor(this.length / 2);
  }
}
