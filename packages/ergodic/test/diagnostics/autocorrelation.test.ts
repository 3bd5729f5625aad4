import { expect, it } from "vitest";
import { autocorrelation, autocovariance, meanAutocovariance } from "../../src/diagnostics/autocorrelation.ts";
import { fourierTransform } from "../../src/diagnostics/fourier.ts";
import * as reference from "../reference/diagnostics.ts";
import { autoregressive, chainsOf } from "./draws.ts";

const lengths = [...Array.from({ length: 18 }, (_, n) => n), 64, 100, 257];

it("transforms as the definition says", () => {
  for (const n of [1, 2, 4, 8, 16, 64]) {
    const real = autoregressive(1, n, 0.5, 1);
    const imaginary = autoregressive(1, n, 0, 2);
    const wanted = reference.fourierTransform([...real], [...imaginary]);
    fourierTransform(real, imaginary);
    wanted.forEach(([re, im], k) => {
      expect(Math.hypot(real[k] - re, imaginary[k] - im)).toBeLessThanOrEqual(1e-14 * n);
    });
  }
});

it("refuses a length that is no power of two", () => {
  expect(() => fourierTransform(new Float64Array(6), new Float64Array(6))).toThrow(/internal error/);
});

it.each(lengths)("gives the autocovariance of %d draws", (n) => {
  const x = autoregressive(1, n, 0.7, 3).map((value) => 5 + value);
  const wanted = reference.autocovariance([...x]);
  const found = autocovariance(x);
  expect(found.length).toBe(n);
  wanted.forEach((value, t) => {
    expect(Math.abs(found[t] - value)).toBeLessThanOrEqual(1e-14 * Math.max(1, wanted[0]));
  });
});

it("begins at 1, and is NaN of a chain that stands still", () => {
  expect(autocorrelation(autoregressive(1, 33, 0.7, 4))[0]).toBe(1);
  expect([...autocorrelation(new Float64Array([0.1, 0.1, 0.1]))]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

it.each([1, 2, 3, 4, 5])("gives the mean of %d chains", (chainCount) => {
  for (const n of [1, 2, 7, 16, 33]) {
    const draws = autoregressive(chainCount, n, 0.4, 10).map((x, i) => x + Math.floor(i / n));
    const each = chainsOf(draws, chainCount).map(reference.autocovariance);
    const found = meanAutocovariance(draws, chainCount);
    expect(found.length).toBe(n);
    for (let t = 0; t < n; t++) {
      const wanted = each.reduce((total, gamma) => total + gamma[t], 0) / chainCount;
      expect(Math.abs(found[t] - wanted)).toBeLessThanOrEqual(1e-13);
    }
  }
});
