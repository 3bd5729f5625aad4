/**
 * Finds the highest rate that a server sustains: steps until one rate has succeeded and one has failed, then bisects
 * between them.
 *
 * A successful trial is believed immediately, because nothing makes a server faster than it is. A failed trial is
 * repeated, because other processes, or a pause of the machine, make any server late. A rate has failed after two
 * failures. Disturbed trials do not count, up to a maximum number, after which the rate is undecided. Rates that failed
 * earlier are tried again at the end, and if one then succeeds, the search continues upwards from there.
 */

/** Number of undisturbed failures after which a rate has failed. */
const FAILURES = 2;
/** Number of disturbed trials of one rate after which it is undecided and treated as failed. */
const DISTURBED = 3;
/**
 * Factors by which rates change while one end is unknown; the last is for a search that continues above its apparent
 * end. Upward factors grow.
 */
const [DOWN, UP, FURTHER, MOST_UP] = [1.3, 1.15, 1.08, 2];
/** Largest number of undisturbed trials in a search. */
const MOST_TRIALS = 40;

/**
 * `trial(rate)` resolves to `{ isKept, isDisturbed, … }`. Resolves to the last successful trial, with its rate as
 * `value`, the number of `trials`, and the number of `disturbed` trials, which failed while something else used the
 * machine. `isCut`: whether the search was ended because it reached the maximum number of trials.
 *
 * @throws Error if not even one request per second is sustained
 */
export async function highestRate(trial, { start, precision }) {
  let [trials, disturbed] = [0, 0];
  const judge = async (rate) => {
    for (let [failures, excused] = [0, 0]; failures < FAILURES && excused < DISTURBED; ) {
      const result = await trial(rate);
      trials++;
      if (result.isKept) return result;
      if (result.isDisturbed) {
        excused++;
        disturbed++;
      } else failures++;
    }
    return undefined;
  };
  let [low, high, up] = [0, Infinity, UP];
  let best;
  let isConfirmed = false;
  for (let rate = start; !isConfirmed; ) {
    const isSecondLook = rate === high;
    const kept = await judge(rate);
    if (kept) {
      [low, best] = [rate, kept];
      if (isSecondLook) [high, up] = [Infinity, FURTHER];
    } else high = rate;
    isConfirmed = !kept && isSecondLook;
    if (high < 1)
      throw new Error(`not even one request a second is answered in time; ${disturbed} of ${trials} trials were disturbed`);
    if (best && trials - disturbed >= MOST_TRIALS) break;
    if (low === 0) rate /= DOWN;
    else if (high === Infinity) {
      rate *= up;
      up = Math.min(MOST_UP, up * up);
    } else rate = high / low > precision ? Math.sqrt(low * high) : high;
  }
  return { ...best, value: low, trials, disturbed, isCut: !isConfirmed };
}
