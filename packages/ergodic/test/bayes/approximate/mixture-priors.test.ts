/**
 * Prior options of gaussianMixture. With one component the posterior is known, so each option can be read from the
 * result.
 */
import { describe, expect, it } from "vitest";
import { gaussianMixture } from "../../../src/bayes/approximate/gaussian-mixture.ts";

const rows = [
  [1, 2],
  [3, 1],
  [2, 5],
  [6, 4],
  [0, 3],
];
const n = rows.length;
const exact = { components: 1, starts: 1, seed: 1 };

describe("one component", () => {
  it.each([0.01, 1, 7])("meanPrecision %f counts as that many observations of the prior mean: β = β₀ + n", (meanPrecision) => {
    const { parameters } = gaussianMixture(rows, { ...exact, meanPrecision });
    // Layout of a component: m (2 numbers), β, ν, V.
    expect(parameters.components[2]).toBeCloseTo(meanPrecision + n, 10);
  });

  it.each([2.5, 3, 10])("degrees %f is added to the number of rows: ν = ν₀ + n", (degrees) => {
    expect(gaussianMixture(rows, { ...exact, degrees }).parameters.components[3]).toBeCloseTo(degrees + n, 10);
  });

  it.each([0.25, 1, 12])("concentration %f counts as that many prior rows of the component: α = α₀ + n", (concentration) => {
    expect(gaussianMixture(rows, { ...exact, concentration }).parameters.weights[0]).toBeCloseTo(concentration + n, 10);
  });

  it("spread is the prior variance within a component, as a share of column variances", () => {
    const one = gaussianMixture(rows, { ...exact, spread: 1, degrees: 4 }).parameters.components;
    const two = gaussianMixture(rows, { ...exact, spread: 2, degrees: 4 }).parameters.components;
    // V = ν₀ · spread · variance + scatter of the rows. Only the first term doubles.
    const variance = [0, 1].map((i) => {
      const mean = rows.reduce((sum, row) => sum + row[i], 0) / n;
      return rows.reduce((sum, row) => sum + (row[i] - mean) ** 2, 0) / n;
    });
    expect(two[4] - one[4]).toBeCloseTo(4 * variance[0], 10);
    expect(two[7] - one[7]).toBeCloseTo(4 * variance[1], 10);
  });
});

it("a small concentration leaves empty components no weight, and a large one an even share", () => {
  const two = [...rows, ...rows.map(([a, b]) => [a + 100, b])];
  const sizes = (concentration: number): number[] =>
    [...gaussianMixture(two, { components: 3, starts: 3, seed: 2, concentration }).weights].sort((a, b) => b - a);
  const [sparse, even] = [sizes(1e-3), sizes(1e3)];
  expect(sparse[2]).toBeLessThan(1e-3);
  expect(even[2]).toBeGreaterThan(0.32);
});
