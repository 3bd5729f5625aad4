import { checkKeys, checkNumber, OptionError } from "../../base/errors.ts";
import type { RunSummary } from "../../loop/run.ts";
import type { FactorGraph } from "../../models/graphs/graph.ts";
import { CalibrationTable } from "../../models/knowledge/calibration.ts";
import type { LearnedGraph } from "./graph.ts";
import type { HeldOut } from "./graph-learning.ts";

/** Where learning ended. */
export type Ended = Pick<LearnedGraph, "heldOut" | "findings" | "particles"> & {
  /** The graph as it was given. */
  readonly whole: FactorGraph;
  /** Without what was held out. */
  readonly shown: FactorGraph;
};

/** What `fit(graph)` gives. */
export function learnedGraph({ whole, shown, ...ended }: Ended, weights: Float64Array, run: RunSummary): LearnedGraph {
  const graph = shown.withWeights(weights);
  return {
    ...{ graph, weights, ...ended, run },
    weight: (name) => graph.weightState(name).value,
    async likelihood(options) {
      const { likelihoodIn } = await import("./graph-likelihood.ts");
      return likelihoodIn(whole.withWeights(weights), graph, ended.heldOut.length > 0, options);
    },
    calibration: (answer, options) => calibrationOf(ended.heldOut, answer, options),
  };
}

/** Of Booleans, and others of two states, the second state is one statement; of more states each is. */
function calibrationOf(
  heldOut: HeldOut,
  answer: Parameters<LearnedGraph["calibration"]>[0],
  options: { readonly bins?: number } = {},
): CalibrationTable {
  const where = "calibration";
  checkKeys(where, options, ["bins"]);
  const { bins = 10 } = options;
  checkNumber(where, "bins", bins, { low: 1, high: 1000, integer: true });
  if (heldOut.length === 0)
    throw new OptionError(where, "nothing was held out, by which it would be measured; give fit heldOut: 0.2", "OPTION_CONFLICT");
  const given: number[] = [];
  const truth: number[] = [];
  for (const { variable, state } of heldOut) {
    const { p } = answer.marginal(variable);
    for (let s = p.length === 2 ? 1 : 0; s < p.length; s++) {
      given.push(p[s]);
      truth.push(s === state ? 1 : 0);
    }
  }
  return new CalibrationTable(given, truth, bins);
}
