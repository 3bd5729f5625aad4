import fc from "fast-check";
import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { fitGeneralisedPareto, generalisedParetoQuantile } from "../../../src/engine/statistics/generalised-pareto.ts";
import { paretoKThreshold, psis } from "../../../src/engine/statistics/psis.ts";

it.each([-0.5, 0, 0.3, 0.7, 1.5])("fits a generalised Pareto distribution of k = %d", (k) => {
  // Uses expected order statistics instead of draws, so that only the bias of the estimate and its shrinkage towards ½
  // (10 in 5010) remain.
  const x = Float64Array.from({ length: 5000 }, (_, i) => generalisedParetoQuantile((i + 0.5) / 5000, { k, sigma: 3 }));
  const found = fitGeneralisedPareto(x);
  expect(Math.abs(found.k - k)).toBeLessThan(0.015);
  expect(Math.abs(found.sigma / 3 - 1)).toBeLessThan(0.02);
});

it("the quantile inverts the distribution function", () => {
  for (const k of [-0.5, 0.3, 2]) {
    for (const p of [0, 0.1, 0.5, 0.999]) {
      const x = generalisedParetoQuantile(p, { k, sigma: 2 });
      expect(Math.abs(1 - (1 + (k * x) / 2) ** (-1 / k) - p)).toBeLessThanOrEqual(1e-14);
    }
  }
  expect(
    Math.abs(generalisedParetoQuantile(0.9, { k: 0, sigma: 2 }) - generalisedParetoQuantile(0.9, { k: 1e-12, sigma: 2 })),
  ).toBeLessThan(1e-10);
});

/** Ratios of Exp(1/k) against Exp(1) in logarithms: weights with a Pareto tail of index 1/k. */
function paretoLogWeights(count: number, k: number): Float64Array {
  const draws = stream(11, "pareto").at(0);
  return Float64Array.from({ length: count }, () => k * draws.exponential());
}

it("normalises, keeps the order, and gives no weight above the largest raw one", () => {
  const ratios = paretoLogWeights(400, 0.6);
  const { logWeights } = psis(ratios);
  expect(Math.abs(logWeights.reduce((total, value) => total + Math.exp(value), 0) - 1)).toBeLessThanOrEqual(1e-13);
  const order = [...ratios.keys()].sort((a, b) => ratios[a] - ratios[b]);
  for (let s = 1; s < order.length; s++) expect(logWeights[order[s]]).toBeGreaterThanOrEqual(logWeights[order[s - 1]]);
  const raw = Math.max(...ratios) - ratios[order[0]];
  expect(logWeights[order[399]] - logWeights[order[0]]).toBeLessThanOrEqual(raw + 1e-12);
});

it("distinguishes light tails from heavy ones", () => {
  // k̂ of a tail of 3√10000 = 300 has a standard error of about (1 + k)/√300 = 0.1. The bound is 4 of them.
  expect(Math.abs(psis(paretoLogWeights(10_000, 0.2)).paretoK - 0.2)).toBeLessThan(0.3);
  expect(Math.abs(psis(paretoLogWeights(10_000, 1.2)).paretoK - 1.2)).toBeLessThan(0.5);
});

it("weights are invariant under a constant and the order of draws", () => {
  const ratios = paretoLogWeights(150, 0.5);
  const plain = psis(ratios);
  fc.assert(
    fc.property(fc.integer({ min: -1000, max: 1000 }), (shift) => {
      const moved = psis(ratios.map((ratio) => ratio + shift));
      expect(Math.abs(moved.paretoK - plain.paretoK)).toBeLessThanOrEqual(1e-9);
      moved.logWeights.forEach((value, s) => {
        expect(Math.abs(value - plain.logWeights[s])).toBeLessThanOrEqual(1e-9);
      });
    }),
    { numRuns: 20 },
  );
  const turned = psis(ratios.slice().reverse());
  expect(turned.paretoK).toBe(plain.paretoK);
  turned.logWeights.reverse().forEach((value, s) => {
    expect(Math.abs(value - plain.logWeights[s])).toBeLessThanOrEqual(1e-13);
  });
});

it("keeps short and constant tails unchanged", () => {
  const short = psis(new Float64Array([0, Math.log(3)]));
  expect(short.paretoK).toBe(Infinity);
  expect(Math.abs(short.logWeights[1] - Math.log(0.75))).toBeLessThanOrEqual(1e-15);
  expect(psis(new Float64Array(100).fill(-7))).toMatchObject({ paretoK: Infinity, effectiveSize: expect.closeTo(100, 9) });
});

it("lowers its threshold for few draws", () => {
  expect(paretoKThreshold(100)).toBe(0.5);
  expect(paretoKThreshold(1e6)).toBe(0.7);
});

it("refuses ratios with zero or infinite weight", () => {
  expect(() => psis(new Float64Array([0, Number.NaN]))).toThrow(
    "psis: log ratio 1 is NaN, but must be finite or -Infinity; drop that draw [DATA_NOT_FINITE]",
  );
  expect(() => psis(new Float64Array([Infinity, 0]))).toThrow(/log ratio 0 is Infinity/);
  expect(() => psis(new Float64Array([-Infinity]))).toThrow(/no log ratio is finite/);
  expect(() => psis(new Float64Array([1, 2]), { relativeEfficiency: 0 })).toThrow(/relativeEfficiency is 0, .* \[OPTION_RANGE\]/);
});
