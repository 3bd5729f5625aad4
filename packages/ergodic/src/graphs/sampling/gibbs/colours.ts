import type { Conditionals } from "../../../engine/contract/index.ts";
import { atOnce, Pauses } from "../../../engine/threads/steps.ts";
import { adjoining } from "./adjacency.ts";

/** Variables in visiting order, and the end of each colour. No factor has two variables of the same colour. */
export interface Colours {
  readonly order: Uint32Array;
  readonly ends: readonly number[];
}

/**
 * In factors with at most this many variables, each variable gets the smallest free colour. In wider factors, variables
 * get increasing colours.
 */
const WIDE = 32;

/**
 * Colours the unobserved variables greedily with the smallest colour that no neighbour has. If all factors are narrow,
 * the number of colours is at most the maximum degree + 1. Within a colour, variables are in ascending order.
 */
export const coloursOf = (columns: Conditionals): Colours => atOnce(colouring(columns));

/** Same as `coloursOf`, but yields every few milliseconds. */
export function* colouring(columns: Conditionals): Generator<void, Colours> {
  const { cardinalities, observed, ends, variables } = columns;
  const { begins, factors } = yield* adjoining(columns);
  const count = cardinalities.length;
  const colours = new Int32Array(count).fill(-1);
  /** For each wide factor, the smallest colour that is above all colours of its variables. */
  const free = new Map<number, number>();
  let marks = new Int32Array(64).fill(-1);
  let most = 0;
  const pauses = new Pauses();
  for (let variable = 0; variable < count; variable++) {
    if (observed[variable] >= 0) continue;
    if (pauses.due(begins[variable + 1] - begins[variable])) yield;
    let colour = 0;
    for (let at = begins[variable]; at < begins[variable + 1]; at++) {
      const factor = factors[at];
      const from = factor === 0 ? 0 : ends[factor - 1];
      if (ends[factor] - from > WIDE) {
        colour = Math.max(colour, free.get(factor) ?? 0);
        continue;
      }
      for (let edge = from; edge < ends[factor]; edge++) {
        const other = colours[variables[edge]];
        if (other >= 0) marks[other] = variable;
      }
    }
    while (marks[colour] === variable) colour++;
    colours[variable] = colour;
    most = Math.max(most, colour + 1);
    if (most >= marks.length) {
      const longer = new Int32Array(2 * most).fill(-1);
      longer.set(marks);
      marks = longer;
    }
    for (let at = begins[variable]; at < begins[variable + 1]; at++) {
      const factor = factors[at];
      if (ends[factor] - (factor === 0 ? 0 : ends[factor - 1]) > WIDE) free.set(factor, colour + 1);
    }
  }
  const next = new Uint32Array(most + 1);
  for (const colour of colours) if (colour >= 0) next[colour + 1]++;
  for (let colour = 0; colour < most; colour++) next[colour + 1] += next[colour];
  const colourEnds = Array.from(next.subarray(1));
  const order = new Uint32Array(next[most]);
  for (let variable = 0; variable < count; variable++) if (colours[variable] >= 0) order[next[colours[variable]]++] = variable;
  return { order, ends: colourEnds };
}
