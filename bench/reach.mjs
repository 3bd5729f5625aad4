/**
 * Seconds to reach a given objective, for methods that run for whole epochs. Each method gets the fewest epochs that
 * reach it, found beforehand and untimed, so that no side pays for a stopping test or gains from stopping early.
 *
 * `train({ …candidate, epochs, seed })` → { seconds, loss }. All SEEDS must reach the target: one lucky run is not
 * enough.
 */
import { median } from "./measure.mjs";

export const SEEDS = [1, 2, 3];

/** Trains with each seed until one fails. Returns { reached, seconds: the median }. */
async function attempt(train, candidate, epochs, target) {
  const seconds = [];
  for (const seed of SEEDS) {
    const result = await train({ ...candidate, epochs, seed });
    seconds.push(result.seconds);
    if (!(result.loss <= target)) return { reached: false, seconds: median(seconds) };
  }
  return { reached: true, seconds: median(seconds) };
}

/**
 * Finds the fewest epochs by doubling and bisection (which assumes that an additional epoch is never worse). Returns
 * null if `mostEpochs` are not enough, or if it takes more than `patience` seconds: the candidate is slower than one
 * already found.
 */
async function fewestEpochs(train, candidate, target, mostEpochs, patience) {
  let high = 1;
  let result = await attempt(train, candidate, high, target);
  while (!result.reached) {
    high *= 2;
    if (high > mostEpochs || result.seconds > patience) return null;
    result = await attempt(train, candidate, high, target);
  }
  let seconds = result.seconds;
  for (let low = high >> 1; high - low > 1; ) {
    const middle = (low + high) >> 1;
    result = await attempt(train, candidate, middle, target);
    if (result.reached) [high, seconds] = [middle, result.seconds];
    else low = middle;
  }
  return { epochs: high, seconds };
}

/** Returns the fastest candidate with its epochs; null if no candidate reaches the target. */
export async function quickest(train, candidates, target, mostEpochs) {
  let best = null;
  for (const candidate of candidates) {
    const found = await fewestEpochs(train, candidate, target, mostEpochs, best ? 1.5 * best.seconds : Infinity);
    if (found && !(found.seconds >= best?.seconds)) best = { ...found, candidate };
  }
  return best;
}

/** A contestant that trains once per seed in a round: its value is the mean of the seconds, its loss the worst. */
export function reachContestant(name, train, { candidate, epochs }, settings) {
  return {
    name,
    note: () => `${settings}, ${epochs} epochs`,
    async round() {
      const results = [];
      for (const seed of SEEDS) results.push(await train({ ...candidate, epochs, seed }));
      return {
        value: results.reduce((sum, { seconds }) => sum + seconds, 0) / SEEDS.length,
        loss: Math.max(...results.map(({ loss }) => loss)),
      };
    },
  };
}
