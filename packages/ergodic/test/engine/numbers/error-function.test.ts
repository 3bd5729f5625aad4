/** erf and erfc on the host against 200-digit arithmetic. */
import { expect, test } from "vitest";
import { erf, erfc } from "../../../src/engine/numbers/error-function.ts";
import { power } from "../../power.ts";
import { errorUlps } from "../compiler/precise.ts";

const COUNT = power(150, 500);
const positive = [
  1e-300,
  1e-9,
  0.999999,
  1,
  1.000001,
  // Evenly spaced in the same range for either number.
  ...Array.from({ length: COUNT }, (_, k) => (k * 500) / COUNT).map((i) => 0.011 + i * 0.0137 + i ** 3 * 1e-7),
];
const points = [...positive, ...positive.map((x) => -x)];

test("erf is within 4 units in the last place", () => {
  for (const x of points) expect(errorUlps("erf", erf(x), x), `erf(${x})`).toBeLessThanOrEqual(4);
});

test("erfc is within 4 units in the last place, within 10 between ½ and 1", () => {
  for (const x of points.filter((v) => v < 26.5))
    expect(errorUlps("erfc", erfc(x), x), `erfc(${x})`).toBeLessThanOrEqual(x > 0.5 && x < 1 ? 10 : 4);
});

test("handles special values", () => {
  expect([0, -0, Infinity, -Infinity, Number.NaN].map(erf)).toEqual([0, -0, 1, -1, Number.NaN]);
  expect([0, -0, Infinity, -Infinity, Number.NaN].map(erfc)).toEqual([1, 1, 0, 2, Number.NaN]);
});
