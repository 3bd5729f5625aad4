/** Compares rows of users for fixed items with scikit-learn's Ridge. The formulas match ridge-rows.py. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Ratings } from "../../src/engine/data/ratings.ts";
import { Arena } from "../../src/engine/memory/arena.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { factorisation } from "../../src/learning/fit/kinds/ratings.ts";
import type { FactorisationOptions } from "../../src/learning/models/ratings/settings.ts";
import { planFor } from "../learning/models/planted-ratings.ts";

const golden = JSON.parse(readFileSync(new URL("ridge-rows.json", import.meta.url), "utf8")) as Record<string, number[][]>;

const [users, items, rank, l2, alpha] = [4, 7, 3, 0.75, 1.5];
const number = (i: number, k: number): number => (((7 * i + 3 * k + i * k) % 11) - 5) / 2;
const rating = (u: number, i: number): number => (((5 * u + 2 * i + u * i) % 10) + 1) / 2;
const rated = (u: number, i: number): boolean => (3 * u + 2 * i + u * i) % 7 < 4;

const cells = Array.from({ length: users * items }, (_, c) => [Math.floor(c / items), c % items]).filter(([u, i]) => rated(u, i));

/**
 * Standard deviation of the explicit ratings. In this unit the penalty is l2, as in Ridge, and the solution is smaller
 * by this factor.
 */
const UNIT = (() => {
  const all = cells.map(([u, i]) => rating(u, i));
  const mean = all.reduce((sum, r) => sum + r, 0) / all.length;
  return Math.sqrt(all.reduce((sum, r) => sum + (r - mean) ** 2, 0) / all.length);
})();

function ratings(unit: number): Ratings {
  return Ratings.fromTriples({
    users: cells.map(([u]) => u),
    items: cells.map(([, i]) => i),
    values: cells.map(([u, i]) => rating(u, i) / unit),
  });
}

test.each<[string, FactorisationOptions]>([
  ["explicit", { weighted: false }],
  ["explicitWeighted", { weighted: true }],
  ["implicit", { implicit: { alpha } }],
  ["implicitWeighted", { weighted: true, implicit: { alpha } }],
])("%s", async (name, options) => {
  const engine = await openEngine();
  const unit = options.implicit ? 1 : UNIT;
  using data = ratings(unit);
  const problem = factorisation({ rank, l2, ...options }).bind(data, planFor(), engine);
  const binding = problem.factors.bind({ residuals: false, purpose: "test" });
  using arena = new Arena(engine.memory, "test");
  const parameters = new Float64Array(problem.parameterCount);
  for (let i = 0; i < items; i++) {
    // Factors are unchanged, and the item's bias is in the unit of the ratings.
    for (let k = 0; k < problem.width; k++) parameters[(users + i) * problem.width + k] = number(i, k) / (k < rank ? 1 : unit);
  }
  binding.load(parameters);
  const scratch = arena.take(binding.scratchBytes);
  if (binding.grams) {
    const sums = engine.memory.f64(binding.grams[0], binding.stride ** 2);
    for (let j = 0; j < rank; j++) {
      for (let k = 0; k < rank; k++) for (let i = 0; i < items; i++) sums[j * binding.stride + k] += number(i, j) * number(i, k);
    }
  }
  expect(engine.kernel("factorSolve", true)(binding.blocks[0], scratch, 0, users)).toBe(0);
  const solved = binding.parameters();
  for (let u = 0; u < users; u++) {
    for (let k = 0; k < problem.width; k++) expect(unit * solved[u * problem.width + k]).toBeCloseTo(golden[name][u][k], 12);
  }
  binding.dispose();
  problem.dispose();
});
