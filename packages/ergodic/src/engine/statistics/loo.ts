/**
 * PSIS-LOO: the expected log predictive density of each observation, given all other observations. The model is not
 * fitted again.
 *
 * elpd_i = log Σ_s w_is·p(y_i|θ_s), w_i: Pareto smoothed importance weights of 1/p(y_i|θ_s); p_loo = Σ (lpd_i −
 * elpd_i), the effective number of parameters, lpd_i = log mean_s p(y_i|θ_s); looic = −2·elpd, on the scale of a
 * deviance. logLikelihood: float64[chains × draws, N], log p(y_i|θ_s) in nats, draw by draw. If an observation's
 * paretoK is above `threshold`, the observation is too influential. In this case, the elpd is unreliable, and mcse is
 * NaN. mcse_i = √log(1 + Σ_s w²(p_is − p̂_i)²/(r_i·p̂_i²)): Monte Carlo error of elpd_i. r is the relative efficiency
 * of p(y_i|θ_s). If not given, r is computed from the chains. r is 1 if the likelihood is constant.
 * Source: Vehtari, Gelman, Gabry 2017; Vehtari, Simpson, Gelman, Yao, Gabry 2024. The numbers equal those of loo(x,
 * r_eff = relative_eff(exp(x))) in R.
 *
 * @throws OptionError unless the counts are positive integers and the efficiencies > 0; DataError on other shapes and
 * non-finite values
 */

import { made } from "../errors/checks.ts";
import { OptionError } from "../errors/errors.ts";
import { exp, expm1 } from "../numbers/exp.ts";
import { hypotenuse } from "../numbers/hypotenuse.ts";
import { log, log1p } from "../numbers/log.ts";
import { logSumExp } from "../numbers/log-sum-exp.ts";
import { effectiveSize } from "./effective-size.ts";
import { type Estimate, observationColumns, total } from "./pointwise.ts";
import { paretoKThreshold, psis } from "./psis.ts";

/** Shape of the log likelihood array, and efficiency of the draws. */
export interface LooOptions {
  /** Number of observations, N. */
  readonly observationCount: number;
  /** Number of chains. */
  readonly chainCount: number;
  /**
   * ESS divided by the number of draws: one number for all observations, or one per observation. Default: computed from
   * the chains.
   */
  readonly relativeEfficiency?: number | ArrayLike<number>;
}

/** Result of `psisLoo`. */
export interface LooResult {
  /** Expected log predictive density, in nats. */
  readonly elpd: Estimate;
  /** Effective number of parameters. */
  readonly pLoo: Estimate;
  /** −2 elpd. */
  readonly looic: Estimate;
  /** Monte Carlo error of elpd. */
  readonly mcse: number;
  /** Largest k̂ for which the elpd of an observation is reliable. */
  readonly threshold: number;
  /** Values per observation, each float64[N]. */
  readonly pointwise: {
    readonly elpd: Float64Array;
    readonly mcse: Float64Array;
    readonly pLoo: Float64Array;
    readonly looic: Float64Array;
    readonly paretoK: Float64Array;
    readonly effectiveSize: Float64Array;
    readonly relativeEfficiency: Float64Array;
  };
}

export function psisLoo(logLikelihood: Float64Array, options: LooOptions): LooResult {
  made("psisLoo", options, "observationCount", "the options", "{ observationCount: 100, chainCount: 4 }", "second");
  const { observationCount, chainCount, relativeEfficiency } = options;
  const columns = observationColumns("psisLoo", logLikelihood, observationCount, chainCount);
  const efficiencies = columns.map((column, i) => efficiencyOf(column, i, chainCount, observationCount, relativeEfficiency));
  const rows = columns.map((column, i) => leaveOneOut(column, efficiencies[i]));
  const pick = (name: keyof (typeof rows)[number]): Float64Array => Float64Array.from(rows, (row) => row[name]);
  const [elpd, pLoo, paretoK, mcse] = [pick("elpd"), pick("pLoo"), pick("paretoK"), pick("mcse")];
  const looic = elpd.map((value) => -2 * value);
  const threshold = paretoKThreshold(columns[0].length);
  return {
    elpd: total(elpd),
    pLoo: total(pLoo),
    looic: total(looic),
    mcse: paretoK.some((k) => k > threshold) ? Number.NaN : hypotenuse(...mcse),
    threshold,
    pointwise: {
      elpd,
      mcse,
      pLoo,
      looic,
      paretoK,
      effectiveSize: pick("effectiveSize"),
      relativeEfficiency: Float64Array.from(efficiencies),
    },
  };
}

function efficiencyOf(
  column: Float64Array,
  i: number,
  chainCount: number,
  observationCount: number,
  given: number | ArrayLike<number> | undefined,
): number {
  if (given === undefined) return relativeEfficiency(column, chainCount);
  if (typeof given === "number") return given;
  if (given.length === observationCount) return given[i];
  const wrong = `relativeEfficiency holds ${given.length} numbers for ${observationCount} observations`;
  throw new OptionError("psisLoo", `${wrong}; give one number, or one for each`, "OPTION_SHAPE");
}

/** Returns ESS/S of the likelihood (not of its logarithm), which does not depend on the likelihood's scale. */
function relativeEfficiency(logLikelihood: Float64Array, chainCount: number): number {
  const largest = logLikelihood.reduce((most, value) => Math.max(most, value), -Infinity);
  const size = effectiveSize(
    logLikelihood.map((value) => exp(value - largest)),
    chainCount,
  );
  return Number.isNaN(size) ? 1 : size / logLikelihood.length;
}

function leaveOneOut(logLikelihood: Float64Array, relativeEfficiency: number) {
  const smoothed = psis(
    logLikelihood.map((value) => -value),
    { relativeEfficiency },
  );
  const { logWeights, paretoK } = smoothed;
  const elpd = logSumExp(logLikelihood.map((value, s) => value + logWeights[s]));
  const lpd = logSumExp(logLikelihood) - log(logLikelihood.length);
  let spread = 0;
  for (let s = 0; s < logWeights.length; s++) spread += (exp(logWeights[s]) * expm1(logLikelihood[s] - elpd)) ** 2;
  const mcse = Math.sqrt(log1p(spread / relativeEfficiency));
  return { elpd, pLoo: lpd - elpd, paretoK, mcse, effectiveSize: smoothed.effectiveSize };
}
