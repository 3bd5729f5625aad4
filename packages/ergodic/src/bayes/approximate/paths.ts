import { solvePositive } from "../../engine/numbers/cholesky.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import type { DensityPoint } from "./density-point.ts";
import type { InverseCurvature } from "./inverse-curvature.ts";
import type { Kept } from "./kept.ts";
import { Path, type PathOptions } from "./path.ts";
import { quasiNewtonDefaults } from "./quasi-newton.ts";

/** Options of Pathfinder, and number of paths, for algorithms that start from its result. */
export const PLACING = { ...quasiNewtonDefaults, elboDraws: 25, maxIterations: 1000 };
export const PLACING_PATHS = 4;

/**
 * Several Pathfinder paths from separate starting points, advanced together one iterate at a time. Other approximations
 * start from their results.
 */
export class Paths {
  private readonly all: readonly Path[];
  private readonly point: DensityPoint;

  constructor(point: DensityPoint, seed: number, count: number, options: PathOptions) {
    this.point = point;
    this.all = Array.from({ length: count }, (_, i) => new Path(point, seed, i, options));
  }

  /** @throws ErgodicError if no starting point has a finite density */
  async begin(where: string, plan: SamplingPlan): Promise<void> {
    const places = await this.point.places(where, "path", this.all.length, plan);
    for (const [i, path] of this.all.entries()) path.start(places[i]);
  }

  /** Computes the next iterate of each path that has not ended. Returns true once all paths have ended. */
  step(): boolean {
    for (const path of this.all) if (!path.ended) path.step();
    return this.all.every(({ ended }) => ended);
  }

  get iterations(): number {
    return Math.max(...this.all.map((path) => path.iterations));
  }

  /** Path with the best ELBO. Before any path has an ELBO, this is the first path. */
  get best(): Path {
    return this.all.reduce((best, path) => (path.elbo > best.elbo ? path : best));
  }

  /** Paths that have an approximation. */
  get standing(): readonly Path[] {
    return this.all.filter(({ elbo }) => elbo > -Infinity);
  }

  /** Best normal of each path, as a mean and a Cholesky factor. A normal is omitted if its factor is not finite. */
  get normals(): { mean: Float64Array; factor: Float64Array; elbo: number }[] {
    const each = this.standing.map((path) => ({ mean: path.mean, factor: choleskyScale(path.curvature), elbo: path.elbo }));
    return each.filter(({ mean, factor }) => mean.every(Number.isFinite) && factor.every(Number.isFinite));
  }

  parts(): Record<string, Kept> {
    return Object.fromEntries(
      this.all.flatMap((path, i) => Object.entries(path.parts()).map(([name, part]) => [`${name}.${i}`, part])),
    );
  }

  recalled(): void {
    for (const path of this.all) path.recalled();
  }
}

const column = (d: number, i: number): Float64Array => Float64Array.from({ length: d }, (_, j) => (j === i ? 1 : 0));

/** Standard deviations 1/√B_ii, float64[d], of the diagonal normal that best fits a normal target with covariance H. */
export function diagonalScale(curvature: InverseCurvature): Float64Array {
  const d = curvature.alpha.length;
  return Float64Array.from({ length: d }, (_, i) => 1 / Math.sqrt(curvature.inverseTimes(column(d, i))[i]));
}

/**
 * Cholesky factor of H, float64[d, d], zeros above the diagonal; the root of the diagonal if H is numerically singular.
 */
export function choleskyScale(curvature: InverseCurvature): Float64Array {
  const d = curvature.alpha.length;
  const factor = new Float64Array(d * d);
  for (let i = 0; i < d; i++) factor.set(curvature.times(column(d, i)), i * d);
  const spreads = Float64Array.from({ length: d }, (_, i) => Math.sqrt(factor[i * d + i]));
  const positive = solvePositive(factor, new Float64Array(d));
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) if (!positive || j > i) factor[i * d + j] = i === j ? spreads[i] : 0;
  return factor;
}
