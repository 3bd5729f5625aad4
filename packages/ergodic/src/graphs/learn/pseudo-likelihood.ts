import type { Conditionals, Snapshot } from "../../engine/contract/index.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { declare } from "../../engine/errors/options.ts";
import type { Compared } from "../../engine/errors/worse.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { type Stream, stream } from "../../engine/random/stream.ts";
import { atOnce } from "../../engine/threads/steps.ts";
import type { Chain } from "../sampling/gibbs/chain.ts";
import { type EndedParticles, evidenceOf, type GraphLearner, type GraphObjective, type LearningPlan } from "./learner.ts";
import { LearntGraph } from "./learnt-graph.ts";

/**
 * Pseudo-likelihood: −Σ_i ln p(x_i | all others) per observed variable. If all variables are observed, the loss and its
 * gradient are exact. The loss is then convex and needs no sampler. The estimate is consistent, but less efficient than
 * maximum likelihood. Unobserved variables are drawn first, one sweep per update, and then treated as observed. Labels
 * y with probabilities q (`truthiness`) are drawn from q, so the expected gradient is the gradient of the expected loss
 * under q. For `fit(graph, { algorithm })`. Source: Besag 1975.
 */
export const pseudoLikelihood = /* @__PURE__ */ declare<Record<never, never>, GraphLearner>(
  { name: "pseudoLikelihood", options: {} },
  () => {
    function* making(columns: Conditionals, plan: LearningPlan, engine: Engine): Generator<void, GraphObjective> {
      return new PseudoObjective(columns, yield* LearntGraph.making(columns, engine), plan);
    }
    return {
      name: "pseudoLikelihood",
      draws: false,
      toJSON: () => ({ algorithm: "pseudoLikelihood" }),
      objective: (...given) => atOnce(making(...given)),
      making,
    };
  },
);

class PseudoObjective implements GraphObjective {
  readonly count: number;
  readonly rows = 1;
  readonly start: Float64Array;
  private readonly graph: LearntGraph;
  private readonly chain: Chain;
  private readonly evidence: number;
  private readonly begun: number;
  private readonly labels: Stream;
  private readonly compared: Stream;

  constructor(columns: Conditionals, graph: LearntGraph, { seed, from, begun = 0 }: LearningPlan) {
    this.count = columns.weightValues.length;
    this.start = columns.weightValues.slice();
    this.evidence = evidenceOf(columns);
    this.begun = begun;
    this.labels = stream(seed, "pseudo-likelihood", "labels");
    this.compared = stream(seed, "pseudo-likelihood", "compared");
    this.graph = graph;
    this.chain = this.graph.chain(stream(seed, "pseudo-likelihood"), 1, from?.clamped[0]);
  }

  evaluate(x: Float64Array, gradient: Float64Array | null, count = 0): number {
    const { graph, chain, evidence } = this;
    const update = this.begun + count;
    graph.weigh(x);
    graph.label(chain, this.labels, update);
    if (graph.hiddenCount > 0) for (const calls of graph.sweep(chain, graph.hidden, update, 1)) graph.run(calls);
    const score = graph.pseudo(chain, 0, gradient ? -1 / evidence : undefined);
    if (gradient) graph.takeSums(gradient);
    graph.refuseZeros([chain], -score, count + 1);
    return -score / evidence;
  }

  async evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update = 0): Promise<number> {
    return this.evaluate(x, gradient, update);
  }

  async compare(start: Float64Array, end: Float64Array): Promise<Compared> {
    return this.graph.compare(start, end, this.compared);
  }

  /** Drawn states are treated as if they had been observed. */
  get findings(): readonly Finding[] {
    const { hiddenCount } = this.graph;
    if (hiddenCount === 0) return [];
    return [
      {
        code: "hidden",
        serious: true,
        text: `${hiddenCount} variables were not observed: pseudoLikelihood() draws their states and then learns from them as if they had been observed, so the weights can settle far from those of the likelihood`,
        advice: "use contrastiveDivergence(), or exactLikelihood() if the graph is narrow",
      },
    ];
  }

  particles(): Omit<EndedParticles, "updates"> {
    return { clamped: [this.graph.statesOf(this.chain)], free: [] };
  }

  snapshot(): Snapshot {
    return { tensors: { states: this.chain.packedStates().slice() }, state: {} };
  }

  restore(snapshot: Snapshot): void {
    this.chain.restoreStates(new KeptPart("pseudo-likelihood", snapshot), "states");
  }

  dispose(): void {
    this.chain.dispose();
    this.graph.dispose();
  }
}
