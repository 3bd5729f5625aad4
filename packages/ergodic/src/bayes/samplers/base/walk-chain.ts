import type { DensityBinding, LogDensity, Tensor } from "../../../engine/contract/index.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";
import { stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import type { ChainState } from "./chains-run.ts";
import { MetricEstimator } from "./metric.ts";
import type { Placed } from "./starting-points.ts";

/** Statistics stored for each transition, in the order in which the kernels write them. */
export const walkFields = ["logDensity", "acceptance", "stepSize", "evaluations"] as const;

/** Shapes of a learned covariance. */
export const covarianceKinds = ["dense", "diagonal"] as const;

export interface WalkOptions {
  kernel: "randomWalkRun" | "coordinateWalkRun" | "sliceRun" | "ellipticalSliceRun";
  /** Shape of the proposal or reference covariance L Lᵀ. L is f64[d, d] or f64[d]. */
  covariance: "dense" | "diagonal";
  /** Whether each coordinate has a separate adaptive step. If not, all coordinates share one step. */
  stepPerCoordinate: boolean;
  /** Initial step size. */
  stepSize: number;
  /** Target of step-size adaptation. */
  target: number;
  mode: number;
  limit: number;
}

/** Number of float64 values in an ADAPTATION record. */
const ADAPTATION = field.ADAPTATION_BYTES / 8;
const WORK_VECTORS = 5;
const STRETCH_BYTES = 1 << 18;
const LONGEST_STRETCH = 256;

/**
 * One chain of Metropolis or slice sampling in the engine's memory: a WALK block (bayes/fields.ts), its arrays, and
 * memory for a stretch of transitions.
 */
export class WalkChain implements ChainState, Placed {
  readonly capacity: number;
  readonly starts: ReturnType<typeof stream>;
  readonly estimator: MetricEstimator;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly binding: DensityBinding;
  private readonly block: number;
  private readonly dimension: number;
  private readonly stepCount: number;
  private readonly factorCount: number;
  private readonly options: WalkOptions;
  private readonly at: Readonly<
    Record<"mean" | "factor" | "position" | "gradient" | "steps" | "adaptation" | "draws" | "transitions", number>
  >;

  constructor(engine: Engine, density: LogDensity, chain: number, seed: number, options: WalkOptions) {
    const { dimension } = density;
    const purpose = `chain ${chain}`;
    const dense = options.covariance === "dense";
    this.engine = engine;
    this.dimension = dimension;
    this.options = options;
    this.stepCount = options.stepPerCoordinate ? dimension : 1;
    this.factorCount = dense ? dimension * dimension : dimension;
    this.binding = density.bind({ lane: chain, purpose, gradient: false });
    this.starts = stream(seed, "chain", chain, "start");
    this.estimator = new MetricEstimator(options.covariance, dimension);
    this.capacity = Math.max(1, Math.min(LONGEST_STRETCH, Math.floor(STRETCH_BYTES / (8 * dimension))));
    this.arena = new Arena(engine.memory, purpose);
    const numbers = (count: number) => this.arena.take(8 * count);
    this.at = {
      mean: numbers(dimension),
      factor: numbers(this.factorCount),
      position: numbers(dimension),
      gradient: numbers(dimension),
      steps: numbers(this.stepCount),
      adaptation: numbers(ADAPTATION * this.stepCount),
      draws: numbers(this.capacity * dimension),
      transitions: this.arena.take(this.capacity * field.WALK_TRANSITION_BYTES),
    };
    const { key } = stream(seed, "chain", chain, "transition");
    this.block = this.arena.block(field.WALK_BYTES, [
      [field.WALK_SLOT, this.binding.slot],
      [field.WALK_MODEL, this.binding.model],
      [field.WALK_DIMENSION, dimension],
      [field.WALK_DENSE, dense ? 1 : 0],
      [field.WALK_MEAN, this.at.mean],
      [field.WALK_FACTOR, this.at.factor],
      [field.WALK_POSITION, this.at.position],
      [field.WALK_GRADIENT, this.at.gradient],
      [field.WALK_WORK, numbers(WORK_VECTORS * dimension)],
      [field.WALK_KEY_LOW, key[0]],
      [field.WALK_KEY_HIGH, key[1]],
      [field.WALK_STEPS, this.at.steps],
      [field.WALK_ADAPTATION, this.at.adaptation],
      [field.WALK_MODE, options.mode],
      [field.WALK_LIMIT, options.limit],
    ]);
    this.setSteps(options.stepSize);
    for (let i = 0; i < dimension; i++) this.factor[dense ? i * (dimension + 1) : i] = 1;
  }

  get position(): Float64Array {
    return this.engine.memory.f64(this.at.position, this.dimension);
  }

  get mean(): Float64Array {
    return this.engine.memory.f64(this.at.mean, this.dimension);
  }

  get factor(): Float64Array {
    return this.engine.memory.f64(this.at.factor, this.factorCount);
  }

  get steps(): Float64Array {
    return this.engine.memory.f64(this.at.steps, this.stepCount);
  }

  get logDensity(): number {
    return this.arena.getF64(this.block, field.WALK_LOG_DENSITY_F64);
  }

  set logDensity(value: number) {
    this.arena.setF64(this.block, field.WALK_LOG_DENSITY_F64, value);
  }

  /** Sets all steps to `value` and restarts their adaptation. */
  setSteps(value: number): void {
    this.steps.fill(value);
    for (let k = 0; k < this.stepCount; k++) {
      const state = this.adaptation.subarray(k * ADAPTATION, (k + 1) * ADAPTATION).fill(0);
      state[field.ADAPTATION_TARGET_F64 / 8] = this.options.target;
      state[field.ADAPTATION_LOG_STEP_F64 / 8] = log(value);
    }
  }

  /** Sets the steps to their averages over warm-up. */
  averageSteps(): void {
    const { adaptation, steps } = this;
    for (let k = 0; k < this.stepCount; k++) {
      const state = adaptation.subarray(k * ADAPTATION, (k + 1) * ADAPTATION);
      if (state[field.ADAPTATION_COUNT_F64 / 8] > 0) steps[k] = exp(state[field.ADAPTATION_AVERAGE_F64 / 8]);
    }
  }

  evaluation(): Call {
    return { kernel: this.binding.slot, args: [this.binding.model, this.at.position, this.at.gradient] };
  }

  run(kernel: WalkOptions["kernel"], first: number, count: number, adapt: boolean): Call {
    const { draws, transitions } = this.at;
    return { kernel, args: [this.block, first, count, adapt ? 1 : 0, draws, transitions] };
  }

  stretch(count: number): { draws: Float64Array; transitions: Float64Array } {
    const { memory } = this.engine;
    return {
      draws: memory.f64(this.at.draws, count * this.dimension),
      transitions: memory.f64(this.at.transitions, count * walkFields.length),
    };
  }

  views(): Record<string, Tensor> {
    return {
      position: this.position,
      logDensity: this.engine.memory.f64(this.block + field.WALK_LOG_DENSITY_F64, 1),
      mean: this.mean,
      factor: this.factor,
      steps: this.steps,
      adaptation: this.adaptation,
      moments: this.estimator.state,
    };
  }

  misfit(): string | undefined {
    const wrong = this.steps.find((step) => !(step >= 0));
    return wrong === undefined ? undefined : `a step is ${wrong}, but must be >= 0`;
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }

  private get adaptation(): Float64Array {
    return this.engine.memory.f64(this.at.adaptation, ADAPTATION * this.stepCount);
  }
}
