import { made } from "../errors/checks.ts";
import { DataError } from "../errors/errors.ts";
import { log } from "../numbers/log.ts";
import { logSumExp } from "../numbers/log-sum-exp.ts";
import { variance } from "./moments.ts";
import { type Estimate, observationColumns, total } from "./pointwise.ts";

/** Result of `waic`. */
export interface WaicResult {
  /** Expected log predictive density, in nats. */
  readonly elpd: Estimate;
  /** Effective number of parameters. */
  readonly pWaic: Estimate;
  /** −2 elpd. */
  readonly waic: Estimate;
  /** Values per observation, each float64[N]. */
  readonly pointwise: { readonly elpd: Float64Array; readonly pWaic: Float64Array; readonly waic: Float64Array };
}

/**
 * WAIC, the widely applicable information criterion: elpd_i = lpd_i − V_i, lpd_i = log mean_s p(y_i|θ_s), V_i =
 * variance over s of log p(y_i|θ_s); pWaic = Σ V_i, the effective number of parameters; waic = −2·elpd.
 *
 * logLikelihood: float64[chains × draws, N], in nats, draw by draw. The approximation is poor if any V_i is above 0.4.
 * In this case, use psisLoo instead, which detects when it fails.
 * Source: Watanabe 2010; Vehtari, Gelman, Gabry 2017.
 *
 * @throws OptionError unless observationCount is a positive integer; DataError on other shapes, a single draw and
 * non-finite values
 */
export function waic(logLikelihood: Float64Array, options: { readonly observationCount: number }): WaicResult {
  const { observationCount } = made("waic", options, "observationCount", "the options", "{ observationCount: 100 }", "second");
  const columns = observationColumns("waic", logLikelihood, observationCount, 1);
  if (columns[0].length < 2)
    throw new DataError(
      "waic",
      "there is one draw, which has no variance; give at least two, and hundreds for a reliable answer",
      "DRAWS_SHAPE",
    );
  const pWaic = Float64Array.from(columns, variance);
  const elpd = Float64Array.from(columns, (column, i) => logSumExp(column) - log(column.length) - pWaic[i]);
  const deviance = elpd.map((value) => -2 * value);
  return { elpd: total(elpd), pWaic: total(pWaic), waic: total(deviance), pointwise: { elpd, pWaic, waic: deviance } };
}
