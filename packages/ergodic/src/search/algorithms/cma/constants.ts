import { log } from "../../../engine/numbers/log.ts";

export type CovarianceKind = "full" | "active" | "separable";

/**
 * Constants of CMA-ES, from the dimension n and the population λ.
 *
 * Raw weights w'_i = ln((λ+1)/2) − ln i, i = 1 … λ; μ = ⌊λ/2⌋; μ_eff = (Σ w')²/Σ w'² over the first μ, μ_eff⁻ over the
 * others.
 *   w_i = w'_i / Σ_{j ≤ μ} w'_j for i ≤ μ
 *   w_i = 0 beyond; if active, α w'_i / Σ_{j > μ} |w'_j|,
 *     α = min(1 + c₁/c_μ, 1 + 2 μ_eff⁻/(μ_eff + 2), (1 − c₁ − c_μ)/(n c_μ))
 *   c_σ = (μ_eff + 2)/(n + μ_eff + 5), d_σ = 1 + 2 max(0, √((μ_eff − 1)/(n + 1)) − 1) + c_σ
 *   c_c = (4 + μ_eff/n)/(n + 4 + 2 μ_eff/n)
 *   c₁ = 2/((n + 1.3)² + μ_eff), c_μ = min(1 − c₁, 2 (μ_eff − 2 + 1/μ_eff)/((n + 2)² + μ_eff))
 * For a diagonal covariance, c₁ and c_μ are (n + 2)/3 times as large, and at most 1 together.
 * Source: Hansen 2016, arXiv:1604.00772, table 1; Ros, Hansen 2008 (diagonal).
 */
export interface Constants {
  readonly dimension: number;
  readonly population: number;
  /** Number μ of points from which the mean is updated. */
  readonly parents: number;
  /** Weights by rank, where the best point comes first. The first μ weights sum to 1. */
  readonly weights: Float64Array;
  readonly weightSum: number;
  readonly muEff: number;
  readonly cSigma: number;
  readonly dSigma: number;
  readonly cC: number;
  readonly c1: number;
  readonly cMu: number;
  /** Approximation of E‖N(0, I)‖. */
  readonly expectedLength: number;
}

/** Returns the default population λ = 4 + ⌊3 ln n⌋. */
export function defaultPopulation(dimension: number): number {
  return 4 + Math.floor(3 * log(dimension));
}

export function constantsOf(kind: CovarianceKind, n: number, population: number): Constants {
  const parents = Math.floor(population / 2);
  const middle = log((population + 1) / 2);
  const weights = Float64Array.from({ length: population }, (_, i) => middle - log(i + 1));
  const better = mass(weights.subarray(0, parents));
  const worse = mass(weights.subarray(parents));
  const muEff = better.effective;
  const cSigma = (muEff + 2) / (n + muEff + 5);
  const faster = kind === "separable" ? (n + 2) / 3 : 1;
  const c1 = Math.min(1, (faster * 2) / ((n + 1.3) * (n + 1.3) + muEff));
  const cMu = Math.min(1 - c1, (faster * 2 * (muEff - 2 + 1 / muEff)) / ((n + 2) * (n + 2) + muEff));
  // c_μ is 0 for μ = 1, and the first and third bounds then do not apply.
  const bounds = [1 + c1 / cMu, 1 + (2 * worse.effective) / (muEff + 2), (1 - c1 - cMu) / (n * cMu)];
  const negative = kind === "active" ? Math.min(...bounds) : 0;
  for (let i = 0; i < population; i++) weights[i] *= i < parents ? 1 / better.sum : -negative / worse.sum;
  return {
    dimension: n,
    population,
    parents,
    weights,
    weightSum: weights.reduce((sum, w) => sum + w, 0),
    muEff,
    cSigma,
    dSigma: 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma,
    cC: (4 + muEff / n) / (n + 4 + (2 * muEff) / n),
    c1,
    cMu,
    expectedLength: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  };
}

function mass(weights: Float64Array): { sum: number; effective: number } {
  const sum = weights.reduce((total, w) => total + w, 0);
  return { sum, effective: (sum * sum) / weights.reduce((total, w) => total + w * w, 0) };
}
