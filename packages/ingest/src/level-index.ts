const firstSlots = 32;
const mostLevels = 1 << 14;
const longestLevel = 64;
const mostProbes = 16;

/**
 * Maps the bytes of a category's strings to codes, so that cells can be looked up without creating strings.
 *
 * It stores the first levels of a column, up to 16,384 of at most 64 bytes each. Other strings are looked up as
 * strings. The index is a hash table of 32-bit hashes with linear probing. The number of probes is limited, so that
 * strings that were chosen to collide cost no more than others.
 */
export class LevelIndex {
  #count = 0;
  /** Entry + 1; 0 = none. */
  #slots = new Int32Array(firstSlots);
  /** For each entry, its hash, its code, and the position at which its bytes end. */
  #hashes = new Int32Array(firstSlots >> 1);
  #codes = new Int32Array(firstSlots >> 1);
  #ends = new Int32Array(firstSlots >> 1);
  #bytes = new Uint8Array(8 * firstSlots);

  /** Returns the code that was added with these bytes, or undefined if there is none. */
  find(bytes: Uint8Array, start: number, end: number): number | undefined {
    const hash = hashOf(bytes, start, end);
    const mask = this.#slots.length - 1;
    for (let probe = 0, slot = hash & mask; probe < mostProbes; probe++, slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] - 1;
      if (entry < 0) return undefined;
      if (this.#hashes[entry] === hash && this.#holds(entry, bytes, start, end)) return this.#codes[entry];
    }
    return undefined;
  }

  /** Adds bytes that are not known yet. */
  add(bytes: Uint8Array, start: number, end: number, code: number): void {
    if (this.#count === mostLevels || end - start > longestLevel) return;
    if (2 * this.#count === this.#slots.length) this.#grow();
    const entry = this.#count;
    const from = entry === 0 ? 0 : this.#ends[entry - 1];
    const to = from + end - start;
    if (to > this.#bytes.length) this.#bytes = copyOf(this.#bytes, new Uint8Array(2 * to));
    for (let i = start; i < end; i++) this.#bytes[from + i - start] = bytes[i];
    const hash = hashOf(bytes, start, end);
    if (!this.#place(hash, entry)) return;
    this.#hashes[entry] = hash;
    this.#codes[entry] = code;
    this.#ends[entry] = to;
    this.#count++;
  }

  #holds(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = entry === 0 ? 0 : this.#ends[entry - 1];
    if (this.#ends[entry] - from !== end - start) return false;
    const known = this.#bytes;
    for (let i = start, k = from; i < end; i++, k++) if (known[k] !== bytes[i]) return false;
    return true;
  }

  #place(hash: number, entry: number): boolean {
    const mask = this.#slots.length - 1;
    for (let probe = 0, slot = hash & mask; probe < mostProbes; probe++, slot = (slot + 1) & mask) {
      if (this.#slots[slot] !== 0) continue;
      this.#slots[slot] = entry + 1;
      return true;
    }
    return false;
  }

  #grow(): void {
    const size = 2 * this.#slots.length;
    this.#hashes = copyOf(this.#hashes, new Int32Array(size >> 1));
    this.#codes = copyOf(this.#codes, new Int32Array(size >> 1));
    this.#ends = copyOf(this.#ends, new Int32Array(size >> 1));
    this.#slots = new Int32Array(size);
    for (let entry = 0; entry < this.#count; entry++) this.#place(this.#hashes[entry], entry);
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = (end - start) ^ -2128831035;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    hash = Math.imul(hash ^ word ^ (hash >>> 15), 0x85ebca6b);
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i] ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function copyOf<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
