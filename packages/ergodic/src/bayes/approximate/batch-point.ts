import type { LogDensity, MinibatchBinding } from "../../engine/contract/index.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Stream } from "../../engine/random/stream.ts";
import type { DensityPoint } from "./density-point.ts";

/**
 * Unbiased minibatch estimates of a log density on this thread. Close to a centre c, the estimates are almost as
 * precise as if they read all rows.
 *
 *   ℓ̂(x) = ℓ_B(x) − ℓ_B(c) − (∇ℓ_B(c) − ∇ℓ(c))·(x − c) + ℓ(c),   ∇ℓ̂(x) = ∇ℓ_B(x) − ∇ℓ_B(c) + ∇ℓ(c)
 *
 * B: n consecutive rows in the density's own random order. B starts at a random row and wraps around at the end. The
 * remaining noise of ℓ̂ is of second order in x − c, and the noise of ∇ℓ̂ is of first order. Estimate k uses update k
 * of the stream.
 */
export class BatchPoint {
  private readonly engine: Engine;
  private readonly rows: Stream;
  private readonly batch: number;
  private readonly rowCount: number;
  private readonly binding: MinibatchBinding;
  private readonly arena: Arena;
  private readonly call: (...args: number[]) => number;
  private readonly gather: (...args: number[]) => number;
  private readonly x: number;
  private readonly gradient: number;
  private centre: { readonly x: Float64Array; readonly value: number; readonly gradient: Float64Array } | undefined;

  /** The density must have minibatches. */
  constructor(engine: Engine, density: LogDensity, batch: number, purpose: string, rows: Stream) {
    const { minibatches, dimension } = density as LogDensity & Required<Pick<LogDensity, "minibatches">>;
    this.engine = engine;
    this.rows = rows;
    this.batch = batch;
    this.rowCount = minibatches.rowCount;
    this.binding = minibatches.bind({ lane: 0, purpose: `${purpose} rows`, batch });
    this.arena = new Arena(engine.memory, `${purpose} rows`);
    this.call = engine.atSlot(this.binding.slot);
    this.gather = engine.atSlot(this.binding.gatherSlot);
    this.x = this.arena.take(8 * dimension);
    this.gradient = this.arena.take(8 * dimension);
  }

  /** Returns the cost of the given number of estimates, in passes over all rows. */
  passes(estimates: number): number {
    return (2 * this.batch * estimates) / this.rowCount;
  }

  /** Moves the centre to x. The move reads all rows once. */
  moveTo(x: Float64Array, whole: DensityPoint): void {
    const gradient = new Float64Array(x.length);
    const value = whole.evaluate(x, gradient);
    this.centre = { x: x.slice(), value, gradient };
  }

  /** Returns estimate k of ℓ(x), and writes its gradient unless `gradient` is null. NaN counts as −∞. */
  evaluate(k: number, x: Float64Array, gradient: Float64Array | null): number {
    const { centre } = this;
    if (!centre) throw new Error("a batch is estimated about a centre");
    this.drawRows(this.rows.at(k).integer(this.rowCount));
    const base = this.at(centre.x);
    const slopes = this.engine.memory.f64(this.gradient, x.length).slice();
    let value = centre.value - base;
    for (let i = 0; i < x.length; i++) value -= (slopes[i] - centre.gradient[i]) * (x[i] - centre.x[i]);
    value += this.at(x);
    if (gradient) {
      const own = this.engine.memory.f64(this.gradient, x.length);
      for (let i = 0; i < x.length; i++) gradient[i] = own[i] - slopes[i] + centre.gradient[i];
    }
    return Number.isNaN(value) ? -Infinity : value;
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }

  private drawRows(first: number): void {
    const rows = this.engine.memory.u32(this.binding.rows, this.batch);
    for (let i = 0; i < this.batch; i++) rows[i] = (first + i) % this.rowCount;
    this.gather(this.binding.gatherBlock);
  }

  private at(x: Float64Array): number {
    this.engine.memory.f64(this.x, x.length).set(x);
    return this.call(this.binding.model, this.x, this.gradient);
  }
}
