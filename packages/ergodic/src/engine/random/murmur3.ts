/**
 * Returns the unsigned 32-bit MurmurHash3 (x86) of a range of bytes.
 *
 * Source: A. Appleby, smhasher (public domain). Blocks are little-endian.
 */
export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const whole = end - ((end - start) & 3);
  return ended(blocks(seed | 0, bytes, start, whole), bytes, whole, end, end - start);
}

/** Computes the same hash for bytes that arrive in several parts. */
export class Murmur3 {
  #hash: number;
  #count = 0;
  /** The last bytes, at most three, which do not fill a block yet. */
  #rest = new Uint8Array(0);

  constructor(seed: number) {
    this.#hash = seed | 0;
  }

  add(part: Uint8Array): this {
    const missing = this.#rest.length === 0 ? 0 : Math.min(4 - this.#rest.length, part.length);
    const first = new Uint8Array([...this.#rest, ...part.subarray(0, missing)]);
    this.#count += part.length;
    if (first.length > 0 && first.length < 4) {
      this.#rest = first;
      return this;
    }
    const whole = part.length - ((part.length - missing) & 3);
    this.#hash = blocks(blocks(this.#hash, first, 0, first.length), part, missing, whole);
    // The constructor always copies, whereas slice() of a Buffer would return a view.
    this.#rest = new Uint8Array(part.subarray(whole));
    return this;
  }

  get value(): number {
    return ended(this.#hash, this.#rest, 0, this.#rest.length, this.#count);
  }
}

function blocks(h: number, bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  if (LITTLE_ENDIAN && (bytes.byteOffset + start) % 4 === 0) {
    // Reads whole words, which is about three times as fast as reading bytes. The words are signed, because unoptimised
    // code allocates a heap number for larger values.
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, (end - start) >> 2);
    for (let k = 0; k < words.length; k++) {
      h ^= mixed(words[k]);
      h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
    }
    i += 4 * words.length;
  }
  for (; i < end; i += 4) {
    h ^= mixed(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  return h;
}

function ended(h: number, bytes: Uint8Array, start: number, end: number, count: number): number {
  let tail = 0;
  for (let j = end - 1; j >= start; j--) tail = (tail << 8) | bytes[j];
  if (start < end) h ^= mixed(tail);
  h ^= count;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function mixed(k: number): number {
  k = Math.imul(k, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}
