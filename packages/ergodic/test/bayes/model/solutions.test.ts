/**
 * Differential equations in models: times in the data, the accuracy reported with draws, and proposals without a
 * solution.
 */
import { describe, expect, it } from "vitest";
import { solutionsReport, somePoints } from "../../../src/bayes/model/solutions.ts";
import { at, div, mul, neg, ode, scan, square, stack } from "../../../src/engine/compiler/index.ts";
import { exponential, halfNormal, lognormal, model, normal, prior, sample, vector } from "../../../src/entries/everything.ts";

const times = [1, 2, 3, 5];
const y = times.map((t, i) => 3 * Math.exp(-0.4 * t) + [0.05, -0.03, 0.02, 0.01][i]);
const short = { chains: 2, warmup: 200, draws: 150, seed: 1 } as const;

const decay = (tolerance: number, solutions = 1) =>
  model(({ data, param, observe }) => {
    const { t, y } = data({ t: vector("N"), y: vector("N") });
    const k = param("k", exponential(1));
    const start = param("start", lognormal(1, 1));
    for (let i = 0; i < solutions; i++) {
      const { states } = ode((_, z) => neg(mul(k, z)), start, t, { tolerance });
      observe(y, normal(states, 0.05), `y ${i}`);
    }
  });

describe("a model with a differential equation", () => {
  it("finds its parameters and reports the accuracy of the solution", async () => {
    const posterior = await sample(decay(1e-6, 2), { t: times, y }, short);
    const { k, start } = posterior.summary();
    expect(k.mean).toBeCloseTo(0.4, 1);
    expect(Math.abs(start.mean - 3)).toBeLessThan(0.3);
    const said = posterior.description.solutions as { count: number; points: number; mostSteps: number; largestError: number };
    expect(said).toMatchObject({ count: 2, points: 100 });
    expect(said.mostSteps).toBeGreaterThan(4);
    expect(said.mostSteps).toBeLessThan(60);
    expect(said.largestError).toBeLessThan(1e-4);
    expect(said.largestError).toBeGreaterThan(1e-9);
    expect(`${posterior.verdict()}`).toMatch(/differential equations' solutions is at most/);
  });

  it("warns of a loose tolerance", async () => {
    const swinging = model(({ data, param, observe }) => {
      const { y } = data({ y: vector("N") });
      const k = param("k", normal(9, 0.1));
      const { states } = ode((_, z) => stack([at(z, 1), neg(mul(k, at(z, 0)))]), [1, 0], [4, 8, 12, 16], { tolerance: 0.3 });
      observe(y, normal(at(states, 0, 1), 1));
    });
    const posterior = await sample(swinging, { y: [1, 0, 1, 0] }, short);
    expect(`${posterior.verdict()}`).toMatch(/error of the differential equations' solutions is up to .*smaller tolerance/);
  });

  it("reports nothing for an equation inside a scan", async () => {
    const inScan = model(({ data, param, observe }) => {
      const { y } = data({ y: vector("N") });
      const k = param("k", exponential(1));
      const { outputs } = scan([mul(k, 0)], [y], ([c], [own]) => [
        [c],
        [at(ode((_, z) => neg(mul(k, own, z)), 3, [1]).states, 0)],
      ]);
      observe(y, normal(outputs[0], 1));
    });
    expect((await sample(inScan, { y }, short)).description.solutions).toBeUndefined();
  });

  it("refuses decreasing times in its data and names them", () => {
    return Promise.all([
      expect(decay(1e-6).condition({ t: [1, 3, 2, 5], y })).rejects.toThrow(
        /data "t"\[2\]: it is 2, but is a time of ode\(\), which must be finite and no less than times\[1\], which is 3; sort the times.*\[DATA_RANGE\]/,
      ),
      expect(decay(1e-6).condition({ t: [-1, 3, 4, 5], y })).rejects.toThrow(
        /data "t"\[0\]: it is -1, but .* no less than 0, where the solution starts/,
      ),
    ]);
  });

  it("refuses a start time after the first time and names it", async () => {
    const late = model(({ data, param, observe }) => {
      const { t, y, when } = data({ t: vector("N"), y: vector("N"), when: vector(1) });
      const k = param("k", exponential(1));
      observe(y, normal(ode((_, z) => neg(mul(k, z)), 3, t, { from: at(when, 0) }).states, 0.1));
    });
    const conditionedFrom = (when: number) => late.condition({ t: times, y, when: [when] });
    await expect(conditionedFrom(1.5)).rejects.toThrow(
      /it is 1, but is a time of ode\(\), which must be finite and no less than 1.5/,
    );
    (await conditionedFrom(0.5)).dispose();
  });

  it("counts draws of the prior without a solution", async () => {
    // The solution of y' = y² from y₀ has no state at time 1 if y₀ ≥ 1.
    const growing = model(({ param, generated }) => {
      generated("end", ode((_, z) => square(z), param("start", halfNormal(1)), [1]).states);
    });
    const draws = await sample(growing, {}, { algorithm: prior(), chains: 1, draws: 60, seed: 1 });
    const starts = draws.draws("start");
    const failed = starts.filter((start) => start >= 1).length;
    expect(failed).toBeGreaterThan(5);
    expect(draws.draws("end").filter(Number.isNaN).length).toBe(failed);
    expect(draws.description.solutions).toMatchObject({ count: 1, points: 60, failed });
    const { largestError } = draws.description.solutions as { largestError: number };
    expect(largestError).toBeGreaterThan(0);
    expect(largestError).toBeLessThan(0.1);
    expect(`${draws.verdict()}`).toMatch(`no solution at ${failed} of the 60 draws`);
  });

  it("rejects proposals without a solution", async () => {
    // The solution of y' = y² from y₀ becomes infinite at 1 / y₀. Above y₀ = 1, there is no state at time 1.
    const growing = model(({ data, param, observe }) => {
      const { y } = data({ y: vector("N") });
      const start = param("start", halfNormal(1));
      const { states } = ode((_, z) => square(z), start, [1]);
      observe(y, normal(div(1, at(states, 0)), 0.3));
    });
    const posterior = await sample(growing, { y: [0.2] }, { ...short, draws: 500 });
    const start = posterior.draws("start");
    expect(Math.max(...start)).toBeLessThan(1);
    expect(Math.max(...start)).toBeGreaterThan(0.8);
    expect(posterior.divergences).toBeGreaterThan(0);
    expect(`${posterior.verdict()}`).toMatch(/more than maxSteps steps counts as a divergence/);
  });
});

describe("the report on solutions", () => {
  it("samples the points evenly and includes the last one", () => {
    const points = Float64Array.from({ length: 500 }, (_, i) => i);
    expect([...somePoints(points.subarray(0, 6), 2)]).toEqual([0, 1, 2, 3, 4, 5]);
    const some = somePoints(points, 2);
    expect(some.length).toBe(200);
    expect([...some.slice(0, 4), ...some.slice(-2)]).toEqual([4, 5, 8, 9, 498, 499]);
  });

  it("states the most steps and the largest error, unless an error is unknown", () => {
    expect(solutionsReport(Float64Array.of(10, 1e-6, 0, 30, 1e-7, 0), 3)).toEqual({
      count: 1,
      points: 2,
      failed: 0,
      mostSteps: 30,
      largestError: 1e-6,
    });
    expect(solutionsReport(Float64Array.of(10, NaN, 0, 30, 1e-7, 0), 6)).toMatchObject({ count: 2, largestError: null });
  });

  it("counts points with a failed solution and omits their error", () => {
    const values = Float64Array.of(...[10, 1e-6, 0, 99, NaN, 2], ...[12, 1e-5, 0, 30, 1e-7, 0], ...[5, 1, 1, 5, 1, 4]);
    expect(solutionsReport(values, 6)).toEqual({ count: 2, points: 3, failed: 2, mostSteps: 99, largestError: 1e-5 });
    expect(solutionsReport(Float64Array.of(99, NaN, 1), 3)).toMatchObject({ failed: 1, largestError: null });
  });
});
