import type { EndedChains, JsonObject, Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { Pauses } from "../../../engine/threads/steps.ts";
import type { Chain } from "./chain.ts";
import type { Layout } from "./layout.ts";

/**
 * Restricts the final chain states to some of the graph's variables. `left` lists the remaining states of each
 * variable, as numbered in the graph. If `left` is given, states are renumbered by their index in this list.
 */
export function ofVariables(
  { variances, states, sweeps, kept }: EndedChains,
  variables: Iterable<number>,
  left?: readonly (readonly number[])[],
): EndedChains {
  const list = Int32Array.from(variables);
  const local = (state: number | undefined, i: number): number =>
    left && state !== undefined ? left[i].indexOf(state) : (state ?? -1);
  return {
    ...{ sweeps, kept },
    variances: Float64Array.from(list, (variable) => variances[variable] ?? NaN),
    states: states.map((chain) => Int16Array.from(list, (variable, i) => local(chain[variable], i))),
  };
}

/**
 * Returns the initial state of each variable for chain `c`. This is the final state of an earlier chain, or a random
 * state if there is none.
 */
export function firstState(
  { states }: EndedChains,
  c: number,
  cardinalities: Uint32Array,
  draw: (count: number) => number,
): (variable: number) => number {
  const from = states[c % states.length];
  return (variable) => {
    const state = from[variable];
    return state >= 0 && state < cardinalities[variable] ? state : draw(cardinalities[variable]);
  };
}

/** Returns the states of each chain, by variable. Yields every few milliseconds. */
export function* statesOf({ positions }: Layout, chains: readonly Chain[]): Generator<void, Int16Array[]> {
  const pauses = new Pauses();
  const states: Int16Array[] = [];
  for (const chain of chains) {
    if (pauses.due(positions.length)) yield;
    const { current } = chain;
    states.push(Int16Array.from(positions, (position) => current[position]));
  }
  return states;
}

/** Returns the snapshot of the chains' starting point. */
export function earlierKept(earlier: EndedChains | undefined): { tensors: Record<string, Tensor>; state: JsonObject } {
  if (!earlier) return { tensors: {}, state: {} };
  const { states, variances, sweeps, kept } = earlier;
  const tensors: Record<string, Tensor> = { "from.variances": variances };
  for (const [c, chain] of states.entries()) tensors[`from.${c}`] = chain;
  return { tensors, state: { from: sweeps, fromKept: kept, fromChains: states.length } };
}

/** Restores the chains that `earlierKept` saved, for this number of variables. */
export function earlierFrom(kept: KeptPart, count: number): EndedChains | undefined {
  if (!kept.has("from.variances")) return undefined;
  return {
    states: Array.from({ length: kept.count("fromChains", 1, 256) }, (_, c) => kept.tensor(`from.${c}`, Int16Array, count)),
    variances: kept.floats("from.variances", count),
    sweeps: kept.count("from"),
    kept: kept.count("fromKept"),
  };
}
