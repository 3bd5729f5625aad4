/** A run of Pathfinder: a step is one iterate of every path that has not ended. */
import { ErgodicError } from "../../base/errors.ts";
import type { LogDensity } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { SamplingPlan } from "../sampling/sampler.ts";
import { ApproximationRun, logMixture } from "./approximation-run.ts";
import type { Kept } from "./kept.ts";
import { Path, type PathOptions } from "./path.ts";

export interface PathfinderRunOptions extends PathOptions {
  paths: number;
  draws: number;
  psis: boolean;
}

export class PathfinderRun extends ApproximationRun {
  private readonly paths: Path[];

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: PathfinderRunOptions) {
    const pool = { size: options.paths * options.draws, resample: options.psis };
    super("pathfinder", density, plan, engine, options.maxIterations + 1, pool);
    this.paths = Array.from({ length: options.paths }, (_, i) => new Path(this.point, plan.seed, i, options));
  }

  /** The mean of the best path's approximation; before the first, where a path stands. */
  parameters(): Float64Array {
    return this.paths.reduce((best, path) => (path.elbo > best.elbo ? path : best)).mean.slice();
  }

  protected async begin(): Promise<void> {
    const places = await this.point.places(this.name, "path", this.paths.length, this.plan);
    for (const [i, path] of this.paths.entries()) path.start(places[i]);
  }

  protected fit(): number | undefined {
    for (const path of this.paths) if (!path.ended) path.step();
    if (this.paths.every(({ ended }) => ended)) {
      this.refuseNone();
      this.fitted();
    }
    const { elbo } = this.fitReport();
    return elbo === undefined ? undefined : -elbo;
  }

  protected drawPoint(k: number, out: Float64Array): void {
    const { standing } = this;
    const own = Math.floor(k / standing.length);
    standing[k % standing.length].draw(own, this.scales[own % this.scales.length], out);
  }

  /** Of the mixture in equal parts. */
  protected logApproximation(x: Float64Array): number {
    return logMixture(this.standing.flatMap((path) => path.logNormals(x, this.scales)));
  }

  protected fitParts(): Record<string, Kept> {
    const parts = this.paths.flatMap((path, i) => Object.entries(path.parts()).map(([name, part]) => [`${name}.${i}`, part]));
    return Object.fromEntries(parts);
  }

  protected override recalled(): void {
    super.recalled();
    for (const path of this.paths) path.recalled();
  }

  /** `elbo`: the best path's, as estimated on the way. */
  protected fitReport(): Record<string, number> {
    const { standing } = this;
    const iterations = Math.max(...this.paths.map((path) => path.iterations));
    const known = { iterations, paths: standing.length };
    return standing.length === 0 ? known : { ...known, elbo: Math.max(...standing.map(({ elbo }) => elbo)) };
  }

  /** Paths with an approximation. */
  private get standing(): Path[] {
    return this.paths.filter(({ elbo }) => elbo > -Infinity);
  }

  private refuseNone(): void {
    if (this.standing.length > 0) return;
    throw new ErgodicError(
      this.name,
      `none of ${this.paths.length} paths found a normal approximation whose draws have finite densities; give a starting point nearer to the mode, or sample with nuts()`,
      "SAMPLE_APPROXIMATION",
    );
  }
}
