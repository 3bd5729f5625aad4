import { log } from "../../engine/numbers/log.ts";
import { type Draws, stream } from "../../engine/random/stream.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";

/** An elimination order and its cost. */
export interface EliminationOrder {
  /** Variables in elimination order. */
  readonly order: readonly number[];
  /** Total entries in all tables. Each variable has a table over itself and its neighbours at its elimination. */
  readonly total: number;
  /** Number of entries in the largest of these tables. */
  readonly largest: number;
  /** Number of orders tried. */
  readonly tried: number;
}

/** Number of search operations per table entry. The search takes about a quarter as long as computing the entries. */
const SHARE = 0.5;
/** Largest number of operations, which take about four seconds. */
const MOST_OPERATIONS = 3e9;
/** Number of searches from different starts. Late in the search, only the better searches are continued. */
const WALKS = 4;
/** Largest share of variables that get a new factor when one order is derived from another. */
const CHANGED = 0.08;
/** Number of operations between two yields: a few milliseconds of work. */
const PAUSE_OPERATIONS = 3e6;
/** Largest number of variables for which adjacency is stored as bits (after variables of degree ≤ 2 are eliminated). */
const MOST_BITS = 8192;

/**
 * Finds an elimination order of low cost. Elimination takes time and memory that grow with the total table size.
 *
 * Variables of degree at most 2 are eliminated first. A variable whose neighbours are all adjacent to each other is
 * eliminated as soon as possible. The rest is ordered greedily by fill edges (min-fill) times a factor per variable. A
 * local search changes some factors at random and keeps changes that reduce the sum. Its length is counted in
 * operations, not seconds, so the order depends only on the graph and the seed. Yields every few milliseconds.
 *
 * @param cardinalities number of states of each variable
 * @param scopes sets of mutually adjacent variables
 * `effort`: operations per table entry; `most`: total operations, about 10^9 per three seconds; `worth`: no search
 * takes place while the total table size is above this
 */
export function* eliminationOrders(
  cardinalities: readonly number[],
  scopes: readonly (readonly number[])[],
  {
    seed = 0,
    effort = SHARE,
    most = MOST_OPERATIONS,
    worth = Infinity,
  }: { seed?: number; effort?: number; most?: number; worth?: number } = {},
): Generator<void, EliminationOrder> {
  const { order: first, neighbours, left, total, largest } = yield* peel(cardinalities, scopes);
  if (left.length === 0) return { order: first, total, largest, tried: 1 };
  const even = new Float64Array(left.length).fill(1);
  // Variables that are eliminated late get the lowest numbers, so that the bits of eliminated variables can be skipped.
  left.reverse();
  const draft = (yield* (yield* Core.of(cardinalities, neighbours, left)).run(false, even, Infinity))!;
  const sorted = Array.from(draft.order, (i) => left[i]).reverse();
  const core = yield* Core.of(cardinalities, neighbours, sorted);
  const random = stream(seed, "elimination order");
  let best = (yield* core.run(false, even, Infinity))!;
  let spent = core.operations;
  let shown = 0;
  let tried = 1;
  const walks = Array.from({ length: WALKS }, () => ({ factors: even, weighted: false, total: Infinity }));
  const limit = (): number => Math.min(most, effort * best.total);
  while (best.fills && total + best.total <= worth && spent < limit()) {
    const draws = random.at(tried++);
    const done = spent / limit();
    const walk = walks[draws.integer(Math.ceil(WALKS * (1 - done)))];
    const fresh = walk.total === Infinity || draws.uniform() < 0.1 * (1 - done);
    const weighted = fresh ? draws.integer(2) === 1 : walk.weighted;
    const factors = fresh ? core.freshFactors(draws) : changedFactors(walk.factors, CHANGED * (1 - done) + 0.01, draws);
    // Equally good orders are accepted too, because many factors hardly affect the sum.
    const found = yield* core.run(weighted, factors, walk.total);
    spent += core.operations;
    if (found) {
      Object.assign(walk, { factors, weighted, total: found.total });
      walks.sort((a, b) => a.total - b.total);
      if (found.total < best.total) best = found;
    }
    if (spent < shown + PAUSE_OPERATIONS) continue;
    shown = spent;
    yield;
  }
  return {
    order: [...first, ...Array.from(best.order, (i) => sorted[i])],
    total: total + best.total,
    largest: Math.max(largest, best.largest),
    tried,
  };
}

function changedFactors(factors: Float64Array, share: number, draws: Draws): Float64Array {
  const changed = factors.slice();
  const most = Math.ceil(factors.length * share);
  for (let n = 1 + draws.integer(most); n > 0; n--)
    changed[draws.integer(factors.length)] = 1 + 3 * draws.uniform() * draws.uniform();
  return changed;
}

/** Returns the final order of `eliminationOrders`, synchronously. */
export const eliminationOrder = (...given: Parameters<typeof eliminationOrders>): EliminationOrder =>
  atOnce(eliminationOrders(...given));

/** Eliminates variables with at most two neighbours, and more in very large graphs until the rest fits as bits. */
function* peel(cardinalities: readonly number[], scopes: readonly (readonly number[])[]) {
  const pauses = new Pauses();
  const neighbours = cardinalities.map(() => new Set<number>());
  for (const scope of scopes) {
    if (pauses.due(scope.length * scope.length)) yield;
    for (const a of scope) for (const b of scope) if (a !== b) neighbours[a].add(b);
  }
  const order: number[] = [];
  const gone = new Uint8Array(cardinalities.length);
  let total = 0;
  let largest = 0;
  const queues: number[][] = [];
  const file = (variable: number): void => void (queues[neighbours[variable].size] ??= []).push(variable);
  for (const variable of cardinalities.keys()) file(variable);
  let remaining = cardinalities.length;
  for (let degree = 0; degree < queues.length && (degree <= 2 || remaining > MOST_BITS); ) {
    const variable = queues[degree]?.pop();
    if (variable === undefined) {
      degree++;
      continue;
    }
    if (gone[variable] || neighbours[variable].size !== degree) continue;
    const around = [...neighbours[variable]];
    if (pauses.due(16 * around.length * around.length)) yield;
    const size = around.reduce((product, u) => product * cardinalities[u], cardinalities[variable]);
    total += size;
    largest = Math.max(largest, size);
    gone[variable] = 1;
    order.push(variable);
    remaining--;
    for (const u of around) {
      neighbours[u].delete(variable);
      for (const w of around) if (w !== u) neighbours[u].add(w);
    }
    for (const u of around) file(u);
    neighbours[variable].clear();
    degree = Math.max(0, Math.min(degree, ...around.map((u) => neighbours[u].size)));
  }
  const left = [...cardinalities.keys()].filter((variable) => !gone[variable]);
  return { order, neighbours, left, total, largest };
}

interface Found {
  readonly order: Int32Array;
  readonly total: number;
  readonly largest: number;
  /** Whether some elimination added fill edges, so that there was a choice. */
  readonly fills: boolean;
}

/** The remaining graph as bits. The counts of each variable's fill edges are always up to date. */
class Core {
  /** Approximate number of words visited in the last run. */
  operations = 0;
  private readonly count: number;
  private readonly words: number;
  private readonly counts: Float64Array;
  /** log2 of the counts. */
  private readonly weights: Float64Array;
  private readonly start: { bits: Uint32Array; degrees: Int32Array; fill: Int32Array };
  private readonly bits: Uint32Array;
  private readonly degrees: Int32Array;
  private readonly fill: Int32Array;
  /** Remaining variables (`rest`), and each variable's index in `rest` (`place`). */
  private readonly rest: Int32Array;
  private readonly place: Int32Array;
  private readonly around: Int32Array;
  /** Variables that had no fill edges when they were put on this list. */
  private readonly free: number[] = [];
  /** Number of remaining variables per word of a row. From `top` on, all variables are eliminated. */
  private readonly alive: Int32Array;
  private top = 0;

  static *of(
    cardinalities: readonly number[],
    neighbours: readonly ReadonlySet<number>[],
    left: readonly number[],
  ): Generator<void, Core> {
    const core = new Core(cardinalities, neighbours, left);
    const pauses = new Pauses();
    for (let i = 0; i < core.count; i++) {
      const degree = core.degrees[i];
      if (pauses.due(core.words + degree * degree)) yield;
      core.fill[i] = core.countFill(i);
    }
    core.start.fill.set(core.fill);
    return core;
  }

  private constructor(cardinalities: readonly number[], neighbours: readonly ReadonlySet<number>[], left: readonly number[]) {
    const count = left.length;
    this.count = count;
    this.words = (count + 31) >>> 5;
    this.counts = Float64Array.from(left, (variable) => cardinalities[variable]);
    this.weights = this.counts.map((states) => log(states) / Math.LN2);
    const local = new Map(left.map((variable, i) => [variable, i]));
    this.bits = new Uint32Array(count * this.words);
    left.forEach((variable, i) => {
      for (const u of neighbours[variable]) {
        const j = local.get(u)!;
        this.bits[i * this.words + (j >>> 5)] |= 1 << (j & 31);
      }
    });
    this.degrees = Int32Array.from(left, (variable) => neighbours[variable].size);
    this.fill = new Int32Array(count);
    this.rest = new Int32Array(count);
    this.place = new Int32Array(count);
    this.around = new Int32Array(count);
    this.alive = new Int32Array(this.words);
    this.top = this.words;
    this.start = { bits: this.bits.slice(), degrees: this.degrees.slice(), fill: this.fill.slice() };
  }

  /** Starting point of a walk: random factors, or a sweep outwards from a random variable. The sweep suits lattices. */
  freshFactors(draws: Draws): Float64Array {
    const { count } = this;
    const spread = [0, 0.1, 0.3, 0.8][draws.integer(4)];
    const factors = Float64Array.from({ length: count }, () => 1 + spread * draws.uniform());
    const slope = [0, 0.5, 2, 10, 100][draws.integer(5)];
    if (slope === 0) return factors;
    const seen = new Uint8Array(count);
    const queue = [draws.integer(count)];
    // The sweep starts where a first search ended, which is at the edge of the graph.
    for (let round = 0; round < 2; round++) {
      const first = queue[queue.length - 1];
      queue.length = 0;
      queue.push(first);
      seen.fill(0);
      seen[first] = 1;
      for (let next = 0; next < queue.length; next++) {
        for (const u of this.startNeighbours(queue[next])) {
          if (seen[u]) continue;
          seen[u] = 1;
          queue.push(u);
        }
      }
    }
    queue.forEach((v, place) => {
      factors[v] *= 1 + (slope * place) / count;
    });
    return factors;
  }

  private startNeighbours(v: number): number[] {
    const found: number[] = [];
    for (let w = 0, at = v * this.words; w < this.words; w++, at++) {
      for (let word = this.start.bits[at]; word !== 0; word &= word - 1) found.push((w << 5) | (31 - Math.clz32(word & -word)));
    }
    return found;
  }

  /**
   * Finds the greedy order for these factors, or undefined once it costs more than `limit`. `weighted`: fill edges are
   * weighted by numbers of states. Yields if it takes long.
   */
  *run(weighted: boolean, factors: Float64Array, limit: number): Generator<void, Found | undefined> {
    const { bits, degrees, fill, count, words, counts, rest, place, around, free } = this;
    bits.set(this.start.bits);
    degrees.set(this.start.degrees);
    fill.set(this.start.fill);
    free.length = 0;
    for (let i = 0; i < count; i++) {
      rest[i] = place[i] = i;
      if (fill[i] === 0) free.push(i);
    }
    this.operations = bits.length + 8 * count;
    this.top = words;
    this.alive.fill(32);
    this.alive[words - 1] = count - 32 * (words - 1);
    const order = new Int32Array(count);
    let total = 0;
    let largest = 0;
    let fills = false;
    let shown = 0;
    for (let remaining = count; remaining > 0; remaining--) {
      if (this.operations >= shown + PAUSE_OPERATIONS) {
        shown = this.operations;
        yield;
      }
      let chosen = this.nextFree();
      if (chosen < 0) {
        fills = true;
        chosen = this.cheapest(remaining, weighted, factors);
      }
      const size = this.neighboursOf(chosen);
      let states = counts[chosen];
      for (let k = 0; k < size; k++) states *= counts[around[k]];
      total += states;
      if (total > limit) return undefined;
      if (states > largest) largest = states;
      order[count - remaining] = chosen;
      const last = rest[remaining - 1];
      rest[place[chosen]] = last;
      place[last] = place[chosen];
      place[chosen] = -1;
      this.eliminate(chosen, size);
      this.alive[chosen >>> 5]--;
      while (this.top > 0 && this.alive[this.top - 1] === 0) this.top--;
    }
    return { order, total, largest, fills };
  }

  /** Returns a variable without fill edges, or −1 if there is none. */
  private nextFree(): number {
    const { free, place, fill } = this;
    while (free.length > 0) {
      const v = free.pop()!;
      if (place[v] >= 0 && fill[v] === 0) return v;
    }
    return -1;
  }

  /** Returns the remaining variable with the lowest score. */
  private cheapest(remaining: number, weighted: boolean, factors: Float64Array): number {
    const { rest, fill, weights, degrees } = this;
    let chosen = -1;
    let lowest = Infinity;
    for (let k = 0; k < remaining; k++) {
      const v = rest[k];
      const score = (weighted ? fill[v] * (weights[v] + 0.3 * degrees[v]) : fill[v]) * factors[v];
      if (score < lowest) {
        lowest = score;
        chosen = v;
      }
    }
    this.operations += 2 * remaining;
    return chosen;
  }

  /** Writes the neighbours into `around` and returns their number. */
  private neighboursOf(v: number): number {
    const { bits, words, around, top } = this;
    let size = 0;
    for (let w = 0, at = v * words; w < top; w++, at++) {
      for (let word = bits[at]; word !== 0; word &= word - 1) around[size++] = (w << 5) | (31 - Math.clz32(word & -word));
    }
    return size;
  }

  /** Connects the neighbours (in `around`) with each other, and removes v. */
  private eliminate(v: number, size: number): void {
    const { bits, degrees, fill, words, around, free } = this;
    if (fill[v] > 0) {
      for (let i = 0; i < size; i++) {
        const a = around[i];
        for (let j = i + 1; j < size; j++) {
          const b = around[j];
          if (((bits[a * words + (b >>> 5)] >>> (b & 31)) & 1) === 0) this.join(a, b);
        }
      }
    }
    const [word, mask] = [v >>> 5, ~(1 << (v & 31))];
    for (let i = 0; i < size; i++) {
      const u = around[i];
      bits[u * words + word] &= mask;
      degrees[u]--;
      // v is adjacent only to its own neighbours, so the pairs of v with other neighbours of u vanish.
      fill[u] -= degrees[u] - (size - 1);
      if (fill[u] === 0) free.push(u);
    }
    this.operations += size * size + 2 * this.top;
  }

  /** Adds an edge. Common neighbours lose a fill edge each. Each end gains one per neighbour that is not shared. */
  private join(a: number, b: number): void {
    const { bits, degrees, fill, words, free, top } = this;
    let common = 0;
    for (let w = 0, i = a * words, j = b * words; w < top; w++, i++, j++) {
      for (let word = bits[i] & bits[j]; word !== 0; word &= word - 1) {
        const u = (w << 5) | (31 - Math.clz32(word & -word));
        if (--fill[u] === 0) free.push(u);
        common++;
      }
    }
    fill[a] += degrees[a] - common;
    fill[b] += degrees[b] - common;
    bits[a * words + (b >>> 5)] |= 1 << (b & 31);
    bits[b * words + (a >>> 5)] |= 1 << (a & 31);
    degrees[a]++;
    degrees[b]++;
    this.operations += 2 * top + 3 * common + 10;
  }

  private countFill(v: number): number {
    const { bits, words, around } = this;
    const size = this.neighboursOf(v);
    let missing = 0;
    for (let i = 0; i < size; i++)
      for (let j = i + 1; j < size; j++)
        if (((bits[around[i] * words + (around[j] >>> 5)] >>> (around[j] & 31)) & 1) === 0) missing++;
    return missing;
  }
}
