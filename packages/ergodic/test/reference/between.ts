import fc from "fast-check";

/** A number of an interval, all of it alike: `fc.double` draws bit patterns, of which next to all between 0 and 1 are below 1e-9. */
export const between = (low: number, high: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 1e9 }).map((n) => low + ((high - low) * n) / 1e9);
