/**
 * Conformal scores, which measure how badly an answer fits a row. 0 is a perfect fit.
 *
 * For classes with probabilities p, with the row's number u in (0, 1):
 *   lac        1 − p_k: the smallest sets on average (Sadinle, Lei, Wasserman 2019)
 *   aps        Σ {p_j : p_j > p_k} + u·p_k: sets that grow when the model is unsure (Romano, Sesia, Candès 2020)
 * For numbers y, predicted as m:
 *   absolute   |y − m|: the same width everywhere
 *   scaled     |y − m|/√m: for counts, whose variance grows with their mean
 */

export type Score = "lac" | "aps" | "absolute" | "scaled";

const OF_CLASSES = ["lac", "aps"] as const;
const OF_NUMBERS = ["absolute", "scaled"] as const;

export const scoresOf = (classes: boolean): readonly Score[] => (classes ? OF_CLASSES : OF_NUMBERS);

/** Smallest allowed mean. Smaller means are replaced by this value, including means that underflowed to 0. */
const SMALLEST_MEAN = 2 ** -1022;
/** Share of its size by which an interval is widened. It is twice the largest rounding error of an interval's end. */
const ROUNDING = 2 ** -50;

/**
 * Rank of the quantile among n scores in ascending order, counted from 1: ⌈(n + 1)(1 − α)⌉, computed without rounding 1
 * − α. The rank is n + 1 if n is too small.
 */
export const rankOf = (n: number, alpha: number): number => n + 1 - Math.floor((n + 1) * alpha);

/** Writes the score of every class into `out`. */
export function classScores(score: Score, p: ArrayLike<number>, u: number, out: Float64Array): void {
  if (score === "lac") {
    for (let k = 0; k < p.length; k++) out[k] = 1 - p[k];
    return;
  }
  const order = Array.from(p, (_, k) => k).sort((j, k) => p[k] - p[j]);
  let above = 0;
  let equal = 0;
  for (let i = 0; i < order.length; i++) {
    const own = p[order[i]];
    // Classes with equal probabilities get equal scores, so a set contains all or none of them.
    if (i > 0 && own !== p[order[i - 1]]) {
      above += equal;
      equal = 0;
    }
    equal += own;
    out[order[i]] = Math.min(1, above + u * own);
  }
}

const unit = (score: Score, mean: number): number => (score === "absolute" ? 1 : Math.sqrt(Math.max(mean, SMALLEST_MEAN)));

export const numberScore = (score: Score, mean: number, y: number): number => Math.abs(y - mean) / unit(score, mean);

/**
 * Returns the interval of all y whose score is at most `quantile`. Both ends are widened slightly, so that rounding
 * excludes no such y. Counts are never below 0.
 */
export function intervalOf(score: Score, mean: number, quantile: number, isCount: boolean): [number, number] {
  const lowest = isCount ? 0 : -Infinity;
  const half = quantile * unit(score, mean);
  if (!Number.isFinite(mean)) return [lowest, Infinity];
  const reach = half + ROUNDING * (Math.abs(mean) + half);
  return [Math.max(lowest, mean - reach), mean + reach];
}
