import * as field from "../../fields.ts";
import { hamiltonianRatio, thermostatFriction } from "./linear-bias.ts";
import { marginalRatios } from "./marginal-ratios.ts";
import { Blocks } from "./sample-blocks.ts";
import type { StochasticRule } from "./stochastic-chain.ts";

/** Largest dimension for which full matrices are used. */
export const MOST_DIMENSIONS = 128;
/**
 * Minimum number of samples for any estimate, and minimum number per dimension for an estimate of all coordinates
 * together.
 */
const FEWEST = 16;
const PER_DIMENSION = 2;

export interface Sample {
  /** Point at which the gradient g was estimated. */
  x: Float64Array;
  g: Float64Array;
  /** Another gradient estimate at x, if needed; otherwise g. */
  second: Float64Array;
  /** D of psgld, as the update used it. */
  scale?: Float64Array;
  h: number;
  /** Number of transitions that the sample represents. */
  weight: number;
}

/** Whether a rule needs V separately. */
export const needsSecond = (kind: number): boolean =>
  kind === field.STOCHASTIC_HAMILTONIAN || kind === field.STOCHASTIC_THERMOSTATTED;

/**
 * Estimates, during the run, how much the finite steps of a stochastic-gradient sampler change the spread of its draws.
 * The estimate is (sd of the draws − sd of the posterior) / sd of the posterior, for the unconstrained coordinate with
 * the largest absolute error.
 *
 * At intervals, the run supplies its state: x, the gradient g at x, and the current h. For a posterior with precision Λ
 * and draws with covariance P, the second moments satisfy ΛP + PΛ = 2I + M. So the posterior's covariance Λ⁻¹ follows
 * from P and M. With G = E g gᵀ, V the variance of g given x, and C = G − V:
 *
 *   sgld    M = h G, exactly: for one coordinate P Λ = (1 + hV/2) / (1 − hλ/2)
 *   psgld   M = h G in coordinates x / √D, D the mean preconditioner, plus 2 Cov(D, x g) / D for the dropped term Γ
 *   sghmc   M = −2b/a + (h/a) V + h/(2 − a) C. Entries of V between directions of different curvature count less:
 *           they rotate at different speeds. With `resetEvery`: per coordinate, the recursion's variance
 *   sgnht   as sghmc with friction ᾱ and b = ᾱ − a, where ᾱ gives the observed mean of v·v/d: h + gain of α per update
 *
 * G is the mean over the gradients that the updates use. V and C come from a second estimate at the same x
 * (`needsSecond`). The method is exact for a Gaussian posterior. Means shift less than standard deviations: the shift
 * is half the skewness times half the relative error of the variance.
 *
 * With more than MOST_DIMENSIONS coordinates, or with few samples, each coordinate is treated separately, and M_ii / 2
 * is used as the error of its variance. This is correct for independent coordinates and too large for correlated ones.
 * Relative error of M: about √(2 / samples).
 *
 * In cycles, the noise is off part of the time, so this equation does not describe the spread of the draws. The
 * estimate then uses −E (x − μ) g itself. Only the part of the deviation from 1 that exceeds three standard errors
 * counts. The standard errors are estimated from blocks of samples.
 *
 * All sums are in `state`, so that snapshots contain them.
 */
export class StepBias {
  private readonly dimension: number;
  private readonly rule: StochasticRule;
  /** Whether the sums below are full matrices, or only diagonals. */
  private readonly full: boolean;
  /** Number of samples, Σ weight, Σ weight h. */
  private readonly totals = new Float64Array(3);
  private readonly origin: Float64Array;
  private readonly first: Float64Array;
  /** Σ weight (x − origin)(x − origin)ᵀ; Σ weight h G, or of V; Σ weight h C. */
  private readonly squares: Float64Array;
  private readonly drive: Float64Array;
  private readonly cross: Float64Array;
  /** For each coordinate, weighted sums of D, D g, g, x g and D x g, with x relative to the origin. */
  private readonly scales: Float64Array;
  /** For each chain, three numbers: α after warm-up, the current α, and Σ h between the two. */
  private readonly thermostats: Float64Array;
  private readonly blocks: Blocks | undefined;
  private known: { count: number; value: number | undefined } = { count: 0, value: undefined };

  constructor(dimension: number, rule: StochasticRule, chains: number, cyclical: boolean) {
    this.dimension = dimension;
    this.rule = rule;
    this.full = dimension <= MOST_DIMENSIONS && rule.resetEvery === 0;
    const size = this.full ? dimension * dimension : dimension;
    this.origin = new Float64Array(dimension);
    this.first = new Float64Array(dimension);
    this.squares = new Float64Array(size);
    this.drive = new Float64Array(size);
    this.cross = new Float64Array(needsSecond(rule.kind) ? size : 0);
    this.scales = new Float64Array(rule.kind === field.STOCHASTIC_PRECONDITIONED ? 5 * dimension : 0);
    this.thermostats = new Float64Array(3 * chains);
    for (let c = 0; c < chains; c++) this.thermostats.set([rule.friction, rule.friction, 0], 3 * c);
    this.blocks = cyclical ? new Blocks(dimension, chains) : undefined;
  }

  /** Records the current α of a chain, where `time` is Σ h since warm-up. */
  heat(chain: number, thermostat: number, time: number): void {
    this.thermostats.set(time === 0 ? [thermostat, thermostat, 0] : [this.thermostats[3 * chain], thermostat, time], 3 * chain);
    // The estimate depends on α, too.
    this.known = { count: 0, value: undefined };
  }

  add(chain: number, { x, g, second, scale, h, weight }: Sample): void {
    if (this.totals[0] === 0) this.origin.set(x);
    this.totals[0]++;
    this.totals[1] += weight;
    this.totals[2] += weight * h;
    const moved = x.map((value, i) => value - this.origin[i]);
    for (let i = 0; i < moved.length; i++) this.first[i] += weight * moved[i];
    this.addProducts(this.squares, weight, moved, moved);
    if (needsSecond(this.rule.kind)) {
      const half = g.map((value, i) => value - second[i]);
      this.addProducts(this.drive, (weight * h) / 2, half, half);
      this.addProducts(this.cross, (weight * h) / 2, g, second);
      this.addProducts(this.cross, (weight * h) / 2, second, g);
    } else {
      const pushed = scale ? g.map((value, i) => scale[i] * value) : g;
      this.addProducts(this.drive, weight * h, pushed, pushed);
    }
    if (scale)
      for (let i = 0; i < moved.length; i++) {
        const terms = [scale[i], scale[i] * g[i], g[i], moved[i] * g[i], scale[i] * moved[i] * g[i]];
        for (let j = 0; j < 5; j++) this.scales[5 * i + j] += weight * terms[j];
      }
    this.blocks?.add(chain, moved, second === g ? g : g.map((value, i) => (value + second[i]) / 2), weight);
  }

  /** Returns undefined while there are too few samples. */
  estimate(): number | undefined {
    const [count] = this.totals;
    if (count < FEWEST) return undefined;
    if (this.known.count !== count) this.known = { count, value: this.worst() };
    return this.known.value;
  }

  /** All sums, as views by name. */
  get state(): Record<string, Float64Array> {
    const { totals, origin, first, squares, drive, cross, scales, thermostats } = this;
    return { totals, origin, first, squares, drive, cross, scales, thermostats, ...(this.blocks?.state ?? {}) };
  }

  private worst(): number {
    const ratios = this.ratios();
    let worst = 0;
    for (const ratio of this.blocks ? this.blocks.held(ratios, this.means()) : ratios) {
      const bias = Math.sqrt(Math.max(ratio, 0)) - 1;
      if (!(Math.abs(bias) <= Math.abs(worst))) worst = bias;
    }
    return worst;
  }

  /** Variance of the draws / variance of the posterior, for each coordinate. */
  private ratios(): Float64Array {
    const { rule, totals, dimension: d } = this;
    if (rule.resetEvery > 0) return this.resetRatios();
    const excess = this.excess();
    const alone = Float64Array.from({ length: d }, (_, i) => 1 + excess.matrix[this.place(i, i)] / 2);
    if (!this.full || totals[0] < PER_DIMENSION * d) return alone;
    return marginalRatios(this.covariance(), excess) ?? alone;
  }

  /** Returns the ratios for redrawn velocities, where λ follows from hλ²P and P. */
  private resetRatios(): Float64Array {
    const { rule, totals, drive, cross } = this;
    const h = totals[2] / totals[1];
    return this.variances().map((variance, i) => {
      const curvature = Math.sqrt((h * Math.max(0, cross[i] / totals[1])) / variance);
      return hamiltonianRatio(rule, drive[i] / totals[1], curvature);
    });
  }

  private variances(): Float64Array {
    const means = this.means();
    return means.map((mean, i) => this.squares[this.place(i, i)] / this.totals[1] - mean * mean);
  }

  /** Returns M, and the friction in units of √h if directions rotate at different speeds. */
  private excess(): { matrix: Float64Array; friction: number | undefined } {
    const { rule, totals, drive, cross, dimension: d } = this;
    if (rule.kind === field.STOCHASTIC_LANGEVIN) return { matrix: drive.map((sum) => sum / totals[1]), friction: undefined };
    if (rule.kind === field.STOCHASTIC_PRECONDITIONED) return { matrix: this.preconditionedExcess(), friction: undefined };
    const thermostatted = rule.kind === field.STOCHASTIC_THERMOSTATTED;
    const trace = (sums: Float64Array): number => {
      let sum = 0;
      for (let i = 0; i < d; i++) sum += sums[this.place(i, i)] / totals[1] / d;
      return sum;
    };
    const friction = thermostatted
      ? thermostatFriction(rule.friction, trace(drive), trace(cross), this.meanHeat())
      : rule.friction;
    const surplus = thermostatted ? friction - rule.friction : rule.noiseEstimate;
    const matrix = drive.map((sum, at) => (sum / friction + cross[at] / (2 - friction)) / totals[1]);
    for (let i = 0; i < d; i++) matrix[this.place(i, i)] -= (2 * surplus) / friction;
    return { matrix, friction: friction / Math.sqrt(totals[2] / totals[1]) };
  }

  /** Mean of v·v/d relative to its long-run value. */
  private meanHeat(): number {
    const { thermostats } = this;
    let sum = 0;
    for (let at = 0; at < thermostats.length; at += 3)
      sum += thermostats[at + 2] > 0 ? (thermostats[at + 1] - thermostats[at]) / thermostats[at + 2] : 0;
    return 1 + (3 * sum) / thermostats.length;
  }

  private preconditionedExcess(): Float64Array {
    const { totals, scales, first, dimension: d } = this;
    const scale = this.meanScale();
    const matrix = this.divided(this.drive, scale);
    for (let i = 0; i < d; i++) {
      const [, pushed, g, product, pushedProduct] = scales.subarray(5 * i, 5 * i + 5).map((sum) => sum / totals[1]);
      const mean = first[i] / totals[1];
      const covariance = pushedProduct - mean * pushed - scale[i] * (product - mean * g);
      matrix[this.place(i, i)] += (2 * covariance) / scale[i];
    }
    return matrix;
  }

  /** Returns P; for psgld, in coordinates x / √D. */
  private covariance(): Float64Array {
    const { totals, dimension: d } = this;
    const means = this.means();
    const covariance = this.squares.map((sum, at) => sum / totals[1] - means[Math.floor(at / d)] * means[at % d]);
    if (this.rule.kind !== field.STOCHASTIC_PRECONDITIONED) return covariance;
    const scale = this.meanScale();
    return covariance.map((value, at) => value / Math.sqrt(scale[Math.floor(at / d)] * scale[at % d]));
  }

  /** Means relative to the origin. */
  private means(): Float64Array {
    return this.first.map((sum) => sum / this.totals[1]);
  }

  private meanScale(): Float64Array {
    return Float64Array.from({ length: this.dimension }, (_, i) => this.scales[5 * i] / this.totals[1]);
  }

  /** Means of sums, divided by √(D_i D_j). */
  private divided(sums: Float64Array, scale: Float64Array): Float64Array {
    const { dimension: d, full, totals } = this;
    return sums.map((sum, at) => sum / totals[1] / (full ? Math.sqrt(scale[Math.floor(at / d)] * scale[at % d]) : scale[at]));
  }

  private place(i: number, j: number): number {
    return this.full ? i * this.dimension + j : i;
  }

  private addProducts(sums: Float64Array, weight: number, a: Float64Array, b: Float64Array): void {
    const d = a.length;
    if (!this.full) for (let i = 0; i < d; i++) sums[i] += weight * a[i] * b[i];
    else for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) sums[i * d + j] += weight * a[i] * b[j];
  }
}
