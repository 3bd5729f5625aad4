/**
 * Parallel tempering on a posterior with two modes fifteen standard deviations apart, and on densities with such modes
 * and no observations.
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS. With 48 chains, a bias of 0.25 standard deviations is
 * detected, and with the fewer draws of `npm test`, one of 0.5. Planted mistakes in swaps are detected.
 */
import { describe, expect, it } from "vitest";
import { functionDensity } from "../../../../src/bayes/model/functional/index.ts";
import { mixture, model, normal } from "../../../../src/bayes/model/index.ts";
import { gibbs, hmc, nuts, randomWalk, type Sampler, type SamplingPlan } from "../../../../src/bayes/samplers/index.ts";
import { parallelTempering } from "../../../../src/bayes/samplers/tempering/parallel-tempering.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { evenLadder, geometricLadder } from "../../../../src/engine/statistics/temperature-ladder.ts";
import { power } from "../../../power.ts";
import { biasFound, checkChains, expectExact, leastP } from "../exactness.ts";
import { exactTarget } from "../gibbs/compiled.ts";
import { twoModes } from "./two-modes.ts";

const RUNS = 8;
const FALSE_ALARM = 1e-4 / RUNS;
const engine = await openEngine();
const { tempered, whole, target } = await twoModes(engine);
/** Errors shrink with the square root of the number of draws. */
const BIAS = 0.25 * Math.sqrt(power(4, 1));
const long: SamplingPlan = {
  chains: 48,
  warmup: power(100, 300),
  draws: power(150, 600),
  seed: 3,
  workers: 1,
  deterministic: true,
};

async function finished(sampler: Sampler, plan: SamplingPlan, density: LogDensity, stretch = 1e9) {
  const run = sampler.start(density, plan, engine);
  while (run.converged === false) await run.advance(stretch);
  const made = { draws: run.draws(), report: run.report() };
  run.dispose();
  return made;
}

describe("two distant modes", () => {
  const cases: [string, Sampler, LogDensity][] = [
    ["nuts between prior and posterior", parallelTempering({ count: 5, lowest: 0 }), tempered],
    ["random walks", parallelTempering({ inner: randomWalk(), count: 6, lowest: 0.005 }), tempered],
    [
      "hmc, rare swaps, a ladder that stays",
      parallelTempering({ inner: hmc({ time: 2, jitter: 0.3 }), temperatures: [1, 0.3, 0.1, 0.03, 0], swapEvery: 2 }),
      tempered,
    ],
    ["powers of the whole density", parallelTempering({ inner: hmc({ time: 2, jitter: 0.3 }), count: 6, lowest: 0.01 }), whole],
  ];
  it.each(cases)("%s", async (_, sampler, density) => {
    const { draws, report } = await finished(sampler, long, density);
    const checks = checkChains(target, draws);
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(BIAS);
    expect(report.leastSwapAcceptance).toBeGreaterThan(0.1);
    expect(report.swapAcceptance).toBeLessThan(1);
  });

  it("nuts alone misses one mode, and swaps with planted mistakes are detected", async () => {
    const alone = await finished(parallelTempering({ count: 1 }), { ...long, draws: 100 }, tempered);
    expect(alone.report.swapAcceptance).toBeUndefined();
    const left = checkChains(target, alone.draws).find(({ functional }) => functional === "left")!;
    expect(left.standardError).toBeGreaterThan(0.1);
    /** A density that reads its log likelihood from another address. */
    const believing = (wrong: (address: number, binding: { likelihood: number }) => number): LogDensity => ({
      ...tempered,
      bindTempered: (options) => {
        const binding = tempered.bindTempered!(options);
        return { ...binding, likelihood: wrong(binding.power, binding) };
      },
    });
    const sampler = parallelTempering({ inner: hmc({ time: 2, jitter: 0.3 }), temperatures: [1, 0.3, 0.1, 0.03, 0] });
    expect(
      leastP(
        checkChains(
          target,
          (
            await finished(
              sampler,
              long,
              believing((_, { likelihood }) => likelihood),
            )
          ).draws,
        ),
      ),
    ).toBeGreaterThan(FALSE_ALARM);
    // Reads the power instead of the likelihood, so nearly every swap is accepted.
    expect(
      leastP(
        checkChains(
          target,
          (
            await finished(
              sampler,
              long,
              believing((power) => power),
            )
          ).draws,
        ),
      ),
    ).toBeLessThan(FALSE_ALARM);
  });
});

describe("two distant modes without observations", () => {
  const far = mixture([0.3, 0.7], [normal(-6, 1), normal(9, 1)]);
  /** x ~ 0.3 N(−6, 1) + 0.7 N(9, 1) and y ~ N(1, 1). */
  const densities: [string, () => Promise<LogDensity>][] = [
    [
      "in a target() term",
      () =>
        model(({ param, target }) => {
          target(far.logDensity(param("x", "real")));
          param("y", normal(1, 1));
        }).condition({}, { deterministic: true }),
    ],
    [
      "in a prior, beside an observation of no parameter",
      () =>
        model(({ param, observe }) => {
          param("x", far);
          param("y", normal(1, 1));
          observe(2, normal(0, 1));
        }).condition({}, { deterministic: true }),
    ],
    [
      "in a plain function",
      async () => {
        const terms = (x: number) => [Math.log(0.3) - 0.5 * (x + 6) ** 2, Math.log(0.7) - 0.5 * (x - 9) ** 2];
        return functionDensity({
          dimension: 2,
          logDensity: ([x, y]) => {
            const [a, b] = terms(x);
            return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))) - 0.5 * (y - 1) ** 2;
          },
          gradient: ([x, y]) => {
            const [a, b] = terms(x);
            const left = 1 / (1 + Math.exp(b - a));
            return [-left * (x + 6) - (1 - left) * (x - 9), 1 - y];
          },
        });
      },
    ],
  ];
  const nothingObserved = exactTarget("two modes, nothing observed", 2, [
    { name: "left", of: (x) => (x[0] < 0 ? 1 : 0), expectation: 0.3, variance: 0.21 },
    { name: "x", of: (x) => x[0], expectation: 4.5, variance: 1 + 0.21 * 225 },
    { name: "y", of: (x) => x[1], expectation: 1, variance: 1 },
    { name: "y spread", of: (x) => (x[1] - 1) ** 2, expectation: 1, variance: 2 },
  ]);

  it.each(densities)("%s", async (_, make) => {
    const density = await make();
    const inner = hmc({ time: 2, jitter: 0.3 });
    const { draws, report } = await finished(parallelTempering({ inner, count: 6, lowest: 0.01 }), long, density);
    const checks = checkChains(nothingObserved, draws);
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(BIAS);
    expect(report.leastSwapAcceptance).toBeGreaterThan(0.1);
    // Identical rungs would always swap.
    expect(report.swapAcceptance).toBeLessThan(0.98);
    const alone = await finished(parallelTempering({ inner, count: 1 }), { ...long, draws: 100 }, density);
    for (let c = 0; c < long.chains; c++) {
      const sides = new Set(Array.from({ length: 100 }, (_, k) => alone.draws.draw(c, k)[0] < 0));
      expect(sides.size).toBe(1);
    }
  });

  it("power 0 is refused", async () => {
    for (const [, make] of densities) {
      const density = await make();
      const begin = () => parallelTempering({ count: 3, lowest: 0 }).start(density, long, engine);
      expect(begin).toThrow(/the lowest power is 0, at which the density is flat.*use a lowest power above 0.*SAMPLE_PRIOR/);
    }
  });
});

describe("a run", () => {
  const plan: SamplingPlan = { chains: 2, warmup: 60, draws: 40, seed: 4, workers: 1, deterministic: true };
  const samplers = [
    parallelTempering({ count: 4 }),
    parallelTempering({ inner: nuts({ metric: "dense" }), temperatures: [1, 0.2, 0], swapEvery: 3, adapt: true }),
    parallelTempering({
      inner: gibbs([
        { of: [0], by: nuts() },
        { of: [1], by: hmc({ leapfrogs: 3 }) },
      ]),
      count: 3,
    }),
  ];

  it.each(samplers.map((sampler) => ({ name: JSON.stringify(sampler.toJSON()), sampler })))(
    "draws the same with any number of workers and resumes bit for bit: $name",
    async ({ sampler }) => {
      const { draws, report } = await finished(sampler, plan, tempered);
      expect(draws.count).toBe(40);
      expect(report.draws).toBe(40);
      expect((await finished(sampler, { ...plan, workers: 2 }, tempered)).draws).toEqual(draws);
      expect((await finished(sampler, plan, tempered, 7)).draws).toEqual(draws);
      expect((await finished(sampler, { ...plan, seed: 5 }, tempered)).draws).not.toEqual(draws);
      for (const at of [0, 30, 60, 80]) {
        const run = sampler.start(tempered, { ...plan, draws: 30 }, engine);
        await run.advance(at);
        const snapshot = structuredClone(run.snapshot());
        run.dispose();
        const again = sampler.start(tempered, plan, engine);
        again.restore(snapshot);
        while (again.converged === false) await again.advance(1000);
        expect(again.draws()).toEqual(draws);
        again.dispose();
      }
    },
  );

  it("records the log density of the draw at power 1 and frees its memory", async () => {
    const before = engine.memory.usedBytes;
    const { draws } = await finished(samplers[0], plan, tempered);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    const density = (x: Float64Array) => {
      const mixture = Math.log(0.3 * Math.exp(-0.5 * (x[0] + 6) ** 2) + 0.7 * Math.exp(-0.5 * (x[0] - 9) ** 2));
      return -(x[0] ** 2 + x[1] ** 2) / 200 + mixture - 0.5 * (x[1] - 1) ** 2 - Math.log(2 * Math.PI);
    };
    for (const k of [0, 17, 39]) expect(draws.transition("logDensity")[40 + k]).toBeCloseTo(density(draws.draw(1, k)), 10);
  });

  it("starts at the given points", async () => {
    const start = [Float64Array.of(-6, 1), Float64Array.of(9, 0)];
    const run = parallelTempering({ inner: nuts({ stepSize: 1e-9 }), count: 2 }).start(
      tempered,
      { ...plan, warmup: 0, draws: 1, start },
      engine,
    );
    await run.advance(1);
    for (const [c, point] of start.entries())
      for (const [i, x] of point.entries()) expect(run.draws().draw(c, 0)[i]).toBeCloseTo(x, 5);
    run.dispose();
  });
});

describe("ladders", () => {
  it("are geometric down to the given power", () => {
    expect(geometricLadder(1, 0.5)).toEqual([1]);
    for (const [k, power] of geometricLadder(4, 0.001).entries()) expect(power).toBeCloseTo(10 ** -k, 14);
    expect(geometricLadder(3, 0)).toEqual([1, geometricLadder(2, 1e-3)[1], 0]);
    expect(geometricLadder(2, 0)).toEqual([1, 0]);
  });

  it("stay for even rejections, and otherwise space the barrier evenly", () => {
    const powers = [1, 0.1, 0.01, 0.001];
    for (const [k, power] of evenLadder(powers, [0.3, 0.3, 0.3]).entries()) expect(power).toBeCloseTo(powers[k], 12);
    // Λ = 0, 0.6, 0.6, 0.6, so the first pair is divided into thirds of log β.
    const moved = evenLadder(powers, [0.9, 0, 0]);
    expect(moved[0]).toBe(1);
    expect(moved[3]).toBe(0.001);
    expect(Math.log10(moved[1])).toBeCloseTo(-1 / 3, 2);
    expect(Math.log10(moved[2])).toBeCloseTo(-2 / 3, 2);
    const linear = evenLadder([1, 0.5, 0], [0.1, 0.7]);
    expect(linear[1]).toBeCloseTo(0.5 * (1 - 0.3 / 0.7), 12);
    for (const rejections of [
      [0, 0],
      [1, 0],
      [0.5, 1],
    ]) {
      const [a, b, c] = evenLadder([1, 0.4, 0.02], rejections);
      expect(a > b && b > c).toBe(true);
    }
  });
});

it("errors name the option", () => {
  expect(() => parallelTempering({ temperatures: [0.5, 0.1] })).toThrow(/temperatures are 0.5, 0.1.*OPTION_RANGE/);
  expect(() => parallelTempering({ temperatures: [1, 1] })).toThrow("OPTION_RANGE");
  expect(() => parallelTempering({ temperatures: [] })).toThrow("OPTION_RANGE");
  expect(() => parallelTempering({ temperatures: [1], count: 3 })).toThrow("OPTION_CONFLICT");
  expect(() => parallelTempering({ count: 0 })).toThrow("OPTION_RANGE");
  expect(() => parallelTempering({ inner: 3 as never })).toThrow(/inner is 3/);
  expect(() => parallelTempering({ inner: gibbs({ x: () => 1 }) })).toThrow(/cannot be tempered.*SAMPLE_INNER/);
});
