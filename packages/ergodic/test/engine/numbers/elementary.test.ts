/** The smaller elementary functions of base/ against 200-digit arithmetic, and at the ends of their ranges. */
import { describe, expect, test } from "vitest";
import { arctangent } from "../../../src/engine/numbers/arctangent.ts";
import { cosine, sine } from "../../../src/engine/numbers/cosine-sine.ts";
import { expm1 } from "../../../src/engine/numbers/exp.ts";
import { hypotenuse } from "../../../src/engine/numbers/hypotenuse.ts";
import { log1p } from "../../../src/engine/numbers/log.ts";
import { powerOfTwo, scaled } from "../../../src/engine/numbers/power-of-two.ts";
import { power } from "../../power.ts";
import { absoluteError, errorUlps } from "../compiler/precise.ts";

const COUNT = power(150, 400);
const between = (low: number, high: number): number[] =>
  Array.from({ length: COUNT }, (_, i) => low + (high - low) * ((i * 0.6180339887498949) % 1));
const magnitudes = (low: number, high: number): number[] => between(low, high).flatMap((t) => [2 ** t, -(2 ** t)]);

const largest = (name: string, f: (x: number) => number, points: readonly number[]): number =>
  points.reduce((most, x) => Math.max(most, errorUlps(name, f(x), x)), 0);

describe("within two units in the last place, or one for atan", () => {
  test.each([
    ["expm1", expm1, [...between(-1, 1), ...between(-40, 40), ...magnitudes(-1000, 0), 300, 709.7, 39.9999, -39.9999]],
    ["log1p", log1p, [...between(-0.9999, 3), ...magnitudes(-1000, -1), 1e30, 1e300]],
    ["sin", sine, [...between(-4, 4), ...magnitudes(-1000, -1)]],
    ["cos", cosine, between(-4, 4)],
    [
      "atan",
      arctangent,
      [...between(-3, 3), ...between(-300, 300), ...magnitudes(-1000, 1000), 7 / 16, 11 / 16, 19 / 16, 39 / 16],
    ],
  ] as const)("stays within the bound: %s", (name, f, points) => {
    const error = largest(name, f, points);
    expect(error).toBeLessThan(name === "atan" ? 1 : 2);
    expect(error).toBeGreaterThan(0.5);
  });
});

test("sine and cosine stay within their absolute error for every argument", () => {
  const points = [1e22, -1e22, 1e300, 2 ** 1023, 355e9, 1.6e6 + 0.1, -1.7e6, 2 ** 53, 123456789.123, 6381956970095103 * 2 ** 797];
  for (const x of [...points, ...between(-1e9, 1e9).slice(0, 100)]) {
    expect(absoluteError("sin", sine(x), x), `sin ${x}`).toBeLessThan(2.3e-16);
    expect(absoluteError("cos", cosine(x), x), `cos ${x}`).toBeLessThan(2.3e-16);
  }
});

test("handles the ends of the ranges", () => {
  const ends = [0, -0, Infinity, -Infinity, Number.NaN];
  expect(ends.map(expm1)).toEqual([0, -0, Infinity, -1, Number.NaN]);
  expect(ends.map(log1p)).toEqual([0, -0, Infinity, Number.NaN, Number.NaN]);
  expect([-1, -1.5, 5e-324, -5e-324].map(log1p)).toEqual([-Infinity, Number.NaN, 5e-324, -5e-324]);
  expect(ends.map(sine)).toEqual([0, -0, Number.NaN, Number.NaN, Number.NaN]);
  expect(ends.map(cosine)).toEqual([1, 1, Number.NaN, Number.NaN, Number.NaN]);
  expect(ends.map(arctangent)).toEqual([0, -0, Math.PI / 2, -Math.PI / 2, Number.NaN]);
  expect([expm1(5e-324), expm1(710), expm1(-700)]).toEqual([5e-324, Infinity, -1]);
});

test("hypotenuse neither over- nor underflows", () => {
  expect([hypotenuse(), hypotenuse(0, -0), hypotenuse(3, 4), hypotenuse(-5), hypotenuse(2, 3, 6)]).toEqual([0, 0, 5, 5, 7]);
  expect([hypotenuse(3e300, 4e300), hypotenuse(3e-320, 4e-320)]).toEqual([5e300, 5e-320]);
  expect(hypotenuse(Number.NaN, -Infinity)).toBe(Infinity);
  for (const x of [[1, Number.NaN], [Number.NaN, 1], [Number.NaN], [0, Number.NaN]]) expect(hypotenuse(...x)).toBeNaN();
});

test("computes powers of two exactly", () => {
  for (let k = -1074; k <= 1023; k++) expect(powerOfTwo(k)).toBe(2 ** k);
  expect([scaled(0.75, 1024), scaled(2, 1023), scaled(1.5, -1074), scaled(1.5, -1075), scaled(2 ** -1074, 1074)]).toEqual([
    0.75 * 2 ** 1023 * 2,
    Infinity,
    1e-323,
    5e-324,
    1,
  ]);
});
