import type { DensityBinding, LogDensity } from "../../engine/contract/index.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import { type Placed, placeChains } from "../samplers/base/starting-points.ts";

/** A log density evaluated on this thread, with memory for one point and its gradient. NaN counts as −∞. */
export class DensityPoint {
  readonly dimension: number;
  /** Number of evaluations so far. */
  evaluations = 0;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly binding: DensityBinding;
  private readonly call: (...args: number[]) => number;
  private readonly x: number;
  private readonly gradient: number;

  constructor(engine: Engine, density: LogDensity, purpose: string) {
    this.engine = engine;
    this.dimension = density.dimension;
    this.binding = density.bind({ lane: 0, purpose });
    this.arena = new Arena(engine.memory, purpose);
    this.call = engine.atSlot(this.binding.slot);
    this.x = this.arena.take(8 * this.dimension);
    this.gradient = this.arena.take(8 * this.dimension);
  }

  /** Returns log p(x), and writes its gradient into `gradient` if given. */
  evaluate(x: Float64Array, gradient?: Float64Array | null): number {
    const { memory } = this.engine;
    memory.f64(this.x, this.dimension).set(x);
    const value = this.call(this.binding.model, this.x, this.gradient);
    this.evaluations++;
    if (gradient) gradient.set(memory.f64(this.gradient, this.dimension));
    return Number.isNaN(value) ? -Infinity : value;
  }

  /**
   * Returns `count` starting points: the plan's points in turn, or uniform draws in (−2, 2) from the streams (`name`,
   * i, "start"). @throws ErgodicError
   */
  async places(where: string, name: string, count: number, plan: SamplingPlan): Promise<Float64Array[]> {
    const { start, seed } = plan;
    const given = start instanceof Float64Array ? [start] : start;
    // The callbacks run immediately, so each can take its point's index as argument.
    const points = Array.from({ length: count }, (_, i): Placed & { gradient: Float64Array } => ({
      position: new Float64Array(this.dimension),
      gradient: new Float64Array(this.dimension),
      starts: stream(seed, name, i, "start"),
      logDensity: 0,
      evaluation: () => ({ kernel: this.binding.slot, args: [i] }),
    }));
    const own = given ? { ...plan, start: points.map((_, i) => given[i % given.length]) } : plan;
    await placeChains(where, points, own, async (calls) =>
      calls.map(({ args: [i] }) => this.evaluate(points[i].position, points[i].gradient)),
    );
    return points.map(({ position }) => position);
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }
}
