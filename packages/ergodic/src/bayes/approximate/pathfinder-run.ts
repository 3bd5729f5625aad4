import type { LogDensity } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import type { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import { ApproximationRun, type Width } from "./approximation-run.ts";
import type { Kept } from "./kept.ts";
import type { PathOptions } from "./path.ts";
import { Paths } from "./paths.ts";

export interface PathfinderRunOptions extends PathOptions {
  paths: number;
  draws: number;
  psis: boolean;
}

/** A run of Pathfinder. A step is one iterate of every path that has not ended. */
export class PathfinderRun extends ApproximationRun {
  protected readonly paths: Paths;
  private readonly count: number;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: PathfinderRunOptions) {
    const pool = { paths: options.paths, size: options.paths * options.draws, resample: options.psis };
    super("pathfinder", density, plan, engine, options.maxIterations + 1, pool);
    this.count = options.paths;
    this.paths = new Paths(this.point, plan.seed, options.paths, options);
  }

  /** Mean of the best path's approximation. The value before the first approximation is the current point of a path. */
  parameters(): Float64Array {
    return this.paths.best.mean.slice();
  }

  protected async begin(): Promise<void> {
    await this.paths.begin(this.name, this.plan);
  }

  protected fit(): number | undefined {
    if (this.paths.step()) {
      this.refuseNone();
      this.fitted();
    }
    const { elbo } = this.fitReport();
    return elbo === undefined ? undefined : -elbo;
  }

  protected drawPoint(k: number, out: Float64Array): void {
    const { standing } = this.paths;
    standing[k % standing.length].draw(Math.floor(k / standing.length), this.widthOf(k).scale, out);
  }

  protected override widthOf(k: number): Width {
    return super.widthOf(Math.floor(k / this.paths.standing.length));
  }

  protected logParts(x: Float64Array): number[] {
    const scales = this.widths.map(({ scale }) => scale);
    return this.paths.standing.flatMap((path) => path.logNormals(x, scales));
  }

  protected fitParts(): Record<string, Kept> {
    return this.paths.parts();
  }

  protected override recalled(kept: KeptPart): void {
    super.recalled(kept);
    this.paths.recalled();
  }

  /** `elbo`: ELBO of the best path, as estimated during its search. */
  protected fitReport(): Record<string, number> {
    const { standing } = this.paths;
    const known = { iterations: this.paths.iterations, paths: standing.length };
    return standing.length === 0 ? known : { ...known, elbo: Math.max(...standing.map(({ elbo }) => elbo)) };
  }

  private refuseNone(): void {
    if (this.paths.standing.length > 0) return;
    throw new ErgodicError(
      this.name,
      `none of ${this.count} paths found a normal approximation whose draws have finite densities; give a starting point nearer to the mode, or sample with nuts()`,
      "SAMPLE_APPROXIMATION",
    );
  }
}
