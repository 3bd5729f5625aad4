/**
 * Compares sequential Monte Carlo with evidences in closed form and with posteriors of known moments.
 *
 * The false alarm rate of the file is 1e-4, split over its CHECKS, which are t-tests between independent populations.
 * Each detects an evidence that is wrong by a quarter (by half in `npm test`), and planted mistakes are detected.
 */
import { describe, expect, it } from "vitest";
import { exponential, model, normal, poisson } from "../../../../src/bayes/model/index.ts";
import type { SamplingPlan } from "../../../../src/bayes/samplers/index.ts";
import {
  type SequentialMonteCarloOptions,
  sequentialMonteCarlo,
} from "../../../../src/bayes/samplers/tempering/sequential-monte-carlo.ts";
import type { SequentialRun } from "../../../../src/bayes/samplers/tempering/sequential-run.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { power } from "../../../power.ts";
import { checkChains, type ExactnessCheck, expectExact, leastP } from "../exactness.ts";
import { exactTarget } from "../gibbs/compiled.ts";
import { twoModes } from "./two-modes.ts";

/** Factor by which errors grow with the fewer particles of `npm test`. */
const LESS = Math.sqrt(400 / power(150, 400));
const CHECKS = 12;
const FALSE_ALARM = 1e-4 / CHECKS;
const engine = await openEngine();
const { tempered, whole, target, evidence } = await twoModes(engine);

async function finished(options: SequentialMonteCarloOptions, plan: SamplingPlan, density: LogDensity = tempered, stretch = 1e9) {
  const run = sequentialMonteCarlo(options).start(density, plan, engine) as SequentialRun;
  while (run.converged === false) await run.advance(stretch);
  const made = { draws: run.draws(), report: run.report(), logEvidences: run.logEvidences(), steps: run.step };
  run.dispose();
  return made;
}

/** t-test that the mean of Z is e^wanted. */
function evidenceCheck(logEvidences: Float64Array, wanted: number): ExactnessCheck {
  const values = logEvidences.map((l) => Math.exp(l - wanted));
  const functional = { name: "evidence", of: (x: Float64Array) => x[0], expectation: 1, variance: 1 };
  return checkChains(exactTarget("evidence", 1, [functional]), { chains: values.length, count: 1, values })[0];
}

const plan: SamplingPlan = { chains: 40, warmup: 0, draws: power(150, 400), seed: 11, workers: 1, deterministic: true };

describe("two distant modes", () => {
  it.each([
    ["random walks", { moves: 6 }],
    ["hmc", { move: "hmc", moves: 2 }],
    ["given powers", { temperatures: [0.003, 0.01, 0.03, 0.1, 0.3, 1], moves: 6 }],
    ["more particles than draws", { particles: power(300, 800), moves: 3 }],
  ] as [string, SequentialMonteCarloOptions][])("%s: moments and evidence are exact", async (_, options) => {
    const { draws, report, logEvidences } = await finished(options, plan);
    expectExact(checkChains(target, draws), FALSE_ALARM);
    const check = evidenceCheck(logEvidences, evidence);
    expectExact([check], FALSE_ALARM);
    expect(check.standardError).toBeLessThan(0.04 * LESS);
    expect(Math.abs(report.logEvidence - evidence)).toBeLessThan(6 * report.logEvidenceError);
    expect(report.logEvidenceError).toBeCloseTo(check.standardError, 2);
    expect(report.power).toBe(1);
  });

  it("the evidence is unbiased without adaptation, even from few particles", async () => {
    const options = { temperatures: [0.01, 0.05, 0.2, 0.5, 1], adapt: false, moves: 3, stepSize: 1.5 };
    const { logEvidences } = await finished(options, { ...plan, chains: power(500, 1500), draws: 40 });
    const check = evidenceCheck(logEvidences, evidence);
    expectExact([check], FALSE_ALARM);
    expect(check.standardError).toBeLessThan(0.02 * Math.sqrt(power(3, 1)));
    // The logarithm is biased. The test above concerns the mean of Z.
    const logMean = logEvidences.reduce((sum, l) => sum + (l - evidence) / logEvidences.length, 0);
    expect(logMean).toBeLessThan(-2 * check.standardError);
  });

  it("moves at the wrong power and weights of another likelihood are detected", async () => {
    const options = { temperatures: [0.01, 0.05, 0.2, 0.5, 1], adapt: false, moves: 3, stepSize: 1.5 };
    using elsewhere = engine.memory.allocate(8, "test");
    const planted = (likelihoodToo: boolean): LogDensity => ({
      ...tempered,
      bindTempered: (given) => {
        const binding = tempered.bindTempered!(given);
        // β is written to an unused address, or the likelihood is read from the address of β.
        return likelihoodToo ? { ...binding, likelihood: binding.power } : { ...binding, power: elsewhere.pointer };
      },
    });
    const found = await finished(options, { ...plan, chains: 300, draws: 40 }, planted(false));
    expect(leastP([evidenceCheck(found.logEvidences, evidence)])).toBeLessThan(FALSE_ALARM);
    const other = await finished(options, { ...plan, chains: 300, draws: 40 }, planted(true));
    expect(leastP([evidenceCheck(other.logEvidences, evidence)])).toBeLessThan(FALSE_ALARM);
    expect(leastP(checkChains(target, other.draws))).toBeLessThan(FALSE_ALARM);
  });
});

describe("models with an evidence in closed form", () => {
  const y = [1.2, 0.4, 2.1, -0.3, 1.7];

  it("a normal mean under a normal prior", async () => {
    using density = await model(({ param, observe }) => {
      const mu = param("mu", normal(0, 2));
      for (const [i, value] of y.entries()) observe(value, normal(mu, 1), `y${i}`);
    }).condition({}, { deterministic: true });
    // y ~ N(0, I + 4 11ᵀ).
    const [n, sum, squares] = [y.length, y.reduce((a, b) => a + b, 0), y.reduce((a, b) => a + b * b, 0)];
    const wanted = -0.5 * (n * Math.log(2 * Math.PI) + Math.log(1 + 4 * n) + squares - (4 * sum * sum) / (1 + 4 * n));
    const { logEvidences, draws } = await finished({ moves: 5 }, plan, density);
    const check = evidenceCheck(logEvidences, wanted);
    expectExact([check], FALSE_ALARM);
    expect(check.standardError).toBeLessThan(0.02 * LESS);
    const [mean, variance] = [(4 * sum) / (1 + 4 * n), 4 / (1 + 4 * n)];
    const moment = { name: "mu", of: (x: Float64Array) => x[0], expectation: mean, variance };
    expectExact(checkChains(exactTarget("mu", 1, [moment]), draws), FALSE_ALARM);
  });

  it("a rate of counts under an exponential prior, by hmc", async () => {
    const counts = [3, 1, 4];
    using density = await model(({ param, observe }) => {
      const rate = param("rate", exponential(0.5));
      for (const [i, k] of counts.entries()) observe(k, poisson(rate), `k${i}`);
    }).condition({}, { deterministic: true });
    // ∫ ½ e^{−λ/2} Π λᵏ e^{−λ}/k! dλ = ½ Γ(9) / (3.5⁹ 3! 1! 4!).
    const wanted = Math.log(0.5 * 40320) - 9 * Math.log(3.5) - Math.log(6 * 24);
    const { logEvidences } = await finished({ move: "hmc" }, { ...plan, draws: power(100, 300) }, density);
    const check = evidenceCheck(logEvidences, wanted);
    expectExact([check], FALSE_ALARM);
    expect(check.standardError).toBeLessThan(0.02 * LESS);
  });
});

describe("a run", () => {
  const short: SamplingPlan = { ...plan, chains: 3, draws: 100 };
  it.each([{}, { move: "hmc" as const, particles: 150 }])(
    "draws the same with any number of workers and resumes bit for bit: %j",
    async (options) => {
      const { draws, report, steps } = await finished(options, short);
      expect(draws.count).toBe(100);
      expect(report.draws).toBe(100);
      expect(steps).toBeGreaterThan(2);
      expect((await finished(options, { ...short, workers: 2 })).draws).toEqual(draws);
      expect((await finished(options, short, tempered, 1)).draws).toEqual(draws);
      expect((await finished(options, { ...short, seed: 5 })).draws).not.toEqual(draws);
      for (let at = 0; at <= steps; at++) {
        const run = sequentialMonteCarlo(options).start(tempered, short, engine);
        await run.advance(at);
        expect([run.step, run.draws().count]).toEqual([at, at === steps ? 100 : 0]);
        const snapshot = structuredClone(run.snapshot());
        run.dispose();
        const again = sequentialMonteCarlo(options).start(tempered, short, engine);
        again.restore(snapshot);
        while (again.converged === false) await again.advance(1);
        expect(again.draws()).toEqual(draws);
        expect(again.report()).toEqual(report);
        again.dispose();
      }
    },
  );

  it("estimates its evidence error from one population and frees its memory", async () => {
    const before = engine.memory.usedBytes;
    const errors: number[] = [];
    const logs: number[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const { report } = await finished({ moves: 3 }, { ...plan, chains: 1, draws: power(100, 400), seed });
      errors.push(report.logEvidenceError);
      logs.push(report.logEvidence);
    }
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    const mean = logs.reduce((a, b) => a + b, 0) / 40;
    const spread = Math.sqrt(logs.reduce((sum, l) => sum + (l - mean) ** 2, 0) / 39);
    const told = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / 40);
    // The spread of 40 runs is within a factor of 1.6 except with probability 1e-4. Systematic resampling makes it
    // smaller than the reported error.
    expect(told).toBeGreaterThan(spread / 1.6);
    expect(told).toBeLessThan(4 * spread);
  });

  it("is described in JSON", () => {
    const json = sequentialMonteCarlo({ move: "hmc", essTarget: 0.7 }).toJSON();
    expect(json).toEqual({ algorithm: "sequentialMonteCarlo", essTarget: 0.7, move: "hmc", moves: 3, leapfrogs: 8, adapt: true });
    const { algorithm: _, ...options } = json;
    expect(sequentialMonteCarlo(options as SequentialMonteCarloOptions).toJSON()).toEqual(json);
  });
});

describe("errors", () => {
  it("state the accepted values", async () => {
    expect(() => sequentialMonteCarlo({ temperatures: [0.5, 0.9] })).toThrow(/must ascend from above 0 to 1/);
    expect(() => sequentialMonteCarlo({ temperatures: [0.5, 0.5, 1] })).toThrow("OPTION_RANGE");
    expect(() => sequentialMonteCarlo({ temperatures: [1], essTarget: 0.4 })).toThrow("OPTION_CONFLICT");
    expect(() => sequentialMonteCarlo({ move: "gibbs" as never })).toThrow("OPTION_RANGE");
    expect(() => sequentialMonteCarlo({ essTarget: 1 })).toThrow("OPTION_RANGE");
    await expect(finished({}, plan, whole)).rejects.toThrow(/does not separate them.*SAMPLE_PRIOR/);
    const asked = { ...plan, draws: 400 };
    await expect(finished({ particles: 10 }, asked)).rejects.toThrow(/10 particles for 400 draws/);
    const far: LogDensity = { ...tempered, drawPrior: () => Float64Array.of(Number.NaN, 0) };
    await expect(finished({}, asked, far)).rejects.toThrow(/none of 400 particles.*SAMPLE_START/);
    const run = sequentialMonteCarlo().start(tempered, { ...asked, chains: 1 }, engine);
    const other = sequentialMonteCarlo().start(tempered, { ...plan, chains: 1, draws: 600 }, engine);
    expect(() => other.restore(run.snapshot())).toThrow(/400 particles, but the plan has 600.*SAMPLE_PLAN/);
    run.dispose();
    other.dispose();
  });
});
