import { log } from "../../engine/numbers/log.ts";
import { sizeOf, stridesIn } from "../parts/factor-table.ts";
import type { LogTable } from "../parts/log-tables.ts";
import type { Buckets } from "../parts/mini-bucket-pass.ts";

/**
 * Fixes some variables to given states, so that summing out the others never needs a table of more than 2^limit states.
 * A greedy choice keeps the number of fixed variables small. The result is a partial sum and hence a lower bound. With
 * `keep`, the last variable of the order is never fixed.
 */
export function conditioned(
  { cardinalities, tables, order }: Buckets,
  states: ArrayLike<number>,
  limit: number,
  keep: boolean,
): Buckets {
  const fixed = cutset({ cardinalities, tables, order }, limit, keep ? order[order.length - 1] : -1);
  return {
    cardinalities,
    order: order.filter((variable) => !fixed.has(variable)),
    tables: tables.map((table) => sliced(table, fixed, states)),
  };
}

/**
 * Chooses the variables to fix. If the variables of a bucket have too many joint states, fixes the one that occurs in
 * the most tables.
 */
function cutset({ cardinalities, tables, order }: Buckets, limit: number, spared: number): ReadonlySet<number> {
  const position = new Int32Array(cardinalities.length);
  order.forEach((variable, place) => {
    position[variable] = place;
  });
  const known = new Int32Array(cardinalities.length);
  for (const { scope } of tables) for (const variable of scope) known[variable]++;
  const fixed = new Set<number>();
  const scopes: Set<number>[] = order.map(() => new Set());
  const file = (scope: Iterable<number>): void => {
    const left = [...scope].filter((variable) => !fixed.has(variable));
    if (left.length === 0) return;
    const bucket = scopes[Math.min(...left.map((variable) => position[variable]))];
    for (const variable of left) bucket.add(variable);
  };
  for (const { scope } of tables) file(scope);
  order.forEach((variable, place) => {
    const left = [...scopes[place]].filter((one) => !fixed.has(one));
    let width = left.reduce((sum, one) => sum + log(cardinalities[one]) / Math.LN2, 0);
    while (width > limit + 1e-9) {
      const candidates = left.filter((one) => one !== spared && !fixed.has(one));
      if (candidates.length === 0) break;
      const chosen = candidates.reduce((best, one) => (known[one] > known[best] ? one : best));
      fixed.add(chosen);
      width -= log(cardinalities[chosen]) / Math.LN2;
    }
    file(left.filter((one) => one !== variable));
  });
  return fixed;
}

function sliced(table: LogTable, fixed: ReadonlySet<number>, states: ArrayLike<number>): LogTable {
  if (!table.scope.some((variable) => fixed.has(variable))) return table;
  const strides = stridesIn(table, table.scope);
  const left = [...table.scope.keys()].filter((k) => !fixed.has(table.scope[k]));
  const shape = left.map((k) => table.shape[k]);
  let at = table.scope.reduce((sum, variable, k) => sum + (fixed.has(variable) ? states[variable] * strides[k] : 0), 0);
  const values = new Float64Array(sizeOf(shape));
  const digits = new Int32Array(shape.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = table.values[at];
    for (let k = shape.length - 1; k >= 0; k--) {
      at += strides[left[k]];
      if (++digits[k] < shape[k]) break;
      digits[k] = 0;
      at -= strides[left[k]] * shape[k];
    }
  }
  return { scope: left.map((k) => table.scope[k]), shape, values };
}
