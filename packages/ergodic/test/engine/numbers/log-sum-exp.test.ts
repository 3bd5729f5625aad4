import { expect, it } from "vitest";
import { logSumExp } from "../../../src/engine/numbers/log-sum-exp.ts";

it("equals the logarithm of the sum of exponentials", () => {
  for (let n = 1; n <= 17; n++) {
    const x = Array.from({ length: n }, (_, i) => Math.sin(3 * i));
    const direct = Math.log(x.reduce((total, value) => total + Math.exp(value), 0));
    expect(Math.abs(logSumExp(x) - direct)).toBeLessThanOrEqual(1e-15 * n);
  }
});

it("neither overflows nor underflows", () => {
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.LN2, 12);
  expect(logSumExp([-Infinity, 3])).toBe(3);
});

it("handles empty lists and infinities", () => {
  expect(logSumExp([])).toBe(-Infinity);
  expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
  expect(logSumExp([Infinity, 0])).toBe(Infinity);
  expect(logSumExp([Infinity, Number.NaN])).toBeNaN();
  expect(logSumExp([Number.NaN, 0])).toBeNaN();
});
