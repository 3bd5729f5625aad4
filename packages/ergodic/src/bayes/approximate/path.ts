import { log } from "../../engine/numbers/log.ts";
import { type Stream, stream } from "../../engine/random/stream.ts";
import type { DensityPoint } from "./density-point.ts";
import { InverseCurvature } from "./inverse-curvature.ts";
import type { Kept } from "./kept.ts";
import { QuasiNewton, type QuasiNewtonOptions } from "./quasi-newton.ts";

export interface PathOptions extends QuasiNewtonOptions {
  elboDraws: number;
  maxIterations: number;
}

/** One path of Pathfinder: an L-BFGS search, and the best normal approximation along it. */
export class Path {
  private readonly search: QuasiNewton;
  private readonly options: PathOptions;
  private readonly point: DensityPoint;
  private readonly elboDraws: Stream;
  private readonly poolDraws: Stream;
  private readonly best = {
    numbers: { elbo: -Infinity, ended: 0 },
    arrays: { mean: [] as Float64Array[], alpha: [] as Float64Array[], s: [] as Float64Array[], y: [] as Float64Array[] },
  } satisfies Kept;
  private known: InverseCurvature | undefined;
  private latest: { mean: Float64Array; curvature: InverseCurvature; elbo: number } | undefined;

  constructor(point: DensityPoint, seed: number, i: number, options: PathOptions) {
    this.point = point;
    this.options = options;
    this.elboDraws = stream(seed, "path", i, "elbo");
    this.poolDraws = stream(seed, "path", i, "draw");
    this.search = new QuasiNewton((x, gradient) => {
      const value = point.evaluate(x, gradient);
      if (gradient) for (let j = 0; j < gradient.length; j++) gradient[j] = -gradient[j];
      return -value;
    }, options);
  }

  start(x: Float64Array): void {
    this.search.start(x);
  }

  get ended(): boolean {
    return this.best.numbers.ended === 1;
  }

  get iterations(): number {
    return this.search.state.numbers.iterations;
  }

  /** Best ELBO so far; −∞ before the first estimate. */
  get elbo(): number {
    return this.best.numbers.elbo;
  }

  /**
   * Mean of the best approximation. The current point of the search if there is no approximation yet; zeros before the
   * search starts.
   */
  get mean(): Float64Array {
    return this.best.arrays.mean[0] ?? this.search.state.arrays.x[0] ?? new Float64Array(this.point.dimension);
  }

  /** Curvature of the best approximation. */
  get curvature(): InverseCurvature {
    const { alpha, s, y } = this.best.arrays;
    this.known ??= new InverseCurvature(alpha[0], s, y);
    return this.known;
  }

  /**
   * Approximation at the last iterate, even if an earlier one is better. Undefined until the first iterate, and after a
   * restore until the next iterate.
   */
  get last(): Readonly<{ mean: Float64Array; curvature: InverseCurvature; elbo: number }> | undefined {
    return this.latest;
  }

  /** Computes the next iterate and its approximation. */
  step(): void {
    const before = this.iterations;
    const ended = this.search.step();
    if (ended || this.iterations >= this.options.maxIterations) this.best.numbers.ended = 1;
    if (this.iterations > before) this.judge();
  }

  /** Writes draw k of the best approximation, with standard deviations multiplied by `scale`. */
  draw(k: number, scale: number, out: Float64Array): void {
    this.curvature.draw(this.poolDraws.at(k), out);
    for (let i = 0; i < out.length; i++) out[i] = this.mean[i] + scale * out[i];
  }

  /** Returns log densities of the best approximation, with standard deviations multiplied by `scale`. */
  logNormals(x: Float64Array, scales: readonly number[]): number[] {
    const { curvature } = this;
    const away = x.map((v, i) => v - this.mean[i]);
    const quadratic = curvature.quadratic(away);
    return scales.map((scale) => curvature.logNormalAt(quadratic / (scale * scale)) - away.length * log(scale));
  }

  parts(): Record<string, Kept> {
    return { search: this.search.state, best: this.best };
  }

  recalled(): void {
    this.known = undefined;
    this.latest = undefined;
  }

  private judge(): void {
    const { x, gradient, curvature, state } = this.search;
    const shift = curvature.times(gradient);
    const mean = x.map((v, i) => v - shift[i]);
    const elbo = this.elboOf(mean, curvature);
    this.latest = { mean, curvature, elbo };
    if (!(elbo > this.elbo)) return;
    const { alpha, s, y } = state.arrays;
    this.best.numbers.elbo = elbo;
    Object.assign(this.best.arrays, { mean: [mean], alpha: [alpha[0].slice()], s: s.slice(), y: y.slice() });
    this.known = curvature;
  }

  /** Returns −∞ if a draw leaves the support. */
  private elboOf(mean: Float64Array, curvature: InverseCurvature): number {
    const draws = this.elboDraws.at(this.iterations);
    const away = new Float64Array(mean.length);
    let sum = 0;
    for (let k = 0; k < this.options.elboDraws; k++) {
      curvature.draw(draws, away);
      const logNormal = curvature.logNormal(away);
      sum += this.point.evaluate(away.map((v, i) => v + mean[i])) - logNormal;
    }
    return Number.isFinite(sum) ? sum / this.options.elboDraws : -Infinity;
  }
}
