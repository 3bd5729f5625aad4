import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { logMixture } from "./judgement.ts";

const HALF_LOG_TWO_PI = 0.9189385332046727;

/**
 * Normal distributions x = o + W(μ + Cz), where z is standard normal. A gradient ascent can change their parameters θ
 * freely, because θ is unconstrained.
 *
 * θ holds μ (d numbers), then log C_ii (d numbers) and, for full rank, C_ij below the diagonal, row by row. C is lower
 * triangular, or diagonal. o and W are fixed. The fixed o and W make θ independent of the units of x. W: float64[d, d],
 * lower triangular, or its diagonal, float64[d]. Entropy up to a constant: Σ log C_ii.
 */
export class NormalFamily {
  readonly dimension: number;
  readonly full: boolean;
  /** Length of θ. */
  readonly size: number;
  private origin: Float64Array;
  private scale: Float64Array;

  constructor(dimension: number, full: boolean) {
    this.dimension = dimension;
    this.full = full;
    this.size = full ? dimension + (dimension * (dimension + 1)) / 2 : 2 * dimension;
    this.origin = new Float64Array(dimension);
    this.scale = new Float64Array(full ? dimension * dimension : dimension).fill(full ? 0 : 1);
    if (full) for (let i = 0; i < dimension; i++) this.scale[i * dimension + i] = 1;
  }

  /** Sets o and W. */
  place(origin: Float64Array, scale: Float64Array): void {
    this.origin = origin;
    this.scale = scale;
  }

  /** Writes x for a given z into `out`, and μ + Cz into `between`. */
  point(theta: Float64Array, z: Float64Array, between: Float64Array, out: Float64Array): void {
    const { dimension: d, full, origin, scale } = this;
    let at = 2 * d;
    for (let i = 0; i < d; i++) {
      let sum = theta[i] + exp(theta[d + i]) * z[i];
      if (full) for (let j = 0; j < i; j++) sum += theta[at++] * z[j];
      between[i] = sum;
    }
    for (let i = 0; i < d; i++) {
      let sum = origin[i];
      if (full) for (let j = 0; j <= i; j++) sum += scale[i * d + j] * between[j];
      else sum += scale[i] * between[i];
      out[i] = sum;
    }
  }

  /** Adds ∂ℓ/∂θ to `out`, given ∇ℓ at the point x that belongs to z. `between` is scratch. */
  addGradient(theta: Float64Array, z: Float64Array, gradient: Float64Array, between: Float64Array, out: Float64Array): void {
    const { dimension: d, full, scale } = this;
    for (let j = 0; j < d; j++) {
      let sum = 0;
      if (full) for (let i = j; i < d; i++) sum += scale[i * d + j] * gradient[i];
      else sum = scale[j] * gradient[j];
      between[j] = sum;
    }
    let at = 2 * d;
    for (let i = 0; i < d; i++) {
      out[i] += between[i];
      out[d + i] += between[i] * z[i] * exp(theta[d + i]);
      if (full) for (let j = 0; j < i; j++) out[at++] += between[i] * z[j];
    }
  }

  /** Σ log C_ii. */
  entropy(theta: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.dimension; i++) sum += theta[this.dimension + i];
    return sum;
  }

  addEntropyGradient(out: Float64Array): void {
    for (let i = 0; i < this.dimension; i++) out[this.dimension + i] += 1;
  }

  /**
   * Constant term of the entropy. Adding it to an ELBO computed with Σ log C_ii gives the ELBO for the density of x.
   */
  get constant(): number {
    const { dimension: d, full, scale } = this;
    let sum = d * (HALF_LOG_TWO_PI + 0.5);
    for (let i = 0; i < d; i++) sum += log(scale[full ? i * d + i : i]);
    return sum;
  }

  /**
   * Returns the log density at x of the widened normal, for each of `widths`. A width multiplies the scale by `scale`,
   * in all directions of z or in one direction drawn at random.
   */
  logDensities(theta: Float64Array, x: Float64Array, widths: readonly { scale: number; oneWay: boolean }[]): number[] {
    const { dimension: d, full, origin, scale } = this;
    const z = new Float64Array(d);
    let constant = -d * HALF_LOG_TWO_PI;
    let quadratic = 0;
    for (let i = 0; i < d; i++) {
      let rest = x[i] - origin[i];
      if (full) for (let j = 0; j < i; j++) rest -= scale[i * d + j] * z[j];
      const unit = scale[full ? i * d + i : i];
      z[i] = rest / unit;
      constant -= log(unit);
    }
    let at = 2 * d;
    for (let i = 0; i < d; i++) {
      let rest = z[i] - theta[i];
      if (full) for (let j = 0; j < i; j++) rest -= theta[at++] * z[j];
      z[i] = rest / exp(theta[d + i]);
      constant -= theta[d + i];
      quadratic += z[i] * z[i];
    }
    return widths.map(({ scale, oneWay }) => {
      if (!oneWay) return constant - d * log(scale) - (0.5 * quadratic) / (scale * scale);
      const gained = 0.5 - 0.5 / (scale * scale);
      return constant - 0.5 * quadratic - log(scale) + logMixture(Array.from(z, (v) => gained * v * v));
    });
  }
}
