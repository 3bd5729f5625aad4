/**
 * One chain of stochastic-gradient Monte Carlo in the engine's memory: a STOCHASTIC block (bayes/fields.ts), its
 * arrays, and memory for a stretch of transitions.
 */

import type { DensityBinding, LogDensity, MinibatchBinding, Tensor } from "../../../engine/contract/index.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import type { ChainState } from "../base/chains-run.ts";
import type { Placed } from "../base/starting-points.ts";

/** Statistics stored for each transition, in the order in which the kernel writes them. */
export const transitionFields = ["logDensity", "stepSize", "thermostat"] as const;

export interface StochasticRule {
  /** KIND field of the block. */
  kind: number;
  /** FRICTION and NOISE_ESTIMATE fields of the block. kernels/bayes/stochastic-gradient.ts defines their meaning. */
  friction: number;
  noiseEstimate: number;
  resetEvery: number;
}

export interface StochasticChainOptions {
  rule: StochasticRule;
  /** Rows per batch, or 0 for all. */
  batch: number;
  centred: boolean;
  centreEvery: number;
  capacity: number;
}

type Place =
  | "position"
  | "momentum"
  | "gradient"
  | "noise"
  | "draws"
  | "transitions"
  | "centre"
  | "centreGradient"
  | "centreEstimate"
  | "point"
  | "second";

export class StochasticChain implements ChainState, Placed {
  /** At most the capacity that the options give. */
  capacity: number;
  readonly starts: ReturnType<typeof stream>;
  /** ℓ at the starting point. */
  logDensity = Number.NaN;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly dimension: number;
  private readonly block: number;
  private readonly centred: boolean;
  private readonly rule: StochasticRule;
  private readonly batchSize: number;
  private readonly rowCount: number;
  private readonly at: Readonly<Record<Place, number>>;
  /** Density of all rows, for placing chains and for moving x*. */
  private readonly whole: DensityBinding;
  private readonly batch: MinibatchBinding | undefined;

  constructor(engine: Engine, density: LogDensity, chain: number, seed: number, options: StochasticChainOptions) {
    const { dimension } = density;
    const purpose = `chain ${chain}`;
    this.engine = engine;
    this.dimension = dimension;
    this.capacity = options.capacity;
    this.centred = options.centred;
    this.rule = options.rule;
    this.batchSize = options.batch;
    this.rowCount = density.minibatches?.rowCount ?? 0;
    this.starts = stream(seed, "chain", chain, "start");
    this.whole = density.bind({ lane: chain, purpose });
    this.batch = options.batch > 0 ? density.minibatches!.bind({ lane: chain, purpose, batch: options.batch }) : undefined;
    this.arena = new Arena(engine.memory, purpose);
    const numbers = (count: number) => this.arena.take(8 * count);
    this.at = {
      position: numbers(dimension),
      momentum: numbers(dimension),
      gradient: numbers(dimension),
      noise: numbers(dimension),
      draws: numbers(this.capacity * dimension),
      transitions: this.arena.take(this.capacity * field.STOCHASTIC_TRANSITION_BYTES),
      centre: numbers(dimension),
      centreGradient: numbers(dimension),
      centreEstimate: numbers(dimension),
      point: numbers(dimension),
      second: numbers(dimension),
    };
    this.block = this.makeBlock(options, chain, seed);
    this.arena.setF64(this.block, field.STOCHASTIC_FRICTION_F64, options.rule.friction);
    this.arena.setF64(this.block, field.STOCHASTIC_NOISE_ESTIMATE_F64, options.rule.noiseEstimate);
    const thermostatted = options.rule.kind === field.STOCHASTIC_THERMOSTATTED;
    this.arena.setF64(this.block, field.STOCHASTIC_THERMOSTAT_F64, thermostatted ? options.rule.friction : 0);
  }

  get position(): Float64Array {
    return this.engine.memory.f64(this.at.position, this.dimension);
  }

  /** v, or V for psgld, as a writable view. */
  get momentum(): Float64Array {
    return this.engine.memory.f64(this.at.momentum, this.dimension);
  }

  get gradient(): Float64Array {
    return this.engine.memory.f64(this.at.gradient, this.dimension);
  }

  /** α of sgnht. */
  get thermostat(): number {
    return this.arena.getF64(this.block, field.STOCHASTIC_THERMOSTAT_F64);
  }

  set thermostat(value: number) {
    this.arena.setF64(this.block, field.STOCHASTIC_THERMOSTAT_F64, value);
  }

  /** Sets x*, with the gradient and log density there. All chains can share these values. */
  setCentre(x: Float64Array, gradient: Float64Array, value: number): void {
    this.engine.memory.f64(this.at.centre, this.dimension).set(x);
    this.engine.memory.f64(this.at.centreGradient, this.dimension).set(gradient);
    this.arena.setF64(this.block, field.STOCHASTIC_CENTRE_VALUE_F64, value);
  }

  /**
   * Returns the point at which the last update evaluated its gradient. The update had step h and temperature τ. For
   * psgld, also returns the D that this update used. Valid right after a stretch.
   */
  lastUpdate(h: number, temperature: number): { x: Float64Array; scale?: Float64Array } {
    const { position, momentum, gradient, rule } = this;
    if (rule.kind === field.STOCHASTIC_HAMILTONIAN) return { x: position.slice() };
    if (rule.kind === field.STOCHASTIC_THERMOSTATTED) return { x: position.map((x, i) => x - momentum[i]) };
    const noise = this.engine.memory.f64(this.at.noise, this.dimension);
    const scale = momentum.map((square) =>
      rule.kind === field.STOCHASTIC_PRECONDITIONED ? 1 / (rule.noiseEstimate + Math.sqrt(square)) : 1,
    );
    const x = position.map((now, i) => now - (h * scale[i] * gradient[i] + temperature * Math.sqrt(2 * h * scale[i]) * noise[i]));
    return rule.kind === field.STOCHASTIC_PRECONDITIONED ? { x, scale } : { x };
  }

  /**
   * Writes the gradient that an update at x would compute from the batch that starts at `row`, with the current x*.
   * Only with batches.
   */
  estimateAt(x: Float64Array, row: number, out: Float64Array): void {
    const { engine, at, dimension: d } = this;
    const { memory } = engine;
    const batch = this.batch!;
    const rows = memory.u32(batch.rows, this.batchSize);
    for (let i = 0; i < rows.length; i++) rows[i] = (row + i) % this.rowCount;
    engine.atSlot(batch.gatherSlot)(batch.gatherBlock);
    const evaluate = engine.atSlot(batch.slot);
    memory.f64(at.point, d).set(x);
    evaluate(batch.model, at.point, at.second);
    out.set(memory.f64(at.second, d));
    if (!this.centred) return;
    evaluate(batch.model, at.centre, at.centreEstimate);
    const [whole, own] = [memory.f64(at.centreGradient, d), memory.f64(at.centreEstimate, d)];
    for (let i = 0; i < d; i++) out[i] = whole[i] + (out[i] - own[i]);
  }

  /** Call that evaluates ℓ of all rows and its gradient at the chain's position. */
  evaluation(): { kernel: number; args: number[] } {
    return { kernel: this.whole.slot, args: [this.whole.model, this.at.position, this.at.gradient] };
  }

  run(count: number, plan: { updates: number; first: number; steps: number; temperatures: number }) {
    const { draws, transitions } = this.at;
    const { updates, first, steps, temperatures } = plan;
    return {
      kernel: "stochasticGradientRun",
      args: [this.block, updates, count, first, steps, temperatures, draws, transitions],
    };
  }

  stretch(count: number): { draws: Float64Array; transitions: Float64Array } {
    const { memory } = this.engine;
    return {
      draws: memory.f64(this.at.draws, count * this.dimension),
      transitions: memory.f64(this.at.transitions, (count * field.STOCHASTIC_TRANSITION_BYTES) / 8),
    };
  }

  views(): Record<string, Tensor> {
    const { memory } = this.engine;
    const scalars = (field.STOCHASTIC_BYTES - field.STOCHASTIC_THERMOSTAT_F64) / 8;
    const centre = {
      centre: memory.f64(this.at.centre, this.dimension),
      centreGradient: memory.f64(this.at.centreGradient, this.dimension),
    };
    return {
      position: this.position,
      momentum: this.momentum,
      scalars: memory.f64(this.block + field.STOCHASTIC_THERMOSTAT_F64, scalars),
      ...(this.centred ? centre : {}),
    };
  }

  dispose(): void {
    this.arena.dispose();
    this.batch?.dispose();
    this.whole.dispose();
  }

  private makeBlock({ rule, batch, centred, centreEvery }: StochasticChainOptions, chain: number, seed: number): number {
    const noise = stream(seed, "chain", chain, "noise").key;
    const rows = stream(seed, "chain", chain, "rows").key;
    const { slot, model } = this.batch ?? this.whole;
    return this.arena.block(field.STOCHASTIC_BYTES, [
      [field.STOCHASTIC_SLOT, slot],
      [field.STOCHASTIC_MODEL, model],
      [field.STOCHASTIC_DIMENSION, this.dimension],
      [field.STOCHASTIC_BATCH, batch],
      [field.STOCHASTIC_ROW_COUNT, this.rowCount],
      [field.STOCHASTIC_ROWS, this.batch?.rows ?? 0],
      [field.STOCHASTIC_GATHER_SLOT, this.batch?.gatherSlot ?? 0],
      [field.STOCHASTIC_GATHER_BLOCK, this.batch?.gatherBlock ?? 0],
      [field.STOCHASTIC_CENTRE, centred ? this.at.centre : 0],
      [field.STOCHASTIC_CENTRE_GRADIENT, this.at.centreGradient],
      [field.STOCHASTIC_CENTRE_ESTIMATE, this.at.centreEstimate],
      [field.STOCHASTIC_CENTRE_EVERY, centreEvery],
      [field.STOCHASTIC_FULL_SLOT, this.whole.slot],
      [field.STOCHASTIC_FULL_MODEL, this.whole.model],
      [field.STOCHASTIC_POSITION, this.at.position],
      [field.STOCHASTIC_MOMENTUM, this.at.momentum],
      [field.STOCHASTIC_GRADIENT, this.at.gradient],
      [field.STOCHASTIC_NOISE, this.at.noise],
      [field.STOCHASTIC_NOISE_KEY_LOW, noise[0]],
      [field.STOCHASTIC_NOISE_KEY_HIGH, noise[1]],
      [field.STOCHASTIC_ROWS_KEY_LOW, rows[0]],
      [field.STOCHASTIC_ROWS_KEY_HIGH, rows[1]],
      [field.STOCHASTIC_KIND, rule.kind],
      [field.STOCHASTIC_RESET_EVERY, rule.resetEvery],
    ]);
  }
}
