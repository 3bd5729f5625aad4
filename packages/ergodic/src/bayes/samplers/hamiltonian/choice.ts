/**
 * Chooses between two metrics during warm-up: the low-rank metric, from draws and gradients, and the diagonal metric,
 * from draws only.
 *
 * For a nearly Gaussian posterior, the low-rank metric is far better. If curvature varies within the posterior (as in a
 * funnel, or if scales multiply each other), the gradients are dominated by its narrowest regions. Trajectories with
 * the low-rank metric then turn back before they have crossed the posterior, whereas trajectories with diagonal
 * variances move further. The following numbers are pooled over all chains:
 *
 *   jump = min over coordinates of Σ(Δxᵢ)² / (2 n Var xᵢ): 1 − the autocorrelation at lag 1;   cost = leapfrogs per transition.
 *
 * If jumps are at least GOOD and divergences are few, there is nothing to gain, so the diagonal metric is not tried. In
 * all other cases, the diagonal metric is tried with its own step size. The diagonal metric is chosen if its cost is at
 * most DEAREST times the low-rank metric's cost, and its jump is at least NEARLY times the low-rank metric's jump.
 *
 * Jumps per gradient are not compared, because the autocorrelation at lag 1 hides the weakness of the low-rank metric.
 * On Gaussian processes with scales that multiply each other (13 and 68 parameters), the jumps per gradient of the
 * low-rank metric were three times as large as the diagonal's. Yet effective sizes per gradient were no better, and
 * R-hat was up to 1.07.
 *
 * Divergences of the trial and jumps of squares are not compared either. In 160 transitions, the diagonal metric
 * reaches regions that the low-rank metric has never reached.
 */

/** Jumps are 0.7 to 1.2 for nearly Gaussian posteriors, and 0.2 to 0.5 for posteriors with varying curvature. */
const GOOD = 0.55;
const NEAR_GAUSSIAN = 0.9;
const SURE = 3;
const FEW_DIVERGENCES = 0.005;
const DEAREST = 16;
const NEARLY = 0.75;

/** Performance of a metric, measured over some transitions of every chain. */
export interface Moves {
  readonly jump: number;
  /** Leapfrogs per transition. */
  readonly cost: number;
  /** Divergences per transition. */
  readonly divergent: number;
}

/**
 * Returns the smallest jump over coordinates. `chains`: draws of each chain, [n, d]. Variances are computed from
 * `reference`, within chains.
 */
export function leastJump(chains: readonly Float64Array[], reference: readonly Float64Array[], d: number): number {
  let least = Infinity;
  for (let i = 0; i < d; i++) least = Math.min(least, squaredSteps(chains, d, i) / (2 * varianceOf(reference, d, i)));
  return least;
}

function squaredSteps(chains: readonly Float64Array[], d: number, i: number): number {
  let [sum, count] = [0, 0];
  for (const rows of chains)
    for (let at = d + i; at < rows.length; at += d) {
      sum += (rows[at] - rows[at - d]) ** 2;
      count++;
    }
  return sum / count;
}

function varianceOf(chains: readonly Float64Array[], d: number, i: number): number {
  let [squares, count] = [0, 0];
  for (const rows of chains) {
    const n = rows.length / d;
    let mean = 0;
    for (let at = i; at < rows.length; at += d) mean += rows[at] / n;
    for (let at = i; at < rows.length; at += d) squares += (rows[at] - mean) ** 2;
    count += n - 1;
  }
  return squares / count;
}

/** Whether the diagonal metric is worth a trial. */
export const worthTrying = ({ jump, divergent }: Moves): boolean => !(jump >= GOOD && divergent <= FEW_DIVERGENCES);

/**
 * Whether the smallest jump shows that the posterior is nearly Gaussian, so that steps can be as long as for a
 * Gaussian.
 *
 * The jump is 0.98 to 1.19 for posteriordb's regressions, mixtures and Markov chains. The jump is 0.55 to 0.77 for
 * eight schools and a GARCH model. For these two models, a target acceptance of 0.8 causes five times as many
 * divergences as a target of 0.85, and effective sizes per gradient are the same. In one dimension, even a Gaussian can
 * have such a small jump, so the test cannot decide.
 *
 * The jump of n Gaussian draws has a standard error of 1/√n (measured in 2 to 5 dimensions). A posterior therefore
 * counts as skewed only if its jump is more than SURE standard errors below the threshold. Without this margin, short
 * warm-ups in two dimensions made Gaussian posteriors look skewed.
 */
export const nearGaussian = (jump: number, dimension: number, draws: number): boolean =>
  dimension === 1 || jump >= NEAR_GAUSSIAN - SURE / Math.sqrt(draws);

/** Whether a diagonal metric is rejected because of its cost alone, regardless of its jump. */
export const tooDear = (first: Moves, cost: number): boolean => cost > DEAREST * first.cost;

/** Whether the diagonal metric is chosen. */
export const takesDiagonal = (first: Moves, { jump, cost }: Pick<Moves, "jump" | "cost">): boolean =>
  !tooDear(first, cost) && jump >= NEARLY * first.jump;
