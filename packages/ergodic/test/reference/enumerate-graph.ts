import type { FactorTables } from "../../src/contract.ts";

/** Sums and largest product over every joint state of a small graph: the plain twin of exact inference. */
export function enumerateGraph({ cardinalities, factors, observed }: FactorTables) {
  const states = new Int32Array(cardinalities.length);
  const marginals = Array.from(cardinalities, (count) => new Float64Array(count));
  let sum = 0;
  let largest = 0;
  for (;;) {
    if (states.every((state, variable) => observed[variable] < 0 || observed[variable] === state)) {
      const product = productAt({ cardinalities, factors }, states);
      sum += product;
      largest = Math.max(largest, product);
      for (const [variable, state] of states.entries()) marginals[variable][state] += product;
    }
    let variable = states.length - 1;
    for (; variable >= 0 && ++states[variable] === cardinalities[variable]; variable--) states[variable] = 0;
    if (variable < 0) break;
  }
  return { logZ: Math.log(sum), logLargest: Math.log(largest), marginals: marginals.map((p) => p.map((value) => value / sum)) };
}

/** The product of the factors at a joint state. */
export function productAt(
  { cardinalities, factors }: Pick<FactorTables, "cardinalities" | "factors">,
  states: ArrayLike<number>,
): number {
  let product = 1;
  for (const { scope, values, logs } of factors) {
    let at = 0;
    for (let k = 0; k < scope.length; k++) at = at * cardinalities[scope[k]] + states[scope[k]];
    product *= logs ? Math.exp(values[at]) : values[at];
  }
  return product;
}
