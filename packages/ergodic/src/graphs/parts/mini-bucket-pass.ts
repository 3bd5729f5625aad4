import { log } from "../../engine/numbers/log.ts";
import type { LogTable } from "./log-tables.ts";
import { type BoundKind, MiniBucket } from "./mini-bucket.ts";

/** Input of a pass: variables, and tables as logarithms. */
export interface Buckets {
  readonly cardinalities: readonly number[];
  readonly tables: readonly LogTable[];
  /** Variables in elimination order. With `keep`, the last variable is not eliminated. */
  readonly order: readonly number[];
}

/** Options of a pass. */
export interface PassOptions {
  readonly kind: BoundKind;
  /** log2 of the largest product of tables, in joint states. A larger table is a separate mini-bucket. */
  readonly limit: number;
  /** Whether the last variable of the order is kept, so that the bound is given for each of its states. */
  readonly keep?: boolean;
  /** Whether the tables of each bucket are kept, so that states can be read off. */
  readonly decode?: boolean;
  /**
   * Called with each message. The function also receives the position of the eliminated variable in the order, the
   * mini-bucket, and the mini-bucket's weight.
   */
  readonly sent?: (place: number, mini: MiniBucket, message: Float64Array, weight: number) => void;
}

/** Result of a pass. */
export interface PassResult {
  /** ln of the bound, for each state of the kept variable if there is one. Possible rounding errors are included. */
  readonly values: Float64Array;
  /** Whether no bucket was split. If so, the values are exact up to rounding. */
  readonly exact: boolean;
  /** Bound on the rounding error. */
  readonly rounding: number;
  /**
   * For "largest": the states, read off in reverse order. Each state is the best one given the states chosen before it.
   */
  readonly states?: Int32Array;
}

/** In lower bounds, the weight of the first mini-bucket is 1 + SPREAD, and the others are negative. */
const SPREAD = 1;

/**
 * Weighted mini-bucket elimination: variables are summed out in turn. If the product of a variable's tables would have
 * more than 2^limit states, the tables are split into mini-buckets. Hölder's inequality then bounds the sum of the
 * product: Σ_x Π_r ψ_r ≤ Π_r (Σ_x ψ_r^{1/w_r})^{w_r}, Σ w_r = 1, w_r > 0; ≥ if all but one w_r are negative; and max_x
 * Π_r ψ_r ≤ Π_r max_x ψ_r. First, moment matching moves factors on the shared variables between mini-buckets until the
 * mini-buckets agree on these variables. Moment matching leaves the product unchanged and tightens the bounds. Yields
 * every few milliseconds.
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

/** Groups the tables by the first-fit method, starting with the widest tables. */
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

/** Returns equal weights. For lower bounds, the first weight is above 1 and the others are negative. */
function weightsOf(count: number, kind: BoundKind): number[] {
  if (count === 1) return [1];
  if (kind !== "lower") return Array.from({ length: count }, () => 1 / count);
  return Array.from({ length: count }, (_, r) => (r === 0 ? 1 + SPREAD : -SPREAD / (count - 1)));
}

/**
 * Makes mini-buckets agree on their shared variables. Returns, for each joint state of the shared variables, whether it
 * is possible in all mini-buckets.
 */
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
  // For each state, the shifts add up to 0 up to this error.
  minis[0].rounding += lost;
  for (const [r, mini] of minis.entries()) yield* mini.shift(common, shifts[r]);
  return possible;
}

/**
 * Reads off the states of variables in reverse order. Each state is the one with the largest entries, given the states
 * chosen before it.
 */
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
