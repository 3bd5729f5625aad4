import { expect, it } from "vitest";
import { autocorrelation, autocovariance, meanAutocovariance } from "../../../src/engine/statistics/autocorrelation.ts";
import { centredChains } from "../../../src/engine/statistics/centred.ts";
import { transformBack, transformThere } from "../../../src/engine/statistics/fourier.ts";
import * as reference from "../../reference/diagnostics.ts";
import { autoregressive, chainsOf } from "./draws.ts";

const lengths = [...Array.from({ length: 18 }, (_, n) => n), 64, 100, 257];

/** Reverses the digits of k to the base 4. If n is not a power of 4, the highest digit is to the base 2. */
function placeOf(k: number, n: number): number {
  const place = (rest: number, left: number): number => {
    if (left === 1) return 0;
    const base = left === 2 ? 2 : 4;
    return (rest % base) * (left / base) + place(Math.floor(rest / base), left / base);
  };
  return place(k, n);
}

it("matches the definition of the transform and inverts it", () => {
  for (const n of [1, 2, 4, 8, 16, 32, 64, 128]) {
    const x = autoregressive(1, n, 0.5, 1);
    const y = autoregressive(1, n, 0, 2);
    const [real, imaginary] = [x.slice(), y.slice()];
    const wanted = reference.fourierTransform([...x], [...y]);
    transformThere(real, imaginary);
    wanted.forEach(([re, im], k) => {
      const at = placeOf(k, n);
      expect(Math.hypot(real[at] - re, imaginary[at] - im)).toBeLessThanOrEqual(1e-14 * n);
    });
    transformBack(real, imaginary);
    for (let t = 0; t < n; t++) {
      const turned = (n - t) % n;
      expect(Math.hypot(real[t] - n * x[turned], imaginary[t] - n * y[turned])).toBeLessThanOrEqual(1e-14 * n);
    }
  }
});

it("refuses a length that is not a power of two", () => {
  expect(() => transformThere(new Float64Array(6), new Float64Array(6))).toThrow(/internal error/);
  expect(() => transformBack(new Float64Array(4), new Float64Array(8))).toThrow(/internal error/);
});

it.each(lengths)("computes the autocovariance of %d draws", (n) => {
  const x = autoregressive(1, n, 0.7, 3).map((value) => 5 + value);
  const wanted = reference.autocovariance([...x]);
  const found = autocovariance(x);
  expect(found.length).toBe(n);
  wanted.forEach((value, t) => {
    expect(Math.abs(found[t] - value)).toBeLessThanOrEqual(1e-14 * Math.max(1, wanted[0]));
  });
});

it("starts at 1, and is NaN for a constant chain", () => {
  expect(autocorrelation(autoregressive(1, 33, 0.7, 4))[0]).toBe(1);
  expect([...autocorrelation(new Float64Array([0.1, 0.1, 0.1]))]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

it.each([1, 2, 3, 4, 5])("computes the mean of %d chains", (chainCount) => {
  for (const n of [1, 2, 7, 16, 33]) {
    const draws = autoregressive(chainCount, n, 0.4, 10).map((x, i) => x + Math.floor(i / n));
    const each = chainsOf(draws, chainCount).map(reference.autocovariance);
    const found = meanAutocovariance(centredChains(draws, chainCount));
    expect(found.length).toBe(n);
    for (let t = 0; t < n; t++) {
      const wanted = each.reduce((total, gamma) => total + gamma[t], 0) / chainCount;
      expect(Math.abs(found[t] - wanted)).toBeLessThanOrEqual(1e-13);
    }
  }
});
