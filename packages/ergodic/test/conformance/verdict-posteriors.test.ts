/**
 * The posteriors that judge verdicts are correct. Log densities are compared with formulas written without the library,
 * and answers are compared with draws if a closed form exists.
 */
import { describe, expect, it } from "vitest";
import { DensityPoint } from "../../src/bayes/approximate/density-point.ts";
import type { LogDensity } from "../../src/engine/contract/index.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { stream } from "../../src/engine/random/stream.ts";
import { standardCdf } from "./verdicts/marginals.ts";
import { posteriors } from "./verdicts/posteriors.ts";

describe("forty posteriors", () => {
  it("have different names, and half of them have several modes", () => {
    expect(new Set(posteriors.map(({ name }) => name)).size).toBe(40);
    expect(posteriors.filter(({ kind }) => kind === "modes")).toHaveLength(20);
  });

  it.each(posteriors)("$name: the density equals the formula up to a constant", async ({ model, data, logDensity }) => {
    const density = "condition" in model ? await model.condition(data as never) : (model as LogDensity);
    const point = new DensityPoint(await openEngine(), density, "test");
    const draws = stream(3, "points").at(0);
    const away = Array.from({ length: 20 }, () => {
      const u = Float64Array.from({ length: density.dimension }, () => 3 * draws.uniform() - 1.5);
      return point.evaluate(u) - logDensity(u);
    });
    point.dispose();
    for (const one of away) expect(Math.abs(one - away[0])).toBeLessThan(1e-8 * Math.max(1, Math.abs(away[0])));
  });

  it.each(posteriors)("$name: marginals rise from 0 to 1 around their means", ({ marginals }) => {
    for (const { mean = 0, sd = 10, cdf } of marginals) {
      expect(cdf(mean - 60 * sd)).toBeLessThan(0.01);
      expect(cdf(mean + 60 * sd)).toBeGreaterThan(0.99);
      // One-sided Chebyshev inequality.
      expect(cdf(mean + sd)).toBeGreaterThan(0.5 - 1e-6);
      expect(cdf(mean - sd)).toBeLessThan(0.5 + 1e-6);
    }
  });
});

describe("the normal distribution function", () => {
  it.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-2.5, 0.006209665325776132],
    [5, 0.9999997133484281],
  ])("is exact at %d", (z, exact) => expect(Math.abs(standardCdf(z) - exact)).toBeLessThan(1e-14));
});
