/**
 * Runs of approximations are reproducible, resume bit for bit, are exact for a normal target and are flagged if the
 * target is far from normal.
 *
 * Each statistical check is a two-sided Student-t test at 1e-5 of the mean over independent runs. With 6 checks, one
 * run of this file in 16,000 with other seeds would fail by chance.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionDensity } from "../../../src/bayes/model/functional/index.ts";
import { cauchy, gamma, model } from "../../../src/bayes/model/index.ts";
import {
  fullRank,
  meanField,
  pathfinder,
  type Sampler,
  type Sampling,
  type SamplingPlan,
  samplerFromJson,
} from "../../../src/bayes/samplers/index.ts";
import type { LogDensity } from "../../../src/engine/contract/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { betaLower } from "../../../src/engine/numbers/beta-tails.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../power.ts";
import { broken, funnel, gaussian } from "../samplers/densities.ts";

const engine = await openEngine();
const precision = [
  [2, 0.5, 0],
  [0.5, 1, 0.2],
  [0, 0.2, 3],
];
const target = await gaussian(engine, [1, -2, 300], precision);
const plan: SamplingPlan = { chains: 2, warmup: 0, draws: 100, seed: 4, workers: 1, deterministic: true };
const small = { maxIterations: 60, refineDraws: 20, psis: false };
const samplers = [
  pathfinder({ draws: 10, paths: 2 }),
  pathfinder({ psis: false, paths: 2, history: 3 }),
  meanField(small),
  fullRank(small),
];
/** A skewed posterior of two independent numbers. Their unconstrained values are their logarithms. */
const skewed = await model(({ param }) => void param("x", gamma(3, 2), { shape: 2 })).condition({}, { deterministic: true });
afterAll(() => skewed.dispose());

async function finish(run: Sampling, stretch = 1e9): Promise<Sampling> {
  while (run.converged === false) await run.advance(stretch);
  return run;
}

async function drawn(sampler: Sampler, given: SamplingPlan, density: LogDensity = target, stretch?: number) {
  const run = await finish(sampler.start(density, given, engine), stretch);
  const made = { draws: run.draws(), report: run.report(), steps: run.step, parameters: run.parameters() };
  run.dispose();
  return made;
}

/** Weights are judged after each block of draws, for up to ten times as many draws as requested. */
const few: SamplingPlan = { ...plan, draws: 10 };

describe.each(samplers.map((sampler) => ({ name: JSON.stringify(sampler.toJSON()), sampler })))("$name", ({ sampler }) => {
  it("draws the same for any calls of advance, and other draws from another seed", async () => {
    const { draws, report } = await drawn(sampler, few);
    expect([draws.chains, draws.count, draws.dimension]).toEqual([2, few.draws, 3]);
    expect(draws.fields).toEqual(["logDensity", "logApproximation"]);
    const again = await drawn(sampler, { ...few, workers: 2 }, target, 7);
    expect(again.draws).toEqual(draws);
    expect(again.report).toEqual(report);
    expect((await drawn(sampler, { ...few, seed: 5 })).draws).not.toEqual(draws);
  });

  it("resumes from a snapshot bit for bit at any step, also with more draws", async () => {
    const whole = await drawn(sampler, few);
    for (let at = 0; at <= whole.steps; at += Math.max(1, Math.floor(whole.steps / power(3, 12)))) {
      const run = sampler.start(target, few, engine);
      await run.advance(at);
      expect(run.step).toBe(at);
      const snapshot = structuredClone(run.snapshot());
      run.dispose();
      const again = sampler.start(target, few, engine);
      again.restore({ tensors: snapshot.tensors, state: JSON.parse(JSON.stringify(snapshot.state)) });
      await finish(again);
      expect(again.draws()).toEqual(whole.draws);
      expect(again.report()).toEqual(whole.report);
      again.dispose();
    }
    const longer = { ...few, draws: power(40, 1500) };
    const run = await finish(sampler.start(target, few, engine));
    const further = sampler.start(target, longer, engine);
    further.restore(run.snapshot());
    await finish(further);
    const fresh = await drawn(sampler, longer);
    expect(further.draws()).toEqual(fresh.draws);
    run.dispose();
    further.dispose();
  });

  it("reports the log densities of its draws", async () => {
    const { draws } = await drawn(sampler, few);
    const gradient = new Float64Array(3);
    for (const [c, k] of [
      [0, 0],
      [1, few.draws - 1],
    ])
      expect(draws.transition("logDensity")[c * few.draws + k]).toBe(target.plain(draws.draw(c, k), gradient));
  });

  it("frees its memory, also after an error", async () => {
    await drawn(sampler, few);
    const before = engine.memory.usedBytes;
    await drawn(sampler, few);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    await expect(drawn(sampler, { ...few, draws: -1 })).rejects.toThrow("OPTION_RANGE");
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

describe("a normal target", () => {
  const covariance = [
    [2.96, -1.5, 0.1],
    [-1.5, 6, -0.4],
    [0.1, -0.4, 1.75],
  ].map((row) => row.map((v) => v / 5.17));

  it("full rank is exact: p/q is constant", async () => {
    const { draws, report, parameters } = await drawn(fullRank({ psis: false }), plan);
    const ratios = draws.transition("logDensity").map((p, k) => p - draws.transition("logApproximation")[k]);
    expect(Math.max(...ratios) - Math.min(...ratios)).toBeLessThan(1e-4);
    const logEvidence = 1.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(5.17);
    expect(ratios[0]).toBeCloseTo(logEvidence, 4);
    expect(report.elbo).toBeCloseTo(logEvidence, 4);
    [1, -2, 300].forEach((mean, i) => {
      expect(parameters[i]).toBeCloseTo(mean, 4);
    });
  });

  it("no ELBO exceeds the log evidence, even with widened draws", async () => {
    const logEvidence = 1.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(5.17);
    for (const sampler of [fullRank(), pathfinder(), fullRank({ psis: false })])
      expect((await drawn(sampler, plan)).report.elbo).toBeCloseTo(logEvidence, 4);
    // The mean-field ELBO is lower by half the log of 6/5.17, the product of the precision's diagonal over its
    // determinant.
    expect((await drawn(meanField(), plan)).report.elbo).toBeCloseTo(logEvidence - 0.5 * Math.log(6 / 5.17), 1);
  });

  it("mean-field variances are the reciprocals of the precision's diagonal", async () => {
    const { draws, parameters } = await drawn(meanField({ psis: false }), plan);
    const logApproximation = draws.transition("logApproximation");
    [1, -2, 300].forEach((mean, i) => {
      expect(parameters[i]).toBeCloseTo(mean, 4);
    });
    for (let k = 0; k < 50; k++) {
      const x = draws.draw(0, k);
      const quadratic = [1, -2, 300].reduce((sum, mean, i) => sum + precision[i][i] * (x[i] - mean) ** 2, 0);
      expect(logApproximation[k]).toBeCloseTo(-0.5 * quadratic - 1.5 * Math.log(2 * Math.PI) + 0.5 * Math.log(6), 3);
    }
  });

  it("widened draws are wide in every direction or in one random direction", async () => {
    const run = await finish(meanField().start(target, plan, engine));
    const { drawPoint, widths } = run as unknown as {
      drawPoint: (k: number, out: Float64Array) => void;
      widths: { scale: number; oneWay: boolean }[];
    };
    const ways = new Set<number>();
    for (let k = 0; k < 10 * widths.length; k++) {
      const { scale, oneWay } = widths[k % widths.length];
      const out = new Float64Array(3);
      drawPoint.call(run, k, out);
      const draws = stream(plan.seed, "advi", "draw").at(k);
      // Width relative to the normal's own draw from these random numbers.
      const times = [1, -2, 300].map((mean, i) => (out[i] - mean) / (draws.normal() / Math.sqrt(precision[i][i])));
      const way = oneWay ? draws.integer(3) : undefined;
      if (way !== undefined) ways.add(way);
      for (let i = 0; i < 3; i++) expect(times[i] / (way === undefined || way === i ? scale : 1)).toBeCloseTo(1, 2);
    }
    expect([...ways].sort()).toEqual([0, 1, 2]);
    expect(new Set(widths.map(({ oneWay }) => oneWay)).size).toBe(2);
    run.dispose();
  });

  it("the stochastic ascent comes close to the target without refinement", async () => {
    const alone = fullRank({ start: "point", refineDraws: 0, psis: false, tolerance: 1e-4 });
    const near = await gaussian(engine, [1, -2, 3], precision);
    const { parameters, report } = await drawn(alone, plan, near);
    [1, -2, 3].forEach((mean, i) => {
      expect(Math.abs(parameters[i] - mean)).toBeLessThan(0.5);
    });
    expect(report.elbo).toBeLessThan(1.5 * Math.log(2 * Math.PI) - 0.5 * Math.log(5.17));
  });

  it("each approximation reports its quality by k̂", async () => {
    for (const sampler of [pathfinder(), fullRank(), fullRank({ psis: false })]) {
      const { draws, report } = await drawn(sampler, { ...plan, draws: 1000 });
      expect(report.paretoK).toBeLessThan(0.7);
      for (let i = 0; i < 3; i++) {
        const x = draws.coordinate(i);
        const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
        // Six standard errors of 2000 weighted draws.
        expect(Math.abs(mean - [1, -2, 300][i])).toBeLessThan(6 * Math.sqrt(covariance[i][i] / 1000));
      }
    }
  });
});

/** Two-sided p-value of Student's t test that compares the means of runs with the true value. */
function pValue(means: number[], truth: number): number {
  const mean = means.reduce((sum, v) => sum + v, 0) / means.length;
  const variance = means.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (means.length - 1);
  const [degrees, t] = [means.length - 1, (mean - truth) / Math.sqrt(variance / means.length)];
  return betaLower(degrees / 2, 0.5, degrees / (degrees + t * t));
}

describe("a skewed target", () => {
  const RUNS = power(10, 20);
  /**
   * Draws per chain, of two chains. The number suffices to detect an unweighted full-rank approximation without drawing
   * more than requested.
   */
  const COUNT = 4000;
  const LEAST_P = 1e-5;
  /**
   * Distribution function of gamma(3, 2). Exact draws make it uniform. It is bounded, so heavy tails cannot hide a
   * bias.
   */
  const F = (x: number): number => 1 - Math.exp(-2 * x) * (1 + 2 * x + 2 * x * x);

  async function pValues(sampler: Sampler, trusted = true): Promise<number[]> {
    const moments: [number[], number[]] = [[], []];
    for (let seed = 0; seed < RUNS; seed++) {
      const { draws, report } = await drawn(sampler, { ...plan, draws: COUNT, seed }, skewed);
      if (trusted) expect(report.paretoK).toBeLessThan(0.7);
      const u = draws.values.map((z) => F(Math.exp(z)));
      moments[0].push(u.reduce((sum, v) => sum + v, 0) / u.length);
      moments[1].push(u.reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / u.length);
    }
    return [pValue(moments[0], 1 / 2), pValue(moments[1], 1 / 12)];
  }

  // The family of meanField() is tested above on a normal target. Its weights are those of fullRank().
  it.each([pathfinder({ paths: power(2, 4) }), fullRank(), ...(isSlow ? [meanField()] : [])])(
    "$name is exact with its weights",
    async (sampler) => {
      for (const p of await pValues(sampler)) expect(p).toBeGreaterThan(LEAST_P);
    },
  );

  it("the check detects unweighted draws", async () => {
    expect(Math.min(...(await pValues(fullRank({ psis: false }), false)))).toBeLessThan(LEAST_P);
  });
});

describe("targets that no normal fits", () => {
  it("k̂ exceeds 0.7 for a funnel, heavy tails and correlations that mean field ignores", async () => {
    const heavy = await model(({ param }) => void param("x", cauchy(0, 1), { shape: 20 })).condition({}, { deterministic: true });
    const given = { ...plan, draws: power(40, 1000) };
    const brief = isSlow ? {} : { maxIterations: 300, refineDraws: 50 };
    const correlated = await gaussian(
      engine,
      [0, 0],
      [
        [50, 49],
        [49, 50],
      ],
    );
    for (const [sampler, density] of [
      [pathfinder({ maxIterations: 50 }), await funnel(engine, 10)],
      [meanField(brief), correlated],
      [fullRank(), heavy],
      [pathfinder(), heavy],
      ...(isSlow ? [[fullRank(), await funnel(engine, 10)] as const] : []),
    ] as const) {
      const { report } = await drawn(sampler, given, density);
      expect(report.paretoK, sampler.name).toBeGreaterThan(0.7);
    }
    heavy.dispose();
  });
});

it("the pool grows tenfold if the effective size is too small or k̂ is between 0.7 and 1", async () => {
  /** Number of blocks of 50 draws in a run that requests 200 draws and always finds these weights. */
  const blocks = async (paretoK: number, effectiveSize: number, psis = true): Promise<number> => {
    const run = pathfinder({ paths: 2, draws: 25, psis }).start(target, plan, engine);
    const inner = run as unknown as { judge: () => object; pool: { arrays: { values: unknown[] } } };
    const judge = inner.judge.bind(run);
    inner.judge = () => ({ ...judge(), paretoK, effectiveSize });
    await finish(run);
    run.dispose();
    return inner.pool.arrays.values.length;
  };
  expect([await blocks(0.7, 4000), await blocks(0.7, 3999), await blocks(0.71, 4000), await blocks(1, 4000)]).toEqual([
    4, 40, 40, 40,
  ]);
  // More draws would not help, or the draws are not weighted.
  expect([await blocks(1.01, 10), await blocks(Infinity, 10), await blocks(0.9, 10, false)]).toEqual([4, 4, 4]);
});

describe("places next to the approximation", () => {
  /** N(0, 1) mixed with N(at, sd²), which has `share` of the mass. */
  const beside = (share: number, at: number, sd: number) => {
    const terms = (x: number) => [Math.log(1 - share) - 0.5 * x * x, Math.log(share / sd) - 0.5 * ((x - at) / sd) ** 2];
    return functionDensity({
      dimension: 1,
      logDensity: ([x]) => {
        const [a, b] = terms(x);
        return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
      },
      gradient: ([x]) => {
        const [a, b] = terms(x);
        const other = 1 / (1 + Math.exp(a - b));
        return Float64Array.of(-(1 - other) * x - (other * (x - at)) / (sd * sd));
      },
    });
  };
  const given = { ...plan, chains: 4, draws: 4000, start: Float64Array.of(-0.5) };
  const started = (density: LogDensity) => finish(pathfinder().start(density, given, engine));
  let rare: Sampling;
  beforeAll(async () => {
    rare = await started(beside(0.03, 1.5, 0.05));
  });
  afterAll(() => rare.dispose());

  it("are reported if they hold less than a tenth of the draws, but not if they hold more", async () => {
    const found = rare.places!();
    expect(found.map(({ by, missed, mode }) => [by, missed, mode])).toEqual([["scout", false, 0]]);
    expect(Math.abs(found[0].point[0] - 1.5)).toBeLessThan(0.01);
    const held = rare.draws().values.filter((x) => Math.abs(x - 1.5) < 0.1).length;
    expect([held > 400, held < 1600]).toEqual([true, true]);
    // The spike has 0.03 of the mass, and the normal has as much at the same place.
    expect(found[0].share).toBeGreaterThan(0.04);
    expect(found[0].share).toBeLessThan(0.08);
    const common = await started(beside(0.3, 1.5, 0.2));
    expect(common.draws().values.filter((x) => Math.abs(x - 1.5) < 0.4).length).toBeGreaterThan(1600);
    expect(common.places!()).toEqual([]);
    common.dispose();
  });

  it("are reported only if the weights are trusted, up to a Pareto k of 0.7", async () => {
    const judged = (rare as unknown as { judged: { of: { paretoK: number } } }).judged.of;
    const told = (paretoK: number): number => {
      judged.paretoK = paretoK;
      return rare.places!().length;
    };
    expect([0.7, 0.71, Infinity].map(told)).toEqual([1, 0, 0]);
  });
});

describe("progress and errors", () => {
  it("counts steps and evaluations, and has no draws before the end", async () => {
    for (const sampler of samplers) {
      const waiting = sampler.start(target, plan, engine);
      expect([...waiting.parameters()]).toEqual([0, 0, 0]);
      waiting.dispose();
    }
    const run = pathfinder().start(target, plan, engine);
    const made = await run.advance(3);
    expect(made.updates).toBe(3);
    expect([run.step, run.updates, run.converged, run.draws().count]).toEqual([3, 3, false, 0]);
    expect(run.report()).toMatchObject({ iterations: 3, paths: 4 });
    expect(run.parameters().every(Number.isFinite)).toBe(true);
    expect(run.report().paretoK).toBeUndefined();
    await finish(run);
    expect(run.step).toBeLessThanOrEqual(run.stepsPerEpoch);
    expect(Object.keys(run.report())).toEqual(expect.arrayContaining(["iterations", "evaluations", "elbo", "paretoK", "draws"]));
    run.dispose();
  });

  it("bounds the number of steps for the fit, blocks of draws and search for places", async () => {
    // About ninety modes, so that nearly every search finds a new place.
    const lattice = functionDensity({
      dimension: 2,
      logDensity: ([x, y]) => 3 * (Math.cos(6 * x) + Math.cos(6 * y)) - (x * x + y * y) / 50,
      gradient: ([x, y]) => Float64Array.of(-18 * Math.sin(6 * x) - x / 25, -18 * Math.sin(6 * y) - y / 25),
    });
    const short = pathfinder({ psis: false, maxIterations: 20 });
    const run = await finish(short.start(lattice, { ...plan, chains: 4, draws: 5000 }, engine));
    // 400 blocks, one step that starts the search, 24 scouts and some masses.
    expect(run.report().scouts).toBe(24);
    expect(run.step).toBeGreaterThan(425);
    expect(run.step).toBeLessThanOrEqual(run.stepsPerEpoch);
    expect(run.stepsPerEpoch).toBeLessThan(600);
    run.dispose();
  });

  it("names invalid options, starts and densities", async () => {
    expect(() => pathfinder({ paths: 0 })).toThrow(/pathfinder: paths is 0.*OPTION_RANGE/);
    expect(() => pathfinder({ path: 1 } as object)).toThrow(/did you mean "paths".*OPTION_UNKNOWN/);
    expect(() => meanField({ rate: -1 })).toThrow(/meanField: rate is -1.*OPTION_RANGE/);
    expect(() => fullRank({ start: "mode" } as object)).toThrow(/start is "mode".*OPTION_RANGE/);
    expect(() => fullRank({ psis: 1 } as object)).toThrow(/psis is 1.*OPTION_TYPE/);
    const nowhere = await gaussian(engine, [0], [[Number.NaN]]);
    for (const sampler of [pathfinder(), meanField()]) {
      await expect(drawn(sampler, plan, nowhere)).rejects.toThrow("SAMPLE_START");
      await expect(drawn(sampler, { ...plan, start: new Float64Array(2) })).rejects.toThrow("OPTION_SHAPE");
      const flat = { ...(await broken(engine)), hasGradient: false };
      expect(() => sampler.start(flat, plan, engine)).toThrow("SAMPLE_GRADIENT");
    }
    const flat = await gaussian(engine, [0], [[0]]);
    await expect(drawn(pathfinder(), plan, flat)).rejects.toThrow(/pathfinder: none of 4 paths.*SAMPLE_APPROXIMATION/);
  });

  it("can be rebuilt from its JSON", () => {
    for (const sampler of samplers)
      expect(samplerFromJson(JSON.parse(JSON.stringify(sampler.toJSON()))).toJSON()).toEqual(sampler.toJSON());
  });
});
