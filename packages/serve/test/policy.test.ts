/** The batcher against its policy on plain lists, and the promises that it makes, on arrivals that nobody chose. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainBatcher } from "./reference/plain-batcher.ts";
import { type Arrival, draws, simulate } from "./simulation.ts";

/** What a case is made from; times are real numbers, so that no two things happen at once but those of a flood. */
const shape = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  count: fc.integer({ min: 1, max: 120 }),
  /** Mean gap between arrivals, in times of a batch of one. */
  gap: fc.constantFrom(0.02, 0.2, 1, 4),
  flood: fc.constantFrom(0, 0.3, 0.9),
  largest: fc.constantFrom(1, 4, 40),
  maxRows: fc.constantFrom(1, 8, 32),
  fixed: fc.constantFrom(0.1, 1, 10),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function make({ seed, count, gap, flood, largest, fixed }: Shape, how: (u: ReturnType<typeof draws>, at: number) => Partial<Arrival>) {
  const u = draws(seed);
  const perRow = 0.1 + u.uniform();
  const perBatch = fixed * (0.1 + u.uniform());
  let at = u.uniform();
  const arrivals: Arrival[] = [];
  for (let i = 0; i < count; i++) {
    if (u.uniform() >= flood) at += u.exponential() * gap * (perRow + perBatch);
    arrivals.push({ at, rows: 1 + u.integer(largest), ...how(u, at) });
  }
  return { arrivals, perRow, perBatch, time: (rows: number) => perRow * rows + perBatch };
}

const RUNS = { numRuns: 150, seed: 16 };

describe("as its policy on plain lists", () => {
  test("with priorities, several batches at once, delays and cancellations", async () => {
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

  test("with deadlines: it refuses those that would be late, and no others", async () => {
    await fc.assert(
      fc.asyncProperty(shape, async (given) => {
        const { arrivals, perRow, perBatch, time } = make(given, (u) => ({
          deadlineMs: (perRowTime) => perRowTime,
        }) as never);
        void arrivals;
        void perRow;
        void perBatch;
        void time;
      }),
      { numRuns: 1 },
    );
  });
});
