/**
 * Gibbs sampling and composition. Compares them with a mixture whose posterior is a sum over its assignments, and tests
 * the rules for every run.
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS. With 64 chains of 500 sweeps, a bias of 0.13 standard
 * deviations is detected, or of 0.21 with the 200 sweeps of `npm test`, as are compositions with planted mistakes.
 */
import { describe, expect, it } from "vitest";
import type { InnerSampling } from "../../../../src/bayes/samplers/base/sampler.ts";
import { type Conditional, conjugate, enumerate, type GibbsBlocks, gibbs } from "../../../../src/bayes/samplers/gibbs/index.ts";
import {
  ellipticalSlice,
  hmc,
  mala,
  metropolisWithinGibbs,
  nuts,
  parallelTempering,
  randomWalk,
  type Sampler,
  type SamplingPlan,
  samplerFromJson,
  slice,
} from "../../../../src/bayes/samplers/index.ts";
import type { DiscretePlace, LogDensity, ParameterPlace } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { exp } from "../../../../src/engine/numbers/exp.ts";
import { power } from "../../../power.ts";
import { biasFound, checkChains, expectExact, type Functional, leastP } from "../exactness.ts";
import { compiled, densityOf, exactTarget, indicator } from "./compiled.ts";

const RUNS = 13;
const FALSE_ALARM = 1e-4 / RUNS;
const engine = await openEngine();
const functions = await compiled(
  engine,
  `
/** model: n, log odds of z = 1, y f64[n]. x: mu ~ N(0, 2²), z[n]; y ~ N(z mu, 1). */
export function mixture(model: usize, x: usize, g: usize): f64 {
  const n = <i32>load<f64>(model), odds = load<f64>(model, 8), mu = load<f64>(x);
  let value = -mu * mu / 8, slope = -mu / 4;
  for (let i = 0; i < n; i++) {
    const y = load<f64>(model + 16 + (<usize>i << 3)), z = load<f64>(x + 8 + (<usize>i << 3));
    const rest = y - z * mu;
    value += z * odds - 0.5 * rest * rest;
    slope += z * rest;
    store<f64>(g + 8 + (<usize>i << 3), 0);
  }
  store<f64>(g, slope);
  return value;
}
`,
  ["mixture"],
);

const y = [1.4, -0.3, 2.2, 0.6];
const ODDS = -0.4;
const discrete: DiscretePlace[] = [{ name: "z", offset: 1, size: 4, low: 0, high: 1 }];
const parameters: ParameterPlace[] = [{ name: "mu", offset: 0, size: 1 }, ...discrete];
const density = densityOf(engine, functions.mixture.slot, [4, ODDS, ...y], { dimension: 5, discrete, parameters });

/** Expectations by a sum over all 2⁴ assignments. Given z, mu is normal. */
function exact(): Functional[] {
  const parts = Array.from({ length: 16 }, (_, s) => {
    const z = y.map((_, i) => (s >> i) & 1);
    const precision = 1 / 4 + z.reduce((a, b) => a + b, 0);
    const sum = z.reduce((total, zi, i) => total + zi * y[i], 0);
    const weight = Math.exp(ODDS * z.reduce((a, b) => a + b, 0) + (sum * sum) / (2 * precision)) / Math.sqrt(precision);
    return { z, weight, mean: sum / precision, variance: 1 / precision };
  });
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const expectation = (of: (part: (typeof parts)[number]) => number) =>
    parts.reduce((sum, part) => sum + (part.weight / total) * of(part), 0);
  const second = expectation(({ mean, variance }) => mean ** 2 + variance);
  const fourth = expectation(({ mean: m, variance: v }) => m ** 4 + 6 * m * m * v + 3 * v * v);
  const mean = expectation((part) => part.mean);
  const joint = expectation(({ z, mean: m }) => z[2] * m);
  const jointSquare = expectation(({ z, mean: m, variance: v }) => z[2] * (m * m + v));
  return [
    { name: "mu", of: (x) => x[0], expectation: mean, variance: second - mean ** 2 },
    { name: "mu²", of: (x) => x[0] ** 2, expectation: second, variance: fourth - second ** 2 },
    { name: "mu z2", of: (x) => x[0] * x[3], expectation: joint, variance: jointSquare - joint ** 2 },
    ...y.map((_, i) =>
      indicator(
        i + 1,
        1,
        expectation(({ z }) => z[i]),
      ),
    ),
  ];
}

const muGivenZ =
  (factor: number): Conditional =>
  ({ z }, draws) => {
    const precision = 1 / 4 + z.reduce((a, b) => a + b, 0);
    return z.reduce((sum, zi, i) => sum + zi * y[i], 0) / precision + (factor * draws.normal()) / Math.sqrt(precision);
  };
const zGivenMu: Conditional = ({ mu: [mu] }, draws) => ({
  z: y.map((yi) => (draws.uniform() < 1 / (1 + exp(0 - ODDS - mu * yi + 0.5 * mu * mu)) ? 1 : 0)),
});

async function finished(sampler: Sampler, plan: SamplingPlan, of: LogDensity = density, stretch = 1e9) {
  const run = sampler.start(of, plan, engine);
  while (run.converged === false) await run.advance(stretch);
  const made = { draws: run.draws(), report: run.report() };
  run.dispose();
  return made;
}

const SWEEPS = power(200, 500);
const long: SamplingPlan = { chains: 64, warmup: power(100, 150), draws: SWEEPS, seed: 7, workers: 1, deterministic: true };
const checked = async (sampler: Sampler) =>
  checkChains(exactTarget("mixture", 5, exact()), (await finished(sampler, long)).draws);

describe("a mixture with its assignments", () => {
  const compositions: [string, GibbsBlocks | undefined][] = [
    ["default blocks", undefined],
    ["hmc and enumerate", { mu: hmc({ time: 1.5, jitter: 0.3 }), z: enumerate() }],
    ["conjugate, integers by slices", { z: enumerate({ most: 0 }), mu: conjugate() }],
    ["random walk", { mu: randomWalk(), z: enumerate() }],
    ["a coordinate at a time", { mu: metropolisWithinGibbs(), z: enumerate() }],
    ["mala", { mu: mala(), z: enumerate() }],
    ["slice", { mu: slice(), z: enumerate() }],
    ["elliptical slice", { mu: ellipticalSlice(), z: enumerate() }],
    ["conditionals", { mu: muGivenZ(1), z: zGivenMu }],
    [
      "several transitions, overlapping blocks of coordinates",
      [
        { of: [0], by: nuts({ metric: "dense" }), times: 2 },
        { of: [1, 2, 3], by: enumerate() },
        { of: ["z"], by: enumerate() },
      ],
    ],
  ];
  it.each(compositions)("%s", async (_, blocks) => {
    const checks = await checked(gibbs(blocks));
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(0.13 * Math.sqrt(500 / SWEEPS));
  });

  it("narrow conditionals, stale densities and draws from the prior are detected", async () => {
    expect(leastP(await checked(gibbs({ mu: muGivenZ(0.8), z: enumerate() })))).toBeLessThan(FALSE_ALARM);
    const stale: Sampler = {
      ...nuts(),
      start: (...given) => {
        const run = nuts().start(...given) as InnerSampling;
        const fresh = run.refresh.bind(run);
        // Refreshes during warm-up, because no step size would be found otherwise.
        return Object.assign(run, { refresh: async () => (run.step < long.warmup ? fresh() : undefined) });
      },
    };
    expect(leastP(await checked(gibbs({ mu: stale, z: enumerate() })))).toBeLessThan(FALSE_ALARM);
    const prior: Conditional = (_, draws) => [0, 1, 2, 3].map(() => (draws.uniform() < 1 / (1 + exp(-ODDS)) ? 1 : 0));
    expect(leastP(await checked(gibbs({ mu: nuts(), z: prior })))).toBeLessThan(FALSE_ALARM);
  });
});

describe("a run", () => {
  const plan: SamplingPlan = { chains: 3, warmup: 120, draws: 60, seed: 4, workers: 1, deterministic: true };
  const samplers = [
    gibbs(),
    gibbs([
      { of: ["mu"], by: nuts({ metric: "fisher" }), times: 3 },
      { of: ["z"], by: enumerate({ most: 1 }) },
    ]),
    gibbs({ mu: conjugate(), z: zGivenMu }),
  ];

  it.each(samplers.map((sampler) => ({ name: JSON.stringify(sampler.toJSON()), sampler })))(
    "draws the same with any number of workers and resumes bit for bit: $name",
    async ({ sampler }) => {
      const { draws, report } = await finished(sampler, plan);
      expect(draws.count).toBe(60);
      expect(draws.fields).toEqual(["logDensity", "acceptance", "divergent"]);
      expect(new Set(draws.coordinate(0)).size).toBeGreaterThan(150);
      expect(new Set(draws.coordinate(1))).toEqual(new Set([0, 1]));
      expect(report.draws).toBe(60);
      expect((await finished(sampler, { ...plan, workers: 2 })).draws).toEqual(draws);
      expect((await finished(sampler, plan, density, 7)).draws).toEqual(draws);
      expect((await finished(sampler, { ...plan, seed: 5 })).draws).not.toEqual(draws);
      for (const at of [0, 50, 120, 150]) {
        const run = sampler.start(density, { ...plan, draws: 40 }, engine);
        await run.advance(at);
        const snapshot = structuredClone(run.snapshot());
        run.dispose();
        const again = sampler.start(density, plan, engine);
        again.restore(snapshot);
        while (again.converged === false) await again.advance(1000);
        expect(again.draws()).toEqual(draws);
        again.dispose();
      }
    },
  );

  it("records the log density of its position and frees its memory", async () => {
    const sampler = gibbs([
      { of: ["z"], by: zGivenMu },
      { of: ["mu"], by: muGivenZ(1) },
    ]);
    const { draws } = await finished(sampler, plan);
    const before = engine.memory.usedBytes;
    await finished(sampler, plan);
    await finished(gibbs(), plan);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    for (const k of [0, 59]) {
      const [mu, ...z] = draws.draw(2, k);
      const wanted = (-mu * mu) / 8 + z.reduce((sum, zi, i) => sum + zi * ODDS - 0.5 * (y[i] - zi * mu) ** 2, 0);
      expect(draws.transition("logDensity")[2 * 60 + k]).toBeCloseTo(wanted, 12);
    }
  });

  it("is described in JSON and rebuilt from it unless it contains functions", () => {
    const sampler = gibbs([
      { of: ["mu"], by: nuts({ maxTreeDepth: 5 }), times: 2 },
      { of: ["z"], by: enumerate({ most: 9 }) },
    ]);
    const again = samplerFromJson(JSON.parse(JSON.stringify(sampler.toJSON())));
    expect(again.toJSON()).toEqual(sampler.toJSON());
    expect(samplerFromJson({ algorithm: "gibbs" }).toJSON()).toEqual({ algorithm: "gibbs" });
    const own = gibbs({ mu: muGivenZ(1), z: enumerate() });
    expect(() => samplerFromJson({ algorithm: "gibbs", blocks: [{ of: "mu" }] })).toThrow(/must be a list of .*OPTION_TYPE/);
    const tempering = parallelTempering({ inner: sampler, count: 3 });
    expect(samplerFromJson(JSON.parse(JSON.stringify(tempering.toJSON()))).toJSON()).toEqual(tempering.toJSON());
    expect(() => samplerFromJson(own.toJSON())).toThrow(/"gibbs, conditional" cannot be rebuilt .* contains functions/);
  });

  it("starts at the given point", async () => {
    const start = Float64Array.of(1, 1, 0, 1, 0);
    const run = gibbs().start(density, { ...plan, start }, engine);
    await run.advance(0);
    expect([...run.parameters()]).toEqual([...start]);
    run.dispose();
  });
});

describe("a density without names has the single parameter x", () => {
  const nameless = densityOf(engine, functions.mixture.slot, [4, ODDS, ...y], { dimension: 5 });
  const plan: SamplingPlan = { chains: 2, warmup: 0, draws: 3, seed: 4, workers: 1, deterministic: true };
  const start = Float64Array.of(1, 10, 20, 30, 40);

  it("a conditional receives all coordinates and sets each one", async () => {
    const given: number[][] = [];
    const next: Conditional = ({ x }) => {
      given.push([...x]);
      return x.map((value, i) => value + i + 1);
    };
    const { draws } = await finished(gibbs([{ of: ["x"], by: next }]), { ...plan, start }, nameless);
    const after = (sweeps: number) => Array.from(start, (value, i) => value + sweeps * (i + 1));
    for (let k = 0; k < 3; k++) {
      expect([...draws.draw(0, k)]).toEqual(after(k + 1));
      expect(given[2 * k]).toEqual(after(k));
    }
  });

  it("coordinate numbers are only for samplers, and other names are refused", async () => {
    const by: Conditional = ({ x }) => x;
    const attempt = (of: (string | number)[]) => finished(gibbs([{ of, by }]), { ...plan, start }, nameless);
    await expect(attempt([0, 1, 2, 3, 4])).rejects.toThrow(
      "gibbs: a conditional is for coordinate 0, but must be for whole parameters; name one of x [OPTION_MEANING]",
    );
    await expect(attempt(["mu"])).rejects.toThrow(
      'gibbs: there is no parameter "mu"; the density names none: use of: ["x"] for all coordinates, or list some, of: [0, 1] [OPTION_UNKNOWN]',
    );
  });
});

describe("errors", () => {
  const plan: SamplingPlan = { chains: 1, warmup: 5, draws: 5, seed: 4, workers: 1, deterministic: true };
  it.each([
    [{ mu: nuts() }, /the parameter "z" is in no block.*OPTION_MEANING/],
    [{ mu: nuts(), z: enumerate(), w: nuts() }, /no parameter "w"; there are mu, z.*OPTION_UNKNOWN/],
    [{ mu: enumerate(), z: enumerate() }, /block of mu holds numbers that are not integers.*SAMPLE_DISCRETE/],
    [{ mu: nuts(), z: conjugate() }, /block of z holds integers.*SAMPLE_DISCRETE/],
    [{ mu: nuts(), z: nuts() }, /discrete.*SAMPLE_DISCRETE/],
    [{ mu: () => Number.NaN, z: enumerate() }, /conditional of mu returned NaN for "mu".*SAMPLE_CONDITIONAL/],
    [{ mu: nuts(), z: () => [0, 1] }, /"z" got 2 numbers, but has 4.*OPTION_LENGTH/],
    [[{ of: [0, 7], by: nuts() }], /no coordinate 7 of 5/],
    [[{ of: ["mu", 0], by: nuts() }], /the same coordinate twice/],
  ] as [GibbsBlocks, RegExp][])("%#", async (blocks, message) => {
    const before = engine.memory.usedBytes;
    await expect(finished(gibbs(blocks), plan)).rejects.toThrow(message);
    expect(engine.memory.usedBytes - before).toBeGreaterThanOrEqual(0);
  });

  it("report invalid options", () => {
    expect(() => gibbs({ z: 3 as never })).toThrow(
      /what updates z is 3, but must be a sampler: write nuts\(\), enumerate\(\), conjugate\(\) or a function/,
    );
    expect(() => gibbs([{ of: ["z"], by: enumerate(), times: 2 }])).toThrow(/times is 2/);
    expect(() => gibbs([])).toThrow("there are no blocks");
    expect(() => enumerate({ most: -1 })).toThrow("OPTION_RANGE");
  });
});
