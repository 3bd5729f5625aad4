/**
 * psgld from a mode, where gradients are 0, stays around a known posterior.
 *
 * Linear regression with known noise and wide normal priors has a normal posterior. The preconditioner is symmetric
 * around the mode, so the means equal the mode whatever the preconditioner. Both checks of means are Student-t tests
 * over 32 independent chains, with a false alarm rate of 1e-4 for the file. Errors must be small enough to reveal 0.3
 * posterior standard deviations, or 0.6 with the fewer draws of `npm test`.
 */
import { afterAll, describe, expect, it } from "vitest";
import { matrix, model, normal, vector } from "../../../../src/bayes/model/index.ts";
import { psgld } from "../../../../src/bayes/samplers/index.ts";
import { curvatureAt } from "../../../../src/bayes/samplers/stochastic-gradient/curvature.ts";
import { matmul } from "../../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { power } from "../../../power.ts";

const engine = await openEngine();
const N = 2000;
const CHAINS = 32;
/** |t| with CHAINS − 1 degrees of freedom exceeds this with probability 4e-5. */
const QUANTILE = 4.8;

const numbers = stream(2, "regression").at(0);
/** The second column has another scale. */
const x = Array.from({ length: N }, () => [numbers.normal(), 10 * numbers.normal()]);
const y = x.map(([a, b]) => 0.7 * a - 0.2 * b + numbers.normal());
const regression = await model(({ data, param, observe }) => {
  const given = data({ x: matrix("N", "K"), y: vector("N") });
  observe(given.y, normal(matmul(given.x, param("beta", normal(0, 10), { shape: "K" })), 1));
}).condition({ x, y }, { rows: "N", deterministic: true });
afterAll(() => regression.dispose());

const dot = (i: number, j: number) => x.reduce((total, row) => total + row[i] * row[j], 0);
const [p, q, r] = [dot(0, 0) + 0.01, dot(0, 1), dot(1, 1) + 0.01];
const xy = [0, 1].map((i) => x.reduce((total, row, n) => total + row[i] * y[n], 0));
const determinant = p * r - q * q;
const means = [(r * xy[0] - q * xy[1]) / determinant, (p * xy[1] - q * xy[0]) / determinant];
const sds = [Math.sqrt(r / determinant), Math.sqrt(p / determinant)];

describe("psgld with control variates at the mode", () => {
  it("stays around the posterior mean", async () => {
    const plan = { chains: CHAINS, warmup: 100, draws: power(75, 300), seed: 6, workers: 1, deterministic: true };
    const run = psgld({ stepSize: 5e-5, thin: 120, controlVariate: "mode" }).start(regression, plan, engine);
    while (run.converged === false) await run.advance(1000);
    const draws = run.draws();
    run.dispose();
    means.forEach((mean, i) => {
      const chains = Array.from({ length: CHAINS }, (_, c) => {
        const own = Array.from({ length: plan.draws }, (_, k) => (draws.draw(c, k)[i] - mean) / sds[i]);
        return own.reduce((total, z) => total + z / plan.draws, 0);
      });
      const found = chains.reduce((total, z) => total + z / CHAINS, 0);
      const spread = chains.reduce((total, z) => total + (z - found) ** 2 / (CHAINS - 1), 0);
      const error = QUANTILE * Math.sqrt(spread / CHAINS);
      expect(error).toBeLessThan(0.3 * Math.sqrt(power(4, 1)));
      expect(Math.abs(found)).toBeLessThan(error);
    });
  });

  it("starts with small steps at the mode and never leaves it", async () => {
    const plan = { chains: 4, warmup: 0, draws: 500, seed: 6, workers: 1, deterministic: true };
    const run = psgld({ stepSize: 5e-5, controlVariate: "mode" }).start(regression, plan, engine);
    while (run.converged === false) await run.advance(1000);
    const draws = run.draws();
    // Six deviations of a normal number with scale √(2hG), where G = 1/√|H_ii|.
    for (let c = 0; c < 4; c++)
      [p, r].forEach((h, i) => {
        const moved = draws.draw(c, 0)[i] - means[i];
        expect(Math.abs(moved)).toBeLessThan(6 * Math.sqrt((2 * 5e-5) / Math.sqrt(h)));
        expect(moved).not.toBe(0);
        // From V = 0, the first step alone would be 8 and 80 posterior standard deviations.
        for (let k = 0; k < plan.draws; k++) expect(Math.abs(draws.draw(c, k)[i] - means[i])).toBeLessThan(8 * sds[i]);
      });
    run.dispose();
  });
});

describe("the curvature at a mode", () => {
  /** −½ xᵀ H x. */
  const quadratic = (h: number[][]) => (at: Float64Array, gradient: Float64Array) => {
    h.forEach((row, i) => {
      gradient[i] = -row.reduce((total, v, j) => total + v * at[j], 0);
    });
    return 0.5 * at.reduce((total, v, i) => total + v * gradient[i], 0);
  };
  const mode = (d: number) => ({ x: new Float64Array(d), gradient: new Float64Array(d), value: 0, evaluations: 0 });

  it("is estimated for each coordinate on any scale", () => {
    const found = curvatureAt(
      "test",
      quadratic([
        [1e8, 0, 0],
        [0, 3, 0],
        [0, 0, 1e-6],
      ]),
      mode(3),
      stream(1, "signs"),
    );
    for (const [i, h] of [1e8, 3, 1e-6].entries()) expect(Math.abs(found[i] / h - 1)).toBeLessThan(1e-9);
  });

  it("is bounded by the rows of the Hessian, and its gradients are counted", () => {
    const at = mode(2);
    const found = curvatureAt(
      "test",
      quadratic([
        [2, 1],
        [1, 5],
      ]),
      at,
      stream(1, "signs"),
    );
    expect(found[0]).toBeGreaterThan(1);
    expect(found[0]).toBeLessThan(3);
    expect(found[1]).toBeGreaterThan(4);
    expect(found[1]).toBeLessThan(6);
    expect(at.evaluations).toBe(8);
  });

  it("is refused if gradients near the mode are not finite", () => {
    const broken = (_: Float64Array, gradient: Float64Array) => gradient.fill(Number.NaN)[0];
    expect(() => curvatureAt("psgld", broken, mode(1), stream(1, "signs"))).toThrow(
      /^psgld: the gradient near the mode.*SAMPLE_MODE/,
    );
  });
});
