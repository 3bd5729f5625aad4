/** Quantiles compared with sorted values, and the buckets themselves. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Histogram } from "../src/index.ts";

const filled = (values: readonly number[]): Histogram => {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
};
const values = fc.array(
  fc.oneof(
    fc.double({ min: 0, max: 2, noNaN: true }),
    fc.integer({ min: 0, max: 1000 }),
    fc.double({ min: 0, max: 1e12, noNaN: true }),
  ),
  { minLength: 1, maxLength: 60 },
);

describe("histogram", () => {
  test("returns quantiles in the bucket of the nearest-rank value, at most 14 % off", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, p) => {
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(p * all.length) - 1)];
        const found = filled(all).quantile(p);
        if (exact <= 1) expect(found).toBeLessThanOrEqual(1);
        else if (exact <= 9e9) expect(Math.max(found / exact, exact / found)).toBeLessThan(1.1429);
        expect(found).toBeGreaterThanOrEqual(sorted[0]);
        expect(found).toBeLessThanOrEqual(sorted.at(-1)!);
      }),
    );
  });

  test("returns cumulative counts as in Prometheus, with upper bounds included", () => {
    fc.assert(
      fc.property(values, (all) => {
        for (const [bound, count] of filled(all).cumulative()) expect(count).toBe(all.filter((value) => value <= bound).length);
      }),
    );
  });

  test("uses the preferred numbers R5 between two bounds as Prometheus buckets", () => {
    const bounds = [1, 1.6, 2.5, 4, 6.3, 10, 16, 25, 40, 63, 100];
    expect(new Histogram().cumulative(1, 100).map(([bound]) => bound)).toEqual(bounds);
    expect(new Histogram().cumulative(10, 40).map(([bound]) => bound)).toEqual([10, 16, 25, 40]);
    expect(new Histogram().cumulative().at(-1)).toEqual([1e7, 0]);
  });

  test("puts a value on a boundary into the bucket below", () => {
    const [below, at, above] = [11.19, 11.2, 11.21].map((value) => filled([1, value, 100]).quantile(0.5));
    expect([below, at, above]).toEqual([11.2, 11.2, 12.5]);
  });

  test("reports count, sum and range", () => {
    const histogram = filled([3, 5, 0, 2e10]);
    expect([histogram.count, histogram.sum]).toEqual([4, 2e10 + 8]);
    const { count, sum, min, max, p50 } = histogram.toJSON();
    expect([count, sum, min, max]).toEqual([4, 2e10 + 8, 0, 2e10]);
    expect(p50).toBeCloseTo(3.15, 12);
    expect(histogram.quantile(0)).toBe(1);
    expect(histogram.quantile(1)).toBe(2e10);
  });

  test("has no quantiles if empty", () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
    expect(JSON.parse(JSON.stringify(new Histogram()))).toEqual({
      count: 0,
      sum: 0,
      min: null,
      max: null,
      p50: null,
      p90: null,
      p99: null,
      p999: null,
    });
  });

  test.each([-1, Number.NaN, Infinity])("refuses %s", (value) => {
    expect(() => new Histogram().add(value)).toThrow(/^histogram: the value is .*OPTION_RANGE/);
    expect(() => new Histogram().quantile(value)).toThrow(/^histogram: p is .*OPTION_RANGE/);
  });
});
