import type { Conditionals, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { declare } from "../../engine/errors/options.ts";
import type { Compared } from "../../engine/errors/worse.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Call } from "../../engine/memory/pool.ts";
import { type Stream, stream } from "../../engine/random/stream.ts";
import { atOnce } from "../../engine/threads/steps.ts";
import type { Chain } from "../sampling/gibbs/chain.ts";
import { type GraphTemperingOptions, type Tempered, TemperedChains, temperedOf } from "../sampling/gibbs/tempered-chains.ts";
import { type EndedParticles, evidenceOf, type GraphLearner, type GraphObjective, type LearningPlan } from "./learner.ts";
import { LearntGraph } from "./learnt-graph.ts";

/** Options of `contrastiveDivergence`. */
export interface ContrastiveDivergenceOptions {
  /** Number of sweeps of the model's chains per update. Default 1; >= 1. */
  steps?: number;
  /** Whether the model's chains continue from their last states instead of restarting at the evidence. Default true. */
  persistent?: boolean;
  /**
   * Number of chains of each kind, per replica or racing worker. Default: the number for which all chains, including
   * tempered copies, have about 20,000 variables in total, but at least 1 and at most 100.
   */
  particles?: number;
  /**
   * Parallel tempering of the model's chains. Each chain exchanges states with copies at powers of the model. Default
   * false. With true, the powers are found during learning. Only persistent chains can be tempered.
   */
  tempered?: boolean | GraphTemperingOptions;
}

/** Default total number of variables over all particles, and the largest default number of particles. */
const DEFAULT_VISITS = 20000;
const MOST_PARTICLES = 100;
/**
 * Number of updates before the ladder's powers are first adapted, a power of two. Later adaptations follow whenever the
 * number of updates has doubled.
 */
const FIRST_MOVE = 16;

const absent = { batch: "each update reads all evidence; particles sets the number of chains" };

/**
 * Contrastive divergence: ∂ ln P(evidence)/∂w is the mean of Σ_f feature g_f with the evidence, minus its mean under
 * the model. Chains of Gibbs sampling estimate both means. Chains with the evidence draw the unobserved variables, one
 * sweep per update. The model's chains draw all variables. Persistent chains (PCD) continue from their last states and
 * become unbiased as steps shrink. Other chains (CD-k) restart from the evidence and are biased unless k is large. If
 * the model has several modes, persistent chains stay in their modes; `tempered` chains exchange states with copies at
 * lower powers of the model. The loss in ticks is −ln of the pseudo-likelihood per observed variable.
 *
 * For labels y with probabilities q (`truthiness`), the learner follows the gradient of E_q ln P(evidence, y). Chains
 * with the evidence draw the labels from q, independently of everything else, and then the hidden variables given the
 * labels. If there are hidden variables, only an eighth of the labels is redrawn per update, so that the hidden
 * variables can adapt. For `fit(graph, { algorithm })`. Sources: Hinton 2002; Tieleman 2008; Desjardins et al. 2010;
 * Ratner et al. 2016 for labels.
 */
export const contrastiveDivergence = /* @__PURE__ */ declare<ContrastiveDivergenceOptions, GraphLearner>(
  {
    name: "contrastiveDivergence",
    options: {
      steps: { low: 1, integer: true },
      persistent: "boolean",
      particles: { low: 1, high: 10000, integer: true },
      tempered: "own",
    },
    absent,
  },
  (options) => {
    const where = "contrastiveDivergence";
    const { steps = 1, persistent = true, particles } = options;
    const tempered = temperedOf(where, options.tempered ?? false);
    if (tempered && !persistent)
      throw new OptionError(
        where,
        "persistent is false and tempered is given, but chains that restart at the evidence have no time to swap states; leave one of the two out",
        "OPTION_CONFLICT",
      );
    const json = { ...(particles === undefined ? {} : { particles }), ...(tempered ? { tempered: tempered.json } : {}) };
    function* making(columns: Conditionals, plan: LearningPlan, engine: Engine): Generator<void, GraphObjective> {
      const graph = yield* LearntGraph.making(columns, engine, plan.deterministic);
      return new ContrastiveObjective(columns, graph, plan, engine, { steps, persistent, particles, tempered });
    }
    return {
      name: where,
      draws: true,
      toJSON: () => ({ algorithm: where, steps, persistent, ...json }),
      objective: (...given) => atOnce(making(...given)),
      making,
    };
  },
);

interface Settings {
  readonly steps: number;
  readonly persistent: boolean;
  readonly particles: number | undefined;
  readonly tempered: Tempered | undefined;
}

class ContrastiveObjective implements GraphObjective {
  readonly count: number;
  readonly rows = 1;
  readonly start: Float64Array;
  private readonly options: Settings;
  private readonly engine: Engine;
  private readonly workers: number;
  private readonly isLane: boolean;
  private readonly deterministic: boolean;
  private readonly graph: LearntGraph;
  private readonly evidence: number;
  /** Chains with the evidence. If no other variable has to be drawn, there is only one such chain. */
  private readonly clamped: Chain[];
  private readonly free: Chain[];
  /** Tempered copies of the free chains. */
  private readonly ladder: TemperedChains | undefined;
  private readonly begun: number;
  /** Random streams for drawing the labels of each chain with the evidence. */
  private readonly labels: Stream[];
  private readonly compared: Stream;

  constructor(columns: Conditionals, graph: LearntGraph, plan: LearningPlan, engine: Engine, options: Settings) {
    const { seed, from, begun = 0, lane, deterministic = false } = plan;
    const workers = lane ? 1 : plan.workers;
    this.count = columns.weightValues.length;
    this.start = columns.weightValues.slice();
    this.options = options;
    this.engine = engine;
    this.workers = workers;
    this.isLane = lane !== undefined;
    this.deterministic = deterministic;
    this.evidence = evidenceOf(columns);
    this.begun = begun;
    this.graph = graph;
    const { drawn } = this.graph.layout;
    const { particles, tempered } = options;
    const visits = drawn * (tempered?.powers.length ?? 1) * (lane?.count ?? 1);
    const count = particles ?? Math.max(1, Math.min(MOST_PARTICLES, Math.floor(DEFAULT_VISITS / Math.max(1, visits))));
    const name = "contrastive divergence";
    // Chains are numbered across all lanes.
    const first = (lane?.number ?? 0) * count;
    const make = (kind: "clamped" | "free", wanted: number): Chain[] =>
      Array.from({ length: wanted }, (_, i) => {
        const c = first + i;
        const ended = from?.[kind] ?? [];
        return this.graph.chain(stream(seed, name, kind, c), workers, ended[c % ended.length], kind === "free");
      });
    const known = this.graph.hiddenCount === 0 && columns.labels === undefined;
    this.clamped = make("clamped", known ? 1 : count);
    this.free = make("free", count);
    this.compared = stream(seed, name, "compared");
    this.labels = this.clamped.map((_, i) => stream(seed, name, "labels", first + i));
    const copy = (i: number, k: number): Chain => this.graph.chain(stream(seed, name, "free", first + i, "rung", k), workers);
    const swaps = lane && lane.number > 0 ? `${name}, lane ${lane.number}` : name;
    if (tempered) this.ladder = new TemperedChains(tempered, this.free, copy, { seed, name: swaps });
  }

  evaluate(x: Float64Array, gradient: Float64Array | null, update = 0): number {
    const { graph } = this;
    graph.weigh(x);
    for (const turns of this.sweeps(update)) for (const calls of turns) graph.run(calls);
    if (gradient) {
      graph.run(this.statistics());
      graph.takeSummed(gradient);
    }
    return this.checked(graph.pseudo(this.clamped[0], graph.hiddenCount), update + 1);
  }

  async evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update = 0): Promise<number> {
    if (this.isLane) return this.evaluateApart(x, gradient, update);
    const { engine, workers, graph, deterministic } = this;
    graph.weigh(x);
    for (const turns of this.sweeps(update))
      for (const calls of turns) await engine.run(calls, { workers: Math.min(workers, calls.length), deterministic });
    graph.run(this.statistics());
    graph.takeSummed(gradient);
    return this.checked(graph.pseudo(this.clamped[0], graph.hiddenCount), update + 1);
  }

  /** Evaluates everything on one worker, while other lanes use the other workers. */
  private async evaluateApart(x: Float64Array, gradient: Float64Array, update: number): Promise<number> {
    const { engine, graph, deterministic } = this;
    const how = { workers: 1, apart: true, deterministic };
    let before = graph.weighCalls(x);
    for (const turns of this.sweeps(update)) {
      await engine.run([...before, ...turns.flat()], how);
      before = [];
    }
    const results = await engine.run([...this.statistics(), graph.scoreCall(this.clamped[0], graph.hiddenCount)], how);
    graph.takeSummed(gradient);
    return this.checked(results[results.length - 1], update + 1);
  }

  /**
   * Yields the calls of the sweeps. The calls of one turn may run in parallel. Between yields, this thread also does
   * some work.
   */
  private *sweeps(count: number): Generator<Call[][]> {
    const update = this.begun + count;
    const { graph, clamped, free, workers, options, ladder } = this;
    const all = (chains: readonly Chain[], stretches: LearntGraph["hidden"], sweep: number): Call[][] =>
      stretches.map((_, i) => chains.flatMap((chain) => graph.sweep(chain, stretches, sweep, workers)[i]));
    clamped.forEach((chain, c) => {
      graph.label(chain, this.labels[c], update);
    });
    let turns = all(clamped, graph.hidden, update);
    if (!options.persistent) {
      yield turns;
      turns = [];
      free.forEach((chain, c) => {
        chain.copyStates(clamped[c % clamped.length]);
      });
    }
    for (let k = 0; k < options.steps; k++) {
      const sweep = update * options.steps + k;
      turns.push(...all([...free, ...(ladder?.copies ?? [])], [...graph.hidden, ...graph.seen], sweep));
      if (!ladder?.isDue(sweep + 1)) continue;
      yield [...turns, ladder.valueCalls()];
      turns = [];
      ladder.swap(sweep + 1);
    }
    yield turns;
    const updates = update + 1;
    // Weights start at 0 and grow, so the ladder needs more and more powers. The ladder can gain powers, but must not
    // lose any.
    if (updates >= FIRST_MOVE && (updates & update) === 0) ladder?.adapt(ladder.powers.length);
  }

  /** Returns the calls, in order, that must run before the gradient is read. */
  private statistics(): Call[] {
    const { graph, clamped, free, evidence } = this;
    const mean = (chains: readonly Chain[], scale: number): Call[] =>
      chains.flatMap((chain) => graph.statisticsCalls(chain, scale / (evidence * chains.length)));
    return [...mean(clamped, -1), ...mean(free, 1), graph.sumsCall()];
  }

  /** Returns the loss for the ticks. */
  private checked(pseudo: number, updates: number): number {
    const loss = -pseudo / this.evidence;
    this.graph.refuseZeros([...this.clamped, ...this.free], loss, updates);
    return loss;
  }

  async compare(start: Float64Array, end: Float64Array): Promise<Compared> {
    return this.graph.compare(start, end, this.compared);
  }

  particles(): Omit<EndedParticles, "updates"> {
    const states = (chains: readonly Chain[]): Uint8Array[] => chains.map((chain) => this.graph.statesOf(chain));
    return { clamped: states(this.clamped), free: states(this.free) };
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    for (const [kind, chains] of Object.entries({ clamped: this.clamped, free: this.free }))
      for (const [c, chain] of chains.entries()) tensors[`${kind}.${c}`] = chain.packedStates().slice();
    for (const [name, tensor] of Object.entries(this.ladder?.snapshot() ?? {})) tensors[`ladder.${name}`] = tensor;
    return { tensors, state: {} };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("contrastive divergence", snapshot);
    for (const [kind, chains] of Object.entries({ clamped: this.clamped, free: this.free }))
      for (const [c, chain] of chains.entries()) chain.restoreStates(kept, `${kind}.${c}`);
    this.ladder?.restore(kept.part("the ladder", "ladder."));
  }

  dispose(): void {
    for (const chain of [...this.clamped, ...this.free]) chain.dispose();
    this.ladder?.dispose();
    this.graph.dispose();
  }
}
