/**
 * Learning the weights of a graph: computes terms from weights, and the factors' statistics at the current states.
 * Weights: f64[…], the last one is 1.
 *
 * graphTerms(terms, bases, indices, weights, count): terms[i] = bases[i] × weights[indices[i]].
 * graphOwnTerms(addresses, ends, bases, indices, weights, count): sets the f64 at addresses[i] (u32) to the sum of such
 * products with indices ends[i − 1] … ends[i] − 1.
 *
 * graphMoved(chain, slots, count, scale, moved, expected): statistics of single-variable terms over positions. Position
 * i has slots slots[i] … slots[i + 1] − 1, one per state. If the variable is in a slot's state, `scale` is added to
 * moved[slot]. A Boolean can have a single slot, which counts state 1. With `expected`, `scale` times the probabilities
 * from BATCH is subtracted. graphOwnGradient(moved, ends, bases, indices, count, out): out[weight] += moved[slot] ×
 * base, over the products that make up each term; then moved = 0.
 *
 * graphStatistics(chain, factors, count, scale, out): out[weight] += scale × feature × g(x), over LEARNT blocks
 * (graphs/fields.ts), where x are the chain's states. graphPseudo(chain, factors, count, scale, out): out[weight] +=
 * scale × feature × Σ_i (g(x) − Σ_s p_i(s) g(x with x_i = s)), over the factor's variables that are drawn; p from
 * BATCH. chain: a GRAPH block.
 */
import {
  GRAPH_STATES, GRAPH_COUNTS, GRAPH_BATCH, GRAPH_DRAWN, LEARNT_VALUES, LEARNT_WEIGHT, LEARNT_FEATURE_F64, LEARNT_MEMBERS, LEARNT_COUNTED,
  LEARNT_BYTES, MEMBER_POSITION, MEMBER_STRIDE, MEMBER_STATES, MEMBER_SLOT, MEMBER_BYTES,
} from "../../src/graphs/fields";

export function graphTerms(terms: usize, bases: usize, indices: usize, weights: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<f64>(terms, load<f64>(bases) * load<f64>(weights + (<usize>load<u32>(indices) << 3)));
    terms += 8;
    bases += 8;
    indices += 4;
  }
}

export function graphOwnTerms(addresses: usize, ends: usize, bases: usize, indices: usize, weights: usize, count: u32): void {
  let k: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    let sum: f64 = 0;
    for (const end = load<u32>(ends + (<usize>i << 2)); k < end; k++)
      sum += load<f64>(bases + (<usize>k << 3)) * load<f64>(weights + (<usize>load<u32>(indices + (<usize>k << 2)) << 3));
    store<f64>(<usize>load<u32>(addresses + (<usize>i << 2)), sum);
  }
}

export function graphMoved(chain: usize, slots: usize, count: u32, scale: f64, moved: usize, expected: u32): void {
  let state = <usize>load<u32>(chain, GRAPH_STATES);
  const batch = <usize>load<u32>(chain, GRAPH_BATCH);
  for (const end = slots + (<usize>count << 2); slots < end; slots += 4, state++) {
    const first = load<u32>(slots), last = load<u32>(slots, 4);
    const now = <u32>load<u8>(state);
    for (let slot = first; slot < last; slot++) {
      const at = <usize>slot << 3;
      // Computes a number instead of branching on the state. States are random, so half of the branches would be
      // mispredicted.
      const here = <f64>(slot - first + <u32>(last - first == 1) == now);
      store<f64>(moved + at, load<f64>(moved + at) + scale * (here - (expected ? load<f64>(batch + at) : 0)));
    }
  }
}

export function graphOwnGradient(moved: usize, ends: usize, bases: usize, indices: usize, count: u32, out: usize): void {
  let k: u32 = 0;
  for (let i: u32 = 0; i < count; i++, moved += 8) {
    const by = load<f64>(moved);
    const end = load<u32>(ends + (<usize>i << 2));
    if (by == 0) {
      k = end;
      continue;
    }
    store<f64>(moved, 0);
    for (; k < end; k++) {
      const to = out + (<usize>load<u32>(indices + (<usize>k << 2)) << 3);
      store<f64>(to, load<f64>(to) + by * load<f64>(bases + (<usize>k << 3)));
    }
  }
}

export function graphStatistics(chain: usize, factors: usize, count: u32, scale: f64, out: usize): void {
  const states = <usize>load<u32>(chain, GRAPH_STATES);
  const counts = <usize>load<u32>(chain, GRAPH_COUNTS);
  for (let f: u32 = 0; f < count; f++) {
    const members = load<u32>(factors, LEARNT_MEMBERS);
    const counted = load<u32>(factors, LEARNT_COUNTED);
    const end = factors + LEARNT_BYTES + <usize>members * MEMBER_BYTES;
    let at = <usize>load<u32>(factors, LEARNT_VALUES);
    if (counted) {
      // In a counted factor, only the head selects the row of values. The other members are already included in the
      // count.
      const head = end - MEMBER_BYTES;
      at += <usize>load<i32>(counts + (<usize>(counted - 1) << 2)) << 3;
      if (<u32>load<u8>(states + <usize>load<u32>(head, MEMBER_POSITION)) == load<u32>(head, MEMBER_STATES)) at += <usize>members << 3;
    } else {
      for (let member = factors + LEARNT_BYTES; member < end; member += MEMBER_BYTES)
        at += <usize>load<u8>(states + <usize>load<u32>(member, MEMBER_POSITION)) * <usize>load<u32>(member, MEMBER_STRIDE);
    }
    const to = out + (<usize>load<u32>(factors, LEARNT_WEIGHT) << 3);
    store<f64>(to, load<f64>(to) + scale * load<f64>(factors, LEARNT_FEATURE_F64) * load<f64>(at));
    factors = end;
  }
}

/**
 * Returns the probability of a state from a variable's slots. A Boolean has one slot; any other variable has one slot
 * per state.
 */
function chance(slot: usize, soft: bool, state: u32): f64 {
  if (!soft) return load<f64>(slot + (<usize>state << 3));
  return state == 1 ? load<f64>(slot) : 1 - load<f64>(slot);
}

export function graphPseudo(chain: usize, factors: usize, count: u32, scale: f64, out: usize): void {
  const states = <usize>load<u32>(chain, GRAPH_STATES);
  const counts = <usize>load<u32>(chain, GRAPH_COUNTS);
  const batch = <usize>load<u32>(chain, GRAPH_BATCH);
  const drawn = load<u32>(chain, GRAPH_DRAWN);
  for (let f: u32 = 0; f < count; f++) {
    const members = load<u32>(factors, LEARNT_MEMBERS);
    const counted = load<u32>(factors, LEARNT_COUNTED);
    const first = factors + LEARNT_BYTES;
    const end = first + <usize>members * MEMBER_BYTES;
    const values = <usize>load<u32>(factors, LEARNT_VALUES);
    let sum: f64 = 0;
    if (counted) {
      const head = end - MEMBER_BYTES;
      const holding = <usize>load<i32>(counts + (<usize>(counted - 1) << 2)) << 3;
      const row = <usize>members << 3;
      const headHolds = <u32>load<u8>(states + <usize>load<u32>(head, MEMBER_POSITION)) == load<u32>(head, MEMBER_STATES);
      const mine = values + (headHolds ? row : 0);
      const value = load<f64>(mine + holding);
      for (let member = first; member < end; member += MEMBER_BYTES) {
        const position = load<u32>(member, MEMBER_POSITION);
        if (position >= drawn) continue;
        const literal = load<u32>(member, MEMBER_STATES);
        const place = load<u32>(member, MEMBER_SLOT);
        const p = chance(batch + (<usize>(place & 0x7fffffff) << 3), (place & 0x80000000) != 0, literal);
        let holds: f64, fails: f64;
        if (member == head) {
          holds = load<f64>(values + row + holding);
          fails = load<f64>(values + holding);
        } else {
          const without = holding - (<u32>load<u8>(states + <usize>position) == literal ? 8 : 0);
          holds = load<f64>(mine + without, 8);
          fails = load<f64>(mine + without);
        }
        sum += value - (p * holds + (1 - p) * fails);
      }
    } else {
      let at = values;
      for (let member = first; member < end; member += MEMBER_BYTES)
        at += <usize>load<u8>(states + <usize>load<u32>(member, MEMBER_POSITION)) * <usize>load<u32>(member, MEMBER_STRIDE);
      const value = load<f64>(at);
      for (let member = first; member < end; member += MEMBER_BYTES) {
        const position = load<u32>(member, MEMBER_POSITION);
        if (position >= drawn) continue;
        const stride = <usize>load<u32>(member, MEMBER_STRIDE);
        const place = load<u32>(member, MEMBER_SLOT);
        const slot = batch + (<usize>(place & 0x7fffffff) << 3);
        const soft = (place & 0x80000000) != 0;
        let from = at - <usize>load<u8>(states + <usize>position) * stride;
        let mean: f64 = 0;
        for (let s: u32 = 0, number = load<u32>(member, MEMBER_STATES); s < number; s++) {
          mean += chance(slot, soft, s) * load<f64>(from);
          from += stride;
        }
        sum += value - mean;
      }
    }
    const to = out + (<usize>load<u32>(factors, LEARNT_WEIGHT) << 3);
    store<f64>(to, load<f64>(to) + scale * load<f64>(factors, LEARNT_FEATURE_F64) * sum);
    factors = end;
  }
}
