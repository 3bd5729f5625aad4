import fc from "fast-check";
import { expect, it } from "vitest";
import { Blocks } from "../../../src/engine/memory/free-list.ts";

const UNITS = 200;

/** The plain twin, with one flag per unit. */
function largestRun(free: boolean[]): number {
  let most = 0;
  let run = 0;
  for (const isFree of free) {
    run = isFree ? run + 1 : 0;
    most = Math.max(most, run);
  }
  return most;
}

function runCount(free: boolean[]): number {
  return free.filter((isFree, i) => isFree && !free[i - 1]).length;
}

const steps = fc.array(fc.oneof(fc.record({ take: fc.integer({ min: 1, max: 60 }) }), fc.record({ give: fc.nat(1000) })), {
  maxLength: 200,
  // The default size makes only about ten steps.
  size: "max",
});

it("takes only free blocks, succeeds whenever possible, and merges returned blocks", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const blocks = new Blocks();
      blocks.give(7, UNITS);
      const free = Array.from({ length: 7 + UNITS }, (_, i) => i >= 7);
      const taken: { start: number; size: number }[] = [];
      for (const step of script) {
        if ("take" in step) {
          const start = blocks.take(step.take);
          if (start < 0) {
            expect(largestRun(free)).toBeLessThan(step.take);
            continue;
          }
          expect(free.slice(start, start + step.take).every(Boolean)).toBe(true);
          free.fill(false, start, start + step.take);
          taken.push({ start, size: step.take });
        } else if (taken.length > 0) {
          const [{ start, size }] = taken.splice(step.give % taken.length, 1);
          blocks.give(start, size);
          free.fill(true, start, start + size);
        }
        expect(blocks.count).toBe(runCount(free));
        expect(blocks.largest()).toBe(largestRun(free));
      }
      for (const { start, size } of taken) blocks.give(start, size);
      expect(blocks.count).toBe(1);
      expect(blocks.take(UNITS)).toBe(7);
    }),
    { seed: 1, numRuns: 50 },
  );
});
