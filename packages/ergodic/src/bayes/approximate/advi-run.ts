import type { LogDensity } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import type { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import { ApproximationRun } from "./approximation-run.ts";
import { Ascent, type AscentOptions } from "./ascent.ts";
import { BatchPoint } from "./batch-point.ts";
import { fixedLoss, whitenedPairs } from "./fixed-draws.ts";
import type { Kept } from "./kept.ts";
import { NormalFamily } from "./normal-family.ts";
import { choleskyScale, diagonalScale, Paths, PLACING, PLACING_PATHS } from "./paths.ts";
import { QuasiNewton, quasiNewtonDefaults } from "./quasi-newton.ts";

export interface AdviRunOptions extends AscentOptions {
  start: "pathfinder" | "point";
  batch?: number;
  refineDraws: number;
  psis: boolean;
}

/** Smallest pool of draws for a meaningful k̂. */
const FEWEST_DRAWS = 1000;
/**
 * The posterior of a scale has a long tail in one direction. Draws from a normal that is widened in all directions
 * rarely reach this tail.
 */
const ONE_WAY = [3, 3, 3, 3];
const REFINE = { ...quasiNewtonDefaults, firstStep: 0.1, relativeObjectiveTolerance: 1e6, parameterTolerance: 1e-6 };
const MOST_REFINEMENTS = 200;
/** Stages of the run. */
const [PATHS, CLIMBING, REFINING] = [0, 1, 2];

/**
 * A run of ADVI has three stages: Pathfinder paths, which give the location and scale; the stochastic ascent; and the
 * refinement on fixed draws. A step is one iteration of the current stage.
 */
export class AdviRun extends ApproximationRun {
  private readonly options: AdviRunOptions;
  private readonly family: NormalFamily;
  protected readonly paths: Paths;
  private readonly ascent: Ascent;
  private readonly refinement: QuasiNewton;
  private readonly own = {
    numbers: { stage: PATHS, iterations: 0, estimates: 0 },
    arrays: { theta: [] as Float64Array[], origin: [] as Float64Array[], scale: [] as Float64Array[] },
  } satisfies Kept;

  constructor(name: "meanField" | "fullRank", density: LogDensity, plan: SamplingPlan, engine: Engine, options: AdviRunOptions) {
    const steps = PLACING.maxIterations + Ascent.steps(options) + MOST_REFINEMENTS + 3;
    super(name, density, plan, engine, steps, {
      paths: PLACING_PATHS,
      size: FEWEST_DRAWS,
      resample: options.psis,
      oneWay: ONE_WAY,
    });
    const { dimension: d } = density;
    this.options = options;
    this.family = new NormalFamily(d, name === "fullRank");
    const evaluate = (x: Float64Array, gradient: Float64Array | null): number => this.point.evaluate(x, gradient);
    this.paths = new Paths(this.point, plan.seed, options.start === "point" ? 1 : PLACING_PATHS, PLACING);
    if (options.batch !== undefined) {
      this.batches = new BatchPoint(engine, density, options.batch, name, stream(plan.seed, "advi", "rows"));
    }
    const estimate = (x: Float64Array, gradient: Float64Array | null): number =>
      this.batches?.evaluate(this.own.numbers.estimates++, x, gradient) ?? evaluate(x, gradient);
    this.ascent = new Ascent(this.family, estimate, plan.seed, options);
    const pairs = Math.max(Math.ceil(options.refineDraws / 2), this.family.full ? 2 * d : 1);
    const z = options.refineDraws > 0 ? whitenedPairs(pairs, d, stream(plan.seed, "advi", "refine").at(0)) : new Float64Array(0);
    this.refinement = new QuasiNewton(fixedLoss(this.family, z, evaluate), REFINE);
    this.own.arrays.theta[0] = new Float64Array(this.family.size);
  }

  /** Current mean of the approximation. */
  parameters(): Float64Array {
    const out = new Float64Array(this.dimension);
    if (this.own.numbers.stage === PATHS) return this.paths.best.mean.slice();
    this.family.point(this.theta, new Float64Array(this.dimension), new Float64Array(this.dimension), out);
    return out;
  }

  protected async begin(): Promise<void> {
    await this.paths.begin(this.name, this.plan);
    if (this.options.start === "point") this.climb();
  }

  protected fit(): number | undefined {
    const { numbers } = this.own;
    numbers.iterations++;
    if (numbers.stage === PATHS) {
      if (this.paths.step()) this.climb();
    } else if (numbers.stage === CLIMBING) {
      if (this.ascent.step()) this.climbed();
    } else {
      const { state } = this.refinement;
      const ended = this.refinement.step() || state.numbers.iterations >= MOST_REFINEMENTS;
      this.own.arrays.theta[0] = this.refinement.x;
      if (ended) this.fitted();
    }
    const { elbo } = this.fitReport();
    return elbo === undefined ? undefined : -elbo;
  }

  protected drawPoint(k: number, out: Float64Array): void {
    const draws = stream(this.plan.seed, "advi", "draw").at(k);
    const { scale, oneWay } = this.widthOf(k);
    const z = Float64Array.from({ length: this.dimension }, () => draws.normal());
    const way = oneWay ? draws.integer(this.dimension) : undefined;
    for (let i = 0; i < z.length; i++) if (way === undefined || i === way) z[i] *= scale;
    this.family.point(this.theta, z, new Float64Array(this.dimension), out);
  }

  protected logParts(x: Float64Array): number[] {
    return this.family.logDensities(this.theta, x, this.widths);
  }

  protected fitParts(): Record<string, Kept> {
    const { ascent, refinement } = this;
    return { ...this.paths.parts(), ascent: ascent.state, refinement: refinement.state, advi: this.own };
  }

  protected override recalled(kept: KeptPart): void {
    super.recalled(kept);
    this.paths.recalled();
    const { origin, scale } = this.own.arrays;
    if (origin.length > 0) this.centre(origin[0], scale[0]);
  }

  private centre(origin: Float64Array, scale: Float64Array): void {
    this.family.place(origin, scale);
    this.batches?.moveTo(origin, this.point);
  }

  protected fitReport(): Record<string, number> {
    const { stage, iterations, estimates } = this.own.numbers;
    const elbo = [
      this.paths.best.elbo,
      this.ascent.state.numbers.elbo + this.family.constant,
      this.family.constant - this.refinement.loss,
    ];
    const known = elbo.slice(0, stage + 1).filter(Number.isFinite);
    const { batches, point } = this;
    return {
      iterations,
      ...(batches ? { dataPasses: point.evaluations + batches.passes(estimates) } : {}),
      ...(known.length > 0 ? { elbo: known[known.length - 1] } : {}),
    };
  }

  private get theta(): Float64Array {
    return this.own.numbers.stage === CLIMBING ? this.ascent.theta : this.own.arrays.theta[0];
  }

  private climb(): void {
    const { arrays, numbers } = this.own;
    const { best } = this.paths;
    const scaleOf = this.family.full ? choleskyScale : diagonalScale;
    const scale = best.elbo > -Infinity ? scaleOf(best.curvature) : this.unit();
    arrays.origin[0] = best.mean.slice();
    arrays.scale[0] = scale;
    this.centre(arrays.origin[0], scale);
    numbers.stage = CLIMBING;
    if (this.options.maxIterations === 0) this.climbed();
  }

  /**
   * Starts the refinement from the last or the first point of the ascent, whichever has the better ELBO on the fixed
   * draws.
   */
  private climbed(): void {
    const { arrays, numbers } = this.own;
    const begin = new Float64Array(this.family.size);
    const { theta, climbs } = this.ascent;
    if (!climbs && this.options.start === "point" && this.options.maxIterations > 0)
      throw new ErgodicError(
        this.name,
        'no step size raises the ELBO from where it starts; use start: "pathfinder", or give a starting point nearer to the mode',
        "SAMPLE_STEP",
      );
    const usable = theta.every(Number.isFinite);
    arrays.theta[0] = usable ? theta.slice() : begin;
    numbers.stage = REFINING;
    if (this.options.refineDraws === 0) {
      this.fitted();
      return;
    }
    this.refinement.start(arrays.theta[0]);
    const climbed = this.refinement.loss;
    if (usable) this.refinement.start(begin);
    if (climbed <= this.refinement.loss) this.refinement.start(arrays.theta[0]);
    arrays.theta[0] = this.refinement.x;
  }

  private unit(): Float64Array {
    const { dimension: d, full } = this.family;
    return Float64Array.from({ length: full ? d * d : d }, (_, k) => (full && k % (d + 1) !== 0 ? 0 : 1));
  }
}
