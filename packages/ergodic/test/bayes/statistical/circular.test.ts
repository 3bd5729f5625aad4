/** Draws of angles: only this file samples parameters on a circle. */
import { describe, expect, it } from "vitest";
import { vonMises } from "../../../src/bayes/distributions/index.ts";
import { model } from "../../../src/bayes/model/index.ts";
import { sample } from "../../../src/bayes/sample.ts";
import { cos, less, mul, sin, sub, where } from "../../../src/engine/compiler/index.ts";

/** Mean of f over the density exp(κ cos(x − μ)) on the circle, by the midpoint rule. */
function expected(mu: number, kappa: number, f: (x: number) => number): number {
  const points = Array.from({ length: 100_000 }, (_, i) => -Math.PI + (2 * Math.PI * (i + 0.5)) / 100_000);
  const weights = points.map((x) => Math.exp(kappa * (Math.cos(x - mu) - 1)));
  const whole = weights.reduce((a, b) => a + b, 0);
  return points.reduce((sum, x, i) => sum + weights[i] * f(x), 0) / whole;
}

describe.each([
  [2.9, 4],
  [3.1, 100],
  [-1, 0.5],
  [0, 0],
])("vonMises(%d, %d)", (mu, kappa) => {
  it.each(["distribution", "constraint"])("is drawn on both sides of the cut, as a %s", async (kind) => {
    const circle = model(({ param, target }) => {
      const phi = param("phi", kind === "distribution" ? vonMises(mu, kappa) : "angle");
      if (kind === "constraint") target(mul(kappa, cos(sub(phi, mu))));
      return { phi, along: cos(sub(phi, mu)), across: sin(sub(phi, mu)), negative: where(less(phi, 0), 1, 0) };
    });
    const draws = await sample(circle, {}, { seed: 5, deterministic: true });
    expect(draws.verdict().trusted, `${draws.verdict()}`).toBe(true);
    const { along, across, negative } = draws.summary();
    // 24 means. A normal error exceeds 5 standard errors with probability 6e-7, so all stay within with 1 − 1.4e-5.
    for (const [row, f] of [
      [along, (x: number) => Math.cos(x - mu)],
      [across, (x: number) => Math.sin(x - mu)],
      [negative, (x: number) => Number(x < 0)],
    ] as const)
      expect(Math.abs(row.mean - expected(mu, kappa, f)) / row.mcseMean).toBeLessThan(5);
  });
});
