import { checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import type { RunSummary } from "../../engine/loop/run.ts";
import { CalibrationTable } from "../knowledge/calibration.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { Ended, HeldOut } from "./graph-learning.ts";
import type { GraphLikelihood, GraphLikelihoodOptions } from "./graph-likelihood.ts";
import type { EndedParticles } from "./learner.ts";

/** What `fit(graph)` gives. */
export interface LearnedGraph {
  /** The graph with what was learnt, and without the evidence that was held out. */
  readonly graph: FactorGraph;
  /** By number. */
  readonly weights: Float64Array;
  /** A weight by its name or number. */
  weight(name: string | number): number;
  /** Variables that were held out, and the states that they had. */
  readonly heldOut: HeldOut;
  /**
   * The log-likelihood of what was held out, or shown: exactly where the graph is narrow enough, otherwise by annealed importance sampling of the partition function, with its
   * standard error. @throws OptionError where nothing was held out
   */
  likelihood(options?: GraphLikelihoodOptions): Promise<GraphLikelihood>;
  /**
   * Whether of what is said to be true with probability p a share p is, by bins (10) of probabilities: of what was held out, by an answer of `infer(learned.graph)`.
   * @throws OptionError where nothing was held out
   */
  calibration(
    answer: { marginal(variable: number): { readonly p: readonly number[] } },
    options?: { readonly bins?: number },
  ): CalibrationTable;
  /** Where chains ended, of learners that have some: `fit(graph, { from: learned })` begins there. */
  readonly particles?: EndedParticles;
  /**
   * Reasons to doubt the weights: the loss is worse than at the start, the evidence is separable without a penalty, workers raced, chains stay in islands of states which
   * zeros make, or pseudoLikelihood() was given hidden variables.
   */
  readonly findings: readonly Finding[];
  /** How the run went. */
  readonly run: RunSummary;
}

/** The result of learning that ended so, with these weights. */
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
