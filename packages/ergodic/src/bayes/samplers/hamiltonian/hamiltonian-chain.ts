import type { DensityBinding, LogDensity, Tensor } from "../../../engine/contract/index.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import type { ChainState } from "../base/chains-run.ts";
import { type Estimator, type Metric, MetricEstimator, type MetricKind, metricSize, unitMetric } from "../base/metric.ts";
import type { Placed } from "../base/starting-points.ts";
import { LowRankEstimator } from "./low-rank.ts";
import type { Adaptation, Renewal } from "./warmup.ts";

/** Statistics stored for each transition, in the order in which the kernels write them. */
export const transitionFields = [
  "logDensity",
  "acceptance",
  "stepSize",
  "treeDepth",
  "leapfrogs",
  "divergent",
  "energy",
] as const;

export interface ChainOptions {
  kernel: "nutsRun" | "hmcRun";
  metric: MetricKind;
  adaptation: Adaptation;
  maxDepth: number;
  /** Number of leapfrogs per static trajectory. If it is 0, `time` / step is used. */
  leapfrogs: number;
  time: number;
  jitter: number;
  stepSize: number;
}

/** Number of float64 values that adaptation writes, from STEP to the end of the block. */
const SCALARS = (field.CHAIN_BYTES - field.CHAIN_STEP_F64) / 8;
const STRETCH_BYTES = 1 << 18;
const LONGEST_STRETCH = 256;

/**
 * One chain of Hamiltonian Monte Carlo in the engine's memory: a CHAIN block (bayes/fields.ts), its arrays, and memory
 * for a stretch of transitions.
 */
export class Chain implements ChainState, Placed {
  readonly block: number;
  /** Estimators of the metric. With overlapping estimates, the younger estimator comes second. */
  readonly estimators: readonly Estimator[];
  /** Maximum number of transitions per call. */
  readonly capacity: number;
  readonly starts: ReturnType<typeof stream>;
  private readonly engine: Engine;
  private readonly chain: number;
  private readonly seed: number;
  /** Metric, step and averaging saved while another metric is tried. */
  private readonly aside: Readonly<Record<"inverse" | "factor" | "scalars", Float64Array>>;
  private readonly arena: Arena;
  private readonly binding: DensityBinding;
  private readonly dimension: number;
  private readonly options: ChainOptions;
  private readonly at: Readonly<
    Record<"inverse" | "factor" | "position" | "gradient" | "draws" | "gradients" | "transitions", number>
  >;

  constructor(engine: Engine, density: LogDensity, chain: number, seed: number, options: ChainOptions) {
    const { dimension } = density;
    const purpose = `chain ${chain}`;
    this.engine = engine;
    this.chain = chain;
    this.seed = seed;
    this.dimension = dimension;
    this.options = options;
    this.binding = density.bind({ lane: chain, purpose });
    this.starts = stream(seed, "chain", chain, "start");
    const estimator = () =>
      options.metric === "lowRank" ? new LowRankEstimator(dimension) : new MetricEstimator(options.metric, dimension);
    this.estimators = options.adaptation === "overlapping" ? [estimator(), estimator()] : [estimator()];
    this.capacity = Math.max(1, Math.min(LONGEST_STRETCH, Math.floor(STRETCH_BYTES / (16 * dimension))));
    this.arena = new Arena(engine.memory, purpose);
    const numbers = (count: number) => this.arena.take(8 * count);
    const size = metricSize(options.metric, dimension);
    this.at = {
      inverse: numbers(size),
      factor: numbers(size),
      position: numbers(dimension),
      gradient: numbers(dimension),
      draws: numbers(this.capacity * dimension),
      gradients: numbers(this.capacity * dimension),
      transitions: this.arena.take(this.capacity * field.TRANSITION_BYTES),
    };
    this.aside = {
      inverse: new Float64Array(size),
      factor: new Float64Array(size),
      scalars: new Float64Array(SCALARS),
    };
    const { key } = stream(seed, "chain", chain, "transition");
    this.block = this.arena.block(field.CHAIN_BYTES, [
      [field.CHAIN_SLOT, this.binding.slot],
      [field.CHAIN_MODEL, this.binding.model],
      [field.CHAIN_DIMENSION, dimension],
      [field.CHAIN_DENSE, options.metric === "dense" ? 1 : 0],
      [field.CHAIN_INVERSE, this.at.inverse],
      [field.CHAIN_FACTOR, this.at.factor],
      [field.CHAIN_POSITION, this.at.position],
      [field.CHAIN_GRADIENT, this.at.gradient],
      [field.CHAIN_WORK, this.arena.take(scratchBytes(dimension, options.maxDepth))],
      [field.CHAIN_KEY_LOW, key[0]],
      [field.CHAIN_KEY_HIGH, key[1]],
      [field.CHAIN_MAX_DEPTH, options.maxDepth],
      [field.CHAIN_LEAPFROGS, options.leapfrogs],
    ]);
    this.arena.setF64(this.block, field.CHAIN_STEP_F64, options.stepSize);
    this.arena.setF64(this.block, field.CHAIN_JITTER_F64, options.jitter);
    this.arena.setF64(this.block, field.CHAIN_TIME_F64, options.time);
    this.setMetric(unitMetric(options.metric, dimension));
  }

  get stepSize(): number {
    return this.arena.getF64(this.block, field.CHAIN_STEP_F64);
  }

  set stepSize(value: number) {
    this.arena.setF64(this.block, field.CHAIN_STEP_F64, value);
  }

  /** State of dual averaging, an AVERAGING record, as a view. */
  get averaging(): Float64Array {
    return this.engine.memory.f64(this.block + field.CHAIN_AVERAGING, field.AVERAGING_BYTES / 8);
  }

  get position(): Float64Array {
    return this.engine.memory.f64(this.at.position, this.dimension);
  }

  get gradient(): Float64Array {
    return this.engine.memory.f64(this.at.gradient, this.dimension);
  }

  get logDensity(): number {
    return this.arena.getF64(this.block, field.CHAIN_LOG_DENSITY_F64);
  }

  set logDensity(value: number) {
    this.arena.setF64(this.block, field.CHAIN_LOG_DENSITY_F64, value);
  }

  setMetric({ inverse, factor, rank = 0 }: Metric): void {
    this.arena.setF64(this.block, field.CHAIN_RANK_F64, rank);
    this.engine.memory.f64(this.at.inverse, inverse.length).set(inverse);
    this.engine.memory.f64(this.at.factor, factor.length).set(factor);
  }

  /**
   * If there are enough draws, sets the metric to the current estimate. Then discards draws. `diagonal`: use variances,
   * regardless of the estimator's own kind.
   */
  renewMetric(forget: Renewal["forget"], diagonal = false): void {
    const [older, younger] = this.estimators;
    const metric = diagonal && older instanceof LowRankEstimator ? older.diagonal() : older.metric();
    if (metric) this.setMetric(metric);
    if (forget === "all") older.reset();
    if (forget !== "older") return;
    older.state.set(younger.state);
    younger.reset();
  }

  forgetDraws(): void {
    for (const estimator of this.estimators) estimator.reset();
  }

  /** Draws in the older (0) or younger (1) estimator, [n, d]; empty if the estimator does not store single draws. */
  seen(which: 0 | 1): Float64Array {
    const estimator = this.estimators[which];
    return estimator instanceof LowRankEstimator ? estimator.rows : new Float64Array(0);
  }

  /** Saves metric, step and averaging, so that `comeBack` can restore them. */
  setAside(): void {
    for (const [name, kept] of Object.entries(this.aside)) kept.set(this.views()[name] as Float64Array);
  }

  comeBack(): void {
    const logDensity = this.logDensity;
    const views = this.views();
    for (const [name, kept] of Object.entries(this.aside)) (views[name] as Float64Array).set(kept);
    this.logDensity = logDensity;
  }

  /**
   * Restarts the chain and its adaptation at x. The caller must then evaluate the density there. `attempt`: 1, 2, …;
   * each attempt has its own random numbers.
   */
  startAnew(x: Float64Array, attempt: number): void {
    this.position.set(x);
    this.setMetric(unitMetric(this.options.metric, this.dimension));
    this.stepSize = this.options.stepSize;
    this.forgetDraws();
    this.drawFrom(attempt);
  }

  /** Lets the transitions use the random numbers of this attempt. */
  drawFrom(attempt: number): void {
    const names = ["chain", this.chain, "transition", ...(attempt > 0 ? [attempt] : [])];
    const { key } = stream(this.seed, ...names);
    this.arena.set(this.block, field.CHAIN_KEY_LOW, key[0]);
    this.arena.set(this.block, field.CHAIN_KEY_HIGH, key[1]);
  }

  /** Kernel call that evaluates the log density and gradient at the chain's position. */
  evaluation(): { kernel: number; args: number[] } {
    return { kernel: this.binding.slot, args: [this.binding.model, this.at.position, this.at.gradient] };
  }

  run(first: number, count: number, adapt: boolean): { kernel: string; args: number[] } {
    const { draws, gradients, transitions } = this.at;
    return { kernel: this.options.kernel, args: [this.block, first, count, adapt ? 1 : 0, draws, gradients, transitions] };
  }

  /** Results of the last stretch of `count` transitions, as views. */
  stretch(count: number): { draws: Float64Array; gradients: Float64Array; transitions: Float64Array } {
    const { memory } = this.engine;
    return {
      draws: memory.f64(this.at.draws, count * this.dimension),
      gradients: memory.f64(this.at.gradients, count * this.dimension),
      transitions: memory.f64(this.at.transitions, (count * field.TRANSITION_BYTES) / 8),
    };
  }

  /** All mutable state, as views by name. */
  views(): Record<string, Tensor> {
    const { memory } = this.engine;
    const size = metricSize(this.options.metric, this.dimension);
    return {
      position: this.position,
      gradient: this.gradient,
      inverse: memory.f64(this.at.inverse, size),
      factor: memory.f64(this.at.factor, size),
      scalars: memory.f64(this.block + field.CHAIN_STEP_F64, SCALARS),
      ...Object.fromEntries(this.estimators.map((estimator, i) => [i === 0 ? "moments" : "youngerMoments", estimator.state])),
      ...Object.fromEntries(Object.entries(this.aside).map(([name, kept]) => [`${name}Aside`, kept])),
    };
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }
}

/** Size of the scratch memory for kernels/bayes/nuts.ts. Other kernels need less. */
function scratchBytes(dimension: number, maxDepth: number): number {
  const vectors = 15 + 6 * maxDepth;
  const proposals = maxDepth + 2;
  return 8 * dimension * vectors + proposals * (16 * dimension + 16) + 4 * proposals;
}
