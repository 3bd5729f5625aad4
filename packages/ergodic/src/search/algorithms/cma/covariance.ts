import { symmetricEigen } from "../../../engine/numbers/symmetric-eigen.ts";
import type { KeptState } from "../define-search.ts";

/**
 * Shape C of CMA-ES's normal distribution: a full matrix, C = B D² Bᵀ, or a diagonal one, C = D².
 *
 * Steps y: float64[d]. The factors B and D are computed by `refresh`. A full C can change after a `refresh`, so its
 * factors can be out of date. The factors of a diagonal C never are.
 */
export interface Covariance {
  /** State for snapshots. */
  readonly kept: KeptState;
  /** Computes y ← B D z. */
  colour(z: Float64Array, y: Float64Array): void;
  /** Computes out ← C^−½ y = B D⁻¹ Bᵀ y. */
  whiten(y: Float64Array, out: Float64Array): void;
  /** Returns yᵀ C⁻¹ y. */
  squaredLength(y: Float64Array): number;
  /** Computes C ← keep C + Σ_k weights_k y_k y_kᵀ. */
  adapt(keep: number, weights: ArrayLike<number>, steps: readonly Float64Array[]): void;
  /**
   * Factors C again. Returns false if C is no longer positive definite, or is too badly conditioned for its factors to
   * be usable.
   */
  refresh(): boolean;
  /** Computes out ← D_i b_i, one standard deviation along axis i. */
  axis(i: number, out: Float64Array): void;
  /** Returns C_ii. */
  variance(i: number): number;
  /** Returns the smallest and the largest entry of D. */
  extremes(): { shortest: number; longest: number };
}

/** Largest ratio λ_max/λ_min at which float64 can still resolve the short axes. */
const CONDITION = 1e14;

export class FullCovariance implements Covariance {
  readonly kept;
  private readonly d: number;
  private readonly scratch: Float64Array;
  private readonly work: Float64Array;

  constructor(d: number) {
    this.d = d;
    this.scratch = new Float64Array(d);
    this.work = new Float64Array(d * d);
    const identity = new Float64Array(d * d);
    for (let i = 0; i < d; i++) identity[i * d + i] = 1;
    /** `axes`: Bᵀ, one axis per row; `lengths`: D. */
    this.kept = {
      numbers: {},
      arrays: { matrix: identity, axes: identity.slice(), lengths: new Float64Array(d).fill(1) },
    } satisfies KeptState;
  }

  colour(z: Float64Array, y: Float64Array): void {
    const { axes, lengths } = this.kept.arrays;
    y.fill(0);
    for (let j = 0; j < this.d; j++) this.add(y, lengths[j] * z[j], axes, j);
  }

  whiten(y: Float64Array, out: Float64Array): void {
    const { axes, lengths } = this.kept.arrays;
    out.fill(0);
    for (let j = 0; j < this.d; j++) this.add(out, this.along(y, axes, j) / lengths[j], axes, j);
  }

  squaredLength(y: Float64Array): number {
    const { axes, lengths } = this.kept.arrays;
    let sum = 0;
    for (let j = 0; j < this.d; j++) {
      const length = this.along(y, axes, j) / lengths[j];
      sum += length * length;
    }
    return sum;
  }

  /** Updates only the lower triangle. `refresh` fills in the upper triangle. */
  adapt(keep: number, weights: ArrayLike<number>, steps: readonly Float64Array[]): void {
    const { d } = this;
    const { matrix } = this.kept.arrays;
    for (let i = 0; i < d * d; i++) matrix[i] *= keep;
    for (let k = 0; k < weights.length; k++) {
      if (weights[k] === 0) continue;
      const y = steps[k];
      for (let i = 0; i < d; i++) {
        const factor = weights[k] * y[i];
        for (let j = 0, at = i * d; j <= i; j++, at++) matrix[at] += factor * y[j];
      }
    }
  }

  refresh(): boolean {
    const { d, work, scratch } = this;
    const { matrix, axes, lengths } = this.kept.arrays;
    for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) matrix[j * d + i] = matrix[i * d + j];
    work.set(matrix);
    if (!symmetricEigen(d, work, scratch, axes)) return false;
    const usable = scratch[0] > 0 && scratch[d - 1] <= CONDITION * scratch[0];
    // Because of rounding, an eigenvalue that should be slightly above 0 can be slightly below 0.
    const least = scratch[d - 1] * 1e-20;
    for (let i = 0; i < d; i++) lengths[i] = Math.sqrt(Math.max(scratch[i], least));
    return usable;
  }

  axis(i: number, out: Float64Array): void {
    out.fill(0);
    this.add(out, this.kept.arrays.lengths[i], this.kept.arrays.axes, i);
  }

  variance(i: number): number {
    return this.kept.arrays.matrix[i * this.d + i];
  }

  extremes(): { shortest: number; longest: number } {
    const { lengths } = this.kept.arrays;
    return { shortest: lengths[0], longest: lengths[this.d - 1] };
  }

  private add(out: Float64Array, factor: number, axes: Float64Array, row: number): void {
    for (let i = 0, at = row * this.d; i < this.d; i++, at++) out[i] += factor * axes[at];
  }

  private along(y: Float64Array, axes: Float64Array, row: number): number {
    let sum = 0;
    for (let i = 0, at = row * this.d; i < this.d; i++, at++) sum += axes[at] * y[i];
    return sum;
  }
}

export class DiagonalCovariance implements Covariance {
  readonly kept;
  private readonly d: number;

  constructor(d: number) {
    this.d = d;
    /** Diagonal of C, and D. */
    this.kept = {
      numbers: {},
      arrays: { variances: new Float64Array(d).fill(1), lengths: new Float64Array(d).fill(1) },
    } satisfies KeptState;
  }

  colour(z: Float64Array, y: Float64Array): void {
    const { lengths } = this.kept.arrays;
    for (let i = 0; i < this.d; i++) y[i] = lengths[i] * z[i];
  }

  whiten(y: Float64Array, out: Float64Array): void {
    const { lengths } = this.kept.arrays;
    for (let i = 0; i < this.d; i++) out[i] = y[i] / lengths[i];
  }

  squaredLength(y: Float64Array): number {
    const { lengths } = this.kept.arrays;
    let sum = 0;
    for (let i = 0; i < this.d; i++) sum += (y[i] / lengths[i]) * (y[i] / lengths[i]);
    return sum;
  }

  adapt(keep: number, weights: ArrayLike<number>, steps: readonly Float64Array[]): void {
    const { variances } = this.kept.arrays;
    for (let i = 0; i < this.d; i++) variances[i] *= keep;
    for (let k = 0; k < weights.length; k++) {
      for (let i = 0; i < this.d; i++) variances[i] += weights[k] * steps[k][i] * steps[k][i];
    }
  }

  /**
   * A diagonal C has no limit on its condition number, because its axes are the coordinate axes and lose no precision.
   */
  refresh(): boolean {
    const { variances, lengths } = this.kept.arrays;
    for (let i = 0; i < this.d; i++) lengths[i] = Math.sqrt(variances[i]);
    return lengths.every((length) => length > 0 && length < Infinity);
  }

  axis(i: number, out: Float64Array): void {
    out.fill(0);
    out[i] = this.kept.arrays.lengths[i];
  }

  variance(i: number): number {
    return this.kept.arrays.variances[i];
  }

  extremes(): { shortest: number; longest: number } {
    let shortest = Infinity;
    let longest = 0;
    for (const length of this.kept.arrays.lengths) {
      shortest = Math.min(shortest, length);
      longest = Math.max(longest, length);
    }
    return { shortest, longest };
  }
}
