import type { Stream } from "../../random/stream.ts";

export const pickNames = ["cyclic", "random", "permutation", "greedy", "importance"] as const;
export type PickName = (typeof pickNames)[number];

/**
 * A pick rule chooses one of n blocks for each move. Moves are counted from 0, and a pass consists of n moves. The
 * random draws of a pass depend only on `stream` and the index of the pass, so no state is stored.
 *
 *   cyclic       move k takes k mod n
 *   random       uniform, with replacement
 *   permutation  each once per pass, in a new uniform order (Fisher–Yates)
 *   importance   P(b) = L_b / Σ L, with replacement, by search in the cumulative sum. L: `curvature`
 *   greedy       the largest violation (Gauss–Southwell), the first of equal ones; with `block` m > 1, the m largest
 *                violations of one evaluation in turn
 *
 * Sources: Nesterov 2012 (random, importance); Nutini et al. 2015 (greedy). An evaluation of all violations costs as
 * much as a pass over the data.
 */
export interface Picks {
  /**
   * Returns the blocks of the next moves, beginning with move `first`. The number of moves is between 1 and `most`.
   * Every rule except greedy returns `most`.
   */
  next(first: number, most: number): Uint32Array;
  /** Blocks from the last greedy evaluation that have not been used yet. A snapshot needs no other state. */
  listed: Uint32Array;
}

export interface PickSource {
  blocks: number;
  stream: Stream;
  /** Number of greedy moves between two evaluations of the violations. */
  block: number;
  curvature(): Float64Array;
  violations(): Float64Array;
}

export function picksOf(name: PickName, source: PickSource): Picks {
  if (name === "greedy") return new GreedyPicks(source);
  const { blocks } = source;
  const passOf = passes[name](source);
  let order = new Uint32Array(0);
  let pass = -1;
  const next = (first: number, most: number) => {
    const picked = new Uint32Array(most);
    for (let k = 0; k < most; k++) {
      const wanted = Math.floor((first + k) / blocks);
      if (wanted !== pass) order = passOf((pass = wanted));
      picked[k] = order[(first + k) % blocks];
    }
    return picked;
  };
  return { listed: new Uint32Array(0), next };
}

type Pass = Uint32Array<ArrayBuffer>;

const passes: Record<Exclude<PickName, "greedy">, (source: PickSource) => (pass: number) => Pass> = {
  cyclic({ blocks }) {
    const order = Uint32Array.from({ length: blocks }, (_, b) => b);
    return () => order;
  },
  random:
    ({ blocks, stream }) =>
    (pass) => {
      const draws = stream.at(pass);
      return new Uint32Array(blocks).map(() => draws.integer(blocks));
    },
  permutation:
    ({ blocks, stream }) =>
    (pass) => {
      const order = Uint32Array.from({ length: blocks }, (_, b) => b);
      const draws = stream.at(pass);
      for (let i = blocks - 1; i > 0; i--) {
        const j = draws.integer(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
  importance({ blocks, stream, curvature }) {
    const sums = curvature().slice();
    for (let b = 1; b < blocks; b++) sums[b] += sums[b - 1];
    return (pass) => {
      const draws = stream.at(pass);
      return new Uint32Array(blocks).map(() => firstAbove(sums, draws.uniform() * sums[blocks - 1]));
    };
  },
};

/**
 * Returns the index of the first entry of the increasing `sums` above `value`. If rounding leaves no such entry,
 * returns the last index.
 */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

class GreedyPicks implements Picks {
  listed = new Uint32Array(0);
  private readonly source: PickSource;

  constructor(source: PickSource) {
    this.source = source;
  }

  next(_first: number, most: number): Uint32Array {
    if (this.listed.length === 0) this.listed = largest(this.source.violations(), this.source.block);
    const taken = this.listed.slice(0, most);
    this.listed = this.listed.slice(taken.length);
    return taken;
  }
}

/** Returns the indices of the `count` largest values in decreasing order; equal values keep their order. */
function largest(values: Float64Array, count: number): Uint32Array<ArrayBuffer> {
  if (count === 1) return Uint32Array.of(values.reduce((best, v, b) => (v > values[best] ? b : best), 0));
  const order = Uint32Array.from(values, (_, b) => b);
  return order.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}
