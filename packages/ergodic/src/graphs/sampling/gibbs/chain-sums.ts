import type { Certificate } from "../../../engine/contract/index.ts";
import { largest, smallest } from "../../../engine/numbers/extremes.ts";

/**
 * Estimates of a probability from each chain. Each estimate has a mean, and the variance of the mean multiplied by the
 * number of draws.
 */
export interface ChainMeans {
  readonly means: readonly number[];
  readonly variances: readonly number[];
  /** Number of independent draws per sweep, if a chain consists of several replicas. Default 1. */
  readonly replicas?: number;
  /** Variance of the mean multiplied by the number of draws, if it is known from an earlier, longer run. */
  readonly known?: number;
}

/** R̂ above which chains count as disagreeing, and smallest effective sample size at which a certificate is given. */
const MOST_RHAT = 1.05;
const LEAST_ESS = 100;
/**
 * Smallest effective sample size if the variance is known from an earlier run. With a smaller size, chains mix so
 * slowly that they might not have moved since the graph changed.
 */
const LEAST_KNOWN_ESS = 25;
/** Largest R̂ at which a run may end. */
const SETTLED_RHAT = 1.01;
/**
 * Chains count as disagreeing if their sum of squares exceeds its expectation by more than this number of standard
 * deviations. Chains that agree exceed this limit with probability 1e-8.
 */
const DISAGREEMENT = 5.6;

/**
 * Returns the length of the k-th batch in sweeps. n sweeps make about (192 n)^⅓ batches. The length of batches
 * eventually exceeds the autocorrelation time many times.
 */
export const batchLength = (batch: number): number => 1 + Math.floor((batch * batch) / 64);

/** Smallest number of batches for an error estimate. With fewer batches, the estimated variance is itself uncertain. */
export const LEAST_BATCHES = 20;

/**
 * Returns the mean of n values, given their total. Also returns n times the variance of the chain's mean. The variance
 * is estimated from batches of growing lengths b_k: Σ b_k (m_k − m)²/(K − 1) = (Σ b_k m_k² − n m²)/(K − 1).
 */
export function fromBatches(total: number, squares: number, n: number, batches: number): { mean: number; variance: number } {
  const mean = total / n;
  return { mean, variance: Math.max(0, squares - total * mean) / (batches - 1) };
}

/** Standard error, R̂ and effective sample size of an estimate. */
export interface Judged {
  readonly mcse: number;
  readonly rhat: number;
  readonly ess: number;
  /** Whether the variance is known from an earlier run and explains the differences between the chains' means. */
  readonly agreed: boolean;
}

/**
 * Judges the estimate of one state's probability. R̂ of the state's indicator over chains is √((1 − 1/n) + B/(n W)). R̂
 * is computed from the chains' means m after n sweeps: W is the mean of m(1 − m), and B is n times the variance of the
 * mean of one replica. The variance of the overall mean is the larger of the estimates from batches and from chains,
 * divided by all draws.
 *
 * The estimate from few chains is imprecise. If the variance is known from an earlier run, the larger of the known
 * variance and the batch estimate is used instead. The known variance is not used if the chains' means differ by more
 * than this variance explains. The test statistic is the sum of squares of the means, divided by the variance. This
 * statistic has a χ² distribution. Wilson and Hilferty's normal approximation of this distribution is used.
 */
export function judge({ means, variances, replicas = 1, known }: ChainMeans, n: number): Judged {
  const chains = means.length;
  const draws = n * replicas;
  const mean = means.reduce((sum, m) => sum + m, 0) / chains;
  const between = (draws * means.reduce((sum, m) => sum + (m - mean) ** 2, 0)) / (chains - 1);
  const within = means.reduce((sum, m) => sum + m * (1 - m), 0) / chains;
  const batched = variances.reduce((sum, v) => sum + v, 0) / chains;
  let apart = between;
  let agreed = false;
  if (known !== undefined) {
    const expected = Math.max(known, batched);
    const ninth = 2 / (9 * (chains - 1));
    const root = 1 - ninth + DISAGREEMENT * Math.sqrt(ninth);
    agreed = between <= expected * root * root * root;
    if (agreed) apart = expected;
  }
  const long = Math.max(apart, batched);
  const rhat = apart === 0 ? 1 : Math.sqrt(1 - 1 / n + apart / (n * within));
  const ess = long === 0 ? chains * draws : (chains * draws * within) / long;
  return { mcse: Math.sqrt(long / (chains * draws)), rhat, ess, agreed };
}

/** Returns whether a run may end with this estimate. */
export const settled = ({ mcse, rhat, ess, agreed }: Judged, wanted: number): boolean =>
  mcse <= wanted && (agreed ? ess >= LEAST_KNOWN_ESS : rhat <= SETTLED_RHAT);

/** Returns the certificate of a variable from the judgements of all its states. */
export function certify(states: readonly Judged[]): Certificate {
  const rhat = largest(states.map((one) => one.rhat));
  const ess = smallest(states.map((one) => one.ess));
  const agreed = states.every((one) => one.agreed);
  if (!agreed && !(rhat <= MOST_RHAT)) return { none: `the chains disagree (R-hat ${rhat.toFixed(2)})` };
  if (!(ess >= (agreed ? LEAST_KNOWN_ESS : LEAST_ESS)))
    return { none: `the chains are too short (effective size ${Math.floor(ess)})` };
  return { mcse: states.map((one) => one.mcse), rhat, ess };
}
