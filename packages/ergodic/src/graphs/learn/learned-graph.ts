import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import type { RunSummary } from "../../engine/loop/run.ts";
import { CalibrationTable } from "../knowledge/calibration.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { Ended, HeldOut } from "./graph-learning.ts";
import type { GraphLikelihood, GraphLikelihoodOptions } from "./graph-likelihood.ts";
import type { EndedParticles } from "./learner.ts";

/** Result of `fit(graph)`. */
export interface LearnedGraph {
  /** Graph with the learned weights, without the held-out evidence. */
  readonly graph: FactorGraph;
  /** Weights, by number. */
  readonly weights: Float64Array;
  /** Returns a weight by its name or index. */
  weight(name: string | number): number;
  /** Held-out variables and their observed states. */
  readonly heldOut: HeldOut;
  /**
   * Returns the log-likelihood of the held-out or the shown evidence. The value is exact if the graph's width is small
   * enough. Otherwise the partition function is estimated by annealed importance sampling, and the result has a
   * standard error.
   *
   * @throws OptionError if nothing was held out
   */
  likelihood(options?: GraphLikelihoodOptions): Promise<GraphLikelihood>;
  /**
   * Compares the probabilities in an answer of `infer(learned.graph)` with the held-out evidence, in bins of equal
   * width (default 10). Of the statements with probability p, a share p should be true.
   *
   * @throws OptionError if nothing was held out
   */
  calibration(
    answer: { marginal(variable: number): { readonly p: readonly number[] } },
    options?: { readonly bins?: number },
  ): CalibrationTable;
  /** Final states of the chains, if the learner has chains. `fit(graph, { from: learned })` starts there. */
  readonly particles?: EndedParticles;
  /**
   * Reasons to doubt the weights. Possible reasons: the loss is worse than at the start, the evidence does not depend on
   * a weight, the evidence is separable and there is no penalty, workers raced, zeros confine chains to islands of
   * states, or pseudoLikelihood() was given hidden variables.
   */
  readonly findings: readonly Finding[];
  /** Statistics of the run. */
  readonly run: RunSummary;
}

/** Builds the result of a learning run with these final weights. */
export function learnedGraph({ whole, shown, ...ended }: Ended, weights: Float64Array, run: RunSummary): LearnedGraph {
  const graph = shown.withWeights(weights);
  return {
    ...{ graph, weights, ...ended, findings: run.findings, run },
    weight: (name) => graph.weightState(name).value,
    async likelihood(options) {
      const { likelihoodIn } = await import("./graph-likelihood.ts");
      return likelihoodIn(whole.withWeights(weights), graph, ended.heldOut.length > 0, options);
    },
    calibration: (answer, options) => calibrationOf(ended.heldOut, answer, options),
  };
}

/**
 * A variable with two states gives one statement, about its second state. A variable with more states gives a statement
 * per state.
 */
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
    throw new OptionError(
      where,
      "nothing was held out, so calibration cannot be measured; give fit heldOut: 0.2",
      "OPTION_CONFLICT",
    );
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
