/** When R-hat is serious, of rows of a summary as they may come. */
import { expect, it } from "vitest";
import { convergence } from "../../../src/draws/findings/convergence.ts";
import type { Judged } from "../../../src/draws/findings/finding.ts";

/** 4 chains of draws that move, with this row for "x" and a sound one for "y". */
function found(row: { rhat: number; essBulk: number; essTail: number }) {
  const x = Float64Array.from({ length: 40 }, (_, k) => Math.sin(k * k));
  const judged = {
    ...{ chains: 4, count: 10, description: {}, report: {}, quantities: [{ name: "x", kind: "parameter" }] },
    scalars: () => new Map([["x", x]]),
    summary: () => ({ x: row, y: { rhat: 1, essBulk: 399, essTail: 5000 } }),
  } as unknown as Judged;
  return convergence(judged).map(({ code, serious, text }) => [code, serious, /"y"/.test(text)]);
}

it.each([
  [{ rhat: 1.06, essBulk: 5000, essTail: 5000 }, true],
  [{ rhat: 1.05, essBulk: 5000, essTail: 5000 }, false],
  [{ rhat: 1.02, essBulk: 400, essTail: 400 }, false],
  [{ rhat: 1.02, essBulk: 399, essTail: 5000 }, true],
  [{ rhat: 1.02, essBulk: 5000, essTail: 399 }, true],
])("%o", (row, serious) => {
  // That another number has few effective draws is said, and makes no R-hat of this one serious.
  expect(found(row)).toEqual([
    ["rhat", serious, false],
    ["ess", false, true],
  ]);
});

it("below 1.01 few effective draws are slow, not wrong", () => {
  expect(found({ rhat: 1.0099, essBulk: 100, essTail: 100 })).toEqual([["ess", false, true]]);
});
