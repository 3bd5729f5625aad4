import { assert, checkNumber } from "../errors/errors.ts";
import { log } from "../numbers/log.ts";
import { normalQuantile } from "../numbers/normal-quantile.ts";
import { multiplyHigh, philox } from "./philox.ts";

/** A named random stream. The draws of an update depend only on the seed, the names and the update's index. */
export interface Stream {
  /** Two u32: a hash of the seed and the names. */
  readonly key: readonly [number, number];
  /** Returns the draws of update `counter`, an integer in [0, 2^53). */
  at(counter: number): Draws;
}

/** A sequence of random numbers. The order of draws matters. */
export interface Draws {
  /** Returns 32 random bits. */
  bits(): number;
  /** Returns a uniform number in [0, 1), with 53 bits. */
  uniform(): number;
  /** Returns an unbiased integer in 0 … n − 1; n is an integer in [1, 2^32]. */
  integer(n: number): number;
  /** Returns a draw from the standard normal distribution. */
  normal(): number;
  /** Returns a draw from the exponential distribution with mean 1. */
  exponential(): number;
}

/**
 * Named, counter-based random streams: `stream(seed, "chain", 3).at(update)`.
 *
 * The draws of an update depend only on the seed, the names and the update's index, so that a resumed, retried or moved
 * run repeats itself exactly. Word w of update c is word w mod 4 of the Philox4x32-10 block with counter [⌊w/4⌋, 0, c
 * mod 2^32, ⌊c/2^32⌋] and the stream's key. kernels/engine/random/random.ts gives the same bits.
 *
 * uniform: 53 bits, [0, 1). integer(n): Lemire's multiply and reject, without bias. normal: Φ⁻¹ of a 52-bit midpoint,
 * so |z| < 8.3. exponential: −log of a 53-bit number in (0, 1], mean 1. Each draw consumes one or two words in
 * sequence, so the order of draws matters.
 *
 * @param seed integer >= 0 of at most 53 bits
 * @param names strings and numbers that identify the stream. Different names give independent streams
 * @throws OptionError unless the seed is an integer of at most 53 bits
 */
export function stream(seed: number, ...names: (string | number)[]): Stream {
  checkNumber("stream", "seed", seed, { low: -Number.MAX_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, integer: true });
  const key = hashKey(JSON.stringify([seed, ...names]));
  return { key, at: (counter) => new BlockDraws(key, counter) };
}

/** The draws of one update, computed from Philox blocks. */
export class BlockDraws implements Draws {
  private readonly words = new Uint32Array(4);
  private readonly key: readonly [number, number];
  private readonly low: number;
  private readonly high: number;
  private block = 0;
  private next = 4;

  constructor(key: readonly [number, number], counter: number) {
    assert(Number.isSafeInteger(counter) && counter >= 0, `a stream's counter is ${counter}`);
    this.key = key;
    this.low = counter >>> 0;
    this.high = Math.floor(counter / 2 ** 32);
  }

  bits(): number {
    if (this.next === 4) {
      philox(this.words, this.block++, 0, this.low, this.high, this.key[0], this.key[1]);
      this.next = 0;
    }
    return this.words[this.next++];
  }

  uniform(): number {
    return this.bits53() * 2 ** -53;
  }

  integer(n: number): number {
    assert(Number.isInteger(n) && n >= 1 && n <= 2 ** 32, `a random integer below ${n} was asked for`);
    if (n === 2 ** 32) return this.bits();
    let word = this.bits();
    if (Math.imul(word, n) >>> 0 < n) {
      // 2^32 mod n of the 2^32 words must be rejected; otherwise small results would be more frequent.
      const refused = (2 ** 32 - n) % n;
      while (Math.imul(word, n) >>> 0 < refused) word = this.bits();
    }
    return multiplyHigh(word, n) >>> 0;
  }

  normal(): number {
    const upper = this.bits() >>> 6;
    const lower = this.bits() >>> 6;
    return normalQuantile((upper * 67108864 + lower + 0.5) * 2 ** -52);
  }

  exponential(): number {
    return 0 - log((this.bits53() + 1) * 2 ** -53);
  }

  private bits53(): number {
    const upper = this.bits() >>> 5;
    return upper * 67108864 + (this.bits() >>> 6);
  }
}

/**
 * Hashes the UTF-16 units of the text, four words per step. Philox serves as the compression function: state ←
 * philox(state ⊕ words) ⊕ state.
 */
function hashKey(text: string): readonly [number, number] {
  const state = new Uint32Array(4);
  const out = new Uint32Array(4);
  for (let i = 0; i <= text.length; i += 4) {
    const word = (j: number) => (i + j < text.length ? text.charCodeAt(i + j) : i + j === text.length ? 0x10000 : 0);
    philox(out, state[0] ^ word(0), state[1] ^ word(1), state[2] ^ word(2), state[3] ^ word(3), text.length, 0);
    for (let j = 0; j < 4; j++) state[j] ^= out[j];
  }
  return [state[0], state[1]];
}
