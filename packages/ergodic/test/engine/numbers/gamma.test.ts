/** lgamma, digamma and trigamma on the host against 200-digit arithmetic. */
import { expect, test } from "vitest";
import { digamma, lgamma, trigamma } from "../../../src/engine/numbers/gamma.ts";
import { absoluteError, errorUlps } from "../compiler/precise.ts";

const positive = Array.from({ length: 500 }, (_, i) => 0.011 + i * 0.0137 + i ** 3 * 1e-7);
const points = [...positive, ...positive.map((x) => -x), 1e-9, 1e-200, 1e12, 0.9999, 1.0001, 1.9999, 2.0001, -123.4];
const unitsOfOne = (name: string, value: number, x: number): number =>
  absoluteError(name, value, x) / (2 ** -52 * Math.max(1, Math.abs(value)));

test("lgamma is within 8 units of max(1, |result|), or of the result between ½ and 2½", () => {
  for (const x of points) {
    const error = (x > 0.5 && x < 2.5 ? errorUlps : unitsOfOne)("lgamma", lgamma(x), x);
    expect(error, `lgamma(${x})`).toBeLessThanOrEqual(8);
  }
});

test("digamma is within 8 units of max(1, |result|)", () => {
  for (const x of points) expect(unitsOfOne("digamma", digamma(x), x), `digamma(${x})`).toBeLessThanOrEqual(8);
});

test("trigamma is within 8 units in the last place", () => {
  for (const x of points.filter((v) => v > 1e-150 || v < 0))
    expect(errorUlps("trigamma", trigamma(x), x), `trigamma(${x})`).toBeLessThanOrEqual(8);
});

test("handles zeros, poles and limits", () => {
  expect([1, 2].map((x) => Math.abs(lgamma(x)))).toEqual([0, 0]);
  expect([0, -0, -1, -7, -1e300, Infinity, -Infinity, Number.NaN].map(lgamma)).toEqual([
    ...Array.from({ length: 7 }, () => Infinity),
    Number.NaN,
  ]);
  expect([0, -0, -1, -1e300, Infinity, -Infinity, Number.NaN].map(digamma)).toEqual([
    -Infinity,
    Infinity,
    Number.NaN,
    Number.NaN,
    Infinity,
    Number.NaN,
    Number.NaN,
  ]);
  expect([0, -0, -1, -1e300, Infinity, -Infinity, Number.NaN].map(trigamma)).toEqual([
    Infinity,
    Infinity,
    Infinity,
    Infinity,
    0,
    Number.NaN,
    Number.NaN,
  ]);
});
