/**
 * The choice between two metrics within warm-up: of low rank, from draws and gradients, or diagonal, from draws alone.
 *
 * Of a near Gaussian the first is far better. Where curvature varies along the posterior (a funnel, scales that multiply)
 * gradients are those of its narrowest places, and trajectories with the first turn back before they have crossed it; a
 * diagonal of variances moves further. Of all chains pooled:
 *
 *   jump = the least over coordinates of Σ(Δxᵢ)² / (2 n Var xᵢ): 1 − the autocorrelation at lag 1;   cost = leapfrogs a transition.
 *
 * Where jumps are at least GOOD with few divergences there is nothing to gain, and nothing is tried. Otherwise the diagonal is
 * tried, with a step of its own, and taken where it costs at most DEAREST times as much and jumps at least NEARLY as far. Jumps
 * a gradient are not what is compared, as lag 1 hides what is wrong with the first: measured on Gaussian processes with scales
 * that multiply, of 13 and 68 parameters, its jumps a gradient were three times the diagonal's, its effective sizes a gradient
 * no better, and its R-hat up to 1.07. Nor are divergences of the trial, nor jumps of squares: 160 transitions of the diagonal
 * enter places where the first has never been.
 */

/** Jumps of near Gaussian posteriors are 0.7 to 1.2; of the others here 0.2 to 0.5. */
const GOOD = 0.55;
const NEAR_GAUSSIAN = 0.9;
const SURE = 3;
const FEW_DIVERGENCES = 0.005;
const DEAREST = 16;
const NEARLY = 0.75;

/** What a metric did in some transitions of every chain. */
export interface Moves {
  readonly jump: number;
  /** Leapfrogs a transition. */
  readonly cost: number;
  /** Divergences a transition. */
  readonly divergent: number;
}

/** Of each chain its draws, [n, d]; variances are those of `reference`, within chains. */
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

/** Whether there is anything to gain. */
export const worthTrying = ({ jump, divergent }: Moves): boolean => !(jump >= GOOD && divergent <= FEW_DIVERGENCES);

/**
 * Whether steps may be as long as a Gaussian's, by the least jump. Of posteriordb's regressions, mixtures and Markov chains it is
 * 0.98 to 1.19; of eight schools and a GARCH model, where an acceptance of 0.8 diverges five times as often as 0.85, at the same
 * effective sizes a gradient, 0.55 to 0.77. In one dimension a Gaussian's is no larger, so that nothing can be told. The jump of n draws of a Gaussian has a
 * standard error of 1/√n (measured in 2 to 5 dimensions), and is believed beyond SURE of them: short warm-ups of two dimensions
 * were taken for skewed otherwise.
 */
export const nearGaussian = (jump: number, dimension: number, draws: number): boolean =>
  dimension === 1 || jump >= NEAR_GAUSSIAN - SURE / Math.sqrt(draws);

/** Whether a diagonal metric of this cost is not taken, however far it goes. */
export const tooDear = (first: Moves, cost: number): boolean => cost > DEAREST * first.cost;

/** Whether the diagonal metric is taken. */
export const takesDiagonal = (first: Moves, { jump, cost }: Pick<Moves, "jump" | "cost">): boolean =>
  !tooDear(first, cost) && jump >= NEARLY * first.jump;
