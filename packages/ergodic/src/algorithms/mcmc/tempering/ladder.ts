/**
 * Powers 1 = β₀ > β₁ > … of parallel tempering, and their adaptation.
 *
 * With r_k the mean rejection of swaps between β_k and β_{k+1}, Λ(β_k) = Σ_{j<k} r_j is the communication barrier so far;
 * powers at which Λ is evenly spaced have equal rejections. Λ is interpolated linearly in log β (in β next to 0). Source: Syed,
 * Bouchard-Côté, Deligiannidis, Doucet 2022, section 5.1.
 */
import { exp } from "../../../base/exp.ts";
import { log } from "../../../base/log.ts";

/** `count` powers from 1 to `lowest` in geometric steps; `lowest` 0 stands after such steps to 10⁻³. */
export function geometricLadder(count: number, lowest: number): number[] {
  if (count === 1) return [1];
  const positive = lowest > 0 ? count : count - 1;
  const end = lowest > 0 ? lowest : 1e-3;
  const powers = Array.from({ length: positive }, (_, k) =>
    k === 0 ? 1 : k === positive - 1 ? end : exp((log(end) * k) / (positive - 1)),
  );
  return lowest > 0 ? powers : [...powers, 0];
}

/** The ladder with the same ends at which the rejections would be even. */
export function evenLadder(powers: readonly number[], rejections: readonly number[]): number[] {
  // No pair may look free, or powers would fall together.
  const barrier = rejections.map((r) => Math.max(r, 1e-3));
  const total = barrier.reduce((a, b) => a + b, 0);
  const made = [powers[0]];
  let pair = 0;
  let before = 0;
  for (let k = 1; k < powers.length - 1; k++) {
    const wanted = (k * total) / (powers.length - 1);
    while (before + barrier[pair] < wanted && pair < barrier.length - 1) before += barrier[pair++];
    made.push(between(powers[pair], powers[pair + 1], Math.min((wanted - before) / barrier[pair], 1)));
  }
  return [...made, ...powers.slice(Math.max(1, powers.length - 1))];
}

function between(high: number, low: number, share: number): number {
  return low > 0 ? exp((1 - share) * log(high) + share * log(low)) : (1 - share) * high + share * low;
}
