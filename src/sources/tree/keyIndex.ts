/** Which of many numbered things may have a key: a hash table in flat arrays, 12 to 20 bytes an entry. */

const NONE = -1;

export class KeyIndex {
  #hashes = new Int32Array(16);
  /** Of each entry, the one before it in its bucket. */
  #before = new Int32Array(16);
  /** Last entry of each bucket; always a power of two. */
  #buckets = new Int32Array(16).fill(NONE);
  #count = 0;

  /** Gives the key to the next number, from 0. */
  add(key: string): void {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count] = hashOf(key);
    this.#link(this.#count++);
  }

  /** Every number with this key, the last added first; and, rarely, one of another key. */
  *find(key: string): Generator<number> {
    const hash = hashOf(key);
    for (let at = this.#buckets[hash & (this.#buckets.length - 1)]!; at !== NONE; at = this.#before[at]!) {
      if (this.#hashes[at] === hash) yield at;
    }
  }

  #link(at: number): void {
    const bucket = this.#hashes[at]! & (this.#buckets.length - 1);
    this.#before[at] = this.#buckets[bucket]!;
    this.#buckets[bucket] = at;
  }

  #grow(): void {
    const length = this.#hashes.length * 2;
    const hashes = new Int32Array(length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#before = new Int32Array(length);
    this.#buckets = new Int32Array(length).fill(NONE);
    for (let at = 0; at < this.#count; at++) this.#link(at);
  }
}

/** FNV-1a, its high bits folded into the low ones that choose the bucket. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
