/** The batcher compared with its policy on plain lists, for random arrivals. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { plainBatcher } from "./reference/plain-batcher.ts";
import { type Arrival, draws, type Numbers, simulate } from "./simulation.ts";

/** Parameters of a case. Times are real numbers, so only the arrivals of a flood are simultaneous. */
const shape = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  count: fc.integer({ min: 1, max: 120 }),
  /** Mean gap between arrivals, in units of the time of a batch of one. */
  gap: fc.constantFrom(0.02, 0.2, 1, 4),
  flood: fc.constantFrom(0, 0.3, 0.9),
  largest: fc.constantFrom(1, 4, 40),
  maxRows: fc.constantFrom(1, 8, 32),
  fixed: fc.constantFrom(0.1, 1, 10),
});
type Shape = Record<"seed" | "count" | "gap" | "flood" | "largest" | "maxRows" | "fixed", number>;

function make(
  { seed, count, gap, flood, largest, fixed }: Shape,
  how: (u: Numbers, at: number, timeOf: (rows: number) => number) => Partial<Arrival>,
) {
  const u = draws(seed);
  const perRow = 0.1 + u.uniform();
  const perBatch = fixed * (0.1 + u.uniform());
  const time = (rows: number): number => perRow * rows + perBatch;
  let at = u.uniform();
  const arrivals: Arrival[] = [];
  for (let i = 0; i < count; i++) {
    if (u.uniform() >= flood) at += u.exponential() * gap * (perRow + perBatch);
    arrivals.push({ at, rows: 1 + u.integer(largest), ...how(u, at, time) });
  }
  return { arrivals, perRow, perBatch, time };
}

const ALONE = { concurrency: 1, maxDelayMs: 0, ageingMs: 1000 };
const RUNS = { numRuns: power(40, 150), seed: 16 };

describe("comparison of the batcher with its policy on plain lists", () => {
  test("agrees with priorities, concurrent batches, delays and cancellations", async () => {
    const options = fc.record({
      concurrency: fc.constantFrom(1, 1, 2, 4),
      maxDelayMs: fc.constantFrom(0, 0.7, 5),
      ageingMs: fc.constantFrom(0, 3, 1000),
    });
    await fc.assert(
      fc.asyncProperty(shape, options, async (given, how) => {
        const { arrivals, perRow, perBatch, time } = make(given, (u, at) => ({
          priority: 1 + u.integer(9),
          ...(u.uniform() < 0.2 && { cancelAt: at + u.exponential() * 5 }),
        }));
        const plain = plainBatcher(arrivals, { maxRows: given.maxRows, ...how, perRow, perBatch });
        const { batches, outcomes } = await simulate(arrivals, time, { maxRows: given.maxRows, maxQueueRows: Infinity, ...how });
        expect(batches.map(({ ids }) => ids)).toEqual(plain.batches.map(({ ids }) => ids));
        for (const [i, { start }] of batches.entries()) expect(start).toBeCloseTo(plain.batches[i].start, 6);
        expect(outcomes.map(({ said }) => (typeof said === "string" ? said : "answered"))).toEqual(plain.fate);
      }),
      RUNS,
    );
  });

  test("agrees with deadlines, and refuses exactly the requests that would be late", async () => {
    let refused = 0;
    let count = 0;
    await fc.assert(
      fc.asyncProperty(shape, fc.boolean(), async (given, even) => {
        // If requests have different sizes, planned batches are not always filled. The only promise is then that none
        // is late.
        const single = { ...given, largest: 1 };
        const { arrivals, perRow, perBatch, time } = make(single, (u, _, timeOf) => ({
          deadlineMs: timeOf(1) * (even ? 4.37 : 1.1 + 10 * u.uniform()),
        }));
        const plain = plainBatcher(arrivals, { ...ALONE, maxRows: given.maxRows, perRow, perBatch });
        const { batches, outcomes } = await simulate(arrivals, time, { maxRows: given.maxRows });
        expect(outcomes.map(({ said }) => (typeof said === "string" ? said : "answered"))).toEqual(
          plain.fate.map((fate) => (fate === "refused" ? "DEADLINE" : fate)),
        );
        expect(batches.map(({ ids }) => ids)).toEqual(plain.batches.map(({ ids }) => ids));
        refused += plain.fate.filter((fate) => fate === "refused").length;
        count += arrivals.length;
      }),
      RUNS,
    );
    // The test covers both outcomes.
    expect(refused / count).toBeGreaterThan(0.1);
    expect(refused / count).toBeLessThan(0.9);
  });
});
