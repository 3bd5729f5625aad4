import { contrastiveDivergence } from "../../algorithms/contrastive/contrastive-divergence.ts";
import type { GraphLearner } from "../../algorithms/contrastive/learner.ts";
import { learnerFromJson } from "../../algorithms/contrastive/registry.ts";
import { fullDescent } from "../../algorithms/gradient/full.ts";
import type { EquationRule, HostRule, Rule } from "../../algorithms/gradient/kinds.ts";
import { adam } from "../../algorithms/gradient/rules/adam.ts";
import { inverseTimeDecay } from "../../algorithms/gradient/schedule.ts";
import { checkSignal, holds, refuse } from "../../base/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError } from "../../base/errors.ts";
import { stream } from "../../base/stream.ts";
import type { JsonObject, Penalty } from "../../contract.ts";
import { openEngine } from "../../host/engine.ts";
import { checkpointBytes } from "../../loop/checkpoint.ts";
import { Run, type RunSummary } from "../../loop/run.ts";
import { resolveStopping, type Until } from "../../loop/stopping.ts";
import type { FactorGraph } from "../../models/graphs/graph.ts";

/** Options of `fit(graph)`. */
export interface GraphFitOptions {
  /** contrastiveDivergence() (default), pseudoLikelihood(), exactLikelihood(). */
  algorithm?: GraphLearner;
  /** The step rule. Default: adam() with rates 0.1 / (1 + t/50). */
  rule?: Rule;
  /** Updates, one a sweep. Default 500. */
  epochs?: number;
  /** When to stop: epochs, updates, seconds. Instead of `epochs`. */
  until?: Until;
  /** Strength of l1 Σ |w|, beside the loss by observed variable. Default 0; >= 0. */
  l1?: number;
  /** Strength of l2/2 Σ w². Default 0; >= 0. */
  l2?: number;
  /** Share of the observed variables that are not shown, drawn at random. Default 0; at least 0, below 1. */
  heldOut?: number;
  /** Seed of all random numbers. Default 0; a whole number >= 0. */
  seed?: number;
  /** Threads; what is learnt does not depend on them. Default 1. */
  workers?: number;
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** What `fit(graph)` gives. */
export interface LearnedGraph {
  /** The graph with what was learnt, and without the evidence that was held out. */
  readonly graph: FactorGraph;
  /** By number. */
  readonly weights: Float64Array;
  /** A weight by its name or number. */
  weight(name: string | number): number;
  /** Variables that were held out, and the states that they had. */
  readonly heldOut: readonly { readonly variable: number; readonly state: number }[];
  /** How the run went. */
  readonly run: RunSummary;
}

const keys = ["algorithm", "rule", "epochs", "until", "l1", "l2", "heldOut", "seed", "workers", "signal"];
const EPOCHS = 500;
const MEMORY = 1.5 * 2 ** 30;

/** Learns the weights of a graph from its evidence: see `fit`. */
export function fitGraph(graph: FactorGraph, options: GraphFitOptions = {}): Run<LearnedGraph> {
  checkKeys("fit", options, keys);
  checkSignal("fit", options.signal);
  const { algorithm = contrastiveDivergence(), rule = usualRule(), l1 = 0, l2 = 0, heldOut = 0, seed = 0, workers = 1 } = options;
  if (!holds(algorithm, "objective"))
    refuse(
      "fit",
      "algorithm",
      algorithm,
      "a learner of graphs",
      "contrastiveDivergence(), pseudoLikelihood() or exactLikelihood()",
    );
  if (!(holds(rule, "kind") && holds(rule, "toJSON"))) refuse("fit", "rule", rule, "a rule", "adam({ rate: 0.05 })");
  checkNumber("fit", "l1", l1, { low: 0 });
  checkNumber("fit", "l2", l2, { low: 0 });
  checkNumber("fit", "heldOut", heldOut, { low: 0, high: 1 - 2 ** -53 });
  checkNumber("fit", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber("fit", "workers", workers, { low: 1, high: 1024, integer: true });
  const epochs = options.epochs ?? (options.until === undefined ? EPOCHS : undefined);
  const stopping = resolveStopping("fit", { epochs, until: options.until }, false);
  if (rule.kind !== "equation" && (algorithm.draws || rule.kind === "search"))
    throw new CapabilityError(
      "fit",
      `${rule.name}() compares losses, but those of ${algorithm.name}() are ${algorithm.draws ? "drawn at random" : "not of a batch"}; take a rule such as adam()`,
      "RULE_CAPABILITY",
    );
  return launchGraph(graph, { algorithm, rule, l1, l2, heldOut, seed, workers, stopping, signal: options.signal });
}

const usualRule = (): EquationRule => adam({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.02 }) });

interface Recipe {
  readonly algorithm: GraphLearner;
  readonly rule: Rule;
  readonly l1: number;
  readonly l2: number;
  readonly heldOut: number;
  readonly seed: number;
  readonly workers: number;
  readonly stopping: ReturnType<typeof resolveStopping>;
  readonly signal: AbortSignal | undefined;
}

function launchGraph(graph: FactorGraph, recipe: Recipe): Run<LearnedGraph> {
  const { algorithm, rule, l1, l2, seed, workers, stopping, signal } = recipe;
  const json: JsonObject = {
    algorithm: algorithm.toJSON(),
    rule: rule.toJSON() as unknown as JsonObject,
    plan: { l1, l2, heldOut: recipe.heldOut, seed },
  };
  let shown = graph;
  let heldOut: LearnedGraph["heldOut"] = [];
  return new Run<LearnedGraph>({
    resultNames: ["graph", "weights", "weight", "heldOut"],
    ...(signal ? { signal } : {}),
    start: async () => {
      heldOut = drawHeldOut(graph, recipe.heldOut, seed);
      shown = graph.withoutEvidence(heldOut.map(({ variable }) => variable));
      const columns = shown.conditionals();
      checkLearnable(columns.observed, columns.weightFixed);
      const engine = await openEngine({ families: ["graphs", "training"] });
      const objective = algorithm.objective(columns, { seed, workers, memory: MEMORY }, engine);
      const count = columns.weightValues.length;
      const free = Float64Array.from(columns.weightFixed, (fixed) => 1 - fixed);
      const penalty: Penalty = { l1, l2, group: 0, weights: free, groups: [], nonNegative: false, outputs: 1, stride: count };
      const progression = fullDescent(
        {
          objective,
          rule: rule as EquationRule | HostRule,
          penalty,
          rates: free,
          precision: "f64",
          workers,
          deterministic: false,
        },
        engine,
      );
      return { progression, stopping, chosen: json };
    },
    finish: (weights, run) => {
      const learned = shown.withWeights(weights);
      return { graph: learned, weights, heldOut, run, weight: (name) => learned.weightState(name).value };
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { learning: json } }),
  });
}

function drawHeldOut(graph: FactorGraph, share: number, seed: number): LearnedGraph["heldOut"] {
  const found: { variable: number; state: number }[] = [];
  if (share === 0) return found;
  const draws = stream(seed, "held-out evidence").at(0);
  for (let variable = 0; variable < graph.variableCount; variable++) {
    const state = graph.observedState(variable);
    if (state >= 0 && draws.uniform() < share) found.push({ variable, state });
  }
  return found;
}

function checkLearnable(observed: Int32Array, fixed: Uint8Array): void {
  if (!fixed.includes(0))
    throw new DataError(
      "fit",
      'the graph has no weight to be learnt; give factors a weight by its name, graph.weight("name"), instead of a number',
      "GRAPH_WEIGHTS",
    );
  if (observed.every((state) => state < 0))
    throw new DataError("fit", "no variable was observed; give what was seen by graph.observe()", "GRAPH_EVIDENCE");
}

export { learnerFromJson };
