/** What the last job of this thread has left, for the next: large buffers are slow to come and slow to go. */
let spare: Buffer | undefined;

/** Encoded rows in one growing buffer, handed out sorted by partition: no row is kept as a string. */
export class RowBuffer {
  #bytes: Buffer;
  #length = 0;
  /** For each row its partition and where it ends. */
  readonly #parts: number[] = [];
  readonly #ends: number[] = [];

  /** @param capacity first size in bytes. */
  constructor(capacity: number) {
    this.#bytes = spare && spare.length >= capacity ? spare : Buffer.allocUnsafeSlow(capacity);
    spare = undefined;
  }

  add(part: number, row: string): void {
    const most = row.length * 3;
    if (this.#length + most > this.#bytes.length) this.#grow(most);
    this.#length += this.#bytes.write(row, this.#length, 'utf8');
    this.#parts.push(part);
    this.#ends.push(this.#length);
  }

  /** All rows behind `before`, those of a partition together and otherwise in the order they came. The last call. */
  sorted(partitions: number, before = ''): Buffer {
    const next = new Uint32Array(partitions + 1);
    next[0] = before.length;
    this.#parts.forEach((part, i) => (next[part + 1]! += this.#sizeOf(i)));
    for (let part = 0; part < partitions; part++) next[part + 1]! += next[part]!;
    const sorted = Buffer.allocUnsafeSlow(before.length + this.#length);
    sorted.write(before, 0, 'latin1');
    this.#parts.forEach((part, i) => {
      const size = this.#sizeOf(i);
      this.#bytes.copy(sorted, next[part]!, this.#ends[i]! - size, this.#ends[i]);
      next[part]! += size;
    });
    spare = this.#bytes;
    return sorted;
  }

  #sizeOf(row: number): number {
    return this.#ends[row]! - (row === 0 ? 0 : this.#ends[row - 1]!);
  }

  #grow(by: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length + by, Math.floor(this.#bytes.length * 1.5)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
