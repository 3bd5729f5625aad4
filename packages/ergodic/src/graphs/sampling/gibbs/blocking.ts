import type { Conditionals } from "../../../engine/contract/index.ts";
import { atOnce, Pauses } from "../../../engine/threads/steps.ts";
import { adjoining } from "./adjacency.ts";
import { colouring } from "./colours.ts";
import { type Limits, type Links, type Narrow, narrowing } from "./narrow.ts";

/** Variables that are drawn together, block after block; blocks of a colour share no factor. */
export interface Blocks {
  /** The variables that were not observed, in the order of visits: of a block in the order of elimination. */
  readonly order: Uint32Array;
  /** By block, where its positions end. */
  readonly ends: Uint32Array;
  /** By position, those of its block that remain in its table once it is summed out: from begins[position] to begins[position + 1] − 1. */
  readonly begins: Uint32Array;
  readonly separators: Uint32Array;
  /** By colour, where its positions end. */
  readonly colours: readonly number[];
}

/** Factors with more variables link none of them: these are drawn singly. */
const WIDE = 12;
/** Joint states of a table, at most: of any variables, and of those that zeros link. */
const [MOST_STATES, MOST_LINKED] = [8, 1024];
/** Numbers that the tables of a block take: half a megabyte. */
const MOST_NUMBERS = 1 << 16;
/** Colours of blocks: what is left then is drawn singly. */
const MOST_COLOURS = 16;

/**
 * Partitions the variables that were not observed. First those that zeros link are put into groups, as far as a junction tree of the group has tables of at most
 * 1024 joint states. Then many variables are chosen whose induced graph has a junction tree of tables of at most 8 joint states (three Booleans), of
 * two variables, or of a group; the latter of at most 1024: its connected parts are the blocks of a colour. The next colour is chosen among those that are
 * left; at last single ones (colours.ts), and those of factors with more than 12 variables. Sources: Hamze and de Freitas 2004 for trees; Bidyuk and Dechter
 * 2007 for bounded widths. A generator: it yields every few milliseconds.
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

/** The same, all of it at once. */
export const blocksOf = (...given: Parameters<typeof blocking>): Blocks => atOnce(blocking(...given));

/** Colour by colour, what was chosen. */
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

/** The variables that were not observed and are in no wide factor. */
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

/** Variables by block. */
export function setsOf({ order, ends }: Blocks): number[][] {
  return Array.from(ends, (end, block) => [...order.subarray(block === 0 ? 0 : ends[block - 1], end)]);
}
