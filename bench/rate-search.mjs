/**
 * The highest rate that a server keeps: by steps until one rate was kept and one was not, then by halving between the two.
 *
 * A trial that kept its target is believed at once, for nothing makes a server faster than it is. A trial that did not is repeated: other processes, or a pause of
 * the machine, make any server late. So a rate has failed after two failures; those that were disturbed are not counted, up to a number of them, after which the
 * rate is undecided. What failed earlier is tried again at the end, and where it is kept then, the search continues upwards from there.
 */

/** Failures in which nothing disturbed a server, after which its rate has failed. */
const FAILURES = 2;
/** Disturbed trials of one rate, after which it is undecided, and taken for failed. */
const DISTURBED = 3;
/** Factors by which rates change while one end is unknown; the last is for a search that continues above what seemed to be its end. Upwards they grow. */
const [DOWN, UP, FURTHER, MOST_UP] = [1.3, 1.15, 1.08, 2];
/** Undisturbed trials of a search. */
const MOST_TRIALS = 40;

/**
 * `trial(rate)` resolves to `{ isKept, isDisturbed, … }`. Resolves to the last trial that was kept, with `value`, its rate, and how many `trials` there were,
 * of which `disturbed` failed while something else used the machine. `isCut`: there were so many trials that the search was ended.
 *
 * @throws Error where not even one request a second is kept
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
