import type { Certificate } from "../../../engine/contract/index.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { log } from "../../../engine/numbers/log.ts";
import { logSumExp } from "../../../engine/numbers/log-sum-exp.ts";
import { psis } from "../../../engine/statistics/index.ts";
import { studentQuantile } from "./student.ts";

/** Fewer weights say nothing of their own spread. */
const FEWEST = 100;
/** Below, the variance of weights is finite, and so is what an interval is made of. */
const FINITE_VARIANCE = 0.5;
/** Weights that differ by no more are equal up to rounding. */
const EQUAL = 1e-12;

/** ln of a mean, what is known of it, and its standard error: that of the mean as a share of it. */
interface LogMean {
  readonly value: number;
  readonly certificate: Certificate;
  readonly error: number;
}

/**
 * ln of the mean of independent weights, whose mean is Z, and what is known of it.
 *
 * PSIS' k̂ of the largest weights up to 0.5: an interval, Student's of the mean on the logarithmic scale, its upper end moved out by the first term of
 * the Edgeworth series for skewed weights, (2t² + 1)γ/(6√n) standard errors (Hall 1992). k̂ up to PSIS' threshold: k̂ and the effective size. Else no
 * guarantee.
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
  if (n < FEWEST) return known({ none: `${n} weights are too few to judge by; an interval takes ${FEWEST}` });
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
