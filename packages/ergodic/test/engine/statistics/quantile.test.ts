import fc from "fast-check";
import { expect, it } from "vitest";
import { median, quantile, quantiles } from "../../../src/engine/statistics/quantile.ts";
import { averageRanks, rankNormalise } from "../../../src/engine/statistics/rank-normal.ts";
import { between } from "../../reference/between.ts";

const draws = fc.float64Array({ minLength: 1, maxLength: 30, noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });

it("interpolates between order statistics", () => {
  const x = new Float64Array([4, 1, 3, 2]);
  expect([...quantiles(x, [0, 0.25, 0.5, 0.9, 1])]).toEqual([1, 1.75, 2.5, 3.7, 4]);
  expect([...x]).toEqual([4, 1, 3, 2]);
});

it("quantiles lie between the extremes, and the median is the quantile of one half", () => {
  fc.assert(
    fc.property(draws, between(0, 1), (x, p) => {
      expect(quantile(x, p)).toBeGreaterThanOrEqual(Math.min(...x) - 1e-9);
      expect(quantile(x, p)).toBeLessThanOrEqual(Math.max(...x) + 1e-9);
      expect(Math.abs(median(x) - quantile(x, 0.5))).toBeLessThanOrEqual(1e-9);
    }),
  );
});

it("quantiles are NaN for no numbers and for NaN", () => {
  for (const x of [new Float64Array(0), new Float64Array([1, Number.NaN])]) {
    expect(quantile(x, 0.5)).toBeNaN();
    expect(median(x)).toBeNaN();
  }
});

it("refuses values that are not probabilities", () => {
  expect(() => quantile(new Float64Array([1]), 1.5)).toThrow(
    "quantiles: probability is 1.5, but must be a number >= 0 and <= 1 [OPTION_RANGE]",
  );
});

it("gives ties their average rank, and NaN no rank", () => {
  expect([...averageRanks(new Float64Array([3, -0, 3, Infinity, 0, 3]))]).toEqual([4, 1.5, 4, 6, 1.5, 4]);
  expect([...averageRanks(new Float64Array([2, Number.NaN, 1]))]).toEqual([2, Number.NaN, 1]);
});

it("keeps ranks under an increasing transformation, and reverses them with the sign", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 30 }), (values) => {
      const x = Float64Array.from(values);
      expect(rankNormalise(x.map((value) => value ** 3 + 2 * value))).toEqual(rankNormalise(x));
      const turned = rankNormalise(x.map((value) => -value));
      rankNormalise(x).forEach((z, i) => {
        expect(Math.abs(z + turned[i])).toBeLessThanOrEqual(1e-13);
      });
    }),
  );
});
