/** Compares our comparison of models with R's loo. model-weights.R lists the calls. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { total } from "../../src/engine/statistics/pointwise.ts";
import { compare, type LooResult } from "../../src/entries/everything.ts";

type Pointwise = Record<"elpd" | "pLoo" | "paretoK", number[]>;
interface Case {
  pointwise: Record<string, Pointwise>;
  order: string[];
  columns: string[];
  rows: number[][];
  stacking: number[];
  pseudobma_plus: number[];
}
const golden = JSON.parse(readFileSync(new URL("model-weights.json", import.meta.url), "utf8")) as Record<string, Case>;

function resultOf(given: Pointwise): LooResult {
  const [elpd, pLoo, paretoK] = [given.elpd, given.pLoo, given.paretoK].map((list) => Float64Array.from(list));
  const looic = elpd.map((value) => -2 * value);
  const none = new Float64Array(elpd.length);
  const pointwise = { elpd, pLoo, looic, paretoK, mcse: none, effectiveSize: none, relativeEfficiency: none };
  return { elpd: total(elpd), pLoo: total(pLoo), looic: total(looic), mcse: 0.1, threshold: 0.7, pointwise };
}

describe.each(Object.entries(golden))("loo_compare and loo_model_weights on %s", (_, given) => {
  const models = Object.fromEntries(Object.entries(given.pointwise).map(([name, own]) => [name, resultOf(own)]));
  const names = Object.keys(models);
  const found = compare(models);

  it("order, differences and their errors agree", () => {
    expect(found.models.map(({ name }) => name)).toEqual(given.order);
    expect(given.columns).toEqual([
      ...["elpd_diff", "se_diff", "elpd_loo", "se_elpd_loo", "p_loo", "se_p_loo", "looic", "se_looic"],
    ]);
    found.models.forEach(({ elpdDiff, seDiff, elpd, pLoo, looic }, i) => {
      const row = [elpdDiff, seDiff, elpd.estimate, elpd.se, pLoo.estimate, pLoo.se, looic.estimate, looic.se];
      row.forEach((value, j) => void expect(Math.abs(value - given.rows[i][j])).toBeLessThan(1e-7 * (1 + Math.abs(value))));
    });
  });

  it("stacking weights agree and are at least as good as R's", () => {
    const weights = names.map((name) => found.models.find((model) => model.name === name)!.weight);
    weights.forEach((weight, k) => void expect(Math.abs(weight - given.stacking[k])).toBeLessThan(1e-4));
    expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const score = (w: readonly number[]): number =>
      given.pointwise[names[0]].elpd.reduce(
        (sum, __, i) => sum + Math.log(names.reduce((all, name, k) => all + w[k] * Math.exp(given.pointwise[name].elpd[i]), 0)),
        0,
      );
    expect(score(weights)).toBeGreaterThan(score(given.stacking) - 1e-9);
  });

  it("pseudo-BMA+ weights agree up to the noise of 1000 bootstraps", () => {
    // The standard deviation of a weight over replicates is below 1/2. The tolerance is five standard errors.
    const plus = compare(models, { weights: "pseudoBma", seed: 1 });
    for (const { name, weight } of plus.models)
      expect(Math.abs(weight - given.pseudobma_plus[names.indexOf(name)])).toBeLessThan((5 * 0.5) / Math.sqrt(1000));
  });
});
