/** fit() of a statistical model: modes that are known in closed form. */
import { describe, expect, it } from "vitest";
import { add, mul } from "../src/compiler/index.ts";
import { adam, beta, binomial, fit, gamma, integer, model, normal, real, stochasticLineSearch, vector } from "../src/index.ts";

const x = [-2, -1, 0, 1, 2, 3];
const y = [-3.9, -1.8, 0.3, 2.2, 3.9, 6.4];

/** Flat priors: the mode is that of the likelihood. */
const line = model(({ data, param, observe }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const alpha = param("alpha", "real");
  const slope = param("slope", "real");
  const sigma = param("sigma", "positive");
  observe(y, normal(add(alpha, mul(slope, x)), sigma));
});

function leastSquares() {
  const n = x.length;
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / n;
  const slope = mean(x.map((xi, i) => (xi - mean(x)) * (y[i] - mean(y)))) / mean(x.map((xi) => (xi - mean(x)) ** 2));
  const alpha = mean(y) - slope * mean(x);
  const sigma = Math.sqrt(mean(x.map((xi, i) => (y[i] - alpha - slope * xi) ** 2)));
  return { alpha, slope, sigma };
}

const coin = model(({ data, param, observe }) => {
  const { heads, flips } = data({ heads: integer(), flips: integer() });
  const p = param("p", beta(3, 2));
  observe(heads, binomial(flips, p));
});

describe("the mode of a posterior", () => {
  it("is that of least squares under flat priors, with σ² = RSS / n: no log |J| is in it", async () => {
    const { values, gradientNorm, logDensity } = await fit(line, { x, y });
    const wanted = leastSquares();
    for (const [name, value] of Object.entries(wanted)) expect(values[name][0], name).toBeCloseTo(value, 6);
    expect(gradientNorm).toBeLessThan(1e-5);
    expect(logDensity).toBeCloseTo(-3 * Math.log(2 * Math.PI) - 6 * Math.log(wanted.sigma) - 3, 8);
  });

  it("is (a − 1) / (a + b − 2) of a beta posterior, by L-BFGS and by adam", async () => {
    const exact = (3 + 7 - 1) / (3 + 7 + 2 + 3 - 2);
    const data = { heads: 7, flips: 10 };
    expect((await fit(coin, data)).values.p[0]).toBeCloseTo(exact, 8);
    const byAdam = await fit(coin, data, { rule: adam({ rate: 0.05 }), epochs: 3000, start: { p: 0.2 } });
    expect(byAdam.values.p[0]).toBeCloseTo(exact, 4);
  });

  it("does not depend on where it starts, nor on the seed", async () => {
    const found = await Promise.all([1, 2, 3].map((seed) => fit(line, { x, y }, { seed })));
    for (const { values } of found) expect(values.slope[0]).toBeCloseTo(leastSquares().slope, 6);
  });

  it("refuses what has no meaning, and densities without a mode", async () => {
    expect(() => fit(coin, { heads: 7, flips: 10 }, { rule: stochasticLineSearch() })).toThrow(/searches on minibatches/);
    expect(() => fit(coin, { heads: 7, flips: 10 }, { batch: 3 } as never)).toThrow(/batch/);
    const discrete = model(({ param }) => void param("z", binomial(3, 0.5)));
    await expect(fit(discrete, {})).rejects.toThrow(/"z" is discrete.*marginalise/);
    const flat = model(({ data, param, observe }) => {
      const { y } = data({ y: real() });
      const scale = param("scale", gamma(0.5, 1));
      observe(y, normal(0, scale));
    });
    // At y = 0 the density grows without bound as the scale goes to 0.
    const run = fit(flat, { y: 0 }, { epochs: 2000 });
    const ended = await run.catch((error: unknown) => (error as Error).message);
    if (typeof ended === "string") expect(ended).toMatch(/diverged/);
    else expect(ended.values.scale[0]).toBeLessThan(1e-6);
    await expect(run.checkpoint("mode.checkpoint")).rejects.toThrow(/begin it again|nothing to keep/);
  });
});
