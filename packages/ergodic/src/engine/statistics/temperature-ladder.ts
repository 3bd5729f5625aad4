/**
 * Temperature ladder of parallel tempering: a sequence of powers 1 = β₀ > β₁ > …, with swaps between neighbours. The
 * powers are adapted.
 *
 * Two states with values E and E' (logarithms of the tempered density) at powers β > β' are swapped with probability
 * min(1, e^((β − β')(E' − E))). The samplers of statistical models and of factor graphs store states in different ways,
 * but share the decisions in this file. Let r_k be the mean rejection of swaps between β_k and β_{k+1}. Then Λ(β_k) =
 * Σ_{j<k} r_j is the communication barrier up to k. If Λ is evenly spaced at the powers, all pairs of neighbours have
 * the same rejection. Between powers, Λ is interpolated linearly in log β (next to 0, in β). Source: Syed,
 * Bouchard-Côté, Deligiannidis, Doucet 2022, section 5.1.
 */
import { checkNumbers } from "../errors/checks.ts";
import { checkNumber, OptionError } from "../errors/errors.ts";
import { exp } from "../numbers/exp.ts";
import { log } from "../numbers/log.ts";
import type { Draws } from "../random/stream.ts";

/**
 * Returns the powers for a user's options: the given `temperatures`, or by default 8 powers from 1 to 0.01. `open`: no
 * power may be 0.
 */
export function powersOf(
  where: string,
  given: { readonly temperatures?: readonly number[]; readonly count?: number; readonly lowest?: number },
  open = false,
): number[] {
  const { temperatures, count = 8, lowest = 0.01 } = given;
  const range = { low: 0, high: 1, open };
  if (temperatures !== undefined) checkNumbers(where, "temperatures", temperatures, range, "temperatures: [1, 0.1]");
  checkNumber(where, "count", count, { low: 1, high: 1024, integer: true });
  checkNumber(where, "lowest", lowest, range);
  if (temperatures && (given.count !== undefined || given.lowest !== undefined))
    throw new OptionError(where, "temperatures are given, and count or lowest too; leave one of them out", "OPTION_CONFLICT");
  const powers = temperatures ? [...temperatures] : geometricLadder(count, lowest);
  if (powers.length > 0 && powers.every((power, k) => (k === 0 ? power === 1 : power < powers[k - 1]))) return powers;
  throw new OptionError(
    where,
    `${temperatures ? "" : `lowest is ${lowest}: `}temperatures are ${powers.join(", ")}, but must be inverse temperatures that descend from 1 and are ${open ? ">" : ">="} 0`,
    "OPTION_RANGE",
  );
}

/**
 * Returns `count` powers from 1 to `lowest` in geometric steps. If `lowest` is 0, the geometric steps end at 10⁻³,
 * followed by 0.
 */
export function geometricLadder(count: number, lowest: number): number[] {
  if (count === 1) return [1];
  const positive = lowest > 0 ? count : count - 1;
  const end = lowest > 0 ? lowest : 1e-3;
  const powers = Array.from({ length: positive }, (_, k) =>
    k === 0 ? 1 : k === positive - 1 ? end : exp((log(end) * k) / (positive - 1)),
  );
  return lowest > 0 ? powers : [...powers, 0];
}

/**
 * Returns a ladder of `count` powers with the same ends. The powers are chosen so that all pairs of neighbours should
 * have the same rejection.
 */
export function evenLadder(powers: readonly number[], rejections: readonly number[], count = powers.length): number[] {
  // Rejections are raised above 0, because powers would coincide otherwise.
  const barrier = rejections.map((r) => Math.max(r, 1e-3));
  const total = barrier.reduce((a, b) => a + b, 0);
  const made = [powers[0]];
  let pair = 0;
  let before = 0;
  for (let k = 1; k < count - 1; k++) {
    const wanted = (k * total) / (count - 1);
    while (before + barrier[pair] < wanted && pair < barrier.length - 1) before += barrier[pair++];
    made.push(between(powers[pair], powers[pair + 1], Math.min((wanted - before) / barrier[pair], 1)));
  }
  return [...made, ...powers.slice(Math.max(1, powers.length - 1))];
}

/**
 * Returns the number of powers for which about half of all swaps are accepted. This number is 1 + 2Λ, rounded up, where
 * Λ is the sum of the rejections.
 */
export function powersNeeded(rejections: readonly number[]): number {
  const barrier = rejections.reduce((sum, r) => sum + r, 0);
  return 1 + Math.ceil(2 * barrier);
}

/**
 * Returns the probability of swapping two states with values E and E', which is min(1, e^(apart · (E' − E))) with
 * `apart` = β − β' > 0.
 */
export function swapProbability(apart: number, value: number, other: number): number {
  const logRatio = apart * (other - value);
  // For two impossible states, the ratio is NaN, and they are not swapped.
  return logRatio >= 0 ? 1 : Number.isNaN(logRatio) ? 0 : exp(logRatio);
}

/** Counts of swaps between neighbours of a ladder, by pair. Pair k consists of the powers with indices k and k + 1. */
export class SwapCounts {
  /** Number of attempted swaps. */
  readonly tried: Float64Array;
  /** Sum of the swap probabilities. */
  readonly accepted: Float64Array;

  constructor(pairs: number) {
    this.tried = new Float64Array(pairs);
    this.accepted = new Float64Array(pairs);
  }

  /** Counts an attempted swap of this pair. Draws one uniform number to decide whether the swap is made. */
  isMade(pair: number, probability: number, draws: Pick<Draws, "uniform">): boolean {
    this.tried[pair]++;
    this.accepted[pair] += probability;
    return draws.uniform() < probability;
  }

  /** Mean rejection of each pair, NaN if no swap of the pair was attempted. */
  get rejections(): number[] {
    return Array.from(this.tried, (tried, k) => 1 - this.accepted[k] / tried);
  }
}

function between(high: number, low: number, share: number): number {
  return low > 0 ? exp((1 - share) * log(high) + share * log(low)) : (1 - share) * high + share * low;
}
