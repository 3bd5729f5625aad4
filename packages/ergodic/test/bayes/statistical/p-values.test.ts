import { expect, it } from "vitest";
import { chiSquare, kolmogorovSmirnov, normalDistribution, upperGamma, zScore } from "./p-values.ts";

// scipy 1.15.3: scipy.special.gammaincc(a, x)
it.each([
  [0.5, 0.1, 0.6547208460185768],
  [0.5, 8, 6.334248366623988e-5],
  [2.5, 2, 0.5494159513527802],
  [2.5, 20, 1.493367900050393e-7],
  [127.5, 100, 0.9954254445419519],
  [127.5, 200, 1.6600025244123397e-8],
  [500, 500, 0.49405285382923964],
])("computes Q(%d, %d)", (a, x, wanted) => {
  expect(Math.abs(upperGamma(a, x) - wanted)).toBeLessThanOrEqual(1e-11 * wanted);
});

// scipy 1.15.3: scipy.stats.norm.cdf(x)
it.each([
  [-4, 3.167124183311986e-5],
  [-1, 0.15865525393145707],
  [0.3, 0.6179114221889526],
  [2.5, 0.9937903346742238],
])("computes Φ(%d)", (x, wanted) => {
  expect(Math.abs(normalDistribution(x) - wanted)).toBeLessThanOrEqual(1e-12);
  expect(Math.abs(zScore(x) - 2 * Math.min(wanted, 1 - wanted))).toBeLessThanOrEqual(1e-12);
});

it("computes the p-values of chi-square and Kolmogorov–Smirnov", () => {
  // scipy 1.15.3: 2 × scipy.stats.chisquare([10, 20, 30, 40], [25] * 4).pvalue
  expect(chiSquare([10, 20, 30, 40], () => 25)).toBeCloseTo(2 * 0.00016974243555282632, 12);
  // At 1000 values, their largest distance from the diagonal is 0.0475: λ = 1.5 + Stephens' 0.0057…
  const n = 1000;
  const shift = (1.5 / (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) - 0.5 / n) as number;
  const values = Array.from({ length: n }, (_, i) => Math.min(1, (i + 0.5) / n + shift));
  // scipy 1.15.3: scipy.stats.kstwobign.sf(1.5)
  expect(kolmogorovSmirnov(values, (x) => x)).toBeCloseTo(0.022217962616525127, 10);
});
