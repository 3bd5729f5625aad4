import { log } from "../../engine/numbers/log.ts";
import type { LogTable } from "./log-tables.ts";
import { type BoundKind, MiniBucket } from "./mini-bucket.ts";

/** Variables and tables, as logarithms, that are worked on. */
export interface Buckets {
  readonly cardinalities: readonly number[];
  readonly tables: readonly LogTable[];
  /** Variables, the first to go first. The last one stays, if `keep` says so. */
  readonly order: readonly number[];
}

/** What is asked of a pass. */
export interface PassOptions {
  readonly kind: BoundKind;
  /** log2 of the most joint states that tables are multiplied to; a table that has more is a mini-bucket of its own. */
  readonly limit: number;
  /** The last variable of the order is not summed out: the bound is by its states. */
  readonly keep?: boolean;
  /** Tables of each bucket stay, so that states can be read off. */
  readonly decode?: boolean;
  /** Told of each message: which variable went, by its place in the order, from which mini-bucket, of which weight. */
  readonly sent?: (place: number, mini: MiniBucket, message: Float64Array, weight: number) => void;
}

/** What a pass found. */
export interface PassResult {
  /** ln of the bound, by states of the variable that stays, else alone. Rounding is allowed for. */
  readonly values: Float64Array;
  /** No bucket was split: the values are right up to rounding, on both sides. */
  readonly exact: boolean;
  /** What rounding may have done, at most. */
  readonly rounding: number;
  /** In "largest": states that are read off backwards, each the best one given those that were read before. */
  readonly states?: Int32Array;
}

/** The share of the first mini-bucket's power in lower bounds is 1 + this; those of the others are negative. */
const SPREAD = 1;

/**
 * Weighted mini-bucket elimination: variables are summed out in turn; where the tables of one would multiply to more than 2^limit states they are split,
 * and the sum of the product is bounded by Hölder's inequality: Σ_x Π_r ψ_r ≤ Π_r (Σ_x ψ_r^{1/w_r})^{w_r}, Σ w_r = 1, w_r > 0; ≥ where all but one w_r
 * are negative; and max_x Π_r ψ_r ≤ Π_r max_x ψ_r. Before that, factors on the variables that the parts of a bucket share are moved between them until
 * they agree there (moment matching), which leaves the product as it is and makes the bounds tight. A generator: it yields every few milliseconds.
 *
 * Source: Dechter and Rish 2003; Liu and Ihler 2011; Ihler, Flerova, Dechter and Otten 2012.
 */
export function* miniBucketPass({ cardinalities, tables, order }: Buckets, options: PassOptions): Generator<void, PassResult> {
  const { kind, limit, keep = false, decode = false, sent } = options;
  const position = new Int32Array(cardinalities.length);
  order.forEach((variable, place) => {
    position[variable] = place;
  });
  const buckets: LogTable[][] = order.map(() => []);
  let constant = 0;
  let rounding = 0;
  let exact = true;
  const file = (table: LogTable): void => {
    if (table.scope.length > 0) buckets[Math.min(...table.scope.map((variable) => position[variable]))].push(table);
    else {
      constant += table.values[0];
      if (constant > -Infinity) rounding += 2 ** -52 * (1 + Math.abs(constant));
    }
  };
  tables.forEach(file);
  const eliminated = order.length - (keep ? 1 : 0);
  for (let place = 0; place < eliminated; place++) {
    const variable = order[place];
    const groups = split(buckets[place], cardinalities, limit);
    if (groups.length === 0) {
      if (kind !== "largest") constant += log(cardinalities[variable]);
      continue;
    }
    exact &&= groups.length === 1;
    const minis: MiniBucket[] = [];
    for (const group of groups) {
      const scope = [...new Set(group.flatMap(({ scope }) => scope))].sort((a, b) => position[b] - position[a]);
      const mini = new MiniBucket(
        scope,
        scope.map((one) => cardinalities[one]),
      );
      minis.push(mini);
      for (const table of group) yield* mini.add(table);
    }
    const weights = weightsOf(minis.length, kind);
    const common = minis[0].scope.filter((one) => minis.every(({ scope }) => scope.includes(one)));
    const possible = minis.length > 1 ? yield* match(minis, weights, common, kind) : undefined;
    for (const [r, mini] of minis.entries()) {
      const message = yield* mini.eliminate(kind, weights[r], common, possible);
      rounding += mini.rounding;
      sent?.(place, mini, message.values, weights[r]);
      file(message);
    }
    if (!decode) buckets[place] = [];
    yield;
  }
  const values = new Float64Array(keep ? cardinalities[order[eliminated]] : 1).fill(constant);
  if (keep) for (const table of buckets[eliminated]) for (const s of values.keys()) values[s] += table.values[s];
  for (const value of values) if (value > -Infinity) rounding += 2 ** -52 * (1 + Math.abs(value)) * (1 + tables.length);
  const side = kind === "lower" ? -1 : 1;
  for (const s of values.keys()) values[s] += side * rounding;
  return { values, exact, rounding, ...(decode ? { states: readOff(order, buckets, cardinalities) } : {}) };
}

/** First fit, the widest tables first. */
function split(tables: readonly LogTable[], cardinalities: readonly number[], limit: number): LogTable[][] {
  const width = (scope: Iterable<number>): number => {
    let sum = 0;
    for (const variable of scope) sum += log(cardinalities[variable]) / Math.LN2;
    return sum;
  };
  const groups: { readonly tables: LogTable[]; scope: Set<number> }[] = [];
  for (const table of [...tables].sort((a, b) => b.values.length - a.values.length)) {
    const fits = groups.find((group) => {
      const joint = new Set([...group.scope, ...table.scope]);
      return joint.size === group.scope.size || width(joint) <= limit + 1e-9;
    });
    if (!fits) {
      groups.push({ tables: [table], scope: new Set(table.scope) });
      continue;
    }
    fits.tables.push(table);
    for (const variable of table.scope) fits.scope.add(variable);
  }
  return groups.map((group) => group.tables);
}

/** Equal shares; of lower bounds the first is above 1 and the others are negative. */
function weightsOf(count: number, kind: BoundKind): number[] {
  if (count === 1) return [1];
  if (kind !== "lower") return Array.from({ length: count }, () => 1 / count);
  return Array.from({ length: count }, (_, r) => (r === 0 ? 1 + SPREAD : -SPREAD / (count - 1)));
}

/** Makes mini-buckets agree on the variables that they share; returns by states of those which are possible in all. */
function* match(
  minis: readonly MiniBucket[],
  weights: readonly number[],
  common: readonly number[],
  kind: BoundKind,
): Generator<void, Uint8Array> {
  const profiles: Float64Array[] = [];
  for (const [r, mini] of minis.entries()) profiles.push(yield* mini.profile(common, kind, weights[r]));
  const size = profiles[0].length;
  const possible = new Uint8Array(size);
  const shifts = minis.map(() => new Float64Array(size).fill(-Infinity));
  let lost = 0;
  for (let at = 0; at < size; at++) {
    if (profiles.some((profile) => profile[at] === -Infinity)) continue;
    possible[at] = 1;
    const shares = kind === "largest" ? minis.map(() => 1 / minis.length) : weights;
    const mean = profiles.reduce((sum, profile, r) => sum + shares[r] * profile[at], 0);
    let left = 0;
    let extent = 0;
    for (let r = 1; r < minis.length; r++) {
      const shift = (kind === "largest" ? 1 : weights[r]) * (mean - profiles[r][at]);
      shifts[r][at] = shift;
      left -= shift;
      extent = Math.max(extent, Math.abs(shift), Math.abs(left));
    }
    shifts[0][at] = left;
    lost = Math.max(lost, 2 ** -52 * minis.length * extent);
  }
  // The shifts of a state sum to 0 up to this.
  minis[0].rounding += lost;
  for (const [r, mini] of minis.entries()) yield* mini.shift(common, shifts[r]);
  return possible;
}

/** Backwards, the state whose entries are largest given those that were read before. */
function readOff(
  order: readonly number[],
  buckets: readonly (readonly LogTable[])[],
  cardinalities: readonly number[],
): Int32Array {
  const states = new Int32Array(cardinalities.length);
  for (let place = order.length - 1; place >= 0; place--) {
    const variable = order[place];
    let best = -Infinity;
    let chosen = 0;
    for (let s = 0; s < cardinalities[variable]; s++) {
      states[variable] = s;
      const worth = buckets[place].reduce((sum, { scope, shape, values }) => {
        let at = 0;
        scope.forEach((one, k) => {
          at = at * shape[k] + states[one];
        });
        return sum + values[at];
      }, 0);
      if (worth > best) {
        best = worth;
        chosen = s;
      }
    }
    states[variable] = chosen;
  }
  return states;
}
