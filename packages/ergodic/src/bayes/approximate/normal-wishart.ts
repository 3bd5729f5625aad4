import { assert } from "../../engine/errors/errors.ts";
import { solvePositive } from "../../engine/numbers/cholesky.ts";
import { digamma, lgamma } from "../../engine/numbers/gamma.ts";
import { log } from "../../engine/numbers/log.ts";

export interface NormalWishartPrior {
  readonly mean: Float64Array;
  readonly beta: number;
  readonly nu: number;
  /** V, row-major. */
  readonly scale: Float64Array;
}

const LOG_TWO_PI = 1.8378770664093453;

/**
 * Normal–Wishart distributions of a mean and a precision: μ | Λ ~ N(m, (βΛ)⁻¹), Λ ~ Wishart(V⁻¹, ν).
 *
 * m: d numbers; β and ν: numbers; V: float64[d, d], symmetric; E[Λ] = ν V⁻¹. Conjugate to rows x ~ N(μ, Λ⁻¹), each with
 * a weight from 0 to 1. E log|Λ| = Σ_i ψ((ν + 1 − i)/2) + d log 2 − log|V|. Source: Bishop 2006, 10.2 and appendix B.
 */
export class NormalWishart implements NormalWishartPrior {
  readonly mean: Float64Array;
  readonly beta: number;
  readonly nu: number;
  readonly scale: Float64Array;
  private readonly prior: NormalWishartPrior;
  /** L of V = L Lᵀ, lower triangular. */
  private readonly factor: Float64Array;

  private constructor(own: NormalWishartPrior, prior: NormalWishartPrior) {
    this.mean = own.mean;
    this.beta = own.beta;
    this.nu = own.nu;
    this.scale = own.scale;
    this.prior = prior;
    this.factor = own.scale.slice();
    assert(
      solvePositive(this.factor, new Float64Array(own.mean.length)),
      "the scale of a Wishart distribution is positive definite",
    );
  }

  /** Restores a distribution from `parameters`. */
  static from(parameters: Float64Array, prior: NormalWishartPrior): NormalWishart {
    const d = prior.mean.length;
    const [beta, nu] = parameters.subarray(d, d + 2);
    return new NormalWishart({ mean: parameters.slice(0, d), beta, nu, scale: parameters.slice(d + 2) }, prior);
  }

  /** Returns the posterior given rows that are weighted by their shares. */
  static given(rows: readonly Float64Array[], shares: readonly number[], prior: NormalWishartPrior): NormalWishart {
    const d = prior.mean.length;
    const count = shares.reduce((sum, share) => sum + share, 0);
    const beta = prior.beta + count;
    const mean = prior.mean.map((m) => (prior.beta * m) / beta);
    for (const [n, row] of rows.entries()) for (let i = 0; i < d; i++) mean[i] += (shares[n] * row[i]) / beta;
    // The scatter is computed about the new mean, for the rows and for the prior's β₀ observations at m₀. It is
    // therefore a sum of squares without cancellation.
    const scale = prior.scale.slice();
    const scatter = (row: Float64Array, share: number): void => {
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) scale[i * d + j] += share * (row[i] - mean[i]) * (row[j] - mean[j]);
    };
    for (const [n, row] of rows.entries()) if (shares[n] > 0) scatter(row, shares[n]);
    scatter(prior.mean, prior.beta);
    return new NormalWishart({ mean, beta, nu: prior.nu + count, scale }, prior);
  }

  parameters(): Float64Array {
    return Float64Array.from([...this.mean, this.beta, this.nu, ...this.scale]);
  }

  covariance(): Float64Array {
    const d = this.mean.length;
    const divisor = this.nu > d + 1 ? this.nu - d - 1 : this.nu;
    return this.scale.map((v) => v / divisor);
  }

  /** E[log N(x | μ, Λ⁻¹)] minus ½ E log|Λ|. */
  expectedLogKernel(x: Float64Array): number {
    const d = x.length;
    return -0.5 * (d * LOG_TWO_PI + d / this.beta + this.nu * this.quadratic(x));
  }

  /** Returns KL(this ‖ prior) in nats. */
  divergence(): number {
    const { prior, beta, nu } = this;
    const d = this.mean.length;
    const ratio = prior.beta / beta;
    const means = 0.5 * (d * ratio + prior.beta * nu * this.quadratic(prior.mean) - d - d * log(ratio));
    const before = NormalWishart.from(Float64Array.from([...prior.mean, prior.beta, prior.nu, ...prior.scale]), prior);
    const shapes = logNormaliser(this) - logNormaliser(before) + 0.5 * (nu - prior.nu) * expectedLogDeterminant(this);
    return means + shapes - 0.5 * nu * d + 0.5 * nu * this.trace(prior.scale);
  }

  get logScaleDeterminant(): number {
    const d = this.mean.length;
    let sum = 0;
    for (let i = 0; i < d; i++) sum += 2 * log(this.factor[i * d + i]);
    return sum;
  }

  /** (x − m)ᵀ V⁻¹ (x − m). */
  private quadratic(x: Float64Array): number {
    const away = this.solved(x.map((v, i) => v - this.mean[i]));
    return away.reduce((sum, v) => sum + v * v, 0);
  }

  /** tr(V⁻¹ A), A symmetric. */
  private trace(a: Float64Array): number {
    const d = this.mean.length;
    // L⁻¹ A L⁻ᵀ has the same trace. It is computed by solving for the columns of A and then for the columns of the
    // transpose.
    const columns = Array.from({ length: d }, (_, j) => this.solved(Float64Array.from({ length: d }, (_, i) => a[i * d + j])));
    let sum = 0;
    for (let i = 0; i < d; i++) sum += this.solved(Float64Array.from({ length: d }, (_, j) => columns[j][i]))[i];
    return sum;
  }

  /** Returns L⁻¹ v. */
  private solved(v: Float64Array): Float64Array {
    const d = v.length;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < i; j++) v[i] -= this.factor[i * d + j] * v[j];
      v[i] /= this.factor[i * d + i];
    }
    return v;
  }
}

export function expectedLogDeterminant(q: NormalWishart): number {
  const d = q.mean.length;
  let sum = d * Math.LN2 - q.logScaleDeterminant;
  for (let i = 0; i < d; i++) sum += digamma((q.nu - i) / 2);
  return sum;
}

/** log B of Wishart(V⁻¹, ν): its density is B |Λ|^((ν − d − 1)/2) exp(−½ tr VΛ). */
function logNormaliser(q: NormalWishart): number {
  const d = q.mean.length;
  let sum = 0.5 * q.nu * q.logScaleDeterminant - 0.5 * q.nu * d * Math.LN2 - 0.25 * d * (d - 1) * log(Math.PI);
  for (let i = 0; i < d; i++) sum -= lgamma((q.nu - i) / 2);
  return sum;
}
