/**
 * Promises of every sampler in the registry: options survive JSON, draws do not depend on the number of workers or on
 * pauses, runs resume from checkpoints bit for bit, refusals are explained, and known posteriors are reproduced.
 *
 * The known posteriors are a normal mean and a rate in closed form. Means and variances must lie within the Student-t
 * quantile of 31 degrees of freedom (32 independent chains) for 10⁻⁵ on both sides. With some 40 checks, one run in
 * 2,500 with other seeds would fail by chance. A mean that is off by 0.1 posterior standard deviations, or a standard
 * deviation that is off by 10 %, is found in 97 of 100 runs. In `npm test`, with fewer draws, the sizes are 0.2 and 20
 * %. Approximations and biased samplers have their own bounds. defaults.test.ts tests samplers without any options.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { samplerFromJson, samplerRegistry } from "../../src/bayes/samplers/index.ts";
import { type Draws, gamma, model, normal, poisson, type Sampler, sample, vector } from "../../src/entries/everything.ts";
import { power } from "../power.ts";

/** Required options of samplers, and options that keep runs short. */
const given: Readonly<Record<string, object>> = {
  sgld: { stepSize: 1e-3, batch: 5 },
  psgld: { stepSize: 1e-3, batch: 5 },
  sghmc: { stepSize: 1e-4, batch: 5 },
  sgnht: { stepSize: 1e-3, batch: 5 },
  pathfinder: { paths: 2, draws: 200 },
  meanField: {},
  fullRank: {},
  svgd: { particles: 40 },
  sequentialMonteCarlo: { particles: 64 },
};
/** Options for runs whose quality does not matter. */
const quickFits: Readonly<Record<string, object>> = {
  pathfinder: { paths: 2, draws: 50 },
  meanField: { maxIterations: 60, refineDraws: 20 },
  fullRank: { maxIterations: 60, refineDraws: 20 },
};
/** Options without a default, which are absent from JSON unless given. */
const withoutDefault: Readonly<Record<string, string[]>> = {
  ellipticalSlice: ["mean", "covariance", "estimate"],
  gibbs: ["blocks"],
  hmc: ["leapfrogs"],
  parallelTempering: ["temperatures"],
  randomWalk: ["stepSize", "targetAcceptance", "covariance"],
  sequentialMonteCarlo: ["leapfrogs", "stepSize", "temperatures"],
  sgld: ["cycle", "controlVariate", "svrg"],
  psgld: ["controlVariate", "svrg"],
  sghmc: ["cycle", "controlVariate", "svrg"],
  sgnht: ["controlVariate", "svrg"],
  meanField: ["rate", "batch"],
  fullRank: ["rate", "batch"],
  svgd: ["bandwidth", "batch"],
};
const names = Object.keys(samplerRegistry);
const made = (name: string): Sampler => samplerRegistry[name](given[name] ?? {});
const drawsRows = (name: string): { rows?: string } => (name.startsWith("sg") || name === "psgld" ? { rows: "N" } : {});

const y = [1.2, -0.3, 0.8, 2.1, 0.4, 1.7, 0.9, 1.1, -0.2, 1.5];
const counts = [2, 4, 1, 3, 5, 2, 0, 3, 2, 4];
/** μ ~ N(0, 2), y ~ N(μ, 1); λ ~ Gamma(2, 1), counts ~ Poisson(λ). */
const known = model(({ data, param, observe }) => {
  const { y, counts } = data({ y: vector("N"), counts: vector("N") });
  observe(y, normal(param("mu", normal(0, 2)), 1));
  observe(counts, poisson(param("lambda", gamma(2, 1))));
});
const data = { y, counts };
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const precision = 1 / 4 + y.length;
const exact = {
  mu: { mean: sum(y) / precision, sd: 1 / Math.sqrt(precision) },
  lambda: { mean: (2 + sum(counts)) / (1 + counts.length), sd: Math.sqrt(2 + sum(counts)) / (1 + counts.length) },
} as const;

const same = (a: Draws, b: Draws): void => {
  for (const { name } of a.quantities) expect(a.draws(name), name).toEqual(b.draws(name));
  for (const field of a.fields) expect(a.transition(field), field).toEqual(b.transition(field));
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-samplers-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(names)("%s", (name) => {
  // Particles form one chain with one draw per particle.
  const chains = name === "svgd" ? 1 : 2;
  const quick = (): Sampler => samplerRegistry[name]({ ...given[name], ...quickFits[name] });
  // Approximations make up to ten times as many draws and judge each block.
  const draws = ["pathfinder", "meanField", "fullRank"].includes(name) ? 15 : 40;
  const short = { chains, warmup: 60, draws, seed: 7, ...drawsRows(name) };
  let whole: Promise<Draws> | undefined;
  const drawnByOne = (): Promise<Draws> => {
    whole ??= Promise.resolve(sample(known, data, { ...short, algorithm: quick(), workers: 1 }));
    return whole;
  };

  it("is described by JSON with every default filled in", () => {
    const json = made(name).toJSON();
    expect(json.algorithm).toBe(name);
    expect(samplerFromJson(JSON.parse(JSON.stringify(json))).toJSON()).toEqual(json);
    const lacks = Object.keys(samplerRegistry[name].declaration.options).filter((option) => !(option in json));
    expect(lacks).toEqual(withoutDefault[name] ?? []);
  });

  it("gives the same draws with any number of workers", async () => {
    const one = await drawnByOne();
    same(one, await sample(known, data, { ...short, algorithm: quick(), workers: 2 }));
    const other = await sample(known, data, { ...short, algorithm: quick(), seed: 8 });
    expect(other.draws("mu")).not.toEqual(one.draws("mu"));
  });

  it("resumes from a checkpoint bit for bit", async () => {
    const file = join(folder, `${name}.checkpoint`);
    const run = sample(known, data, { ...short, algorithm: quick() });
    for await (const _ of run) {
      await run.checkpoint(file);
      break;
    }
    run.stop();
    same(await sample.resume(file, known, data), await drawnByOne());
  });

  it("refuses an unknown option", async () => {
    const attempt = async () =>
      sample(known, data, { ...short, algorithm: samplerRegistry[name]({ ...given[name], stepsize: 1 }) });
    await expect(attempt()).rejects.toThrow(/stepsize/);
  });
});

/**
 * Samplers that leave the target invariant: all except approximations and those that are exact only as their steps
 * shrink.
 */
const biased = [
  "sgld",
  "psgld",
  "sghmc",
  "sgnht",
  "pathfinder",
  "meanField",
  "fullRank",
  "svgd",
  "prior",
  "sequentialMonteCarlo",
];
it("samplers whose definitions are not exact are listed here, so that all others are tested", () => {
  expect(names.filter((name) => !samplerRegistry[name].declaration.exact).sort()).toEqual([...biased].sort());
});

/** Two-sided 10⁻⁵ quantile of Student's t with CHAINS − 1 degrees of freedom. */
const T = 5.27;
const CHAINS = 32;
/** Standard error at which a bias of that size exceeds T standard errors in 98 % of runs. */
const mostError = (bias: number): number => bias / (T + 2);
/** Draws per chain that make errors small enough in `npm test`. Default 150. */
const usualCounts: Readonly<Record<string, number>> = {
  randomWalk: 625,
  metropolisWithinGibbs: 400,
  mala: 300,
  hmc: 300,
  parallelTempering: 120,
};
const BIAS = power(0.2, 0.1);

describe("posteriors in closed form", () => {
  it.each(names.filter((name) => !biased.includes(name)))("%s", async (name) => {
    const algorithm = made(name);
    const count = power(usualCounts[name] ?? 150, 2500);
    // These two cost most per step, and adapt as well in fewer steps.
    const warmup = power(name === "parallelTempering" || name === "gibbs" ? 100 : 300, 1000);
    const posterior = await sample(known, data, { algorithm, chains: CHAINS, warmup, draws: count, seed: 21 });
    for (const [of, { mean, sd }] of Object.entries(exact)) {
      const chains = Array.from({ length: CHAINS }, (_, c) => posterior.series(of).slice(c * count, (c + 1) * count));
      const means = chains.map((own) => own.reduce((a, b) => a + b, 0) / own.length);
      const squares = chains.map((own) => own.reduce((a, b) => a + (b - mean) ** 2, 0) / own.length);
      expect(Math.abs(score(means, mean)), `mean of ${of}`).toBeLessThan(T);
      expect(Math.abs(score(squares, sd ** 2)), `variance of ${of}`).toBeLessThan(T);
      expect(error(means) / sd, `error of the mean of ${of}`).toBeLessThan(mostError(BIAS));
      expect(error(squares) / sd ** 2, `error of the variance of ${of}`).toBeLessThan(mostError((1 + BIAS) ** 2 - 1));
    }
  });

  // Two independent, nearly normal parameters, on which all three approximations must be good.
  it.each(["pathfinder", "fullRank", "meanField"])("%s is close to the posterior", async (name) => {
    const posterior = await sample(known, data, { algorithm: made(name), chains: 1, draws: power(1000, 4000), seed: 3 });
    expect(posterior.report.paretoK).toBeLessThan(0.7);
    for (const [of, { mean, sd }] of Object.entries(exact)) {
      const row = posterior.summary()[of];
      expect(Math.abs(row.mean - mean)).toBeLessThan(0.1 * sd + 4 * row.mcseMean);
      expect(Math.abs(row.sd / sd - 1)).toBeLessThan(0.15);
    }
  });
});

function error(values: readonly number[]): number {
  const mean = sum(values) / values.length;
  return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1) / values.length);
}

function score(values: readonly number[], truth: number): number {
  return (sum(values) / values.length - truth) / error(values);
}
