import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";

/**
 * Largest ln(max/min) of positive entries at which tables, and products of tables, are stored as plain numbers. float64
 * reaches e^±708.
 */
export const MOST_RANGE = 600;

/**
 * A factor φ(x) = e^scale · values, indexed by the states of `scope`. The last variable varies fastest. Plain values
 * are scaled to a largest entry of 1. If their range exceeds MOST_RANGE, logarithms are stored instead.
 */
export interface Table {
  /** Distinct variables. */
  readonly scope: readonly number[];
  /** Number of states of each variable. */
  readonly shape: readonly number[];
  /** φ e^−scale, or its logarithms. */
  readonly values: Float64Array;
  /** Whether `values` are logarithms. */
  readonly logs: boolean;
  /** Scale in nats. */
  readonly scale: number;
  /** ln(max/min) over the positive entries; −∞ if all are 0. */
  readonly range: number;
}

/**
 * Creates a scaled table from values or their logarithms. The table stores logarithms only if necessary. If all entries
 * are 0, the scale is −∞.
 */
export function tableOf(scope: readonly number[], shape: readonly number[], given: Float64Array, logs = false): Table {
  const { high, low } = extremes(given, logs);
  if (high === (logs ? -Infinity : 0)) {
    return { scope, shape, values: new Float64Array(given.length), logs: false, scale: -Infinity, range: -Infinity };
  }
  const scale = logs ? high : log(high);
  const range = logs ? high - low : scale - log(low);
  if (range > MOST_RANGE) {
    const values = given.map((value) => (logs ? value : log(value)) - scale);
    return { scope, shape, values, logs: true, scale, range };
  }
  const values = given.map((value) => (logs ? exp(value - high) : value / high));
  return { scope, shape, values, logs: false, scale, range };
}

/** Returns the largest entry and the smallest positive one. */
function extremes(values: Float64Array, logs: boolean): { high: number; low: number } {
  const zero = logs ? -Infinity : 0;
  let high = zero;
  let low = Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value > high) high = value;
    if (value < low && value > zero) low = value;
  }
  return { high, low };
}

/** Returns the number of entries in a table, given its variables' numbers of states. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const count of shape) size *= count;
  return size;
}

/**
 * Returns the strides of `scope` in `table`: the distance between neighbouring states of each variable, or 0 if the
 * table does not have the variable.
 */
export function stridesIn(table: Pick<Table, "scope" | "shape">, scope: readonly number[]): number[] {
  const strides = new Map<number, number>();
  let stride = 1;
  for (let k = table.scope.length - 1; k >= 0; k--) {
    strides.set(table.scope[k], stride);
    stride *= table.shape[k];
  }
  return scope.map((variable) => strides.get(variable) ?? 0);
}

/**
 * Visits all states of `shape` in order: `visit(i, places)` receives the index of the state in arrays with the given
 * strides.
 */
export function walk(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (index: number, places: Int32Array) => void,
): void {
  const places = new Int32Array(strides.length);
  const states = new Int32Array(shape.length);
  const size = sizeOf(shape);
  for (let index = 0; index < size; index++) {
    visit(index, places);
    for (let k = shape.length - 1; k >= 0; k--) {
      if (++states[k] < shape[k]) {
        for (let t = 0; t < strides.length; t++) places[t] += strides[t][k];
        break;
      }
      states[k] = 0;
      for (let t = 0; t < strides.length; t++) places[t] -= strides[t][k] * (shape[k] - 1);
    }
  }
}

/** Returns the product of `table` and another table, which has only variables of `table`. */
export function absorb(table: Table, other: Table): Table {
  const strides = stridesIn(other, table.scope);
  const logs = table.logs || other.logs || table.range + other.range > MOST_RANGE;
  const values = new Float64Array(table.values.length);
  const read = ({ values: from, logs: kept }: Table, at: number): number => (logs && !kept ? log(from[at]) : from[at]);
  walk(table.shape, [strides], (index, places) => {
    const [a, b] = [read(table, index), read(other, places[0])];
    values[index] = logs ? a + b : a * b;
  });
  const made = tableOf(table.scope, table.shape, values, logs);
  return { ...made, scale: made.scale + table.scale + other.scale };
}

/** Returns the same table with its scope in another order. */
export function reorder(table: Table, scope: readonly number[]): Table {
  const shapes = new Map(table.scope.map((variable, k) => [variable, table.shape[k]]));
  return widen(
    table,
    scope,
    scope.map((variable) => shapes.get(variable)!),
  );
}

/** Returns the same factor as a table on more variables. */
export function widen(table: Table, scope: readonly number[], shape: readonly number[]): Table {
  const values = new Float64Array(sizeOf(shape));
  walk(shape, [stridesIn(table, scope)], (index, [at]) => {
    values[index] = table.values[at];
  });
  return { ...table, scope, shape, values };
}

/**
 * Returns the product of two tables of plain values. The result has the variables `scope`, which include all variables
 * of both tables. The scales of the two tables add up, and the range of the product is an upper bound.
 */
export function product(a: Table, b: Table, scope: readonly number[]): Table {
  const shapes = new Map([a, b].flatMap((table) => table.scope.map((variable, k) => [variable, table.shape[k]])));
  const shape = scope.map((variable) => shapes.get(variable)!);
  const values = new Float64Array(sizeOf(shape));
  walk(shape, [stridesIn(a, scope), stridesIn(b, scope)], (index, [i, j]) => {
    values[index] = a.values[i] * b.values[j];
  });
  return { scope, shape, values, logs: false, scale: a.scale + b.scale, range: a.range + b.range };
}

/** Multiplies tables with each other as long as the product has at most `most` entries. */
export function joinSmall(tables: readonly Table[], most: number, inOrder: (variables: Iterable<number>) => number[]): Table[] {
  const joined: Table[] = [];
  for (const table of [...tables].sort((a, b) => b.values.length - a.values.length)) {
    let [best, smallest] = [-1, most];
    for (const [i, other] of joined.entries()) {
      if (table.logs || other.logs || table.range + other.range > MOST_RANGE) continue;
      let size = other.values.length;
      for (const [k, variable] of table.scope.entries()) if (!other.scope.includes(variable)) size *= table.shape[k];
      if (size > smallest) continue;
      [best, smallest] = [i, size];
    }
    if (best < 0) joined.push(table);
    else joined[best] = product(joined[best], table, inOrder(new Set([...joined[best].scope, ...table.scope])));
  }
  return joined;
}

/**
 * Restricts a table to some states of its variables, listed by `kept(variable)`. Variables with a single state are
 * removed from the scope.
 */
export function restrict(table: Table, kept: (variable: number) => readonly number[]): Table {
  const all = stridesIn(table, table.scope);
  const places = table.scope.map((variable, k) => kept(variable).map((state) => state * all[k]));
  const counts = places.map((of) => of.length);
  const values = new Float64Array(sizeOf(counts));
  const states = counts.map(() => 0);
  for (let index = 0; index < values.length; index++) {
    let at = 0;
    for (let k = 0; k < states.length; k++) at += places[k][states[k]];
    values[index] = table.values[at];
    for (let k = states.length - 1; k >= 0; k--) {
      if (++states[k] < counts[k]) break;
      states[k] = 0;
    }
  }
  const stays = (_: unknown, k: number): boolean => counts[k] > 1;
  const made = tableOf(table.scope.filter(stays), counts.filter(stays), values, table.logs);
  return { ...made, scale: made.scale + table.scale };
}
