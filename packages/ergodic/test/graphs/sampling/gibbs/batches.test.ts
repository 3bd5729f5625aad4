/** The sweeps at which a run checks its precision: repeatedly, but not more often after resuming. */
import { describe, expect, it } from "vitest";
import { KeptPart } from "../../../../src/engine/loop/kept-part.ts";
import { Batches } from "../../../../src/graphs/sampling/gibbs/batches.ts";

const plan = { warmup: 100, sweeps: 5000 };

/** The sweeps at which precision is checked, if the run is saved and restored after `kept` sweeps. */
function looks(kept = Infinity): number[] {
  const found: number[] = [];
  let batches = new Batches(plan);
  while (!batches.over) {
    batches.begin([]);
    batches.count(Math.min(batches.left, 50), [], () => {
      found.push(batches.sweep);
      return false;
    });
    if (batches.sweep < kept) continue;
    const state = batches.snapshot();
    batches = new Batches(plan);
    batches.restore(new KeptPart("batches", { tensors: {}, state }));
    kept = Infinity;
  }
  return found;
}

describe("batches", () => {
  it("check first after a thousand sweeps, and then after each quarter more", () => {
    const found = looks();
    expect(found[0] - plan.warmup).toBeGreaterThanOrEqual(1000);
    expect(found.length).toBeGreaterThan(4);
    for (let k = 1; k < found.length; k++) {
      const [before, now] = [found[k - 1] - plan.warmup, found[k] - plan.warmup];
      expect(now).toBeGreaterThanOrEqual(1.2 * before);
      expect(now).toBeLessThan(1.4 * before);
    }
  });

  it("stop and discard draws half-way through the warm-up and at its end", () => {
    for (const [warmup, wanted] of [
      [200, [100, 200]],
      [7, [3, 7]],
      [0, [0]],
    ] as const) {
      const batches = new Batches({ warmup, sweeps: 300 });
      const forgotten: number[] = [];
      const chains = [{ forget: () => void forgotten.push(batches.sweep), settle: () => {} }];
      while (!batches.over) {
        batches.begin(chains);
        batches.count(batches.left, chains, () => false);
      }
      batches.end(chains);
      expect([forgotten, batches.settled]).toEqual([[...wanted], 300]);
    }
  });

  it.each([1200, 1300, 3000])("check at the same sweeps after a checkpoint at %i", (sweeps) => {
    expect(looks(sweeps)).toEqual(looks());
  });
});
