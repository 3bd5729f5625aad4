/**
 * ADVI and Stein variational gradient descent on batches of rows. Checks that the estimates are unbiased and have
 * little noise near their centre, and that the approximations match a known posterior.
 */
import { afterAll, describe, expect, it } from "vitest";
import { BatchPoint } from "../../../src/bayes/approximate/batch-point.ts";
import { DensityPoint } from "../../../src/bayes/approximate/density-point.ts";
import { bernoulliLogitGlm, matrix, model, normal, normalIdGlm, vector } from "../../../src/bayes/model/index.ts";
import {
  fullRank,
  meanField,
  type Sampler,
  type SamplingPlan,
  samplerFromJson,
  svgd,
} from "../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { solvePositive } from "../../../src/engine/numbers/cholesky.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { power } from "../../power.ts";

const engine = await openEngine();
const [ROWS, COLUMNS, SIGMA] = [power(4000, 20_000), 3, 2];
/** Share of the data in an estimate from a batch of 100 rows: these rows at the point and at the centre. */
const SHARE = 200 / ROWS;
const truth = [1, -0.5, 0.25];

/** Rows with correlated second and third columns. */
function made(rowCount: number) {
  const draws = stream(3, "advi batches").at(0);
  const x = new Float64Array(rowCount * COLUMNS);
  const y = new Float64Array(rowCount);
  for (let i = 0; i < rowCount; i++) {
    const [a, b] = [draws.normal(), draws.normal()];
    x.set([1, a, 0.6 * a + 0.8 * b], i * COLUMNS);
    y[i] = truth.reduce((sum, beta, j) => sum + beta * x[i * COLUMNS + j], SIGMA * draws.normal());
  }
  return { x, y, K: COLUMNS };
}

const linear = model(({ data, param, observe }) => {
  const { x, y } = data({ x: matrix("N", "K"), y: vector("N") });
  observe(y, normalIdGlm(x, 0, param("beta", normal(0, 10), { shape: "K" }), SIGMA));
});
const logistic = model(({ data, param, observe }) => {
  const { x, y } = data({ x: matrix("N", "K"), y: vector("N") });
  observe(y, bernoulliLogitGlm(x, 0, param("beta", normal(0, 1), { shape: "K" })));
});
const options = { rows: "N", deterministic: true };
const given = made(ROWS);
const posterior = await linear.condition(given, options);
const few = made(97);
const small = await logistic.condition({ ...few, y: few.y.map((y) => (y > 0 ? 1 : 0)) }, options);
afterAll(() => {
  posterior.dispose();
  small.dispose();
});

/** Exact mean and standard deviations of β from its precision XᵀX/σ² + I/100. */
function exact() {
  const { x, y } = given;
  const precision = new Float64Array(COLUMNS * COLUMNS);
  const right = new Float64Array(COLUMNS);
  for (let i = 0; i < ROWS; i++)
    for (let j = 0; j < COLUMNS; j++) {
      right[j] += (x[i * COLUMNS + j] * y[i]) / SIGMA ** 2;
      for (let k = 0; k < COLUMNS; k++) precision[j * COLUMNS + k] += (x[i * COLUMNS + j] * x[i * COLUMNS + k]) / SIGMA ** 2;
    }
  for (let j = 0; j < COLUMNS; j++) precision[j * (COLUMNS + 1)] += 0.01;
  const solved = (b: Float64Array): number[] => {
    expect(solvePositive(precision.slice(), b)).toBe(true);
    return [...b];
  };
  const mean = solved(right);
  const sd = truth.map((_, j) => Math.sqrt(solved(Float64Array.from(truth, (_, k) => (k === j ? 1 : 0)))[j]));
  return { mean, sd };
}

const plan: SamplingPlan = { chains: 4, warmup: 0, draws: 1000, seed: 1, workers: 1, deterministic: true };

async function drawn(sampler: Sampler, density = posterior, given = plan, pause?: number) {
  let run = sampler.start(density, given, engine);
  if (pause !== undefined) {
    await run.advance(pause);
    const snapshot = structuredClone(run.snapshot());
    run.dispose();
    run = sampler.start(density, given, engine);
    run.restore(snapshot);
  }
  while (run.converged === false) await run.advance(1e9);
  const found = { draws: run.draws(), report: run.report(), steps: run.step };
  run.dispose();
  return found;
}

const moments = (values: Float64Array) => {
  const mean = values.reduce((sum, v) => sum + v / values.length, 0);
  return { mean, sd: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1)) };
};

describe("gradient estimates on a batch", () => {
  const whole = new DensityPoint(engine, small, "whole");
  const x = Float64Array.of(0.4, -0.2, 0.7);
  const centre = Float64Array.of(0.5, -0.3, 0.6);
  const gradient = new Float64Array(COLUMNS);
  const value = whole.evaluate(x, gradient);

  /** Estimates around the centre, one for each possible first row of a batch. */
  function estimates(at: Float64Array, batch: number) {
    let first = 0;
    const rows = { at: () => ({ integer: () => first }) } as never;
    const point = new BatchPoint(engine, small, batch, `batch ${batch}`, rows);
    point.moveTo(centre, whole);
    const all = Array.from({ length: 97 }, (_, k) => {
      first = k;
      const g = new Float64Array(COLUMNS);
      return [point.evaluate(0, at, g), ...g];
    });
    point.dispose();
    return all;
  }

  it.each([1, 10, 97])("are unbiased over all batches of %i", (batch) => {
    const all = estimates(x, batch);
    const wanted = [value, ...gradient];
    wanted.forEach((w, j) => {
      const mean = all.reduce((sum, one) => sum + one[j] / 97, 0);
      expect(Math.abs(mean - w)).toBeLessThan(1e-11 * (1 + Math.abs(w)) * 97);
    });
    if (batch < 97) expect(new Set(all.map(([v]) => v)).size).toBeGreaterThan(90);
  });

  it("are exact at the centre, with second-order noise around it", () => {
    const exactly = whole.evaluate(centre, gradient);
    for (const [v, ...g] of estimates(centre, 5)) {
      expect(v).toBeCloseTo(exactly, 9);
      g.forEach((one, i) => void expect(one).toBeCloseTo(gradient[i], 9));
    }
    const spread = (step: number) =>
      moments(
        Float64Array.from(
          estimates(
            centre.map((c) => c + step),
            5,
          ),
          ([v]) => v,
        ),
      ).sd;
    expect(spread(0.02) / spread(0.01)).toBeGreaterThan(3.8);
    expect(spread(0.02) / spread(0.01)).toBeLessThan(4.2);
  });
});

describe("approximations on batches", () => {
  const truthOf = exact();

  it(`finds the posterior of ${ROWS} rows`, async () => {
    const { draws, report } = await drawn(fullRank({ batch: 100 }));
    truthOf.mean.forEach((mean, j) => {
      const found = moments(draws.coordinate(j));
      expect(Math.abs(found.mean - mean) / truthOf.sd[j]).toBeLessThan(0.1);
      expect(Math.abs(found.sd / truthOf.sd[j] - 1)).toBeLessThan(0.1);
    });
    expect(report.paretoK).toBeLessThan(0.7);
  });

  it("moves particles to the posterior with gradients from 100 rows each", async () => {
    const { draws, report } = await drawn(svgd({ batch: 100, iterations: 300 }));
    truthOf.mean.forEach((mean, j) => {
      const found = moments(draws.coordinate(j));
      expect(Math.abs(found.mean - mean) / truthOf.sd[j]).toBeLessThan(0.1);
      expect(Math.abs(found.sd / truthOf.sd[j] - 1)).toBeLessThan(0.15);
    });
    // 100 particles, initially and after each move.
    expect(report.dataPasses - report.evaluations).toBeCloseTo(SHARE * 100 * 301, 9);
    expect(report.evaluations).toBeLessThan(1500);
  });

  it("reads all rows only for the paths and for Pareto k", async () => {
    const { report } = await drawn(fullRank({ batch: 100, psis: false, maxIterations: 2000, tolerance: 0 }));
    // At most 2250 updates and 26 estimates from 100 gradients, each on 200 rows. 4000 draws are judged on all rows.
    const rowsRead = report.dataPasses - report.evaluations;
    expect(rowsRead).toBeGreaterThan(SHARE * 2000);
    expect(rowsRead).toBeLessThan(SHARE * (2250 + 2600) + 1e-9);
    expect(report.evaluations).toBeLessThan(4000 + 1500);
  });

  it("resumes from a snapshot bit for bit", async () => {
    for (const sampler of [
      meanField({ batch: 50, maxIterations: 60, tolerance: 0, psis: false }),
      svgd({ batch: 50, iterations: 30, particles: 20 }),
    ]) {
      const short = { ...plan, draws: 10 };
      const whole = await drawn(sampler, small, short);
      for (const pause of [1, 20, whole.steps - 3]) expect(await drawn(sampler, small, short, pause)).toEqual(whole);
    }
  });

  it("writes its batch size to JSON and requires rows", () => {
    expect(fullRank({ batch: 100 }).toJSON()).toMatchObject({ batch: 100, refineDraws: 0 });
    expect(samplerFromJson(fullRank({ batch: 100 }).toJSON()).toJSON()).toEqual(fullRank({ batch: 100 }).toJSON());
    const rowless = Object.assign(Object.create(posterior), { minibatches: undefined });
    expect(() => fullRank({ batch: 10 }).start(rowless, plan, engine)).toThrow(
      /fullRank: a batch of 10 rows is asked for, but the log density has no rows.*SAMPLE_ROWS/,
    );
    expect(() => meanField({ batch: ROWS + 1 }).start(posterior, plan, engine)).toThrow(
      `batch is ${ROWS + 1}, but the data have ${ROWS} rows`,
    );
    expect(() => meanField({ batch: 0 })).toThrow("OPTION_RANGE");
    expect(() => svgd({ batch: 10 }).start(rowless, plan, engine)).toThrow("SAMPLE_ROWS");
    expect(() => svgd({ batch: 10, start: "random" })).toThrow("OPTION_CONFLICT");
  });
});
