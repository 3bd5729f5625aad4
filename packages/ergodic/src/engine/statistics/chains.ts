/**
 * Draws of one scalar quantity from several chains, as a Float64Array of chains × draws. Chains are stored one after
 * another, and each chain's draws are in order. Every diagnostic in this folder takes such an array and the number of
 * chains. This file contains the checks and splits that all diagnostics share.
 */
import { checkNumber, DataError } from "../errors/errors.ts";

/**
 * Returns the number of draws per chain.
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws.
 */
export function drawsPerChain(where: string, draws: Float64Array, chainCount: number): number {
  checkNumber(where, "chainCount", chainCount, { low: 1, integer: true });
  if (draws.length > 0 && draws.length % chainCount === 0) return draws.length / chainCount;
  const given = draws.length === 0 ? "there are no draws" : `${draws.length} draws are not a multiple of ${chainCount} chains`;
  throw new DataError(
    where,
    `${given}, but every chain must have equally many, at least one; cut the longer chains`,
    "DRAWS_SHAPE",
  );
}

/**
 * Splits each chain into two halves, and treats each half as a chain. If a chain has an odd number of draws, its middle
 * draw is omitted, except that a single draw is kept. If no draw is omitted, returns the given array, because the
 * halves are already in order.
 */
export function splitChains(draws: Float64Array, chainCount: number): { draws: Float64Array; chainCount: number } {
  const length = draws.length / chainCount;
  if (length === 1) return { draws, chainCount };
  if (length % 2 === 0) return { draws, chainCount: 2 * chainCount };
  const half = Math.floor(length / 2);
  const split = new Float64Array(2 * chainCount * half);
  for (let chain = 0; chain < chainCount; chain++) {
    const start = chain * length;
    split.set(draws.subarray(start, start + half), 2 * chain * half);
    split.set(draws.subarray(start + length - half, start + length), (2 * chain + 1) * half);
  }
  return { draws: split, chainCount: 2 * chainCount };
}

/** Returns the smallest and the largest value, or NaN for both if any value is NaN. */
export function bounds(x: Float64Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    if (value < low) low = value;
    if (value > high) high = value;
    if (Number.isNaN(value)) return [value, value];
  }
  return [low, high];
}

/**
 * Returns whether diagnostics are undefined. Diagnostics are undefined if a draw is not finite, or if all draws are
 * equal up to the rounding of one operation.
 */
export function isDegenerate(draws: Float64Array): boolean {
  const [low, high] = bounds(draws);
  return areOne(low, high);
}

/** Same as `isDegenerate`, given the smallest and the largest draw. */
export function areOne(low: number, high: number): boolean {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return true;
  return high - low <= 2 ** -52 * Math.max(-low, high);
}
