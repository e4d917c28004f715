/** Many paths with size and time: bytes in one buffer and numbers in flat arrays, no object for each. */
export class PathList {
  #bytes = Buffer.allocUnsafeSlow(1024);
  /** Where the bytes of each path end. */
  #ends = new Uint32Array(16);
  #sizes = new Float64Array(16);
  #times = new Float64Array(16);
  #marks = new Uint8Array(16);
  #count = 0;
  #marked = 0;

  get count(): number {
    return this.#count;
  }

  /** How many have been marked, each once. */
  get marked(): number {
    return this.#marked;
  }

  add(path: string, size: number, mtimeMs: number): void {
    if (this.#count === this.#ends.length) this.#grow();
    const at = this.#count++;
    const start = this.#startOf(at);
    const most = start + path.length * 3;
    if (most > this.#bytes.length) this.#bytes = enlarged(this.#bytes, Buffer.allocUnsafeSlow(most * 2));
    this.#ends[at] = start + this.#bytes.write(path, start);
    this.#sizes[at] = size;
    this.#times[at] = mtimeMs;
  }

  pathAt(at: number): string {
    return this.#bytes.toString('utf8', this.#startOf(at), this.#ends[at]);
  }

  factsAt(at: number): { size: number; mtimeMs: number } {
    return { size: this.#sizes[at]!, mtimeMs: this.#times[at]! };
  }

  mark(at: number): void {
    this.#marked += 1 - this.#marks[at]!;
    this.#marks[at] = 1;
  }

  #startOf(at: number): number {
    return at === 0 ? 0 : this.#ends[at - 1]!;
  }

  #grow(): void {
    const length = this.#ends.length * 2;
    this.#ends = enlarged(this.#ends, new Uint32Array(length));
    this.#sizes = enlarged(this.#sizes, new Float64Array(length));
    this.#times = enlarged(this.#times, new Float64Array(length));
    this.#marks = enlarged(this.#marks, new Uint8Array(length));
  }
}

function enlarged<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
