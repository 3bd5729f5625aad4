import type { DensityBinding, LogDensity, Tensor } from "../../../engine/contract/index.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { type Draws, type Stream, stream } from "../../../engine/random/stream.ts";
import type { ChainState } from "../base/chains-run.ts";
import { type Placed, randomPoint } from "../base/starting-points.ts";

const STRETCH = 64;

/**
 * One chain of Gibbs sampling. The chain holds the results of the last sweeps, and stores u in the engine's memory. The
 * updates of all blocks share u.
 */
export class GibbsChain implements ChainState, Placed {
  readonly capacity = STRETCH;
  readonly starts: Stream;
  /** Addresses of u and of scratch memory for a gradient. */
  readonly point: number;
  readonly gradientRoom: number;
  readonly binding: DensityBinding;
  private readonly density: LogDensity;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly current = new Float64Array(1);
  private readonly made: Float64Array;
  private readonly transitions: Float64Array;

  constructor(engine: Engine, density: LogDensity, c: number, seed: number, fields: number) {
    const { dimension } = density;
    this.engine = engine;
    this.density = density;
    this.starts = stream(seed, "chain", c, "start");
    this.binding = density.bind({ lane: c, purpose: `chain ${c}`, gradient: false });
    this.arena = new Arena(engine.memory, `chain ${c}`);
    this.point = this.arena.take(8 * dimension);
    this.gradientRoom = this.arena.take(8 * dimension);
    this.made = new Float64Array(STRETCH * dimension);
    this.transitions = new Float64Array(STRETCH * fields);
  }

  get position(): Float64Array {
    return this.engine.memory.f64(this.point, this.density.dimension);
  }

  get logDensity(): number {
    return this.current[0];
  }

  set logDensity(value: number) {
    this.current[0] = value;
  }

  drawPoint(draws: Draws): void {
    randomPoint(this.density, draws, this.position);
  }

  evaluation(): { kernel: number; args: number[] } {
    return { kernel: this.binding.slot, args: [this.binding.model, this.point, this.gradientRoom] };
  }

  /** Evaluates the log density at u on this thread. */
  evaluate(): number {
    return this.engine.atSlot(this.binding.slot)(this.binding.model, this.point, this.gradientRoom);
  }

  /** Records the chain's position as sweep k of the stretch. */
  record(k: number, numbers: readonly number[]): void {
    this.made.set(this.position, k * this.density.dimension);
    this.transitions.set(numbers, k * numbers.length);
  }

  stretch(count: number): { draws: Float64Array; transitions: Float64Array } {
    const width = this.transitions.length / STRETCH;
    return {
      draws: this.made.subarray(0, count * this.density.dimension),
      transitions: this.transitions.subarray(0, count * width),
    };
  }

  views(): Record<string, Tensor> {
    return { position: this.position, logDensity: this.current };
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }
}
