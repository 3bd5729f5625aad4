import type { LogDensity, TemperedBinding, Tensor } from "../../../engine/contract/index.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import { lowerFactor } from "../base/metric.ts";
import { logMeanWeight, systematicAncestors } from "./resampling.ts";

export interface MoveOptions {
  /** Moves per stage. */
  moves: number;
  /** Leapfrogs per move; 0: random walks. */
  leapfrogs: number;
  stepSize: number;
}

const VECTORS = 4;

/**
 * One population of sequential Monte Carlo: particles in the engine's memory, a PARTICLES block (bayes/fields.ts), and
 * the current power between prior and posterior.
 */
export class Population {
  readonly count: number;
  readonly dimension: number;
  /** β, log evidence so far, and number of stages. */
  readonly scalars = new Float64Array(3);
  /** Index of each particle's first ancestor. */
  readonly eves: Uint32Array;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly binding: TemperedBinding;
  private readonly block: number;
  private readonly at: Readonly<Record<"x" | "logDensity" | "likelihood" | "acceptance" | "factor", number>>;
  private readonly streams: Readonly<Record<"prior" | "resampling", ReturnType<typeof stream>>>;

  constructor(engine: Engine, density: LogDensity, c: number, seed: number, count: number, options: MoveOptions) {
    const { dimension: d } = density;
    this.engine = engine;
    this.count = count;
    this.dimension = d;
    this.eves = Uint32Array.from({ length: count }, (_, i) => i);
    this.binding = density.bindTempered!({ lane: c, purpose: `particles ${c}`, gradient: options.leapfrogs > 0 });
    this.arena = new Arena(engine.memory, `particles ${c}`);
    const numbers = (size: number) => this.arena.take(8 * size);
    this.at = {
      x: numbers(count * d),
      logDensity: numbers(count),
      likelihood: numbers(count),
      acceptance: numbers(count),
      factor: numbers(d * d),
    };
    this.streams = { prior: stream(seed, "chain", c, "start"), resampling: stream(seed, "chain", c, "resampling") };
    const { key } = stream(seed, "chain", c, "transition");
    this.block = this.arena.block(field.PARTICLES_BYTES, [
      [field.PARTICLES_SLOT, this.binding.slot],
      [field.PARTICLES_MODEL, this.binding.model],
      [field.PARTICLES_DIMENSION, d],
      [field.PARTICLES_COUNT, count],
      [field.PARTICLES_X, this.at.x],
      [field.PARTICLES_LOG_DENSITY, this.at.logDensity],
      [field.PARTICLES_LIKELIHOOD, this.at.likelihood],
      [field.PARTICLES_LIKELIHOOD_AT, this.binding.likelihood],
      [field.PARTICLES_FACTOR, this.at.factor],
      [field.PARTICLES_WORK, numbers(VECTORS * d)],
      [field.PARTICLES_MOVES, options.moves],
      [field.PARTICLES_LEAPFROGS, options.leapfrogs],
      [field.PARTICLES_KEY_LOW, key[0]],
      [field.PARTICLES_KEY_HIGH, key[1]],
      [field.PARTICLES_ACCEPTANCE, this.at.acceptance],
    ]);
    this.stepSize = options.stepSize;
    const factor = engine.memory.f64(this.at.factor, d * d);
    for (let i = 0; i < d; i++) factor[i * (d + 1)] = 1;
    this.setPower(0);
  }

  get power(): number {
    return this.scalars[0];
  }

  get logEvidence(): number {
    return this.scalars[1];
  }

  get stage(): number {
    return this.scalars[2];
  }

  get x(): Float64Array {
    return this.engine.memory.f64(this.at.x, this.count * this.dimension);
  }

  get logDensities(): Float64Array {
    return this.engine.memory.f64(this.at.logDensity, this.count);
  }

  get likelihoods(): Float64Array {
    return this.engine.memory.f64(this.at.likelihood, this.count);
  }

  /** Mean acceptance of the last stage's moves, for each particle. */
  get acceptances(): Float64Array {
    return this.engine.memory.f64(this.at.acceptance, this.count);
  }

  get stepSize(): number {
    return this.arena.getF64(this.block, field.PARTICLES_STEP_F64);
  }

  set stepSize(value: number) {
    this.arena.setF64(this.block, field.PARTICLES_STEP_F64, value);
  }

  /** Draws particle i from update i of the stream "start". */
  drawPrior(density: LogDensity): void {
    for (let i = 0; i < this.count; i++) {
      const point = density.drawPrior!(this.streams.prior.at(i));
      this.x.set(point, i * this.dimension);
    }
  }

  evaluation(): Call {
    return { kernel: "particleDensities", args: [this.block] };
  }

  /**
   * Changes the power to β': multiplies the evidence by the mean of the weights exp((β' − β) L), and resamples the
   * particles by weight.
   */
  reweight(to: number): void {
    const { count, dimension: d } = this;
    const change = to - this.power;
    const logWeights = this.likelihoods.map((l) => change * l);
    this.scalars[1] += logMeanWeight(logWeights);
    const ancestors = systematicAncestors(logWeights, this.streams.resampling.at(this.stage).uniform());
    const [x, logDensities, likelihoods, eves] = [
      this.x.slice(),
      this.logDensities.slice(),
      this.likelihoods.slice(),
      this.eves.slice(),
    ];
    for (let i = 0; i < count; i++) {
      const from = ancestors[i];
      this.x.set(x.subarray(from * d, (from + 1) * d), i * d);
      this.logDensities[i] = logDensities[from] + change * likelihoods[from];
      this.likelihoods[i] = likelihoods[from];
      this.eves[i] = eves[from];
    }
    this.setPower(to);
  }

  /**
   * Sets the moves' covariance to the particles' covariance C, shrunk towards its diagonal: (1 − λ) C + λ diag C, λ =
   * d/(n + d).
   */
  adaptFactor(): void {
    const { count: n, dimension: d, x } = this;
    const mean = new Float64Array(d);
    for (let k = 0; k < n * d; k++) mean[k % d] += x[k] / n;
    const covariance = new Float64Array(d * d);
    for (let i = 0; i < n; i++) {
      for (let a = 0; a < d; a++) {
        const rest = (x[i * d + a] - mean[a]) / n;
        for (let b = 0; b <= a; b++) covariance[a * d + b] += rest * (x[i * d + b] - mean[b]);
      }
    }
    const kept = n / (n + d);
    for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) covariance[a * d + b] *= kept;
    const factor = lowerFactor(covariance, d);
    // If a coordinate has the same value in all particles, the moves keep their previous covariance.
    if (factor) this.engine.memory.f64(this.at.factor, d * d).set(factor);
  }

  /** Kernel call that performs this stage's moves. */
  moves(): Call {
    return { kernel: "particleMoves", args: [this.block, this.stage * this.count] };
  }

  endStage(): void {
    this.scalars[2]++;
  }

  /** All mutable state. */
  views(): Record<string, Tensor> {
    const { dimension: d } = this;
    return {
      x: this.x,
      logDensity: this.logDensities,
      likelihood: this.likelihoods,
      acceptance: this.acceptances,
      factor: this.engine.memory.f64(this.at.factor, d * d),
      step: this.engine.memory.f64(this.block + field.PARTICLES_STEP_F64, 1),
      scalars: this.scalars,
      eves: this.eves,
    };
  }

  restored(): void {
    this.setPower(this.power);
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }

  private setPower(power: number): void {
    this.scalars[0] = power;
    this.engine.memory.f64(this.binding.power, 1)[0] = power;
  }
}
