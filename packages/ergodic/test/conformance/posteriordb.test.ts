/**
 * The models of posteriordb, written as models of this library: log densities at given values, gradients compared with
 * finite differences, and transforms in both directions. `log_density` in posteriordb is on the constrained scale and
 * includes all constants.
 */
import { describe, expect, it } from "vitest";
import { dataOf, haveReferences, MODELS, referenceOf } from "./posteriordb/posteriors.ts";

if (!haveReferences)
  console.warn("skipped: posteriordb's reference values are not beside this repository (../shared/data/posteriordb)");

describe.skipIf(!haveReferences)("posteriordb", () => {
  it("covers all 24 models", () => {
    expect(Object.keys(MODELS).length).toBe(24);
  });

  describe.each(Object.keys(MODELS))("%s", (name) => {
    it("has the reference's log densities at each point of the unconstrained space", async () => {
      const reference = referenceOf(name);
      using posterior = await MODELS[name].condition(dataOf(reference), { deterministic: true });
      expect(reference.log_density_checks.length).toBeGreaterThan(0);
      for (const { point, log_density } of reference.log_density_checks) {
        const u = posterior.unconstrain(point);
        const got = posterior.logDensityOfValues(u);
        expect(Math.abs(got - log_density), `${got} for ${log_density}`).toBeLessThan(1e-8);
        const back = posterior.constrain(u);
        for (const [key, value] of Object.entries(point))
          [value].flat().forEach((x, i) => {
            expect(Math.abs(back[key][i] - x), `${key}[${i}]`).toBeLessThan(1e-9 * Math.max(1, Math.abs(x)));
          });
      }
    });

    it("gives the same compiled and interpreted, with a gradient that matches finite differences", async () => {
      const reference = referenceOf(name);
      using posterior = await MODELS[name].condition(dataOf(reference), { deterministic: true });
      const u = posterior.unconstrain(reference.log_density_checks[0].point);
      const { value, gradient } = posterior.evaluate(u);
      const at = (i: number, by: number): number => {
        const there = u.slice();
        there[i] += by;
        return posterior.evaluate(there).value;
      };
      expect(Math.abs(value - posterior.logDensity(u))).toBeLessThan(1e-10 * Math.max(1, Math.abs(value)));
      for (let i = 0; i < posterior.dimension; i++) {
        const step = 1e-5 * Math.max(0.1, Math.abs(u[i]));
        const slope = (8 * (at(i, step) - at(i, -step)) - (at(i, 2 * step) - at(i, -2 * step))) / (12 * step);
        // A sum of thousands of terms has a relative rounding error of about 1e-15, which is divided by the step.
        const rounding = (1e-14 * Math.abs(value)) / step;
        expect(Math.abs(gradient[i] - slope), `${i}: ${gradient[i]} for ${slope}`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(slope)) + rounding,
        );
      }
    });
  });
});
