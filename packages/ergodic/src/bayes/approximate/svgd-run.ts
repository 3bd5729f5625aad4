import type { LogDensity } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import { ChainDraws } from "../samplers/base/chain-draws.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import { BatchPoint } from "./batch-point.ts";
import { missesDirections } from "./judgement.ts";
import type { Kept } from "./kept.ts";
import { NormalFamily } from "./normal-family.ts";
import { choleskyScale, Paths, PLACING, PLACING_PATHS } from "./paths.ts";
import { medianBandwidth, steinFlow } from "./stein-flow.ts";
import { SteppedRun } from "./stepped-run.ts";
import type { ResolvedSvgd } from "./svgd-options.ts";

const TINY = 1e-8;

/**
 * A run of Stein variational gradient descent. The first steps advance the Pathfinder paths, from which the initial
 * particles are drawn. Each later step moves all particles.
 */
export class SvgdRun extends SteppedRun {
  readonly stepsPerEpoch: number;
  private readonly options: ResolvedSvgd;
  private readonly paths: Paths;
  /** A particle is a z. Its x is `family.point` of z at θ = 0. */
  private readonly family: NormalFamily;
  private readonly theta: Float64Array;
  private readonly own = {
    numbers: { placed: 0, iterations: 0, flow: Number.NaN, ended: 0, estimates: 0 },
    arrays: {
      origin: [] as Float64Array[],
      scale: [] as Float64Array[],
      /** Particles in scaled coordinates, [particle, dimension]. */
      particles: [] as Float64Array[],
      squares: [] as Float64Array[],
      /** Log density at each particle. */
      logDensity: [] as Float64Array[],
      gradients: [] as Float64Array[],
    },
  } satisfies Kept;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: ResolvedSvgd) {
    super("svgd", density, plan, engine);
    this.options = options;
    this.stepsPerEpoch = PLACING.maxIterations + 1 + options.iterations;
    this.paths = new Paths(this.point, plan.seed, PLACING_PATHS, PLACING);
    this.family = new NormalFamily(density.dimension, true);
    this.theta = new Float64Array(this.family.size);
    if (options.batch !== undefined)
      this.batches = new BatchPoint(engine, density, options.batch, "svgd", stream(plan.seed, "svgd", "rows"));
  }

  get converged(): boolean | string {
    const { ended, iterations } = this.own.numbers;
    if (ended) return "the particles have come to rest";
    return iterations >= this.options.iterations && "all iterations are made";
  }

  /** Mean of the particles. */
  parameters(): Float64Array {
    if (!this.own.numbers.placed) return this.paths.best.mean.slice();
    const points = this.points();
    const mean = new Float64Array(this.dimension);
    for (let at = 0; at < points.length; at++) mean[at % this.dimension] += points[at] / this.options.particles;
    return mean;
  }

  draws(): ChainDraws {
    const { placed } = this.own.numbers;
    const count = placed ? this.options.particles : 0;
    const [values, logDensity] = placed
      ? [this.points(), this.own.arrays.logDensity[0]]
      : [new Float64Array(0), new Float64Array(0)];
    return new ChainDraws(1, count, this.dimension, values, ["logDensity"], logDensity.slice());
  }

  /**
   * Progress report. `flow`: root mean square of φ, 0 when the particles are at rest. `paretoK`: ∞ if Stein's identity
   * shows that the particles at rest are spread too narrowly or too widely (judgement.ts). Particles do not define a
   * density, so they have no k̂ of their own.
   */
  report(): Record<string, number> {
    const { iterations, flow, estimates } = this.own.numbers;
    const { particles } = this.options;
    const { batches, point } = this;
    const read: Record<string, number> = batches ? { dataPasses: point.evaluations + batches.passes(estimates) } : {};
    const known = { ...read, particles, iterations: iterations || this.paths.iterations, evaluations: point.evaluations };
    const poor = this.converged !== false && missesDirections(new Float64Array(particles), this.stein(), this.dimension);
    return { ...known, ...(Number.isNaN(flow) ? {} : { flow }), ...(poor ? { paretoK: Infinity } : {}) };
  }

  protected async begin(): Promise<void> {
    if (this.options.start === "pathfinder") return this.paths.begin(this.name, this.plan);
    const places = await this.point.places(this.name, "particle", this.options.particles, this.plan);
    this.place(Float64Array.from(places.flatMap((x) => [...x])));
  }

  protected move(): number | undefined {
    if (!this.own.numbers.placed) {
      if (this.paths.step()) this.placeByPaths();
      return undefined;
    }
    const { numbers, arrays } = this.own;
    const { rate, tolerance, bandwidth } = this.options;
    const [particles, squares] = [arrays.particles[0], arrays.squares[0]];
    const flow = steinFlow(
      particles,
      arrays.gradients[0],
      this.dimension,
      bandwidth ?? medianBandwidth(particles, this.dimension),
    );
    let sum = 0;
    for (let at = 0; at < flow.length; at++) {
      sum += flow[at] * flow[at];
      squares[at] += flow[at] * flow[at];
      particles[at] += (rate * flow[at]) / (TINY + Math.sqrt(squares[at]));
    }
    this.evaluate();
    numbers.flow = Math.sqrt(sum / flow.length);
    numbers.iterations++;
    if (numbers.flow <= tolerance) numbers.ended = 1;
    return -arrays.logDensity[0].reduce((total, value) => total + value, 0) / this.options.particles;
  }

  protected parts(): Record<string, Kept> {
    return { ...this.paths.parts(), svgd: this.own };
  }

  protected override recalled(): void {
    this.paths.recalled();
    const { origin, scale } = this.own.arrays;
    if (origin.length > 0) this.centre(origin[0], scale[0]);
  }

  private centre(origin: Float64Array, scale: Float64Array): void {
    this.family.place(origin, scale);
    this.batches?.moveTo(origin, this.point);
  }

  private placeByPaths(): void {
    const { best, standing } = this.paths;
    const { particles } = this.options;
    const d = this.dimension;
    if (standing.length === 0)
      throw new ErgodicError(
        this.name,
        'no path found a normal approximation for placing the particles; use start: "random", or give a starting point nearer to the mode',
        "SAMPLE_APPROXIMATION",
      );
    const points = new Float64Array(particles * d);
    for (let i = 0; i < particles; i++)
      standing[i % standing.length].draw(Math.floor(i / standing.length), 1, points.subarray(i * d, i * d + d));
    this.place(points, best.mean.slice(), choleskyScale(best.curvature));
  }

  private place(points: Float64Array, origin?: Float64Array, scale?: Float64Array): void {
    const { numbers, arrays } = this.own;
    const d = this.dimension;
    arrays.origin[0] = origin ?? new Float64Array(d);
    arrays.scale[0] = scale ?? Float64Array.from({ length: d * d }, (_, k) => (k % (d + 1) === 0 ? 1 : 0));
    this.centre(arrays.origin[0], arrays.scale[0]);
    numbers.placed = 1;
    arrays.particles[0] = this.scaled(points);
    arrays.squares[0] = new Float64Array(points.length);
    arrays.gradients[0] = new Float64Array(points.length);
    arrays.logDensity[0] = new Float64Array(this.options.particles);
    this.evaluate();
  }

  /** Returns z of each x: W z = x − o. */
  private scaled(points: Float64Array): Float64Array {
    const [origin, scale] = [this.own.arrays.origin[0], this.own.arrays.scale[0]];
    const d = this.dimension;
    const z = new Float64Array(points.length);
    for (let from = 0; from < points.length; from += d) {
      for (let i = 0; i < d; i++) {
        let rest = points[from + i] - origin[i];
        for (let j = 0; j < i; j++) rest -= scale[i * d + j] * z[from + j];
        z[from + i] = rest / scale[i * d + i];
      }
    }
    return z;
  }

  /** (x − mean)·∇ℓ of each particle. The value is the same in all coordinate systems. */
  private stein(): Float64Array {
    const { particles, gradients } = this.own.arrays;
    const [d, n] = [this.dimension, this.options.particles];
    const mean = new Float64Array(d);
    for (let at = 0; at < n * d; at++) mean[at % d] += particles[0][at] / n;
    const stein = new Float64Array(n);
    for (let at = 0; at < n * d; at++) stein[Math.floor(at / d)] += (particles[0][at] - mean[at % d]) * gradients[0][at];
    return stein;
  }

  /** Returns x of each particle, [particle, dimension]. */
  private points(): Float64Array {
    const d = this.dimension;
    const [particles, between] = [this.own.arrays.particles[0], new Float64Array(d)];
    const points = new Float64Array(particles.length);
    for (let at = 0; at < points.length; at += d)
      this.family.point(this.theta, particles.subarray(at, at + d), between, points.subarray(at, at + d));
    return points;
  }

  /** Evaluates log densities, and gradients in scaled coordinates. */
  private evaluate(): void {
    const { logDensity, gradients } = this.own.arrays;
    const d = this.dimension;
    const points = this.points();
    const [slope, between, none] = [new Float64Array(d), new Float64Array(d), new Float64Array(d)];
    const byTheta = new Float64Array(this.family.size);
    for (let i = 0; i < this.options.particles; i++) {
      const x = points.subarray(i * d, i * d + d);
      const value = this.batches?.evaluate(this.own.numbers.estimates++, x, slope) ?? this.point.evaluate(x, slope);
      logDensity[0][i] = value;
      // A particle outside the support has no gradient of its own, so only its neighbours move it.
      const usable = Number.isFinite(value) && slope.every(Number.isFinite);
      byTheta.fill(0);
      if (usable) this.family.addGradient(this.theta, none, slope, between, byTheta);
      gradients[0].set(byTheta.subarray(0, d), i * d);
    }
  }
}
