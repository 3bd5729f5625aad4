import type { FactorTables } from "../../src/engine/contract/index.ts";

/**
 * Sums and the largest product over every joint state of a small graph, as logarithms. Plain twin of exact inference.
 */
export function enumerateGraph({ cardinalities, factors, observed }: FactorTables) {
  const states = new Int32Array(cardinalities.length);
  const terms: number[] = [];
  const ofStates = Array.from(cardinalities, (count) => Array.from({ length: count }, (): number[] => []));
  for (;;) {
    if (states.every((state, variable) => observed[variable] < 0 || observed[variable] === state)) {
      const value = logProductAt({ cardinalities, factors }, states);
      if (value > -Infinity) {
        terms.push(value);
        for (const [variable, state] of states.entries()) ofStates[variable][state].push(value);
      }
    }
    let variable = states.length - 1;
    for (; variable >= 0 && ++states[variable] === cardinalities[variable]; variable--) states[variable] = 0;
    if (variable < 0) break;
  }
  const logZ = logSum(terms);
  return {
    logZ,
    logLargest: terms.reduce((high, value) => Math.max(high, value), -Infinity),
    marginals: ofStates.map((of) => Float64Array.from(of, (values) => Math.exp(logSum(values) - logZ))),
  };
}

function logSum(terms: readonly number[]): number {
  const high = terms.reduce((most, value) => Math.max(most, value), -Infinity);
  if (high === -Infinity) return high;
  return high + Math.log(terms.reduce((sum, value) => sum + Math.exp(value - high), 0));
}

/** ln of the product of the factors at a joint state. */
export function logProductAt(
  { cardinalities, factors }: Pick<FactorTables, "cardinalities" | "factors">,
  states: ArrayLike<number>,
): number {
  let sum = 0;
  for (const { scope, values, logs } of factors) {
    let at = 0;
    for (let k = 0; k < scope.length; k++) at = at * cardinalities[scope[k]] + states[scope[k]];
    sum += logs ? values[at] : Math.log(values[at]);
  }
  return sum;
}

/** The product of the factors at a joint state. */
export const productAt = (graph: Pick<FactorTables, "cardinalities" | "factors">, states: ArrayLike<number>): number =>
  Math.exp(logProductAt(graph, states));
