import { exp } from "../../../engine/numbers/exp.ts";
import type { Draws } from "../../../engine/random/stream.ts";
import type { KeptState } from "../define-search.ts";
import type { Constants, CovarianceKind } from "./constants.ts";
import { type Covariance, DiagonalCovariance, FullCovariance } from "./covariance.ts";

export interface Ranked {
  point: Float64Array;
  foreign: boolean;
}

/**
 * CMA-ES's distribution N(m, σ²C) and its update by one generation.
 *
 * x_k = m + σ y_k, y_k = B D z_k, z ~ N(0, I); ranked by value, y_1 the best; w, μ and the c's are from constants.ts.
 *   ȳ = Σ_{k ≤ μ} w_k y_k, m ← m + σ ȳ
 *   p_σ ← (1 − c_σ) p_σ + √(c_σ (2 − c_σ) μ_eff) C^−½ ȳ
 *   h = 1 if ‖p_σ‖ / √(1 − (1 − c_σ)^2g) < (1.4 + 2/(n + 1)) E‖N(0, I)‖, else 0; g counts generations from 1
 *   p_c ← (1 − c_c) p_c + h √(c_c (2 − c_c) μ_eff) ȳ
 *   C ← (1 + (1 − h) c₁ c_c (2 − c_c) − c₁ − c_μ Σ w) C + c₁ p_c p_cᵀ + c_μ Σ_k w°_k y_k y_kᵀ,
 *       w° = w · n/‖C^−½ y‖² if w < 0
 *   σ ← σ exp(min(1, c_σ/d_σ (‖p_σ‖/E‖N(0, I)‖ − 1)))
 * C is factored every 1/(10 n (c₁ + c_μ)) generations, or in every generation if that is less than 1, so that it costs
 * no more than O(n²) per point. For an injected point (`foreign`), y is shortened to ‖C^−½ y‖ ≤ √n + 2n/(n + 2).
 * Source: Hansen 2016, arXiv:1604.00772; Hansen 2011, arXiv:1110.4181 (injected points, and the bound on σ's growth).
 */
export class Distribution {
  readonly constants: Constants;
  readonly covariance: Covariance;
  readonly kept;
  private readonly lazyGap: number;
  private readonly z: Float64Array;
  /** Mean step ȳ. */
  private readonly step: Float64Array;
  /**
   * Vectors from which C is updated, and their weights. The vectors are the steps y in the order of rank, followed by
   * p_c.
   */
  private readonly steps: Float64Array[];
  private readonly shares: Float64Array;

  constructor(kind: CovarianceKind, constants: Constants, mean: Float64Array, sigma: number) {
    const { dimension: n, population, c1, cMu } = constants;
    this.constants = constants;
    this.covariance = kind === "separable" ? new DiagonalCovariance(n) : new FullCovariance(n);
    this.lazyGap = kind === "separable" ? 0 : 1 / (10 * n * (c1 + cMu));
    this.z = new Float64Array(n);
    this.step = new Float64Array(n);
    // There is one array per point. The arrays are made in the first generation.
    this.steps = [];
    this.shares = new Float64Array(population + 1);
    this.kept = {
      /**
       * `pathShare`: (1 − c_σ)^2g. `factored`: the generation of the last refresh. `usable`: 0 once C could not be
       * factored.
       */
      numbers: { sigma, generation: 0, pathShare: 1, factored: 0, usable: 1 },
      arrays: { mean: mean.slice(), pathSigma: new Float64Array(n), pathC: new Float64Array(n) },
    } satisfies KeptState;
  }

  sample(draws: Draws): Float64Array {
    const { z } = this;
    const { mean } = this.kept.arrays;
    const { sigma } = this.kept.numbers;
    const x = new Float64Array(z.length);
    for (let i = 0; i < z.length; i++) z[i] = draws.normal();
    this.covariance.colour(z, x);
    for (let i = 0; i < x.length; i++) x[i] = mean[i] + sigma * x[i];
    return x;
  }

  /** Updates the distribution with one generation of points, sorted from best to worst. */
  update(ranked: readonly Ranked[]): void {
    const { numbers } = this.kept;
    numbers.generation++;
    for (let k = 0; k < ranked.length; k++) this.takeStep(k, ranked[k]);
    this.moveMean();
    const { length, calm } = this.movePaths();
    this.adapt(calm);
    const { cSigma, dSigma, expectedLength } = this.constants;
    numbers.sigma *= exp(Math.min(1, (cSigma / dSigma) * (length / expectedLength - 1)));
    if (numbers.generation - numbers.factored > this.lazyGap) {
      numbers.factored = numbers.generation;
      numbers.usable = this.covariance.refresh() ? 1 : 0;
    }
  }

  private takeStep(k: number, { point, foreign }: Ranked): void {
    const { dimension: n } = this.constants;
    const { mean } = this.kept.arrays;
    const { sigma } = this.kept.numbers;
    const y = (this.steps[k] ??= new Float64Array(n));
    for (let i = 0; i < n; i++) y[i] = (point[i] - mean[i]) / sigma;
    if (!foreign) return;
    const most = Math.sqrt(n) + (2 * n) / (n + 2);
    const length = Math.sqrt(this.covariance.squaredLength(y));
    if (length > most) for (let i = 0; i < n; i++) y[i] *= most / length;
  }

  private moveMean(): void {
    const { weights, parents } = this.constants;
    const { mean } = this.kept.arrays;
    const { sigma } = this.kept.numbers;
    const step = this.step.fill(0);
    for (let k = 0; k < parents; k++) {
      const y = this.steps[k];
      for (let i = 0; i < step.length; i++) step[i] += weights[k] * y[i];
    }
    for (let i = 0; i < step.length; i++) mean[i] += sigma * step[i];
  }

  /** Updates the paths. Returns ‖p_σ‖ as `length`, and h as `calm`. */
  private movePaths(): { length: number; calm: boolean } {
    const { dimension: n, cSigma, cC, muEff, expectedLength } = this.constants;
    const { pathSigma, pathC } = this.kept.arrays;
    const { numbers } = this.kept;
    const { step } = this;
    this.covariance.whiten(step, this.z);
    const gain = Math.sqrt(cSigma * (2 - cSigma) * muEff);
    let squared = 0;
    for (let i = 0; i < n; i++) {
      pathSigma[i] = (1 - cSigma) * pathSigma[i] + gain * this.z[i];
      squared += pathSigma[i] * pathSigma[i];
    }
    const length = Math.sqrt(squared);
    numbers.pathShare *= (1 - cSigma) * (1 - cSigma);
    const calm = length / Math.sqrt(1 - numbers.pathShare) < (1.4 + 2 / (n + 1)) * expectedLength;
    const gainC = calm ? Math.sqrt(cC * (2 - cC) * muEff) : 0;
    for (let i = 0; i < n; i++) pathC[i] = (1 - cC) * pathC[i] + gainC * step[i];
    return { length, calm };
  }

  private adapt(calm: boolean): void {
    const { dimension: n, population, weights, weightSum, c1, cMu, cC } = this.constants;
    const { steps, shares } = this;
    for (let k = 0; k < population; k++) {
      shares[k] = cMu * weights[k];
      // A point at the mean has a step without a direction, so its weight is 0.
      if (weights[k] < 0) shares[k] *= n / (this.covariance.squaredLength(steps[k]) || Infinity);
    }
    steps[population] = this.kept.arrays.pathC;
    shares[population] = c1;
    this.covariance.adapt(1 + (calm ? 0 : c1 * cC * (2 - cC)) - c1 - cMu * weightSum, shares, steps);
  }
}
