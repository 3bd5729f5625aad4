import type { Conditionals } from "../../../engine/contract/index.ts";
import { atOnce, Pauses } from "../../../engine/threads/steps.ts";
import { adjoining } from "./adjacency.ts";
import { colouring } from "./colours.ts";
import { type Limits, type Links, type Narrow, narrowing } from "./narrow.ts";

/** Blocks of variables that are drawn jointly, one block after another. Blocks of the same colour share no factor. */
export interface Blocks {
  /** Unobserved variables in visiting order. Within a block, the visiting order is the elimination order. */
  readonly order: Uint32Array;
  /** End position of each block. */
  readonly ends: Uint32Array;
  /**
   * Separator of each position. The separator consists of the positions of the same block that remain in the position's
   * table after the position is eliminated. The positions of a separator are at begins[position] to begins[position +
   * 1] − 1.
   */
  readonly begins: Uint32Array;
  readonly separators: Uint32Array;
  /** End position of each colour. */
  readonly colours: readonly number[];
}

/** Largest number of variables of a factor within a block. The variables of wider factors are drawn singly. */
const WIDE = 12;
/**
 * Largest number of joint states in a table. The first limit is general, and the second is for variables linked by
 * zeros.
 */
const [MOST_STATES, MOST_LINKED] = [8, 1024];
/** Largest number of entries in a block's tables (half a megabyte). */
const MOST_NUMBERS = 1 << 16;
/** Largest number of block colours. Remaining variables are drawn singly. */
const MOST_COLOURS = 16;

/**
 * Partitions the unobserved variables into blocks. First, variables linked by zeros are grouped. A junction tree of a
 * group may have tables of at most 1024 joint states. Then a large set of variables is chosen such that its induced
 * graph has a junction tree with small tables. A table may have at most 8 joint states (three Booleans),
 * or at most 1024 if it spans two variables or lies within one group. The connected parts of this set are the blocks of
 * one colour. The next colour is chosen from the remaining variables.
 *
 * Finally, the rest is drawn singly (colours.ts), including variables of factors with more than 12 variables. Yields
 * every few milliseconds. Sources: Hamze and de Freitas 2004 for trees; Bidyuk and Dechter 2007 for bounded widths.
 */
export function* blocking(
  columns: Conditionals,
  { mostStates = MOST_STATES, mostLinked = MOST_LINKED } = {},
): Generator<void, Blocks> {
  const { cardinalities, observed, shapes, shapeBegins, shapeValues, counting } = columns;
  const free = freeOf(columns);
  const hard = Uint8Array.from(counting, (_, shape) =>
    shapeValues.subarray(shapeBegins[shape], shapeBegins[shape + 1]).includes(-Infinity) ? 1 : 0,
  );
  const limits: Limits = { cardinalities, mostStates, mostLinked, mostNumbers: MOST_NUMBERS };
  const groups = new Int32Array(cardinalities.length).fill(-1);
  if (hard.includes(1)) {
    const links = yield* linking(columns, free, (factor) => hard[shapes[factor]] === 1);
    const linked = free.filter((variable) => links.begins[variable] < links.begins[variable + 1]);
    let group = 0;
    const none = groups.slice();
    for (const { parts } of yield* coloured(linked, links, none, { ...limits, mostStates: mostLinked }))
      for (const part of parts) {
        if (part.length > 1) for (const variable of part) groups[variable] = group;
        group++;
      }
  }
  const links = yield* linking(columns, free, () => true);
  const positions = new Uint32Array(cardinalities.length);
  const taken = observed.slice();
  const [order, ends, begins, separators, colours]: number[][] = [[], [], [0], [], []];
  const pauses = new Pauses();
  for (const { parts, separators: later } of yield* coloured(free, links, groups, limits)) {
    for (const part of parts) {
      for (const variable of part) {
        if (pauses.due()) yield;
        positions[variable] = order.length;
        taken[variable] = 0;
        order.push(variable);
      }
      for (const variable of part) {
        if (pauses.due()) yield;
        for (const other of later.get(variable)!) separators.push(positions[other]);
        begins.push(separators.length);
      }
      ends.push(order.length);
    }
    colours.push(order.length);
  }
  const rest = yield* colouring({ ...columns, observed: taken });
  for (const variable of rest.order) {
    order.push(variable);
    ends.push(order.length);
    begins.push(separators.length);
  }
  const first = order.length - rest.order.length;
  return {
    order: Uint32Array.from(order),
    ends: Uint32Array.from(ends),
    begins: Uint32Array.from(begins),
    separators: Uint32Array.from(separators),
    colours: [...colours, ...rest.ends.map((end) => first + end)],
  };
}

/** Same as `blocking`, but synchronous. */
export const blocksOf = (...given: Parameters<typeof blocking>): Blocks => atOnce(blocking(...given));

/** Returns the chosen variables, colour by colour. */
function* coloured(variables: Uint32Array, links: Links, groups: Int32Array, limits: Limits): Generator<void, Narrow[]> {
  const colours: Narrow[] = [];
  let left = variables;
  for (let colour = 0; colour < MOST_COLOURS && left.length > 0; colour++) {
    const found = yield* narrowing(left, links, groups, limits);
    left = found.left;
    colours.push(found);
  }
  return colours;
}

/** Returns the unobserved variables that are in no wide factor. */
function freeOf({ observed, ends, variables }: Conditionals): Uint32Array {
  const wide = new Uint8Array(observed.length);
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    const scope = variables.subarray(from, ends[factor]);
    if (scope.length <= WIDE || scope.filter((variable) => observed[variable] < 0).length <= WIDE) continue;
    for (const variable of scope) wide[variable] = 1;
  }
  return Uint32Array.from(observed.keys()).filter((variable) => observed[variable] < 0 && !wide[variable]);
}

function* linking(columns: Conditionals, free: Uint32Array, takes: (factor: number) => boolean): Generator<void, Links> {
  const { cardinalities, ends, variables } = columns;
  const adjacency = yield* adjoining(columns);
  const count = cardinalities.length;
  const isFree = new Uint8Array(count);
  for (const variable of free) isFree[variable] = 1;
  const seen = new Int32Array(count).fill(-1);
  const begins = new Uint32Array(count + 1);
  let others = new Uint32Array(2 * variables.length + 1);
  let used = 0;
  const pauses = new Pauses();
  for (let variable = 0; variable < count; begins[++variable] = used) {
    if (!isFree[variable]) continue;
    if (pauses.due()) yield;
    seen[variable] = variable;
    for (let at = adjacency.begins[variable]; at < adjacency.begins[variable + 1]; at++) {
      const factor = adjacency.factors[at];
      if (!takes(factor)) continue;
      for (let edge = factor === 0 ? 0 : ends[factor - 1]; edge < ends[factor]; edge++) {
        const other = variables[edge];
        if (!isFree[other] || seen[other] === variable) continue;
        seen[other] = variable;
        if (used === others.length) {
          const longer = new Uint32Array(2 * used);
          longer.set(others);
          others = longer;
        }
        others[used++] = other;
      }
    }
  }
  return { begins, others };
}

/** Returns the variables of each block. */
export function setsOf({ order, ends }: Blocks): number[][] {
  return Array.from(ends, (end, block) => [...order.subarray(block === 0 ? 0 : ends[block - 1], end)]);
}
