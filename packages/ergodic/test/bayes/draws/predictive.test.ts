/**
 * Predictive checks: compares p-values and PITs with counts by hand and LOO-PIT with loo and rstantools
 * (golden/loo-pit.R), and tests the plot.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { densityOverlay, looPit, predictiveCheck, predictivePit } from "../../../src/bayes/draws/predictive.ts";

const y = [1, 2, 6];
/** Four draws with means 1, 3, 5, 4 and maxima 1, 6, 9, 6. */
const replicated = Float64Array.of(1, 1, 1, 0, 3, 6, 2, 4, 9, 3, 3, 6);

describe("predictiveCheck", () => {
  const check = predictiveCheck(y, replicated);

  it("counts draws above the observed value, and ties by half", () => {
    const p = Object.fromEntries(Object.entries(check.statistics).map(([name, { pValue }]) => [name, pValue]));
    // Observed mean 3 among 1, 3, 4, 5. Minimum 1 among 0, 1, 2, 3. Median 2 among 1, 3, 3, 4. Maximum 6 among 1, 6, 6,
    // 9.
    expect(p).toEqual({ mean: 0.625, sd: 0.5, min: 0.625, median: 0.75, max: 0.5 });
  });

  it("reports the replicated statistics", () => {
    const { observed, mean, q5, q95 } = check.statistics.mean;
    expect([observed, mean]).toEqual([3, 3.25]);
    expect([...check.statistics.mean.replicated]).toEqual([1, 3, 5, 4]);
    expect(q5).toBeCloseTo(1.3, 12);
    expect(q95).toBeCloseTo(4.85, 12);
  });

  it("accepts custom statistics and marks suspect ones", () => {
    const zeros = (values: Float64Array) => values.filter((value) => value === 0).length;
    const own = predictiveCheck([0, 0, 0], replicated, { zeros, last: (values) => values[2], odd: () => Number.NaN });
    expect(own.statistics.zeros.pValue).toBe(0);
    expect(own.statistics.last.pValue).toBe(1);
    expect(own.suspect).toEqual(["zeros", "last", "odd"]);
    expect(String(own)).toBe(
      [
        "       observed  replicated   5 %  95 %  p",
        "zeros         3        0.25     0  0.85  0.000 !",
        "last          0         5.5  1.75  8.55  1.000 !",
        "odd         NaN         NaN   NaN   NaN  NaN !",
        "p: share of replicated data sets whose statistic is at least the observed one; near 0 or 1 (!), it is suspect",
      ].join("\n"),
    );
    expect(check.suspect).toEqual([]);
  });

  it("omits the standard deviation of a single value", () => {
    const one = predictiveCheck([1], Float64Array.of(0, 2, 3));
    expect(Object.keys(one.statistics)).toEqual(["mean", "min", "median", "max"]);
    expect(one.suspect).toEqual([]);
    expect(Object.keys(check.statistics)).toEqual(["mean", "sd", "min", "median", "max"]);
  });

  it("refuses values that do not match the data", () => {
    expect(() => predictiveCheck([1, 2], Float64Array.of(1, 2, 3))).toThrow(
      /3 replicated values are not a multiple of 2 observed ones/,
    );
    expect(() => predictiveCheck([], Float64Array.of(1))).toThrow(/DRAWS_SHAPE/);
    expect(() => predictiveCheck([1], new Float64Array(0))).toThrow(/DRAWS_SHAPE/);
  });
});

describe("PIT", () => {
  it("ranks a value among its replications", () => {
    expect([...predictivePit(y, replicated)]).toEqual([0.375, 0.25, 0.5]);
    expect([...predictivePit([1], Float64Array.of(0, Number.NaN))]).toEqual([Number.NaN]);
  });

  const golden: Record<"yrep" | "loglik", number[][]> & Record<"y" | "pit" | "plain", number[]> = JSON.parse(
    readFileSync(new URL("golden/loo-pit.json", import.meta.url), "utf8"),
  );
  const yrep = Float64Array.from(golden.yrep.flat());
  const loglik = Float64Array.from(golden.loglik.flat());

  it("leaves out the draws of each value as loo and rstantools do", () => {
    const { pit, paretoK } = looPit(golden.y, yrep, loglik, { chainCount: 2 });
    const { pit: plain } = looPit(golden.y, yrep, loglik, { chainCount: 2, relativeEfficiency: 1 });
    golden.y.forEach((_, i) => {
      expect(Math.abs(pit[i] - golden.pit[i])).toBeLessThan(1e-10);
      expect(Math.abs(plain[i] - golden.plain[i])).toBeLessThan(1e-10);
    });
    expect(paretoK.every((k) => k < 0.7)).toBe(true);
    // The weights matter: unweighted values differ.
    const unweighted = predictivePit(golden.y, yrep);
    expect(Math.max(...golden.pit.map((value, i) => Math.abs(value - unweighted[i])))).toBeGreaterThan(1e-3);
  });

  it("requires a likelihood per value to leave out draws", () => {
    expect(() => looPit(golden.y, yrep, loglik.subarray(6), { chainCount: 2 })).toThrow(
      /2994 log likelihoods, but 3000 replicated values/,
    );
  });
});

describe("densityOverlay", () => {
  it("draws the observed density over the replicated ones", () => {
    // One draw lies entirely in the first bin, and the other has half in each, so the bands are 0.525 … 0.975 and 0.025
    // … 0.475. All observed values are in the second bin.
    expect(densityOverlay([9, 9, 10, 10], Float64Array.of(0, 0, 0, 0, 1, 2, 10, 10), { width: 28, height: 4, bins: 2 })).toBe(
      [
        " 100 % │░░░░░░░░░░    ●",
        "       │░░░░░░░░░░",
        "       │          ░░░░░░░░░░",
        "   0 % │    ●     ░░░░░░░░░░",
        "       └────────────────────",
        "        0                 10",
        "        ● observed  ░ 90 % of 2 replicated",
      ].join("\n"),
    );
  });
});
