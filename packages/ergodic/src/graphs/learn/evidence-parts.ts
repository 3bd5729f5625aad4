import type { Conditionals } from "../../engine/contract/index.ts";
import { Pauses } from "../../engine/threads/steps.ts";

/**
 * Returns a flag per variable: 1 if the variable's connected part contains evidence, that is, an observed variable or a
 * label. The probability of the evidence does not depend on factors in the other parts. Yields every few milliseconds.
 */
export function* partsWithEvidence({ ends, variables, observed, labels }: Conditionals): Generator<void, Uint8Array> {
  const parents = Int32Array.from(observed.keys());
  const root = (variable: number): number => {
    while (parents[variable] !== variable) variable = parents[variable] = parents[parents[variable]];
    return variable;
  };
  const pauses = new Pauses();
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    if (pauses.due(ends[factor] - from)) yield;
    for (let edge = from + 1; edge < ends[factor]; edge++) parents[root(variables[edge])] = root(variables[from]);
  }
  const hasEvidence = new Uint8Array(observed.length);
  for (let variable = 0; variable < observed.length; variable++)
    if (observed[variable] >= 0 || labels?.has(variable)) hasEvidence[root(variable)] = 1;
  return hasEvidence.map((_, variable) => hasEvidence[root(variable)]);
}
