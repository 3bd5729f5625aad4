import fc from "fast-check";

/**
 * A number uniformly distributed over an interval. `fc.double` draws bit patterns, almost all of which are below 1e-9
 * between 0 and 1.
 */
export const between = (low: number, high: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 1e9 }).map((n) => low + ((high - low) * n) / 1e9);
