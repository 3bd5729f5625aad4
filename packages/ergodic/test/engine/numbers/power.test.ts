/** numbers/power.ts against 200-digit arithmetic, integer powers, and the special cases of IEEE 754. */
import { expect, test } from "vitest";
import { power } from "../../../src/engine/numbers/power.ts";
import { power as usualOrFull } from "../../power.ts";
import { errorUlps } from "../compiler/precise.ts";

/** The i-th of points that fill [−½, ½] evenly. */
const spread = (i: number, by = 0.6180339887498949): number => ((i * by) % 1) - 0.5;

test("powers are within one unit in the last place", () => {
  const count = usualOrFull(50, 150);
  let largest = 0;
  const check = (x: number, y: number): void => {
    largest = Math.max(largest, errorUlps("pow", power(x, y), x, y));
  };
  for (let i = 1; i <= count; i++) {
    check(2 ** (20 * spread(i)), 60 * spread(i, 0.7548776662466927));
    // Near 1, the logarithm is small and a large exponent amplifies its error.
    check(1 + 1e-3 * spread(i), 1e5 * spread(i, 0.7548776662466927));
    // Within a factor √2 of 1, no power of 2 hides the rounding of the rest.
    check(1 + 0.8 * spread(i) * (spread(i) > 0 ? 1 : 0.7), 4000 * spread(i, 0.7548776662466927));
    // Ratios along a regularisation path.
    check(10 ** -(1 + (i % 5)), i / (count + 1));
  }
  expect(largest).toBeLessThan(1);
  expect(largest).toBeGreaterThan(0.5);
});

test("powers are exact if the result is a float64", () => {
  for (let a = 1n; a <= 60n; a++)
    for (let b = 0n; a ** b < 2n ** 53n && b < 60n; b++) {
      const wanted = Number(a ** b);
      expect(power(Number(a), Number(b))).toBe(wanted);
      expect(power(-Number(a), Number(b))).toBe(b % 2n === 0n ? wanted : -wanted);
    }
  for (let k = -1074; k <= 1023; k++) expect(power(2, k)).toBe(2 ** k);
  for (const x of [5e-324, 0.1, 3, 1e300, -7.3])
    expect([power(x, 1), power(x * x, 0.5)]).toEqual([x, Math.abs(Math.sqrt(x * x))]);
  expect([power(-2, -3), power(0.25, -0.5), power(1e-300, 2), power(1e300, -1.1)]).toEqual([-0.125, 2, 0, 0]);
});

test("rounds subnormal results once, and over- and underflows correctly", () => {
  expect(power(2, -1074.4)).toBe(5e-324);
  expect([power(2, -1075.1), power(2, 1024), power(-2, 1025), power(-2, -1077)]).toEqual([0, Infinity, -Infinity, -0]);
  expect(Math.abs(power(1e-308, 1.04) - 4.787e-321)).toBeLessThanOrEqual(2 * 5e-324);
  expect(power(1 - 2 ** -53, 1e300)).toBe(0);
  expect(power(1 + 2 ** -52, 1e300)).toBe(Infinity);
  expect(power(1 - 2 ** -53, -1e300)).toBe(Infinity);
});

// IEEE 754-2019, 9.2.1, and C23, F.10.4.4: x, y and x^y
const odd = 2 ** 53 - 1;
test.each([
  [0, 3, 0],
  [-0, 3, -0],
  [-0, 2, 0],
  [-0, 2.5, 0],
  [0, -3, Infinity],
  [-0, -3, -Infinity],
  [-0, -2, Infinity],
  [-0, -Infinity, Infinity],
  [0, Infinity, 0],
  [Number.NaN, 0, 1],
  [1, Number.NaN, 1],
  [Number.NaN, 1, Number.NaN],
  [2, Number.NaN, Number.NaN],
  [-1, Infinity, 1],
  [-1, -Infinity, 1],
  [-1, odd, -1],
  [-1, odd + 3, 1],
  [-1, 0.5, Number.NaN],
  [-8, 1 / 3, Number.NaN],
  [0.5, Infinity, 0],
  [-0.5, -Infinity, Infinity],
  [-2, Infinity, Infinity],
  [2, -Infinity, 0],
  [Infinity, 0.1, Infinity],
  [Infinity, -2, 0],
  [-Infinity, 3, -Infinity],
  [-Infinity, 2, Infinity],
  [-Infinity, 2.5, Infinity],
  [-Infinity, -3, -0],
  [-Infinity, -4, 0],
])("returns for %d to the power of %d the value %d", (x, y, wanted) => {
  expect(power(x, y)).toBe(wanted);
});
