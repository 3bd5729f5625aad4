import type { Certificate } from "../../../engine/contract/index.ts";

/** What chains know of a probability, by chain: the mean, and the variance of a batch's mean times its draws. */
export interface ChainMeans {
  readonly means: readonly number[];
  readonly variances: readonly number[];
  /** A chain may be several that are independent: so many draws in each sweep. Default 1. */
  readonly replicas?: number;
  /** The variance of the mean times its draws as an earlier, longer run found it. */
  readonly known?: number;
}

/** R̂ from which chains are held to disagree, and the effective size below which they say nothing. */
const MOST_RHAT = 1.05;
const LEAST_ESS = 100;
/** The same where an earlier run knew the variance: chains that are slower than this are still where they were, whatever the graph is now. */
const LEAST_KNOWN_ESS = 25;
/** R̂ up to which a run may end. */
const SETTLED_RHAT = 1.01;
/** How far in standard deviations of a normal a sum of squares is from what is known, until chains are held to disagree: 1e-8 of those that agree. */
const DISAGREEMENT = 5.6;

/** Sweeps of the k-th batch: n sweeps are about (192 n)^⅓ batches, so that in the end each is long against what a chain remembers. */
export const batchLength = (batch: number): number => 1 + Math.floor((batch * batch) / 64);

/** Batches before anything is said of errors: with fewer, the variance itself is not known. */
export const LEAST_BATCHES = 20;

/**
 * The mean of n values from their total, and the variance of the chain's mean times n, from batches of growing lengths b_k: Σ b_k (m_k − m)²/(K − 1) =
 * (Σ b_k m_k² − n m²)/(K − 1).
 */
export function fromBatches(total: number, squares: number, n: number, batches: number): { mean: number; variance: number } {
  const mean = total / n;
  return { mean, variance: Math.max(0, squares - total * mean) / (batches - 1) };
}

/** An error, R̂ and the effective size. */
export interface Judged {
  readonly mcse: number;
  readonly rhat: number;
  readonly ess: number;
  /** The variance is known from before, and the chains' means differ by no more than it explains. */
  readonly agreed: boolean;
}

/**
 * Of one state: R̂ of its indicator over chains, from their means m after n sweeps: √((1 − 1/n) + B/(n W)), W = m(1 − m) averaged, B = n times the variance
 * of the mean of one replica. The variance of the whole mean is the larger one of what batches and what chains say, over all draws.
 *
 * What few chains say of it is vague: where it is known from before, it is the larger one of that and what batches say, unless the chains' means differ by more
 * than it explains (their sum of squares over it is χ², by Wilson and Hilferty's normal approximation).
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

/** Whether a run may end with it. */
export const settled = ({ mcse, rhat, ess, agreed }: Judged, wanted: number): boolean =>
  mcse <= wanted && (agreed ? ess >= LEAST_KNOWN_ESS : rhat <= SETTLED_RHAT);

/** Of all states of a variable. */
export function certify(states: readonly Judged[]): Certificate {
  const rhat = Math.max(...states.map((one) => one.rhat));
  const ess = Math.min(...states.map((one) => one.ess));
  const agreed = states.every((one) => one.agreed);
  if (!agreed && !(rhat <= MOST_RHAT)) return { none: `the chains disagree (R-hat ${rhat.toFixed(2)})` };
  if (!(ess >= (agreed ? LEAST_KNOWN_ESS : LEAST_ESS)))
    return { none: `the chains are too short (effective size ${Math.floor(ess)})` };
  return { mcse: states.map((one) => one.mcse), rhat, ess };
}
