import { checkBoolean } from "../../base/checks.ts";
import { checkKeys, checkNumber } from "../../base/errors.ts";
import { KeptPart } from "../../base/kept-part.ts";
import { type Stream, stream } from "../../base/stream.ts";
import type { Conditionals, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { Call } from "../../host/pool.ts";
import type { Chain } from "../graph-gibbs/chain.ts";
import { type EndedParticles, evidenceOf, type GraphLearner, type GraphObjective, type LearningPlan } from "./learner.ts";
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
 * pseudo-likelihood, by observed variable.
 *
 * Labels y with probabilities q (`truthiness`) make it the gradient of E_q ln P(evidence, y): chains with the evidence draw them from q, independently of all
 * else, and anything hidden given them; an eighth of the labels an update where anything is hidden, as this has to follow.
 * For `fit(graph, { algorithm })`. Sources: Hinton 2002; Tieleman 2008; Ratner et al. 2016 for labels.
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

class ContrastiveObjective implements GraphObjective {
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
  private readonly begun: number;
  /** By chain with the evidence, what its labels are drawn by. */
  private readonly labels: Stream[];

  constructor(
    columns: Conditionals,
    { seed, workers, from, begun = 0 }: LearningPlan,
    engine: Engine,
    { particles, ...options }: Omit<Required<ContrastiveDivergenceOptions>, "particles"> & { particles: number | undefined },
  ) {
    this.count = columns.weightValues.length;
    this.start = columns.weightValues.slice();
    this.options = options;
    this.engine = engine;
    this.workers = workers;
    this.evidence = evidenceOf(columns);
    this.begun = begun;
    this.graph = new LearntGraph(columns, engine);
    const { drawn } = this.graph.layout;
    const count = particles ?? Math.max(1, Math.min(MOST_PARTICLES, Math.floor(DEFAULT_VISITS / Math.max(1, drawn))));
    const make = (kind: "clamped" | "free", wanted: number): Chain[] =>
      Array.from({ length: wanted }, (_, c) => {
        const ended = from?.[kind] ?? [];
        const draws = stream(seed, "contrastive divergence", kind, c);
        return this.graph.chain(draws, workers, ended[c % ended.length], kind === "free");
      });
    const known = this.graph.hiddenCount === 0 && columns.labels === undefined;
    this.clamped = make("clamped", known ? 1 : count);
    this.free = make("free", count);
    this.labels = this.clamped.map((_, c) => stream(seed, "contrastive divergence", "labels", c));
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
  private *sweeps(count: number): Generator<Call[]> {
    const update = this.begun + count;
    const { graph, clamped, free, workers, options } = this;
    const all = (chains: readonly Chain[], stretches: LearntGraph["hidden"], sweep: number): Call[][] =>
      stretches.map((_, i) => chains.flatMap((chain) => graph.sweep(chain, stretches, sweep, workers)[i]));
    clamped.forEach((chain, c) => {
      graph.label(chain, this.labels[c], update);
    });
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

  particles(): Omit<EndedParticles, "updates"> {
    const states = (chains: readonly Chain[]): Uint8Array[] => chains.map((chain) => this.graph.statesOf(chain));
    return { clamped: states(this.clamped), free: states(this.free) };
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
