/** How many more sequences of one sort than of the other settle the question without reading on. */
const DECISIVE = 1000;

/** A valid sequence says this much more than an invalid byte: chance seldom makes one. */
const WEIGHT = 4;

/**
 * Weighs whether bytes that are not ASCII are UTF-8 or Windows-1252: valid multi-byte sequences against invalid bytes.
 *
 * A Windows-1252 text holds a valid sequence by chance now and then, and a UTF-8 file may have a few broken rows: they are
 * better rejected than read as garbage. Blocks may be cut anywhere; a sequence over a cut is completed by the next block.
 */
export class Utf8Evidence {
  valid = 0;
  invalid = 0;
  #missing = 0;
  #low = 0x80;
  #high = 0xbf;

  get decided(): boolean {
    return Math.abs(this.valid - this.invalid) > DECISIVE;
  }

  get seen(): boolean {
    return this.valid + this.invalid > 0;
  }

  get isUtf8(): boolean {
    return this.valid * WEIGHT > this.invalid;
  }

  /** UTF-8 with broken rows has few of them; what is valid here and there may be something else. */
  get isMixed(): boolean {
    return this.isUtf8 && this.invalid > 2 && this.invalid * 3 > this.valid;
  }

  /** Takes the next bytes of the file into account; cheap once decided. */
  add(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#missing > 0) {
        if (byte >= this.#low && byte <= this.#high) {
          this.#low = 0x80;
          this.#high = 0xbf;
          if (--this.#missing === 0) this.valid++;
          continue;
        }
        this.invalid++;
        this.#missing = 0;
      }
      if (byte < 0x80) continue;
      this.#begin(byte);
      if (this.decided) return;
    }
  }

  /** The lead byte fixes the length and the range of the second byte (no overlong forms, no surrogates). */
  #begin(lead: number): void {
    this.#low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    this.#high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) this.#missing = 1;
    else if (lead >= 0xe0 && lead <= 0xef) this.#missing = 2;
    else if (lead >= 0xf0 && lead <= 0xf4) this.#missing = 3;
    else this.invalid++;
  }
}
