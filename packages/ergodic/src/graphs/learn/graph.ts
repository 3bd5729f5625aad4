import { holds, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { checkpointBytes } from "../../engine/loop/checkpoint.ts";
import type { Job } from "../../engine/loop/run.ts";
import { resolveStopping, type Until } from "../../engine/loop/stopping.ts";
import { isRule, type Rule } from "../../engine/optimise/kinds.ts";
import type { Weight } from "../model/factor-types.ts";
import type { FactorGraph } from "../model/graph.ts";
import type { LearnedBefore } from "./graph-before.ts";
import { type Begun, begin, type GraphRecipe, recipeFrom, recipeOf } from "./graph-learning.ts";
import { type LearnedGraph, learnedGraph } from "./learned-graph.ts";
import type { GraphLearner } from "./learner.ts";
import { unpenalisedOf } from "./unpenalised.ts";

/** Options of `fit(graph)`. */
export interface GraphFitOptions {
  /** Learner: contrastiveDivergence() (default), pseudoLikelihood() or exactLikelihood(). */
  algorithm?: GraphLearner;
  /** Step rule. Default: adam() with beta1: 0.5 and rates 0.1/(1 + t/50). */
  rule?: Rule;
  /** Number of updates, one per sweep. Default 500; > 0. */
  epochs?: number;
  /** Stopping condition, in place of `epochs`: epochs, updates or seconds. */
  until?: Until;
  /** Strength of the penalty l1 Σ |w|, added to the loss per observed variable. Default 0; >= 0. */
  l1?: number;
  /** Strength of the penalty l2/2 Σ w², added to the loss per observed variable. Default 0; >= 0. */
  l2?: number;
  /**
   * Weights without a penalty, such as the weight of a rule for the base rate: names, indices, or results of
   * `graph.weight`. Default: none.
   */
  unpenalised?: readonly (Weight | string | number)[];
  /** Share of the observed variables to hold out, chosen at random. Default 0; at least 0, below 1. */
  heldOut?: number;
  /**
   * Earlier result for this graph, computed before factors changed or rows were added. Weights and chains start where
   * the earlier run ended. The schedule of step sizes starts again, so choose smaller step sizes.
   */
  from?: LearnedBefore;
  /** Seed of all random numbers. Default 0; a whole number >= 0. */
  seed?: number;
  /** Number of threads. The result does not depend on this number, unless the workers race. Default 1. */
  workers?: number;
  /**
   * Replicas, for contrastiveDivergence() only. 1 (the default): workers share the chains of a single sequence of
   * updates. A larger number: the run averages this many copies of the weights, each of which has its own chains. The
   * result does not depend on the number of workers. "shared": workers race on one weight vector, each with its own
   * chains; the result is biased and not reproducible.
   */
  replicas?: "shared" | number;
  /** Epochs between averages of the replicas, >= 1. Default 1. */
  averageEvery?: number;
  /** Whether the result is bit-identical on every host and for every number of workers. Default false. */
  deterministic?: boolean;
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** Options that can change when a learning run is resumed. */
export type GraphResumeOptions = Pick<GraphFitOptions, "epochs" | "until" | "workers" | "signal">;

const keys = ["algorithm", "rule", "epochs", "until", "l1", "l2", "unpenalised", "heldOut", "from", "seed", "signal"];
const planKeys = ["workers", "replicas", "averageEvery", "deterministic"];
const absent = { precision: "weights of graphs are float64", batch: "each update of a graph reads all evidence" };
const EPOCHS = 500;

/** Learns the weights of a graph from its evidence. See `fit`. */
export function learningJob(graph: FactorGraph, options: GraphFitOptions = {}): Job<LearnedGraph> {
  checkKeys("fit", options, [...keys, ...planKeys], { absent });
  const { algorithm, rule, l1 = 0, l2 = 0, unpenalised = [], heldOut = 0, seed = 0, until, from } = options;
  const { workers, replicas, averageEvery, deterministic } = options;
  if (algorithm !== undefined && !holds(algorithm, "objective"))
    refuse("fit", "algorithm", algorithm, "a learner of graphs", "contrastiveDivergence() or pseudoLikelihood()");
  if (rule !== undefined && !isRule(rule)) refuse("fit", "rule", rule, "a rule", "adam({ rate: 0.05 })");
  if (from !== undefined && !(holds(from, "weights") && from.weights instanceof Float64Array))
    refuse("fit", "from", from, "a result of fit() for this graph", "from: await fit(graph)");
  checkNumber("fit", "l1", l1, { low: 0 });
  checkNumber("fit", "l2", l2, { low: 0 });
  const exempt = unpenalisedOf(graph, unpenalised);
  checkNumber("fit", "heldOut", heldOut, { low: 0, high: 1 - 2 ** -53 });
  checkNumber("fit", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  const epochs = options.epochs ?? (until === undefined ? EPOCHS : undefined);
  const stopping = resolveStopping("fit", { epochs, until }, false);
  return jobOf(graph, options.signal, () => {
    const begun = from?.particles?.updates ?? 0;
    const plan = { workers, replicas, averageEvery, deterministic, seed };
    const rest = { l1, l2, unpenalised: exempt, heldOut, plan, stopping, begun, ...(from ? { from } : {}) };
    return recipeOf({ algorithm, rule }, rest);
  });
}

/** Resumes from a checkpoint, bit for bit. The graph must be the same. */
export function resumedJob(
  from: string | Uint8Array | Blob,
  graph: FactorGraph,
  options: GraphResumeOptions = {},
): Job<LearnedGraph> {
  checkKeys("fit.resume", options, ["epochs", "until", "workers", "signal"]);
  if (options.workers !== undefined) checkNumber("fit.resume", "workers", options.workers, { low: 1, high: 1024, integer: true });
  return jobOf(graph, options.signal, () => recipeFrom(from, graph, options));
}

function jobOf(
  graph: FactorGraph,
  signal: AbortSignal | undefined,
  read: () => GraphRecipe | Promise<GraphRecipe>,
): Job<LearnedGraph> {
  let learning: Begun;
  return {
    start: async () => {
      const recipe = await read();
      learning = await begin(graph, recipe, signal);
      const { checkpoint, stopping } = recipe;
      const { progression, json } = learning;
      return { progression, stopping, chosen: json, ...(checkpoint ? { resume: checkpoint } : {}) };
    },
    finish: async (weights, summary) => {
      const run = { ...summary, findings: await learning.findings(weights) };
      return learnedGraph(learning.ended(run), weights, run);
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { learning: learning.json } }),
  };
}
