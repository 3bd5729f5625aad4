/** Boosted trees with the quantile loss: leaves are weighted quantiles of residuals. */
import { describe, expect, it } from "vitest";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Dataset, fit, trees } from "../../../../src/entries/index.ts";
import { quantileLoss } from "../../../../src/learning/models/losses/quantile.ts";
import { weightedQuantile } from "../../../../src/learning/models/trees/quantile-leaves.ts";
import { boosted } from "./reference.ts";

const OPTIONS = { rate: 0.3, leaves: 6, l1: 0, l2: 1, minGain: 0, minHessian: 1, minRows: 1 };

/** Minimises Σ w ρ_τ(r − v) over the residuals and the middles between them, by trying all. */
function quantileByTrial(residuals: readonly number[], weights: readonly number[], tau: number): number {
  const cost = (v: number): number =>
    residuals.reduce((sum, r, i) => sum + weights[i] * (r >= v ? tau * (r - v) : (tau - 1) * (r - v)), 0);
  const sorted = [...new Set(residuals.filter((_, i) => weights[i] > 0))].sort((a, b) => a - b);
  const least = Math.min(...sorted.map(cost));
  const best = sorted.filter((v) => cost(v) < least + 1e-9 * (1 + Math.abs(least)));
  return best[0] / 2 + best.at(-1)! / 2;
}

function rowsOf(seed: number, count: number): { x: number[][]; y: number[]; weights: number[] } {
  const draws = stream(seed, "quantiles").at(0);
  const x = Array.from({ length: count }, () => [0, 1, 2].map(() => (draws.uniform() < 0.1 ? NaN : Math.fround(draws.normal()))));
  const y = x.map((row) => 2 * Number(row[0] > 0) + (1 + Math.abs(row[1] || 0)) * draws.normal());
  return { x, y, weights: y.map((_, i) => i % 4) };
}

describe("the weighted quantile", () => {
  it("minimises the quantile loss", () => {
    const draws = stream(1, "quantile").at(0);
    for (const tau of [0, 0.1, 0.25, 0.5, 0.9, 1]) {
      for (const count of [1, 2, 3, 4, 5, 8, 20]) {
        const residuals = Array.from({ length: count }, () => draws.integer(7));
        const weights = residuals.map((_, i) => (i === 0 ? 1 : draws.integer(3)));
        // At τ = 0 and 1, the interval of minimisers is unbounded, and its finite end is returned.
        const found = weightedQuantile(Float64Array.from(residuals), Float64Array.from(weights), tau);
        expect(found).toBeCloseTo(quantileByTrial(residuals, weights, tau), 12);
      }
    }
  });
});

describe("trees with the quantile loss", () => {
  it("equal the reference, with row weights and without", async () => {
    for (const [seed, tau] of [
      [1, 0.5],
      [2, 0.2],
      [3, 0.9],
    ]) {
      for (const isWeighted of [false, true]) {
        const { x, y, weights: given } = rowsOf(seed, 100);
        const weights = isWeighted ? given : y.map(() => 1);
        const quantile = (rows: readonly number[], z: readonly number[]): number =>
          quantileByTrial(
            rows.map((i) => y[i] - z[i]),
            rows.map((i) => weights[i]),
            tau,
          );
        const all = [...y.keys()].filter((i) => weights[i] > 0);
        const base = quantile(
          all,
          y.map(() => 0),
        );
        const slope = (z: number, i: number): [number, number] => [
          weights[all[i]] * (y[all[i]] >= z ? -tau : 1 - tau),
          weights[all[i]],
        ];
        const kept = all.map((i) => x[i]);
        const leaf = (rows: readonly number[], z: readonly number[]): number => {
          const outputs = y.map(() => 0);
          for (const [k, i] of all.entries()) outputs[i] = z[k];
          return quantile(
            rows.map((k) => all[k]),
            outputs,
          );
        };
        const wanted = boosted(kept, slope, base, { ...OPTIONS, rounds: 4, depth: Infinity }, x, leaf);
        const data = Dataset.fromArrays({ x, y, ...(isWeighted ? { weights } : {}), encode: "none" });
        const model = await fit(trees({ ...OPTIONS, loss: quantileLoss({ quantile: tau }) }), data, { epochs: 4 });
        model.predict(x).forEach(({ value }, i) => {
          expect(Number(value)).toBeCloseTo(wanted[i], 9);
        });
      }
    }
  });

  it("cover the stated share of held-out rows", async () => {
    const { x, y } = rowsOf(4, 4000);
    const [train, test] = [0, 2000].map((from) => ({ x: x.slice(from, from + 2000), y: y.slice(from, from + 2000) }));
    for (const tau of [0.1, 0.9]) {
      const model = await fit(
        trees({ loss: quantileLoss({ quantile: tau }), leaves: 8, minRows: 20 }),
        Dataset.fromArrays({ ...train, encode: "none" }),
        {
          epochs: 60,
        },
      );
      const below = model.predict(test.x).filter(({ value }, i) => test.y[i] <= Number(value)).length / 2000;
      // Five standard errors of a share of 2000 rows, and a bias of 0.02 because quantiles are fitted to training rows.
      expect(Math.abs(below - tau)).toBeLessThan(0.02 + 5 * Math.sqrt((tau * (1 - tau)) / 2000));
    }
  });
});
