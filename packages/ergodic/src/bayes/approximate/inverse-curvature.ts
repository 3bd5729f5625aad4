import { log } from "../../engine/numbers/log.ts";
import { addScaled, dot } from "../../engine/optimise/dense.ts";
import type { Draws } from "../../engine/random/stream.ts";

/**
 * Estimate H of an inverse Hessian, and the normal distribution N(μ, H). H consists of a diagonal α and a few pairs s_j
 * = Δx, y_j = Δ∇f.
 *
 * H₀ = diag α; H_j = V H_{j−1} Vᵀ + ρ s sᵀ, V = I − ρ s yᵀ, ρ = 1/yᵀs: the BFGS formula, positive definite if yᵀs > 0.
 * The inverse of H_j is B_j = B_{j−1} − b bᵀ/sᵀb + y yᵀ/yᵀs, b = B_{j−1}s, and log|H| = Σ log α + Σ log(sᵀb/yᵀs). With
 * J pairs, each operation costs O(dJ).
 *
 * A draw of N(0, H): x ← √α z, then x ← Vx + √ρ e s for each pair, where z ∈ ℝᵈ and one e per pair are standard normal.
 *
 * Source: Nocedal, Wright 2006, ch. 6–7; Zhang, Carpenter, Gelman, Vehtari 2022 write the same H as α + β γ βᵀ and draw
 * with a QR of β; this form needs no factorisation.
 */
export class InverseCurvature {
  readonly alpha: Float64Array;
  readonly logDeterminant: number;
  private readonly s: readonly Float64Array[];
  private readonly y: readonly Float64Array[];
  private readonly b: Float64Array[] = [];
  /** 1/yᵀs and 1/sᵀb. */
  private readonly rho: number[] = [];
  private readonly sigma: number[] = [];

  constructor(alpha: Float64Array, s: readonly Float64Array[], y: readonly Float64Array[]) {
    this.alpha = alpha;
    this.s = s.slice();
    this.y = y.slice();
    let logDeterminant = 0;
    for (const a of alpha) logDeterminant += log(a);
    for (let j = 0; j < s.length; j++) {
      const b = this.inverseTimes(s[j]);
      const [sb, ys] = [dot(s[j], b), dot(y[j], s[j])];
      this.b.push(b);
      this.rho.push(1 / ys);
      this.sigma.push(1 / sb);
      logDeterminant += log(sb / ys);
    }
    this.logDeterminant = logDeterminant;
  }

  /** Returns H v. */
  times(v: Float64Array): Float64Array {
    const { s, y, rho } = this;
    const q = v.slice();
    const weights = new Array<number>(s.length);
    for (let j = s.length - 1; j >= 0; j--) {
      weights[j] = rho[j] * dot(s[j], q);
      addScaled(q, -weights[j], y[j]);
    }
    for (let i = 0; i < q.length; i++) q[i] *= this.alpha[i];
    for (let j = 0; j < s.length; j++) addScaled(q, weights[j] - rho[j] * dot(y[j], q), s[j]);
    return q;
  }

  /** Returns B v = H⁻¹ v. */
  inverseTimes(v: Float64Array): Float64Array {
    const out = v.map((x, i) => x / this.alpha[i]);
    for (let j = 0; j < this.b.length; j++) {
      addScaled(out, -this.sigma[j] * dot(this.b[j], v), this.b[j]);
      addScaled(out, this.rho[j] * dot(this.y[j], v), this.y[j]);
    }
    return out;
  }

  /** Returns vᵀ B v. */
  quadratic(v: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < v.length; i++) sum += (v[i] * v[i]) / this.alpha[i];
    for (let j = 0; j < this.b.length; j++) {
      const [along, rise] = [dot(this.b[j], v), dot(this.y[j], v)];
      sum += this.rho[j] * rise * rise - this.sigma[j] * along * along;
    }
    return sum;
  }

  /** Writes a draw of N(0, H) into `out`. */
  draw(draws: Draws, out: Float64Array): void {
    for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(this.alpha[i]) * draws.normal();
    for (let j = 0; j < this.s.length; j++) {
      const rho = this.rho[j];
      addScaled(out, Math.sqrt(rho) * draws.normal() - rho * dot(this.y[j], out), this.s[j]);
    }
  }

  /** Returns the log density of N(0, H) at v. */
  logNormal(v: Float64Array): number {
    return this.logNormalAt(this.quadratic(v));
  }

  /** Returns the log density of N(0, H) at v, given vᵀ B v. */
  logNormalAt(quadratic: number): number {
    return -0.5 * (quadratic + this.logDeterminant + this.alpha.length * LOG_TWO_PI);
  }
}

const LOG_TWO_PI = 1.8378770664093453;

/** Scales diag(1/α) to the latest pair and returns 1/B_ii of its BFGS update B. Source: Gilbert, Lemaréchal 1989. */
export function nextDiagonal(alpha: Float64Array, s: Float64Array, y: Float64Array): Float64Array {
  let [a, c] = [0, 0];
  for (let i = 0; i < alpha.length; i++) {
    a += y[i] * y[i] * alpha[i];
    c += (s[i] * s[i]) / alpha[i];
  }
  const b = dot(s, y);
  return alpha.map((old, i) => 1 / (a / (b * old) + (y[i] * y[i]) / b - (a * s[i] * s[i]) / (b * c * old * old)));
}
