/**
 * Operations between sweeps, for ladders of 64 replicas. As in kernels/graphs/replica-gibbs.ts, bit r of a word belongs
 * to replica r.
 *
 * graphReplicaCounts(states, terms, count, counts): counts (64 u32) receives, per replica, the number of terms that
 * hold; `count` is a multiple of 4, at most 2^27. A term is a BOTH record (graphs/fields.ts) with two offsets in bytes
 * from `states`. The term holds in a replica if the replica's bit is set in the words at both offsets.
 *
 * graphReplicaOnes(states, words, tally): adds each replica's bit of `words` words to the tally. The tally has eight
 * planes of 64 bits per word. Plane p holds bit p of each sum, so the tally has room for 255 calls.
 * graphReplicaEmpty(tally, words, sums): adds the tally to sums (u32, 64 per word) and clears it.
 *
 * graphReplicaTrade(a, b, words, low, high): replicas whose bit is set in [low, high] exchange their states in `words`
 * words from a and from b, which do not overlap.
 */
import { BOTH_BYTES, BOTH_FIRST, BOTH_SECOND } from "../../src/graphs/fields";

/** Number of bit planes per count. Plane p holds bit p of every replica's count. */
const PLANES = 28;
const planes: usize = memory.data(PLANES * 8, 16);

let ones: u64 = 0;

/** Returns the carry of a + b + ones, and stores the sum's lowest bit in `ones`. */
function carried(a: u64, b: u64): u64 {
  const odd = a ^ b;
  const carry = (a & b) | (odd & ones);
  ones ^= odd;
  return carry;
}

function holds(states: usize, term: usize): u64 {
  return load<u64>(states + <usize>load<u32>(term, BOTH_FIRST)) & load<u64>(states + <usize>load<u32>(term, BOTH_SECOND));
}

export function graphReplicaCounts(states: usize, terms: usize, count: u32, counts: usize): void {
  for (let at = planes, end = planes + PLANES * 8; at < end; at += 8) store<u64>(at, 0);
  ones = 0;
  let twos: u64 = 0;
  for (const end = terms + <usize>count * BOTH_BYTES; terms < end; terms += 4 * BOTH_BYTES) {
    const a = carried(holds(states, terms), holds(states, terms + BOTH_BYTES));
    const b = carried(holds(states, terms + 2 * BOTH_BYTES), holds(states, terms + 3 * BOTH_BYTES));
    const odd = a ^ b;
    let carry = (a & b) | (odd & twos);
    twos ^= odd;
    for (let at = planes + 16; carry != 0; at += 8) {
      const plane = load<u64>(at);
      store<u64>(at, plane ^ carry);
      carry &= plane;
    }
  }
  store<u64>(planes, ones);
  store<u64>(planes, twos, 8);
  const used = <usize>(32 - clz(count));
  for (let replica: u64 = 0; replica < 64; replica++) {
    let sum: u32 = 0;
    for (let p: usize = 0; p < used; p++) sum |= (<u32>(load<u64>(planes + (p << 3)) >>> replica) & 1) << <u32>p;
    store<u32>(counts + (<usize>replica << 2), sum);
  }
}

export function graphReplicaOnes(states: usize, words: u32, tally: usize): void {
  for (const end = states + (<usize>words << 3); states < end; states += 8, tally += 64) {
    let carry = load<u64>(states);
    for (let at = tally; carry != 0; at += 8) {
      const plane = load<u64>(at);
      store<u64>(at, plane ^ carry);
      carry &= plane;
    }
  }
}

export function graphReplicaEmpty(tally: usize, words: u32, sums: usize): void {
  for (const end = tally + (<usize>words << 6); tally < end; tally += 64, sums += 256) {
    for (let replica: u64 = 0; replica < 64; replica++) {
      let sum: u32 = 0;
      for (let p: usize = 0; p < 8; p++) sum |= (<u32>(load<u64>(tally + (p << 3)) >>> replica) & 1) << <u32>p;
      const to = sums + (<usize>replica << 2);
      store<u32>(to, load<u32>(to) + sum);
    }
    memory.fill(tally, 0, 64);
  }
}

export function graphReplicaTrade(a: usize, b: usize, words: u32, low: u32, high: u32): void {
  const mask = (<u64>high << 32) | <u64>low;
  for (const end = a + (<usize>words << 3); a < end; a += 8, b += 8) {
    const differs = (load<u64>(a) ^ load<u64>(b)) & mask;
    store<u64>(a, load<u64>(a) ^ differs);
    store<u64>(b, load<u64>(b) ^ differs);
  }
}
