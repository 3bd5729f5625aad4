import { stream } from "../../base/stream.ts";

/** An order in which variables are summed out, and what that costs. */
export interface EliminationOrder {
  /** Variables, the first to go first. */
  readonly order: readonly number[];
  /** log2 of Σ over the variables of the entries of a table on it and its neighbours, when it goes. */
  readonly logTotal: number;
  /** log2 of the largest of these tables. */
  readonly logLargest: number;
  /** Orders that were tried. */
  readonly tried: number;
}

/** What decides which variable goes next. */
interface Greed {
  /** Weight of the fill edges by their number, or by the states that they join. */
  readonly weighted: boolean;
  /** The score of each variable is multiplied by (1 + noise · u), u uniform in [0, 1) and its own. */
  readonly noise: number;
}

/** Operations of the search (some 5 ns) for each entry of a table (some 4 ns). */
const SHARE = 0.1;
/** Most operations: about two seconds. */
const MOST_OPERATIONS = 4e8;
/** Between two yields: a few milliseconds. */
const PAUSE_OPERATIONS = 1e6;
/** Beyond so many variables (after those of degree 2 or less went), adjacency is no longer kept as bits. */
const MOST_BITS = 8192;

/**
 * An order good in time and in memory, as both grow with Σ of the tables: variables of degree at most 2 first, then greedy by fill edges (min-fill),
 * again and again with noise, and from within the best order so far. How many are tried depends on how large the tables are, in operations and not in
 * seconds, so that the order depends on the graph and the seed alone. A generator: it yields every few milliseconds.
 *
 * @param cardinalities by variable
 * @param scopes sets of variables that are neighbours of each other
 */
export function* eliminationOrders(
  cardinalities: readonly number[],
  scopes: readonly (readonly number[])[],
  { seed = 0, effort = SHARE }: { seed?: number; effort?: number } = {},
): Generator<void, EliminationOrder> {
  const weights = cardinalities.map((count) => Math.log2(count));
  const { order: first, neighbours, left, total, largest } = peel(weights, scopes);
  const core = new Core(weights, neighbours, left);
  let best = core.run({ weighted: false, noise: 0 }, () => 0, [], Infinity)!;
  const random = stream(seed, "elimination order");
  let spent = best.operations;
  let shown = 0;
  let tried = 1;
  const noises = [0, 0.05, 0.1, 0.2, 0.4, 0.8];
  while (left.length > 3 && spent < Math.min(MOST_OPERATIONS, effort * 2 ** best.logTotal)) {
    const draws = random.at(tried);
    const greed = { weighted: tried % 2 === 1, noise: noises[draws.integer(noises.length)] };
    const kept = tried % 3 === 0 ? best.order.slice(0, draws.integer(best.order.length)) : [];
    const found = core.run(greed, () => draws.uniform(), kept, best.logTotal);
    spent += core.operations;
    tried++;
    if (found && found.logTotal < best.logTotal) best = found;
    if (spent < shown + PAUSE_OPERATIONS) continue;
    shown = spent;
    yield;
  }
  return {
    order: [...first, ...best.order.map((i) => left[i])],
    logTotal: addLogs(total, best.logTotal),
    logLargest: Math.max(largest, best.logLargest),
    tried,
  };
}

/** The order that `eliminationOrders` ends with. */
export function eliminationOrder(...given: Parameters<typeof eliminationOrders>): EliminationOrder {
  const search = eliminationOrders(...given);
  for (;;) {
    const { done, value } = search.next();
    if (done) return value;
  }
}

/** log2(2^a + 2^b). */
export function addLogs(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? high : high + Math.log2(1 + 2 ** (Math.min(a, b) - high));
}

/** Variables with at most two neighbours go first: no order of the rest is better for it; and of very many variables those with fewest, until bits can hold the rest. */
function peel(weights: readonly number[], scopes: readonly (readonly number[])[]) {
  const neighbours = weights.map(() => new Set<number>());
  for (const scope of scopes) for (const a of scope) for (const b of scope) if (a !== b) neighbours[a].add(b);
  const order: number[] = [];
  const gone = new Uint8Array(weights.length);
  let total = -Infinity;
  let largest = -Infinity;
  const queues: number[][] = [];
  const file = (variable: number): void => void (queues[neighbours[variable].size] ??= []).push(variable);
  for (const variable of weights.keys()) file(variable);
  let remaining = weights.length;
  for (let degree = 0; degree < queues.length && (degree <= 2 || remaining > MOST_BITS); ) {
    const variable = queues[degree]?.pop();
    if (variable === undefined) {
      degree++;
      continue;
    }
    if (gone[variable] || neighbours[variable].size !== degree) continue;
    const around = [...neighbours[variable]];
    const size = around.reduce((sum, u) => sum + weights[u], weights[variable]);
    total = addLogs(total, size);
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
  const left = [...weights.keys()].filter((variable) => !gone[variable]);
  return { order, neighbours, left, total, largest };
}

interface Found {
  readonly order: number[];
  readonly logTotal: number;
  readonly logLargest: number;
  readonly operations: number;
}

/** What is left of the graph, as bits; the number of fill edges of each variable is kept up to date. */
class Core {
  /** Words that the last run went over. */
  operations = 0;
  private readonly count: number;
  private readonly words: number;
  private readonly weights: Float64Array;
  private readonly start: Uint32Array;
  private readonly bits: Uint32Array;
  private readonly degrees: Int32Array;
  private readonly startFill: Int32Array;
  private readonly startDegrees: Int32Array;
  private readonly fill: Int32Array;
  private readonly factors: Float64Array;
  private readonly rest: Int32Array;
  private readonly place: Int32Array;
  private readonly around: Int32Array;

  constructor(weights: readonly number[], neighbours: readonly ReadonlySet<number>[], left: readonly number[]) {
    this.count = left.length;
    this.words = (left.length + 31) >>> 5;
    this.weights = Float64Array.from(left, (variable) => weights[variable]);
    const local = new Map(left.map((variable, i) => [variable, i]));
    this.start = new Uint32Array(this.count * this.words);
    left.forEach((variable, i) => {
      for (const u of neighbours[variable]) {
        const j = local.get(u)!;
        this.start[i * this.words + (j >>> 5)] |= 1 << (j & 31);
      }
    });
    this.bits = this.start.slice();
    this.factors = new Float64Array(this.count);
    this.rest = new Int32Array(this.count);
    this.place = new Int32Array(this.count);
    this.around = new Int32Array(this.count);
    this.startDegrees = Int32Array.from(left, (variable) => neighbours[variable].size);
    this.degrees = this.startDegrees.slice();
    this.startFill = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) this.startFill[i] = this.countFill(i);
    this.fill = this.startFill.slice();
  }

  /** An order that starts with `kept`; undefined as soon as it costs more than `limit`. */
  run({ weighted, noise }: Greed, uniform: () => number, kept: readonly number[], limit: number): Found | undefined {
    const { bits, degrees, fill, count, words, weights } = this;
    bits.set(this.start);
    degrees.set(this.startDegrees);
    fill.set(this.startFill);
    this.operations = bits.length;
    const { rest, place, factors, around } = this;
    for (let i = 0; i < count; i++) rest[i] = place[i] = i;
    if (noise > 0) for (let i = 0; i < count; i++) factors[i] = 1 + noise * uniform();
    let remaining = count;
    const order: number[] = [];
    let logTotal = -Infinity;
    let logLargest = -Infinity;
    while (remaining > 0) {
      let chosen = -1;
      if (order.length < kept.length) chosen = kept[order.length];
      else {
        let lowest = Infinity;
        for (let k = 0; k < remaining; k++) {
          const v = rest[k];
          let score = fill[v];
          if (weighted) score = (score + 0.1) * (weights[v] + 0.3 * degrees[v]);
          if (noise > 0) score = (score + 0.5) * factors[v];
          if (score < lowest) {
            lowest = score;
            chosen = v;
          }
        }
        this.operations += 2 * remaining;
      }
      const size = this.neighboursOf(chosen, around);
      let weight = weights[chosen];
      for (let k = 0; k < size; k++) weight += weights[around[k]];
      logTotal = addLogs(logTotal, weight);
      if (logTotal >= limit) return undefined;
      logLargest = Math.max(logLargest, weight);
      order.push(chosen);
      const last = rest[--remaining];
      rest[place[chosen]] = last;
      place[last] = place[chosen];
      this.eliminate(chosen, around, size);
    }
    this.operations += 8 * count * words;
    return { order, logTotal, logLargest, operations: this.operations };
  }

  private neighboursOf(v: number, into: Int32Array): number {
    const { bits, words } = this;
    let size = 0;
    for (let w = 0, at = v * words; w < words; w++, at++) {
      for (let word = bits[at]; word !== 0; word &= word - 1) into[size++] = (w << 5) | (31 - Math.clz32(word & -word));
    }
    this.operations += words;
    return size;
  }

  /** Its neighbours become neighbours of each other, and it goes. */
  private eliminate(v: number, around: Int32Array, size: number): void {
    const { bits, degrees, fill, words } = this;
    if (fill[v] > 0) {
      for (let i = 0; i < size; i++) {
        for (let j = i + 1; j < size; j++) {
          const [a, b] = [around[i], around[j]];
          if ((bits[a * words + (b >>> 5)] >>> (b & 31)) & 1) continue;
          this.join(a, b);
        }
      }
    }
    for (let i = 0; i < size; i++) {
      const u = around[i];
      bits[u * words + (v >>> 5)] &= ~(1 << (v & 31));
      degrees[u]--;
      // v knew its own neighbours alone: pairs of v with others of u's go.
      fill[u] -= degrees[u] - (size - 1);
    }
    for (let w = 0; w < words; w++) bits[v * words + w] = 0;
    this.operations += size + words;
  }

  /** A new edge: whoever knows both has one pair less to join, and each gets pairs of the other with those that it does not know. */
  private join(a: number, b: number): void {
    const { bits, degrees, fill, words } = this;
    let common = 0;
    for (let w = 0, i = a * words, j = b * words; w < words; w++, i++, j++) {
      for (let word = bits[i] & bits[j]; word !== 0; word &= word - 1) {
        fill[(w << 5) | (31 - Math.clz32(word & -word))]--;
        common++;
      }
    }
    fill[a] += degrees[a] - common;
    fill[b] += degrees[b] - common;
    bits[a * words + (b >>> 5)] |= 1 << (b & 31);
    bits[b * words + (a >>> 5)] |= 1 << (a & 31);
    degrees[a]++;
    degrees[b]++;
    this.operations += 2 * words + common;
  }

  private countFill(v: number): number {
    const { bits, words } = this;
    const around = new Int32Array(this.count);
    const size = this.neighboursOf(v, around);
    let missing = 0;
    for (let i = 0; i < size; i++)
      for (let j = i + 1; j < size; j++) if (!((bits[around[i] * words + (around[j] >>> 5)] >>> (around[j] & 31)) & 1)) missing++;
    return missing;
  }
}
