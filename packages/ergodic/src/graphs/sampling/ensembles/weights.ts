import type { Certificate } from "../../../engine/contract/index.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";
import { logSumExp } from "../../../engine/numbers/log-sum-exp.ts";
import { psis } from "../../../engine/statistics/index.ts";
import { studentQuantile } from "./student.ts";

/** Smallest number of weights from which their spread can be estimated. */
const FEWEST = 100;
/** Largest k̂ at which the variance of the weights is finite, as an interval requires. */
const FINITE_VARIANCE = 0.5;
/** Relative differences up to this size count as rounding errors. */
const EQUAL = 1e-12;

/** ln of a mean, its certificate and its standard error. This error is the relative standard error of the mean. */
interface LogMean {
  readonly value: number;
  readonly certificate: Certificate;
  readonly error: number;
}

/**
 * Estimates ln Z and its accuracy from independent weights with expectation Z. The estimate is ln of the weights' mean.
 *
 * If PSIS' k̂ of the largest weights is at most 0.5, the certificate is a Student's t interval of the mean on the
 * logarithmic scale. The upper end of this interval is extended by (2t² + 1)γ/(6√n) standard errors, which is the first
 * term of the Edgeworth series for skewed weights (Hall 1992). If k̂ is at most PSIS' threshold, the certificate is k̂
 * and the effective sample size. Otherwise there is no guarantee.
 */
export function logMean(logWeights: Float64Array, level: number): LogMean {
  const n = logWeights.length;
  const total = logSumExp(logWeights);
  const value = total - log(n);
  const relative = logWeights.map((weight) => exp(weight - value));
  const moment = (k: 2 | 3): number =>
    relative.reduce((sum, w) => sum + (k === 2 ? (w - 1) ** 2 : (w - 1) * (w - 1) * (w - 1)), 0) / n;
  const variance = moment(2) * (n / (n - 1));
  const error = Math.sqrt(variance / n);
  const known = (certificate: Certificate): LogMean => ({ value, certificate, error });
  if (n < FEWEST) return known({ none: `${n} weights are too few to judge; an interval needs ${FEWEST}` });
  if (variance < EQUAL ** 2) return known({ interval: [value - EQUAL, value + EQUAL], level });
  const { paretoK, threshold } = psis(logWeights);
  const ess = n / (1 + variance);
  if (!(paretoK <= threshold)) {
    const tail = Number.isFinite(paretoK)
      ? `a tail of k-hat ${paretoK.toFixed(2)}, above ${threshold.toFixed(2)}`
      : "no tail that could be fitted";
    return known({ none: `the largest weights have ${tail}` });
  }
  if (paretoK > FINITE_VARIANCE) return known({ khat: paretoK, ess });
  const t = studentQuantile(1 - level, n - 1);
  const skewness = Math.max(0, moment(3) / (variance * Math.sqrt(variance)));
  const further = ((2 * t * t + 1) * skewness) / (6 * Math.sqrt(n));
  return known({ interval: [value - t * error, value + (t + further) * error], level });
}
