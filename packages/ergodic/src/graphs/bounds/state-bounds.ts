import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { logSumExp } from "../../engine/numbers/log-sum-exp.ts";
import type { PartAnswer } from "../parts/algorithm.ts";

/** Relative rounding error of exp(a − b), where a and b are logarithms. */
const ROUNDING = 2 ** -40;

/** Bounds on ln Z for each state of one variable, and the resulting bounds on its probabilities. */
export class StateBounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Whether the upper bounds are exact up to rounding. */
  exact = false;

  constructor(count: number) {
    this.lower = new Float64Array(count).fill(-Infinity);
    this.upper = new Float64Array(count).fill(Infinity);
  }

  raise(lower: Float64Array): void {
    for (const [s, value] of lower.entries()) this.lower[s] = Math.max(this.lower[s], value);
  }

  reduce(upper: Float64Array): void {
    for (const [s, value] of upper.entries()) this.upper[s] = Math.min(this.upper[s], value);
  }

  /** Bounds on ln Z. */
  get total(): { lower: number; upper: number } {
    const count = this.lower.length;
    const widen = (value: number, by: number): number => value + by * 2 ** -50 * (count + Math.abs(value));
    const [lower, upper] = [logSumExp(this.lower), logSumExp(this.upper)];
    return { lower: Number.isFinite(lower) ? widen(lower, -1) : lower, upper: Number.isFinite(upper) ? widen(upper, 1) : upper };
  }

  /** Probabilities with their bounds: l_s/(l_s + Σ_{t≠s} u_t) ≤ p(s) ≤ u_s/(u_s + Σ_{t≠s} l_t). */
  get marginal(): NonNullable<PartAnswer["marginals"]>[number] {
    const { lower, upper } = this;
    if (this.exact) return { p: shares(upper), certificate: { exact: true } };
    const known = upper.every((value) => value < Infinity);
    const states = [...lower.keys()];
    const odds = (of: Float64Array, others: Float64Array, s: number): number => {
      if (of[s] === -Infinity) return others.every((value, t) => t === s || value === -Infinity) ? 1 : 0;
      return 1 / states.reduce((sum, t) => (t === s || others[t] === -Infinity ? sum : sum + exp(others[t] - of[s])), 1);
    };
    const low = states.map((s) => Math.max(0, odds(lower, upper, s) * (1 - ROUNDING)));
    const high = states.map((s) =>
      // If e^x overflows float64, the share is positive but below the smallest normal number.
      known ? Math.min(1, (upper[s] === -Infinity ? 0 : Math.max(2 ** -1022, odds(upper, lower, s))) * (1 + ROUNDING)) : 1,
    );
    // Each state's share of Z is taken as the midpoint of its bounds. The resulting probabilities lie within their
    // bounds.
    const middle = known && lower.every((value) => value > -Infinity) ? upper.map((value, s) => (value + lower[s]) / 2) : upper;
    const p = known ? shares(middle) : new Float64Array(lower.length).fill(1 / lower.length);
    return { p, certificate: { lower: low, upper: high } };
  }
}

function shares(logs: Float64Array): Float64Array {
  const total = logSumExp(logs);
  return logs.map((value) => exp(value - total));
}

/** Returns ln Z with its bounds as part of an answer. The value is the midpoint, in nats. */
export function logZBetween(lower: number, upper: number): PartAnswer["logZ"] {
  if (lower === -Infinity)
    return {
      value: upper,
      certificate: {
        none: `only an upper bound was proved, ln Z is at most ${upper}: no state was found in which all factors are above 0`,
      },
    };
  return { value: lower + (upper - lower) / 2, certificate: { lower, upper } };
}

/** Returns log2 of the number of float64 values that fit, rounded down. */
export const widthOf = (bytes: number): number => Math.floor(log(bytes / 8) / Math.LN2);
