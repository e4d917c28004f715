/** Bounds the bytes held at a time by work that runs in parallel: sixteen small images at once, but one of 50 MB. */
export class ByteBudget {
  #free: number;
  readonly #limit: number;
  readonly #waiting: { bytes: number; start: () => void }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
    this.#free = limit;
  }

  /** Runs the work when its bytes are free, in the order of the calls; work larger than the limit runs alone. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#limit);
    if (this.#waiting.length > 0 || share > this.#free)
      await new Promise<void>((start) => this.#waiting.push({ bytes: share, start }));
    else this.#free -= share;
    try {
      return await work();
    } finally {
      this.#free += share;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.start();
    }
  }
}
