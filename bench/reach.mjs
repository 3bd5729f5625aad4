/**
 * Seconds to reach a given objective, for methods that run for whole epochs: each method is granted the fewest epochs that take it
 * there, found beforehand and untimed, so that no side pays for a stopping test nor gains by one that stops early.
 *
 * `train({ …candidate, epochs, seed })` → { seconds, loss }. All of SEEDS must reach the target: one lucky draw is not enough.
 */
import { median } from "./measure.mjs";

export const SEEDS = [1, 2, 3];

/** Trains with each seed until one fails: { reached, seconds: the median }. */
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
 * The fewest epochs, by doubling and halving (so an epoch more is taken never to be worse). Null where `mostEpochs` do not do, or
 * where `patience` seconds did not: the candidate is slower than one already found.
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

/** The candidate that gets there first, with its epochs; null where none does. */
export async function quickest(train, candidates, target, mostEpochs) {
  let best = null;
  for (const candidate of candidates) {
    const found = await fewestEpochs(train, candidate, target, mostEpochs, best ? 1.5 * best.seconds : Infinity);
    if (found && !(found.seconds >= best?.seconds)) best = { ...found, candidate };
  }
  return best;
}

/** A contestant that trains once for each of SEEDS in a round: its value is the mean of the seconds, its loss the worst. */
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
