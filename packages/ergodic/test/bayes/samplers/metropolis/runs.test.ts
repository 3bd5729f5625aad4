/** Runs of Metropolis and slice samplers are reproducible, resume bit for bit and adapt to their targets. */
import { describe, expect, it } from "vitest";
import { learnedFactor } from "../../../../src/bayes/samplers/base/learned-factor.ts";
import { MetricEstimator } from "../../../../src/bayes/samplers/base/metric.ts";
import {
  ellipticalSlice,
  independence,
  mala,
  metropolisHastings,
  metropolisWithinGibbs,
  randomWalk,
  type Sampler,
  type Sampling,
  type SamplingPlan,
  samplerFromJson,
  slice,
} from "../../../../src/bayes/samplers/index.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { broken, gaussian } from "../densities.ts";

const engine = await openEngine();
/** Precision [[2, 0.5, 0], [0.5, 1, 0.2], [0, 0.2, 3]]. */
const target = await gaussian(
  engine,
  [1, -2, 3],
  [
    [2, 0.5, 0],
    [0.5, 1, 0.2],
    [0, 0.2, 3],
  ],
);
const plan: SamplingPlan = { chains: 3, warmup: 120, draws: 100, seed: 4, workers: 1, deterministic: true };

const byOptions = [
  randomWalk(),
  randomWalk({ covariance: "diagonal", stepSize: 0.5, targetAcceptance: 0.3, windows: { first: 10 } }),
  metropolisWithinGibbs({ scan: "random" }),
  metropolisWithinGibbs({ stepSize: 0.2, targetAcceptance: 0.5 }),
  mala({ metric: "dense" }),
  slice(),
  slice({ expansion: "doubling", limit: 4, width: 0.3 }),
  slice({ limit: 1, width: 5 }),
  ellipticalSlice(),
  ellipticalSlice({ estimate: "diagonal", inflation: 2 }),
  ellipticalSlice({ mean: [1, -1, 2], covariance: [2, 0.5, 0, 0.5, 2, 0, 0, 0, 1] }),
  ellipticalSlice({ mean: [1, -1, 2], covariance: [2, 2, 1] }),
];
const byFunctions = [
  metropolisHastings({ propose: (x, draws) => ({ x: x.map((value) => value + 0.5 * draws.normal()) }) }),
  independence({
    sample: (draws) => [1 + 2 * draws.normal(), -2 + 2 * draws.normal(), 3 + 2 * draws.normal()],
    logDensity: (x) => -((x[0] - 1) ** 2 + (x[1] + 2) ** 2 + (x[2] - 3) ** 2) / 8,
  }),
];
const named = (samplers: Sampler[]) => samplers.map((sampler) => ({ name: JSON.stringify(sampler.toJSON()), sampler }));

async function finish(run: Sampling, stretch = 1e9): Promise<Sampling> {
  while (run.converged === false) await run.advance(stretch);
  return run;
}

async function drawn(sampler: Sampler, given: SamplingPlan, density: LogDensity = target, stretch?: number) {
  const run = await finish(sampler.start(density, given, engine), stretch);
  const [draws, report] = [run.draws(), run.report()];
  run.dispose();
  return { draws, report };
}

const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length;

describe.each(named([...byOptions, ...byFunctions]))("$name", ({ sampler }) => {
  it("draws the same with any number of workers and any calls of advance", async () => {
    const { draws } = await drawn(sampler, plan);
    expect(draws.values.length).toBe(3 * 100 * 3);
    expect(new Set(draws.coordinate(0)).size).toBeGreaterThan(20);
    expect((await drawn(sampler, { ...plan, workers: 2 })).draws).toEqual(draws);
    expect((await drawn(sampler, plan, target, 7)).draws).toEqual(draws);
    expect((await drawn(sampler, { ...plan, seed: 5 })).draws).not.toEqual(draws);
    const d = draws.dimension;
    for (const k of [0, 57, 299]) {
      const x = draws.values.slice(k * d, (k + 1) * d);
      expect(draws.transition("logDensity")[k]).toBe(target.plain(x, new Float64Array(d)));
    }
  });

  it("resumes from a snapshot bit for bit, also with more draws", async () => {
    const { draws } = await drawn(sampler, plan);
    for (const at of [0, 50, 110, 120, 170]) {
      const run = sampler.start(target, { ...plan, draws: 60 }, engine);
      await run.advance(at);
      const snapshot = structuredClone(run.snapshot());
      run.dispose();
      const again = sampler.start(target, plan, engine);
      again.restore(snapshot);
      await finish(again);
      expect(again.draws()).toEqual(draws);
      again.dispose();
    }
  });

  it("frees its memory", async () => {
    const before = engine.memory.usedBytes;
    await drawn(sampler, plan);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

it.each(named(byOptions))("$name is rebuilt from its JSON", async ({ sampler }) => {
  const again = samplerFromJson(JSON.parse(JSON.stringify(sampler.toJSON())));
  expect(again.toJSON()).toEqual(sampler.toJSON());
  expect((await drawn(again, plan)).draws).toEqual((await drawn(sampler, plan)).draws);
});

it.each(named(byFunctions))("$name cannot be rebuilt from JSON and reports that", ({ sampler }) => {
  expect(() => samplerFromJson(sampler.toJSON())).toThrow(/SAMPLER_JSON/);
});

describe("warm-up", () => {
  const long = { ...plan, chains: 4, warmup: 1000, draws: 1000 };

  it("reaches the target acceptance", async () => {
    // The step of one chain, found in 150 transitions, determines the acceptance to about 0.04. The mean of 24 chains
    // is accurate to 0.01.
    const many = { ...long, chains: 24, draws: 300 };
    for (const wanted of [0.2, 0.5]) {
      for (const sampler of [randomWalk({ targetAcceptance: wanted }), metropolisWithinGibbs({ targetAcceptance: wanted })]) {
        const { draws } = await drawn(sampler, many);
        expect(Math.abs(mean(draws.transition("acceptance")) - wanted), sampler.name).toBeLessThan(0.05);
      }
    }
    const one = await gaussian(engine, [0], [[1e-4]]);
    expect(Math.abs(mean((await drawn(randomWalk(), many, one)).draws.transition("acceptance")) - 0.44)).toBeLessThan(0.05);
    // The step of mala() is averaged by dual averaging over the last 50 transitions.
    expect(Math.abs(mean((await drawn(mala(), many)).draws.transition("acceptance")) - 0.574)).toBeLessThan(0.1);
  });

  it("adapts nothing afterwards", async () => {
    for (const sampler of [randomWalk(), metropolisWithinGibbs(), mala(), slice()]) {
      const { draws, report } = await drawn(sampler, long);
      const steps = draws.transition("stepSize");
      for (let c = 0; c < 4; c++) expect(new Set(steps.slice(1000 * c, 1000 * (c + 1))).size, sampler.name).toBe(1);
      expect(report.stepSize).toBeCloseTo(mean(steps), 10);
    }
    const { draws } = await drawn(slice({ adapt: false, width: 3 }), long);
    expect(new Set(draws.transition("stepSize"))).toEqual(new Set([3]));
  });

  it("finds scales over two orders of magnitude in a random walk and over six by coordinate", async () => {
    const cases: [Sampler, number[]][] = [
      [randomWalk(), [0.1, 1, 10]],
      [randomWalk({ covariance: "diagonal" }), [0.1, 1, 10]],
      [randomWalk(), [1e-3, 2e-3, 5e-3]],
      [slice(), [1e-3, 1, 1e3]],
      [metropolisWithinGibbs(), [1e-3, 1, 1e3]],
      [ellipticalSlice(), [1e-3, 1, 1e3]],
    ];
    for (const [sampler, scales] of cases) {
      const precision = scales.map((s, i) => scales.map((_, j) => (i === j ? s ** -2 : 0)));
      const wide = await gaussian(engine, [0, 0, 0], precision);
      const { draws } = await drawn(sampler, { ...long, warmup: 2000, draws: 5000 }, wide);
      for (const [i, scale] of scales.entries()) {
        const values = draws.coordinate(i);
        const centre = mean(values);
        const sd = Math.sqrt(mean(values.map((x) => (x - centre) ** 2)));
        expect(sd / scale, `${sampler.name}, coordinate ${i}`).toBeGreaterThan(0.8);
        expect(sd / scale, `${sampler.name}, coordinate ${i}`).toBeLessThan(1.25);
      }
    }
  });
});

describe("the covariance of a window", () => {
  /** n/(n + 5) C + 5/(n + 5) diag(C), by definition. */
  function wanted(points: number[][]): number[][] {
    const n = points.length;
    const centre = points[0].map((_, k) => points.reduce((sum, x) => sum + x[k], 0) / n);
    return centre.map((_, i) =>
      centre.map((_, j) => {
        const c = points.reduce((sum, x) => sum + (x[i] - centre[i]) * (x[j] - centre[j]), 0) / (n - 1);
        return i === j ? c : (n / (n + 5)) * c;
      }),
    );
  }
  const points = [
    [1e-4, 2, -3e3],
    [3e-4, -1, 2e3],
    [-2e-4, 0.5, 1e3],
    [1e-4, 1.5, -4e3],
  ];
  const filled = (kind: "dense" | "diagonal", of: number[][]) => {
    const estimator = new MetricEstimator(kind, 3);
    for (const x of of) estimator.add(Float64Array.from(x), Float64Array.from(x), false);
    return estimator;
  };

  it("keeps its scales and shrinks its correlations", () => {
    const factor = learnedFactor(filled("dense", points))!;
    const deviations = learnedFactor(filled("diagonal", points))!;
    const covariance = wanted(points);
    for (const [i, row] of covariance.entries()) {
      for (const [j, value] of row.entries()) {
        const product = [0, 1, 2].reduce((sum, k) => sum + factor[3 * i + k] * factor[3 * j + k], 0);
        expect(Math.abs(product - value) / Math.sqrt(row[i] * covariance[j][j])).toBeLessThan(1e-12);
      }
      expect(Math.abs(deviations[i] ** 2 / row[i] - 1)).toBeLessThan(1e-12);
    }
  });

  it("is undefined if a coordinate did not move or for a single draw", () => {
    const still = points.map(([x, , z]) => [x, 7, z]);
    for (const kind of ["dense", "diagonal"] as const) {
      expect(learnedFactor(filled(kind, still))).toBeUndefined();
      expect(learnedFactor(filled(kind, points.slice(0, 1)))).toBeUndefined();
    }
  });
});

it("samplers handle a density that is undefined in places", async () => {
  const half = await broken(engine);
  for (const sampler of [randomWalk(), metropolisWithinGibbs(), slice(), slice({ expansion: "doubling" }), ellipticalSlice()]) {
    const { draws } = await drawn(sampler, { ...plan, draws: 1000 }, half);
    expect(Math.min(...draws.values)).toBeGreaterThanOrEqual(0);
    // The mean of a half-normal is 0.798.
    expect(Math.abs(mean(draws.values) - 0.798), sampler.name).toBeLessThan(0.15);
  }
});

describe("errors", () => {
  it("name the option", () => {
    expect(() => randomWalk({ stepSize: 0 })).toThrow(/randomWalk: stepSize is 0.*OPTION_RANGE/);
    expect(() => randomWalk({ targetAcceptance: 1 })).toThrow(/OPTION_RANGE/);
    expect(() => randomWalk({ covariance: "full" } as never)).toThrow(/covariance is "full".*OPTION_RANGE/);
    expect(() => metropolisWithinGibbs({ scan: "odd" } as never)).toThrow(/scan is "odd".*OPTION_RANGE/);
    expect(() => slice({ width: -1 })).toThrow(/slice: width is -1.*OPTION_RANGE/);
    expect(() => slice({ limit: 1, adapt: true })).toThrow(/OPTION_CONFLICT/);
    expect(() => slice({ expansion: "both" } as never)).toThrow(/OPTION_RANGE/);
    expect(() => ellipticalSlice({ mean: [0] })).toThrow(/mean is given without covariance.*OPTION_CONFLICT/);
    expect(() => ellipticalSlice({ mean: [0, 0], covariance: [1, 2, 2, 1] })).toThrow(/positive definite.*OPTION_RANGE/);
    expect(() => ellipticalSlice({ mean: [0, 0], covariance: [2, 1, 0, 2] })).toThrow(/symmetric.*OPTION_RANGE/);
    expect(() => ellipticalSlice({ mean: [0, 0], covariance: [1, -1] })).toThrow(/OPTION_RANGE/);
    expect(() => ellipticalSlice({ mean: [0, 0], covariance: [1, 1, 1] })).toThrow(/OPTION_SHAPE/);
    expect(() => mala({ jitter: 0.1 } as never)).toThrow(/OPTION_UNKNOWN/);
  });

  it("refuse unsuitable references and densities", async () => {
    await expect(drawn(ellipticalSlice({ mean: [0, 0], covariance: [1, 1] }), plan)).rejects.toThrow(/OPTION_SHAPE/);
    const none = { ...target, hasGradient: false } as LogDensity;
    await expect(drawn(mala(), plan, none)).rejects.toThrow(/mala: it follows gradients.*SAMPLE_GRADIENT/);
    expect((await drawn(randomWalk(), plan, none)).draws.count).toBe(100);
  });
});
