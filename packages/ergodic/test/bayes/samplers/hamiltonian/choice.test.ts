/** Choice of a metric during warm-up: its criteria, and the choice for posteriors with and without varying scales. */
import { describe, expect, it } from "vitest";
import { functionDensity } from "../../../../src/bayes/model/functional/index.ts";
import { MetricEstimator } from "../../../../src/bayes/samplers/base/metric.ts";
import {
  leastJump,
  nearGaussian,
  takesDiagonal,
  tooDear,
  worthTrying,
} from "../../../../src/bayes/samplers/hamiltonian/choice.ts";
import { LowRankEstimator } from "../../../../src/bayes/samplers/hamiltonian/low-rank.ts";
import { Trial } from "../../../../src/bayes/samplers/hamiltonian/trial.ts";
import { hmc, mala, nuts, type Sampler, type SamplingPlan } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { rhat } from "../../../../src/engine/statistics/index.ts";
import { halfCauchy, model, normal, vector } from "../../../../src/entries/everything.ts";
import { isSlow } from "../../../power.ts";
import { gaussian } from "../densities.ts";

const engine = await openEngine();
const plan: SamplingPlan = { chains: 4, warmup: 600, draws: 50, seed: 3, workers: 1, deterministic: true };

describe("criteria for the choice", () => {
  it("the least jump is divided by the variance around each chain's own mean", () => {
    const steps = [Float64Array.of(0, 2, 1), Float64Array.of(5, 5)];
    // (4 + 1 + 0)/3, divided by twice (14/3 + 1/2)/(2 + 1).
    expect(leastJump(steps, [Float64Array.of(1, 2, 4), Float64Array.of(7, 8)], 1)).toBeCloseTo(5 / 3 / (2 * (31 / 18)), 14);
  });

  it("the least jump is the smallest squared step of a coordinate, in units of twice its variance", () => {
    // Two chains around 0 and 100. x is independent between draws, and y has autocorrelation 0.9.
    const chain = (at: number) => {
      const draws = stream(9, "jumps", at).at(0);
      let y = 0;
      return Float64Array.from({ length: 4000 }, (_, k) => {
        if (k % 2 === 0) return at + draws.normal();
        y = 0.9 * y + Math.sqrt(0.19) * draws.normal();
        return at + y;
      });
    };
    const chains = [chain(0), chain(100)];
    // 1 − ρ of y is 0.1. Its error over 4000 steps is below 0.01.
    expect(Math.abs(leastJump(chains, chains, 2) - 0.1)).toBeLessThan(0.02);
    const wide = chains.map((rows) => rows.map((x) => 2 * x));
    expect(leastJump(chains, wide, 2)).toBeCloseTo(leastJump(chains, chains, 2) / 4, 12);
  });

  it("nothing is tried if jumps are large, and a metric is accepted if it is cheap with similar jumps", () => {
    const first = { jump: 0.3, cost: 10, divergent: 0 };
    expect([
      worthTrying(first),
      worthTrying({ ...first, jump: 0.6 }),
      worthTrying({ ...first, jump: 0.6, divergent: 0.01 }),
    ]).toEqual([true, false, true]);
    expect(worthTrying({ ...first, jump: Number.NaN })).toBe(true);
    expect([tooDear(first, 160), tooDear(first, 161)]).toEqual([false, true]);
    expect([0.22, 0.23].map((jump) => takesDiagonal(first, { jump, cost: 100 }))).toEqual([false, true]);
    expect(takesDiagonal(first, { jump: 0.9, cost: 161 })).toBe(false);
  });

  it("a trial that is too expensive ends at the first look", () => {
    const trial = new Trial([100, 102, 105, 108], 1);
    const inside = trial as unknown as { phase: string; first: object };
    Object.assign(inside, { phase: "running", first: { jump: 0.3, cost: 10, divergent: 0 } });
    for (const at of [100, 101]) trial.count(at, 161, 0);
    expect(trial.judge(102, [])).toBe(false);
    expect([trial.running, trial.diagonal]).toEqual([false, false]);
    // At a cost of 160, the trial continues.
    Object.assign(inside, { phase: "running" });
    trial.count(102, 158, 0);
    expect(trial.judge(105, [])).toBe(false);
    expect(trial.running).toBe(true);
  });

  it("a posterior counts as nearly Gaussian if its draws are nearly independent", () => {
    const near = (draws: number, jumps: number[]) => jumps.map((jump) => nearGaussian(jump, 2, draws));
    expect(near(1e12, [0.89, 0.90001, 1.2, Number.NaN])).toEqual([false, true, true, false]);
    expect(near(900, [0.79, 0.81])).toEqual([false, true]); // 0.9 minus three errors of 1/30
    expect(nearGaussian(0.5, 1, 1e12)).toBe(true);
  });

  it("the estimated diagonal metric equals that of the same draws in order", () => {
    const [ring, diagonal] = [new LowRankEstimator(2), new MetricEstimator("diagonal", 2)];
    const draws = stream(4, "rows").at(0);
    const rows = Array.from({ length: 40 }, () => Float64Array.of(draws.normal(), 5 * draws.normal()));
    for (const x of rows) for (const one of [ring, diagonal]) one.add(x, x, false);
    ring.diagonal()!.inverse.forEach((value, i) => void expect(value).toBeCloseTo(diagonal.metric()!.inverse[i], 12));
    expect(ring.rows).toEqual(Float64Array.from(rows.flatMap((row) => [...row])));
    // If there are more draws than it can hold, the last ones are kept.
    const many = Array.from({ length: 700 }, (_, k) => Float64Array.of(k, -k));
    ring.reset();
    for (const x of many) ring.add(x, x, false);
    expect(ring.rows).toHaveLength(2 * 512);
    expect([ring.rows[0], ring.rows[1023]]).toEqual([188, -699]);
  });
});

/**
 * A mild form of Neal's funnel: v ~ N(0, 1.5²) and x | v ~ N(0, e^v) in 12 coordinates. Its curvature varies a
 * hundredfold.
 */
const squaresOf = (x: Float64Array): number => {
  let sum = 0;
  for (let i = 1; i < x.length; i++) sum += x[i] * x[i];
  return sum;
};
const narrows = {
  dimension: 13,
  logDensity: (x: Float64Array) => -(x[0] ** 2) / 4.5 - 0.5 * squaresOf(x) * Math.exp(-x[0]) - 6 * x[0],
  gradient: (x: Float64Array) => {
    const precision = Math.exp(-x[0]);
    const slope = -x[0] / 2.25 + 0.5 * squaresOf(x) * precision - 6;
    return x.map((value, i) => (i === 0 ? slope : -value * precision));
  },
};
const funnel = functionDensity(narrows);

/** Equal correlations of 0.99 in ten dimensions. */
const correlated = () => {
  const [d, rho] = [10, 0.99];
  const [on, off] = [1 / (1 - rho), rho / ((1 - rho) * (1 + (d - 1) * rho))];
  return gaussian(
    engine,
    new Array(d).fill(0),
    Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? on : 0) - off)),
  );
};

const schools = {
  y: [28, 8, -3, 7, -1, 1, 18, 12],
  sigma: [15, 10, 16, 11, 9, 11, 10, 18],
};
const eightSchools = model(({ data, param, observe }) => {
  const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
  const mu = param("mu", normal(0, 5));
  const tau = param("tau", halfCauchy(5));
  observe(y, normal(param("theta", normal(mu, tau), { shape: "J", centred: false }), sigma));
});

async function finished(
  density: Parameters<ReturnType<typeof nuts>["start"]>[0],
  sampler = nuts(),
  pause?: number,
  draws = plan.draws,
) {
  const given = { ...plan, draws };
  let run = sampler.start(density, given, engine);
  if (pause !== undefined) {
    await run.advance(pause);
    const snapshot = structuredClone(run.snapshot());
    run.dispose();
    run = sampler.start(density, given, engine);
    run.restore(snapshot);
  }
  while (run.converged === false) await run.advance(137);
  const found = { draws: run.draws(), report: run.report() };
  run.dispose();
  return found;
}

/** Runs with default options, which several tests use. */
const byFunnel = await finished(funnel);
const byCorrelated = await finished(await correlated());

describe("warm-up", () => {
  it("chooses the diagonal for varying scales and low rank for correlated coordinates", async () => {
    expect(byFunnel.report.diagonal).toBe(1);
    expect(byCorrelated.report.diagonal).toBeUndefined();
  });

  it("raises the target acceptance to 0.9 with the diagonal unless one was given, also when resumed", async () => {
    const aim = nuts().toJSON().targetAcceptance;
    expect([aim, nuts({ metric: "diagonal" }).toJSON().targetAcceptance, mala().toJSON().targetAcceptance]).toEqual([
      "auto",
      0.8,
      0.574,
    ]);
    const step = async (...given: Parameters<typeof finished>) => Number((await finished(...given)).report.stepSize);
    // From 0.8 to 0.9, steps shrink by about a quarter. The step of a single seed varies by a tenth.
    const [usual, asked] = [Number(byFunnel.report.stepSize), await step(funnel, nuts({ targetAcceptance: 0.8 }))];
    expect(usual).toBeLessThan(0.9 * asked);
    expect(await step(funnel, nuts({ targetAcceptance: aim as "auto" }), 400)).toBe(usual);
    // If no scale varies, the target stays 0.8.
    expect(byCorrelated.report.stepSize).toBe(await step(await correlated(), nuts({ targetAcceptance: 0.8 })));
  });

  it("raises the target to 0.85 for posteriors that are not nearly Gaussian, also when resumed", async () => {
    using posterior = await eightSchools.condition(schools, {});
    const { report, draws } = await finished(posterior, nuts(), undefined, 400);
    expect([report.targetAcceptance, report.diagonal]).toEqual([0.85, undefined]);
    for (const at of isSlow ? [500, 510, 511, 700] : [510])
      expect(await finished(posterior, nuts(), at, 400)).toEqual({ draws, report });
    // A target of 0.8 accepts less. Means over 1600 transitions have an error below 0.01.
    const accepted = (of: typeof draws) => of.transition("acceptance").reduce((sum, value) => sum + value / 1600, 0);
    const asked = await finished(posterior, nuts({ targetAcceptance: 0.8 }), undefined, 400);
    expect(accepted(draws) - accepted(asked.draws)).toBeGreaterThan(0.02);
    expect(asked.report.targetAcceptance).toBeUndefined();
    for (const d of [1, 5, 20]) {
      const unit = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => Number(i === j)));
      const { targetAcceptance, diagonal = 0 } = (await finished(await gaussian(engine, new Array(d).fill(0), unit))).report;
      // In one dimension the two metrics are equal, so either can be chosen.
      expect(targetAcceptance, `${d}`).toBe(d === 1 && diagonal ? 0.9 : 0.8);
    }
    expect([byCorrelated, byFunnel].map((run) => run.report.targetAcceptance)).toEqual([0.8, 0.9]);
  });

  it("recognises a Gaussian of two dimensions in a short warm-up", async () => {
    const posterior = await gaussian(
      engine,
      [0, 0],
      [
        [1, 0],
        [0, 0.25],
      ],
    );
    const aims: (number | undefined)[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const run = nuts().start(posterior, { ...plan, seed, warmup: 200, draws: 1 }, engine);
      while (run.converged === false) await run.advance(137);
      aims.push(run.report().targetAcceptance);
      run.dispose();
    }
    // Without an allowance for the error of jumps: 17 of 20.
    expect(aims.filter((aim) => aim === 0.8).length).toBeGreaterThan(16);
  });

  it("keeps its step size when the target changes, and keeps a given target", async () => {
    using posterior = await eightSchools.condition(schools, {});
    const averaged = async (sampler: Sampler) => {
      const run = sampler.start(posterior, plan, engine);
      const { chains } = run as unknown as { chains: { averaging: Float64Array; stepSize: number }[] };
      // The last 15 % of 600 transitions adapt only the step.
      for (let made = 0; made < 510; ) made += (await run.advance(510 - made)).updates / 4;
      const [{ averaging, stepSize }] = chains;
      const found = { aim: averaging[0], towards: Math.exp(averaging[4]) / stepSize, count: averaging[5] };
      run.dispose();
      return found;
    };
    const { aim, towards, count } = await averaged(nuts());
    expect([aim, count]).toEqual([0.85, 0]);
    expect(towards).toBeCloseTo(1, 12);
    const asked = await averaged(nuts({ targetAcceptance: 0.8 }));
    expect(asked.aim).toBe(0.8);
    expect(asked.count).toBeGreaterThan(400);
  });

  it("spends at most a tenth of all gradients on trials, even for an expensive diagonal", async () => {
    // The funnel, stretched along the difference of two coordinates. A diagonal needs many times the leapfrogs of the
    // low-rank metric.
    const stretched = (by: number) => {
      const shrunk = (x: Float64Array): Float64Array => {
        const away = (1 - 1 / by) * 0.5 * (x[1] - x[2]);
        const out = x.slice();
        out[1] -= away;
        out[2] += away;
        return out;
      };
      return functionDensity({
        dimension: narrows.dimension,
        logDensity: (x) => narrows.logDensity(shrunk(x)),
        gradient: (x) => shrunk(narrows.gradient(shrunk(x))),
      });
    };
    const cases: [by: number, wanted: string][] = [
      [1, "taken"],
      [200, "lost"],
      ...(isSlow ? [[5000, "lost"] as [number, string]] : []),
    ];
    for (const [by, wanted] of cases) {
      const run = nuts({ scouts: 0 }).start(stretched(by), { ...plan, chains: 2, warmup: 1000, draws: 1000 }, engine);
      while (run.converged === false) await run.advance(2000);
      const { trial } = run as unknown as {
        trial: { first?: object; diagonal: boolean; tallies: Record<"adapting" | "diagonal", { leapfrogs: number }> };
      };
      const { adapting, diagonal } = trial.tallies;
      const share = (adapting.leapfrogs + diagonal.leapfrogs) / run.report().leapfrogs;
      expect([by, trial.first === undefined ? "not tried" : trial.diagonal ? "taken" : "lost"]).toEqual([by, wanted]);
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(0.1);
      run.dispose();
    }
  });

  it("keeps a metric chosen by name", async () => {
    expect((await finished(funnel, nuts({ metric: "lowRank" }))).report.diagonal).toBeUndefined();
  });

  it("samples the same target after a trial", async () => {
    // A lost trial costs only transitions: R-hat of all coordinates remains that of one target.
    const { draws } = await finished(await correlated(), hmc({ leapfrogs: 1 }), undefined, 400);
    for (let i = 0; i < 10; i++) expect(rhat(draws.coordinate(i), 4)).toBeLessThan(2);
    expect(draws.values.every(Number.isFinite)).toBe(true);
  });

  it("restores the metric and the step size after a lost trial", async () => {
    const run = nuts().start(await correlated(), plan, engine);
    const { trial, chains } = run as unknown as {
      trial: { boundaries: number[]; phase: string; judge(step: number): boolean };
      chains: { views(): Record<string, Float64Array>; stepSize: number; logDensity: number }[];
    };
    // Forces a trial and its failure.
    const [from, to] = [trial.boundaries[0], trial.boundaries[trial.boundaries.length - 1]];
    trial.judge = (step) => {
      trial.phase = step < to ? "running" : "over";
      return step === from;
    };
    const kept = () => chains.map((chain) => [chain.views().inverse.slice(), chain.views().factor.slice(), chain.stepSize]);
    await run.advance(from - 1);
    await run.advance(1);
    const tried = kept();
    const aside = chains.map((chain) => [
      chain.views().inverseAside.slice(),
      chain.views().factorAside.slice(),
      chain.views().scalarsAside[0],
    ]);
    expect(tried).not.toEqual(aside);
    await run.advance(to - from);
    expect(kept()).toEqual(aside);
    // The log density is that of the chain's current position.
    const last = (run as unknown as { lastTransition(c: number): Float64Array }).lastTransition;
    for (const [c, { logDensity }] of chains.entries()) expect(logDensity).toBe(last.call(run, c)[0]);
    run.dispose();
  });

  it("resumes bit for bit before, during and after a trial", async () => {
    const all = [200, 275, 283, 291, 310, 420, 600, 630];
    for (const at of isSlow ? all : [275, 291]) expect(await finished(funnel, nuts(), at)).toEqual(byFunnel);
  });
});
