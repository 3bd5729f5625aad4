import type { FactorTables } from "../../engine/contract/index.ts";
import { type Component, type Reduction, reduce } from "../parts/reduction.ts";
import { junctionTrees, type TreeCost, treeCost } from "./junction-tree.ts";

/** Variables to fix, so that the rest fits in memory. Each joint state of these variables is fixed in turn. */
export interface Cutset {
  readonly variables: readonly number[];
  /** Number of joint states of these variables. */
  readonly slices: number;
  /** Cost of one slice. */
  readonly cost: TreeCost;
}

/**
 * Factor by which the messages may exceed the total capacity of all slices. Beyond this factor, the search gives up
 * immediately. Fixing a variable also removes the fill-in edges that its elimination would add. The factor allows for
 * this removal, because a good order adds few such edges.
 */
const HOPELESS = 2 ** 100;

/**
 * Chooses variables to fix so that the messages of a junction tree have at most `mostEntries` entries. Greedily takes
 * the variable that occurs in the most message entries. Returns undefined if more than `mostSlices` slices would be
 * needed. Yields every few milliseconds.
 */
export function* chooseCutset(
  order: readonly number[],
  scopes: readonly (readonly number[])[],
  cardinalities: readonly number[],
  mostEntries: number,
  mostSlices: number,
): Generator<void, Cutset | undefined> {
  const left = [...cardinalities];
  const variables: number[] = [];
  let slices = 1;
  for (;;) {
    const held = new Set(variables);
    const free = order.filter((variable) => !held.has(variable));
    const open = scopes.map((scope) => scope.filter((variable) => !held.has(variable))).filter((scope) => scope.length > 0);
    const tree = free.length > 0 ? yield* junctionTrees(free, open, cardinalities.length) : [];
    const cost = treeCost(tree, left);
    if (cost.messageEntries <= mostEntries) return { variables, slices, cost };
    if (cost.messageEntries > HOPELESS * mostEntries * mostSlices) return undefined;
    const entries = new Float64Array(left.length);
    for (const { axes, own } of tree) {
      const shared = axes.slice(0, axes.length - own);
      const size = shared.reduce((product, variable) => product * left[variable], 1);
      for (const variable of shared) entries[variable] += size * (1 - 1 / left[variable]);
    }
    const next = entries.indexOf(entries.reduce((most, count) => Math.max(most, count), 0));
    slices *= cardinalities[next];
    if (slices > mostSlices) return undefined;
    variables.push(next);
    yield;
  }
}

/**
 * Fixes some variables of a part to their states in a slice, and reduces the part again. The reduction also propagates
 * the zeros that the fixed states imply.
 */
export function sliceOf(
  part: Component,
  variables: readonly number[],
  slice: number,
): { reduction: Reduction; states: number[] } {
  const states: number[] = [];
  let rest = slice;
  for (const variable of variables) {
    states.push(rest % part.cardinalities[variable]);
    rest = Math.floor(rest / part.cardinalities[variable]);
  }
  const observed = new Int32Array(part.cardinalities.length).fill(-1);
  variables.forEach((variable, k) => {
    observed[variable] = states[k];
  });
  const graph: FactorTables = {
    cardinalities: Uint32Array.from(part.cardinalities),
    variableCount: part.cardinalities.length,
    factors: part.tables,
    observed,
    name: String,
    state: (_, state) => String(state),
  };
  return { reduction: reduce(graph), states };
}
