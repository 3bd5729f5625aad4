/** The runnable examples on step rules show what they claim. */
import { expect, test } from "vitest";
import { main as adagradStalls, slope } from "../../../../../examples/adagrad-stalls.ts";
import { main as adamIsBoth } from "../../../../../examples/adam-is-both.ts";
import { main as lineSearchFails } from "../../../../../examples/line-search-fails.ts";
import { main as stepRules } from "../../../../../examples/step-rules.ts";
import { main as twoAdagrads } from "../../../../../examples/two-adagrads.ts";

const lines: string[] = [];
const print = (line: string): void => {
  lines.push(line);
};

test("step-rules shows which rules suit each problem", async () => {
  const table = await stepRules(print);
  expect(lines.at(-1)).toMatch(/^prodigy/);
  for (const row of Object.values(table)) for (const height of Object.values(row)) expect(height).toBeLessThan(25);
  // Curvatures differ by 1000, so momentum and per-coordinate rates beat a fixed rate.
  for (const name of ["momentum", "nesterov", "adam", "rmsprop"]) {
    expect(table[name]["ill-conditioned"], name).toBeLessThan(table["sgd, fixed"]["ill-conditioned"] / 100);
  }
  // In a curved valley, momentum helps, while AdaGrad's step has already shrunk.
  expect(table.momentum.rosenbrock).toBeLessThan(table["sgd, fixed"].rosenbrock / 10);
  expect(table.adam.rosenbrock).toBeLessThan(table.adagrad.rosenbrock);
  // With noise, an average or a decreasing rate beats Polyak's, which follows each noisy gradient.
  for (const name of ["sgd, 1/t", "sgd, averaged", "scheduleFreeSgd"]) {
    expect(table[name].noisy, name).toBeLessThan(0.02);
    expect(table[name].noisy, name).toBeLessThan(table.polyak.noisy);
  }
});

test("adagrad-stalls shows that AdaGrad's rate shrinks and stalls, while RMSProp reaches the bottom", async () => {
  const { adagrad, rmsprop } = await adagradStalls(print);
  const shrinks = (rates: number[]) => rates.every((rate, t) => t === 0 || rate <= rates[t - 1] * (1 + 1e-9));
  expect(shrinks(adagrad.effectiveRate)).toBe(true);
  expect(shrinks(rmsprop.effectiveRate)).toBe(false);
  // Both descended the stairs.
  expect(Math.max(...adagrad.x)).toBeGreaterThan(0);
  expect(adagrad.x.at(-1)).toBeLessThan(7);
  const settled = rmsprop.x.slice(-100).reduce((s, x) => s + x, 0) / 100;
  expect(Math.abs(settled - 10)).toBeLessThan(0.3);
  // RMSProp has forgotten the cliffs, so its rate is far above AdaGrad's, even at the bottom, where it no longer moves.
  for (const t of [300, 1000, 3000]) expect(rmsprop.effectiveRate[t - 1]).toBeGreaterThan(1e6 * adagrad.effectiveRate[t - 1]);
  expect(lines.at(-2)).toMatch(/^ {3}3000 .* 1\.0e-3 .* 3\.0e\+7$/);
  // While a rule moves, its effective rate is the movement divided by the slope.
  for (const { x, effectiveRate } of [adagrad, rmsprop]) {
    for (const t of [0, 9, 99]) expect((x[t] - x[t + 1]) / slope(x[t]) / effectiveRate[t]).toBeCloseTo(1, 6);
  }
});

test("two-adagrads shows equal bits, and a history that grows by one gradient per update", async () => {
  for (const { update, differing, runningBytes, historyBytes } of await twoAdagrads(print)) {
    expect([differing, runningBytes, historyBytes]).toEqual([0, 800, 800 * update]);
  }
});

test("adam-is-both shows that momentum and RMSProp together equal Adam without bias correction, to rounding", async () => {
  const rows = await adamIsBoth(print);
  expect(rows.map(({ update }) => update)).toEqual([1, 10, 100, 1000]);
  for (const { plain, corrected, ofSteps, update } of rows) {
    expect(plain).toBeLessThan(1e-13);
    expect(corrected).toBeGreaterThan(0.01);
    if (update > 1) expect(ofSteps).toBeGreaterThan(0.01);
  }
});

test("line-search-fails shows that half of all rows point uphill near the optimum, so both searches lose to 1/t", () => {
  const { uphill, searchOfAll, searchOfRow, decreasing } = lineSearchFails(print);
  expect(uphill[0].share).toBeLessThan(0.15);
  expect(uphill.at(-1)!.share).toBeGreaterThan(0.4);
  expect(decreasing.updates).toBe(1000 * searchOfAll.updates);
  expect(decreasing.gap).toBeLessThan(searchOfAll.gap / 10);
  expect(decreasing.gap).toBeLessThan(searchOfRow.gap / 10);
});
