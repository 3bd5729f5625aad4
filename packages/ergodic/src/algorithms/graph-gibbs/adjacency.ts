import type { Conditionals } from "../../contract.ts";

/** By variable, the factors that it is in: those of variable v from begins[v] to begins[v + 1] − 1. */
export interface Adjacency {
  readonly begins: Uint32Array;
  readonly factors: Uint32Array;
}

/** Factors by variable, in their order. */
export function adjacencyOf({ cardinalities, ends, variables }: Conditionals): Adjacency {
  const begins = new Uint32Array(cardinalities.length + 1);
  for (const variable of variables) begins[variable + 1]++;
  for (let variable = 0; variable < cardinalities.length; variable++) begins[variable + 1] += begins[variable];
  const next = begins.slice();
  const factors = new Uint32Array(variables.length);
  for (let factor = 0, edge = 0; factor < ends.length; factor++)
    for (; edge < ends[factor]; edge++) factors[next[variables[edge]]++] = factor;
  return { begins, factors };
}
