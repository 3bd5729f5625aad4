import { refuse } from "../../engine/errors/checks.ts";
import { ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import type { Weight } from "../model/factor-types.ts";
import type { FactorGraph } from "../model/graph.ts";

/**
 * Returns the indices of the weights in the option `unpenalised`, in ascending order.
 *
 * @throws OptionError if it is not a list, or if the graph lacks one of the weights
 */
export function unpenalisedOf(graph: FactorGraph, given: readonly (Weight | string | number)[]): number[] {
  if (!Array.isArray(given)) refuse("fit", "unpenalised", given, "a list of weights", 'unpenalised: ["base rate"]');
  const indices = new Set<number>();
  for (let i = 0; i < given.length; i++)
    try {
      indices.add(graph.weightNumber(given[i]));
    } catch (error) {
      if (!(error instanceof ErgodicError)) throw error;
      throw new OptionError("fit", `unpenalised[${i}]: ${error.said}`, error.code, { cause: error });
    }
  return [...indices].sort((a, b) => a - b);
}
