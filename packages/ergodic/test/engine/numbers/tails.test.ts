/** Incomplete gamma and beta functions in both tails, and inverses by bisection. */
import { describe, expect, it } from "vitest";
import { positiveBoundary, wholeBoundary } from "../../../src/engine/errors/boundary.ts";
import { betaLower, betaUpper } from "../../../src/engine/numbers/beta-tails.ts";
import { lgamma } from "../../../src/engine/numbers/gamma.ts";
import { gammaLower, gammaUpper, stirlingRemainder } from "../../../src/engine/numbers/incomplete-gamma.ts";

const relative = (got: number, wanted: number): number => Math.abs(got - wanted) / wanted;

// mpmath 1.3.0 at 60 digits: gammainc(a, 0, x, regularized=True), gammainc(a, x, inf, regularized=True)
it.each([
  [0.5, 1e-10, 1.1283791670579e-5, 0.9999887162083294],
  [0.001, 5, 0.9999988490186603, 1.150981339730861e-6],
  [3.3, 2, 0.25833946996562784, 0.7416605300343722],
  [3.3, 40, 0.9999999999999919, 8.115589009378095e-15],
  [50, 90, 0.9999983505014983, 1.6494985017178249e-6],
  [10000.0, 10100.0, 0.8413487504471796, 0.15865124955282037],
  [10000.0, 9800, 0.022207543813969693, 0.9777924561860303],
  [1000000.0, 997000, 0.0013381041673135997, 0.9986618958326864],
])("computes P and Q of (%d, %d)", (a, x, lower, upper) => {
  // The smaller tail is accurate, and its complement is accurate to 1e-13.
  expect(relative(gammaLower(a, x), lower)).toBeLessThan(1e-12 + 1e-13 / lower);
  expect(relative(gammaUpper(a, x), upper)).toBeLessThan(1e-12 + 1e-13 / upper);
  expect(x < a + 1 ? relative(gammaLower(a, x), lower) : relative(gammaUpper(a, x), upper)).toBeLessThan(1e-12);
});

// mpmath 1.3.0 at 60 digits: betainc(a, b, 0, x, regularized=True) and its complement. For large integers a and b, the
// binomial sum.
it.each([
  [0.3, 0.2, 1e-8, 0.001712624497264523, 0.9982873755027355],
  [0.3, 0.2, 0.999, 0.8378921304158607, 0.16210786958413925],
  [2.5, 7, 0.9, 0.9999984479014958, 1.552098504198284e-6],
  [2.5, 7, 0.04, 0.0134222253719552, 0.9865777746280447],
  [40, 70, 0.36, 0.4756133706250268, 0.5243866293749732],
  [4000, 6000, 0.41, 0.9791808997048788, 0.02081910029512123],
  [4000, 6000, 0.385, 0.0010560322548567526, 0.9989439677451433],
  [100000, 3, 0.9999, 0.0027680339601161104, 0.9972319660398838],
])("computes I and 1 − I of (%d, %d) at %d", (a, b, x, lower, upper) => {
  const left = x <= (a + 1) / (a + b + 2);
  expect(relative(betaLower(a, b, x), lower)).toBeLessThan(left ? 1e-12 : 1e-13 / lower + 1e-12);
  expect(relative(betaUpper(a, b, x), upper)).toBeLessThan(left ? 1e-13 / upper + 1e-12 : 1e-12);
  expect(betaUpper(a, b, x)).toBe(betaLower(b, a, 1 - x, x));
});

it("returns the limits at the ends, and NaN for NaN", () => {
  expect([gammaLower(2, 0), gammaLower(2, Infinity), gammaUpper(2, 0), gammaUpper(2, Infinity)]).toEqual([0, 1, 1, 0]);
  expect([betaLower(2, 3, 0), betaLower(2, 3, 1), betaUpper(2, 3, 0), betaUpper(2, 3, 1)]).toEqual([0, 1, 1, 0]);
  expect([gammaLower(2, NaN), gammaUpper(2, NaN), betaLower(2, 3, NaN)]).toEqual([NaN, NaN, NaN]);
});

it("computes Stirling's remainder", () => {
  for (const a of [12, 20, 100]) {
    const wanted = lgamma(a) - ((a - 0.5) * Math.log(a) - a + 0.5 * Math.log(2 * Math.PI));
    expect(Math.abs(stirlingRemainder(a) - wanted)).toBeLessThan(1e-15 * 64 * lgamma(a));
  }
});

describe("search for boundaries", () => {
  it("finds a boundary of positive numbers exactly at every scale", () => {
    for (const edge of [5e-324, 1e-310, 1e-20, 0.7, 1, 3, 1e30, Number.MAX_VALUE]) {
      for (const start of [1e-5, 1, 1e9]) expect(positiveBoundary((x) => x >= edge, start)).toBe(edge);
    }
    expect(positiveBoundary(() => true)).toBe(0);
    expect(positiveBoundary(() => false)).toBe(Infinity);
  });

  it("finds the first whole number that satisfies the condition", () => {
    for (const edge of [0, 1, 2, 3, 17, 1000, 2 ** 40 + 1]) expect(wholeBoundary((k) => k >= edge)).toBe(edge);
    expect(wholeBoundary((k) => k >= -5, -9)).toBe(-5);
    expect(wholeBoundary(() => false)).toBe(Infinity);
  });
});
