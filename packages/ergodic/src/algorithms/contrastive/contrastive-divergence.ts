import { checkBoolean } from "../../base/checks.ts";
import { checkKeys, checkNumber } from "../../base/errors.ts";
import { KeptPart } from "../../base/kept-part.ts";
import { stream } from "../../base/stream.ts";
import type { Conditionals, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { Call } from "../../host/pool.ts";
import type { FullObjective } from "../gradient/objective.ts";
import type { Chain } from "../graph-gibbs/chain.ts";
import { evidenceOf, type GraphLearner, type LearningPlan } from "./learner.ts";
import { LearntGraph } from "./learnt-graph.ts";

/** Options of `contrastiveDivergence`. */
export interface ContrastiveDivergenceOptions {
  /** Sweeps of the model's chains for each update. Default 1; >= 1. */
  steps?: number;
  /** The model's chains continue where they were, rather than at the evidence. Default true. */
  persistent?: boolean;
  /** Chains of each kind. Default: about 20,000 variables' worth, from 1 to 100. */
  particles?: number;
}

/** Variables that all particles together have by default, and the most particles. */
const DEFAULT_VISITS = 20000;
const MOST_PARTICLES = 100;

/**
 * Contrastive divergence: ∂ ln P(evidence)/∂w = ⟨Σ_f feature g_f⟩ with the evidence − ⟨the same⟩ of the model, both as means over chains of Gibbs sampling.
 * Chains with the evidence draw what was not observed, one sweep an update. The model's chains draw everything: persistent ones (PCD) from where they were,
 * without a bias once steps are small; others (CD-k) anew from the evidence, biased unless k is large. The loss that ticks tell is −ln of the
 * pseudo-likelihood, by observed variable. For `fit(graph, { algorithm })`. Sources: Hinton 2002; Tieleman 2008.
 */
export function contrastiveDivergence(options: ContrastiveDivergenceOptions = {}): GraphLearner {
  const where = "contrastiveDivergence";
  checkKeys(where, options, ["steps", "persistent", "particles"]);
  const { steps = 1, persistent = true, particles } = options;
  checkNumber(where, "steps", steps, { low: 1, integer: true });
  checkBoolean(where, "persistent", persistent);
  if (particles !== undefined) checkNumber(where, "particles", particles, { low: 1, high: 10000, integer: true });
  return {
    name: where,
    draws: true,
    toJSON: () => ({ algorithm: where, steps, persistent, ...(particles === undefined ? {} : { particles }) }),
    objective: (columns, plan, engine) => new ContrastiveObjective(columns, plan, engine, { steps, persistent, particles }),
  };
}

class ContrastiveObjective implements FullObjective {
  readonly count: number;
  readonly rows = 1;
  readonly start: Float64Array;
  private readonly options: Required<Omit<ContrastiveDivergenceOptions, "particles">>;
  private readonly engine: Engine;
  private readonly workers: number;
  private readonly graph: LearntGraph;
  private readonly evidence: number;
  /** Those that hold the evidence; one, where nothing else is to be drawn. */
  private readonly clamped: Chain[];
  private readonly free: Chain[];

  constructor(
    columns: Conditionals,
    { seed, workers }: LearningPlan,
    engine: Engine,
    { particles, ...options }: Omit<Required<ContrastiveDivergenceOptions>, "particles"> & { particles: number | undefined },
  ) {
    this.count = columns.weightValues.length;
    this.start = columns.weightValues.slice();
    this.options = options;
    this.engine = engine;
    this.workers = workers;
    this.evidence = Math.max(1, evidenceOf(columns));
    this.graph = new LearntGraph(columns, engine);
    const { drawn } = this.graph.layout;
    const count = particles ?? Math.max(1, Math.min(MOST_PARTICLES, Math.floor(DEFAULT_VISITS / Math.max(1, drawn))));
    const make = (kind: string, wanted: number): Chain[] =>
      Array.from({ length: wanted }, (_, c) => this.graph.chain(stream(seed, "contrastive divergence", kind, c), workers));
    this.clamped = make("clamped", this.graph.hiddenCount === 0 ? 1 : count);
    this.free = make("free", count);
  }

  evaluate(x: Float64Array, gradient: Float64Array | null, update = 0): number {
    this.graph.weigh(x);
    for (const calls of this.sweeps(update)) this.graph.run(calls);
    return this.compared(gradient);
  }

  async evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update = 0): Promise<number> {
    const { engine, workers } = this;
    this.graph.weigh(x);
    for (const calls of this.sweeps(update))
      await engine.run(calls, { workers: Math.min(workers, calls.length), deterministic: false });
    return this.compared(gradient);
  }

  /** Calls that may run at once, in turn. */
  private *sweeps(update: number): Generator<Call[]> {
    const { graph, clamped, free, workers, options } = this;
    const all = (chains: readonly Chain[], stretches: LearntGraph["hidden"], sweep: number): Call[][] =>
      stretches.map((_, i) => chains.flatMap((chain) => graph.sweep(chain, stretches, sweep, workers)[i]));
    yield* all(clamped, graph.hidden, update);
    if (!options.persistent)
      free.forEach((chain, c) => {
        chain.copyStates(clamped[c % clamped.length]);
      });
    for (let k = 0; k < options.steps; k++) yield* all(free, [...graph.hidden, ...graph.seen], update * options.steps + k);
  }

  private compared(gradient: Float64Array | null): number {
    const { graph, clamped, free, evidence } = this;
    if (gradient) {
      for (const chain of clamped) graph.addStatistics(chain, -1 / (evidence * clamped.length));
      for (const chain of free) graph.addStatistics(chain, 1 / (evidence * free.length));
      graph.takeSums(gradient);
    }
    return -graph.pseudo(clamped[0], graph.hiddenCount) / evidence;
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    for (const [kind, chains] of Object.entries({ clamped: this.clamped, free: this.free }))
      for (const [c, chain] of chains.entries()) tensors[`${kind}.${c}`] = chain.packedStates().slice();
    return { tensors, state: {} };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("contrastive divergence", snapshot);
    for (const [kind, chains] of Object.entries({ clamped: this.clamped, free: this.free }))
      for (const [c, chain] of chains.entries()) chain.restoreStates(kept, `${kind}.${c}`);
  }

  dispose(): void {
    for (const chain of [...this.clamped, ...this.free]) chain.dispose();
    this.graph.dispose();
  }
}
