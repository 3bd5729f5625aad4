import type { Conditionals } from "../../src/engine/contract/index.ts";
import type { Draws } from "../../src/engine/random/stream.ts";

/** Σ θ g at a joint state of all variables, factor by factor. */
export function logValueAt(columns: Conditionals, states: ArrayLike<number>): number {
  let sum = 0;
  for (let factor = 0; factor < columns.ends.length; factor++) sum += termAt(columns, factor, states);
  return sum;
}

function termAt(columns: Conditionals, factor: number, states: ArrayLike<number>): number {
  const {
    ends,
    variables,
    literals,
    shapes,
    weights,
    weightValues,
    features,
    counting,
    shapeBegins,
    shapeValues,
    cardinalities,
  } = columns;
  const from = factor === 0 ? 0 : ends[factor - 1];
  const edges = Array.from({ length: ends[factor] - from }, (_, i) => from + i);
  const shape = shapes[factor];
  let index = 0;
  if (counting[shape]) {
    const holds = edges.map((edge) => (states[variables[edge]] === literals[edge] ? 1 : 0));
    const head = holds.pop()!;
    index = head * edges.length + holds.reduce((sum: number, one) => sum + one, 0);
  } else for (const edge of edges) index = index * cardinalities[variables[edge]] + states[variables[edge]];
  const value = shapeValues[shapeBegins[shape] + index];
  const weight = weights[factor] < 0 ? 1 : weightValues[weights[factor]];
  return value === -Infinity || value === 0 ? value : weight * (features?.[factor] ?? 1) * value;
}

/** p(x_i | others) for each state of variable i. */
export function conditionalAt(columns: Conditionals, states: Int32Array, variable: number): Float64Array {
  const own = states[variable];
  const logs = Array.from({ length: columns.cardinalities[variable] }, (_, s) => {
    states[variable] = s;
    return logValueAt(columns, states);
  });
  states[variable] = own;
  const high = Math.max(...logs);
  const total = logs.reduce((sum, value) => sum + Math.exp(value - high), 0);
  return Float64Array.from(logs, (value) => Math.exp(value - high) / total);
}

/**
 * One sweep over `order` with one uniform number per variable, as in kernels/graphs/graph-gibbs.ts. A Boolean is 1 if u
 * is below p(1), unless a term is −∞.
 */
export function sweepOf(
  columns: Conditionals,
  order: ArrayLike<number>,
  states: Int32Array,
  draws: Draws,
  soft: (variable: number) => boolean,
  sums?: Float64Array[],
): void {
  for (let i = 0; i < order.length; i++) {
    const variable = order[i];
    const p = conditionalAt(columns, states, variable);
    p.forEach((value, s) => {
      if (sums) sums[variable][s] += value;
    });
    const u = draws.uniform();
    if (soft(variable)) {
      states[variable] = u < p[1] ? 1 : 0;
      continue;
    }
    let left = u;
    let chosen = states[variable];
    for (let s = 0; s < p.length; s++) {
      if (p[s] === 0) continue;
      chosen = s;
      if (left < p[s]) break;
      left -= p[s];
    }
    states[variable] = chosen;
  }
}
