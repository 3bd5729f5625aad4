import type { Conditionals } from "../../../engine/contract/index.ts";
import { atOnce, Pauses } from "../../../engine/threads/steps.ts";
import { factorPieces } from "./pieces.ts";

/** Factors of each variable. The factors of variable v are at begins[v] to begins[v + 1] − 1. */
export interface Adjacency {
  readonly begins: Uint32Array;
  readonly factors: Uint32Array;
}

/** Returns the factors of each variable, in ascending order. */
export const adjacencyOf = (columns: Conditionals): Adjacency => atOnce(adjoining(columns));

/** Same as `adjacencyOf`, but yields every few milliseconds. */
export function* adjoining({ cardinalities, ends, variables }: Conditionals): Generator<void, Adjacency> {
  const begins = new Uint32Array(cardinalities.length + 1);
  for (const variable of variables) begins[variable + 1]++;
  for (let variable = 0; variable < cardinalities.length; variable++) begins[variable + 1] += begins[variable];
  const next = begins.slice();
  const factors = new Uint32Array(variables.length);
  let edge = 0;
  for (const [from, to] of factorPieces(ends)) {
    if (from > 0) yield;
    for (let factor = from; factor < to; factor++) for (; edge < ends[factor]; edge++) factors[next[variables[edge]]++] = factor;
  }
  return { begins, factors };
}

/**
 * Returns a function that visits a variable's unobserved neighbours. A neighbour shared by several factors is visited
 * once per factor.
 */
export function neighbourhood(
  columns: Conditionals,
  { begins, factors } = adjacencyOf(columns),
): (variable: number, visit: (other: number) => void) => void {
  const { ends, variables, observed } = columns;
  return (variable, visit) => {
    for (let at = begins[variable]; at < begins[variable + 1]; at++) {
      const factor = factors[at];
      for (let edge = factor === 0 ? 0 : ends[factor - 1]; edge < ends[factor]; edge++)
        if (variables[edge] !== variable && observed[variables[edge]] < 0) visit(variables[edge]);
    }
  };
}

/**
 * Returns 1 for each variable that shares a factor with a chosen variable. Each factor is visited once. Yields every
 * few milliseconds.
 */
export function* beside(
  { ends, variables, cardinalities }: Conditionals,
  { begins, factors }: Adjacency,
  isChosen: (variable: number) => boolean,
): Generator<void, Uint8Array> {
  const pauses = new Pauses();
  const found = new Uint8Array(cardinalities.length);
  const seen = new Uint8Array(ends.length);
  for (let variable = 0; variable < cardinalities.length; variable++) {
    if (pauses.due()) yield;
    if (!isChosen(variable)) continue;
    for (let at = begins[variable]; at < begins[variable + 1]; at++) {
      const factor = factors[at];
      if (seen[factor]) continue;
      seen[factor] = 1;
      const from = factor === 0 ? 0 : ends[factor - 1];
      if (pauses.due(ends[factor] - from)) yield;
      for (let edge = from; edge < ends[factor]; edge++) found[variables[edge]] = 1;
    }
  }
  return found;
}
