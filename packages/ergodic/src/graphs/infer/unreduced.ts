import type { Conditionals } from "../../engine/contract/index.ts";
import type { Reduction } from "../parts/reduction.ts";

/**
 * Returns the whole graph as a single part with all variables and states, for algorithms that handle evidence
 * themselves.
 */
export function unreduced({ cardinalities }: Conditionals): Reduction {
  const known = new Map<number, readonly number[]>();
  const all = (count: number): readonly number[] => {
    const states = known.get(count) ?? Array.from({ length: count }, (_, state) => state);
    known.set(count, states);
    return states;
  };
  const variables = Array.from(cardinalities.keys());
  const states = Array.from(cardinalities, all);
  return {
    scale: 0,
    states,
    components: [{ variables, states, cardinalities: Array.from(cardinalities), tables: [] }],
  };
}
