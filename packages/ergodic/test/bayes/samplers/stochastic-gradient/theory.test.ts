/**
 * Stochastic-gradient samplers on Gaussians, for which the stationary variance at a given step size is known: the bias
 * matches theory.
 *
 * Let ℓ = −λ(x − μ)²/2, and let g = −λ(x − μ) + noise of variance V. Every update is linear with nearly Gaussian noise,
 * s' = A s + noise of covariance Q, so the stationary covariance solves P = A P Aᵀ + Q. Each check is a Student-t test
 * over 32 independent chains, of the averages of (x − μ)/√P and (x − μ)²/P against 0 and 1. The false alarm rate of the
 * file is 1e-4, split over its CHECKS. The spread of the chains is small enough to detect a variance that is off by 5
 * %, or by 8 % with the fewer draws of `npm test`. Planted mistakes are detected in `npm run test:slow`. For the
 * thermostat, theory fixes α at its mean and ignores fluctuations of order h/d, so its variance may be off by
 * ALLOWANCE.
 */
import { afterAll, describe, expect, it } from "vitest";
import { type ModelContext, matrix, model, normal } from "../../../../src/bayes/model/index.ts";
import { psgld, type Sampler, sghmc, sgld, sgnht } from "../../../../src/bayes/samplers/index.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { betaLower } from "../../../../src/engine/numbers/beta-tails.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../../power.ts";
import { type Mutant, StochasticTwin, type TwinOptions } from "../../../reference/stochastic-gradient.ts";

const CHECKS = 40;
const LEAST_P = 1e-4 / CHECKS;
const CHAINS = 32;
const ALLOWANCE = 0.01;
/** Draws per chain. */
const COUNT = power(600, 1500);
const engine = await openEngine();

/**
 * d means of N rows with known variance s². The posterior is normal, and the differences between gradients of rows do
 * not depend on x.
 */
const D = 16;
const N = 20;
const S2 = 2.25;
const TAU2 = 4;
const numbers = stream(11, "theory").at(0);
const rows = Array.from({ length: N }, () => Array.from({ length: D }, () => 2 * numbers.normal()));
const columnMean = (j: number) => rows.reduce((sum, row) => sum + row[j] / N, 0);
const LAMBDA = 1 / TAU2 + N / S2;
const MEANS = Float64Array.from({ length: D }, (_, j) => (N * columnMean(j)) / S2 / LAMBDA);
const averages = await model(({ data, param, observe }: ModelContext) => {
  const { y } = data({ y: matrix("N", "K") });
  observe(y, normal(param("theta", normal(0, Math.sqrt(TAU2)), { shape: "K" }), Math.sqrt(S2)));
}).condition({ y: rows }, { rows: "N", deterministic: true });
afterAll(() => averages.dispose());

/** V by coordinate over all N blocks of n rows. It is the same at every x. */
function noiseOf(n: number): number[] {
  const binding = averages.minibatches!.bind({ lane: 0, purpose: "noise", batch: n });
  const memory = engine.memory.allocate(16 * D, "noise");
  const gradients = Array.from({ length: N }, (_, first) => {
    for (let i = 0; i < n; i++) engine.memory.u32(binding.rows, n)[i] = (first + i) % N;
    engine.atSlot(binding.gatherSlot)(binding.gatherBlock);
    engine.atSlot(binding.slot)(binding.model, memory.pointer, memory.pointer + 8 * D);
    return engine.memory.f64(memory.pointer + 8 * D, D).slice();
  });
  binding.dispose();
  memory.dispose();
  return Array.from({ length: D }, (_, j) => {
    const mean = gradients.reduce((sum, g) => sum + g[j] / N, 0);
    return gradients.reduce((sum, g) => sum + (g[j] - mean) ** 2 / N, 0);
  });
}

type Matrix = [[number, number], [number, number]];
const times = (a: Matrix, b: Matrix): Matrix => [
  [a[0][0] * b[0][0] + a[0][1] * b[1][0], a[0][0] * b[0][1] + a[0][1] * b[1][1]],
  [a[1][0] * b[0][0] + a[1][1] * b[1][0], a[1][0] * b[0][1] + a[1][1] * b[1][1]],
];
const transposed = ([[a, b], [c, d]]: Matrix): Matrix => [
  [a, c],
  [b, d],
];
const plus = (a: Matrix, b: Matrix): Matrix => [
  [a[0][0] + b[0][0], a[0][1] + b[0][1]],
  [a[1][0] + b[1][0], a[1][1] + b[1][1]],
];

/** Solves P = A P Aᵀ + Q by doubling. */
function stationary(a: Matrix, q: Matrix): Matrix {
  let [power, sum] = [a, q];
  for (let i = 0; i < 40; i++) {
    sum = plus(sum, times(times(power, sum), transposed(power)));
    power = times(power, power);
  }
  return sum;
}

/** Variances of x by update rule, for precision λ, step h and gradient variance V. */
const langevinVariance = (lambda: number, h: number, v: number) => (2 * h + h * h * v) / (1 - (1 - h * lambda) ** 2);

function hamiltonianVariance(lambda: number, h: number, v: number, a: number, b: number): number {
  const spread = 2 * (a - b) * h + h * h * v;
  const moved: Matrix = [
    [1, 1],
    [-h * lambda, 1 - a - h * lambda],
  ];
  return stationary(moved, [
    [0, 0],
    [0, spread],
  ])[0][0];
}

/** Variances by coordinate, with α such that the mean of v² is h over coordinates with noise V. */
function thermostatVariances(lambda: number, h: number, noise: number[], a: number): number[] {
  const at = (alpha: number) =>
    noise.map((v) => {
      const spread = 2 * a * h + h * h * v;
      const moved: Matrix = [
        [1 - h * lambda, 1 - alpha],
        [-h * lambda, 1 - alpha],
      ];
      return stationary(moved, [
        [spread, spread],
        [spread, spread],
      ]);
    });
  let [low, high] = [1e-6, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    const energy = at(middle).reduce((sum, p) => sum + p[1][1] / noise.length, 0);
    if (energy > h) low = middle;
    else high = middle;
  }
  return at(low).map((p) => p[0][0]);
}

function tTest(values: number[], wanted: number): number {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const t2 = ((mean - wanted) ** 2 * n) / variance;
  return betaLower((n - 1) / 2, 0.5, (n - 1) / (n - 1 + t2));
}

/** Averages of (x − μ)/√P and (x − μ)²/P by chain. */
interface ChainMoments {
  first: number[];
  second: number[];
}

function momentsOf(chains: Float64Array[][], mean: ArrayLike<number>, variance: ArrayLike<number>): ChainMoments {
  const average = (f: (z: number) => number) =>
    chains.map((draws) => {
      let sum = 0;
      for (const x of draws) for (let j = 0; j < x.length; j++) sum += f((x[j] - mean[j]) / Math.sqrt(variance[j]));
      return sum / (draws.length * draws[0].length);
    });
  return { first: average((z) => z), second: average((z) => z * z) };
}

async function sampled(sampler: Sampler, density: LogDensity, start: Float64Array, draws: number) {
  const plan = { chains: CHAINS, warmup: 200, draws, seed: 21, workers: 1, deterministic: true, start };
  const run = sampler.start(density, plan, engine);
  while (run.converged === false) await run.advance(1000);
  const made = run.draws();
  run.dispose();
  return Array.from({ length: CHAINS }, (_, c) => Array.from({ length: draws }, (_, k) => made.draw(c, k)));
}

/**
 * Samplers with their theoretical variances. Each theory differs enough from the target and from similar theories to be
 * distinguished.
 */
const H = 0.2 / LAMBDA;
const none = new Array<number>(D).fill(0);
const theories: { name: string; sampler: Sampler; variances: number[]; allowance?: number }[] = [
  ...[0.4, 0.1].map((h) => ({
    name: `sgld on exact gradients, hλ = ${h}`,
    sampler: sgld({ stepSize: h / LAMBDA, batch: "all" }),
    variances: none.map(() => 1 / LAMBDA / (1 - h / 2)),
  })),
  ...[2, 10].map((n) => ({
    name: `sgld on batches of ${n}`,
    sampler: sgld({ stepSize: H, batch: n }),
    variances: noiseOf(n).map((v) => langevinVariance(LAMBDA, H, v)),
  })),
  {
    name: "sgld with control variates",
    sampler: sgld({ stepSize: H, batch: 2, controlVariate: "mode" }),
    variances: none.map(() => langevinVariance(LAMBDA, H, 0)),
  },
  {
    name: "sgld of every fifth update",
    sampler: sgld({ stepSize: H, batch: 2, thin: 5 }),
    variances: noiseOf(2).map((v) => langevinVariance(LAMBDA, H, v)),
  },
  {
    name: "sghmc on exact gradients",
    sampler: sghmc({ stepSize: H, batch: "all", friction: 0.3 }),
    variances: none.map(() => hamiltonianVariance(LAMBDA, H, 0, 0.3, 0)),
  },
  {
    name: "sghmc on batches of 4, their noise unknown",
    sampler: sghmc({ stepSize: H / 4, batch: 4, friction: 0.3 }),
    variances: noiseOf(4).map((v) => hamiltonianVariance(LAMBDA, H / 4, v, 0.3, 0)),
  },
  {
    name: "sghmc on batches of 4, with an estimate of their noise",
    sampler: sghmc({ stepSize: H / 4, batch: 4, friction: 0.3, noiseEstimate: 0.08 }),
    variances: noiseOf(4).map((v) => hamiltonianVariance(LAMBDA, H / 4, v, 0.3, 0.08)),
  },
  {
    name: "sgnht on batches of 2",
    sampler: sgnht({ stepSize: H / 8, batch: 2, friction: 0.05 }),
    variances: thermostatVariances(LAMBDA, H / 8, noiseOf(2), 0.05),
    allowance: ALLOWANCE,
  },
];

describe("the stationary variance", () => {
  it.each(theories)("matches theory for $name", async ({ sampler, variances, allowance = 0 }) => {
    const chains = await sampled(sampler, averages, MEANS, COUNT);
    const { first, second } = momentsOf(chains, MEANS, variances);
    expect(tTest(first, 0)).toBeGreaterThan(LEAST_P);
    const measured = second.reduce((sum, x) => sum + x / CHAINS, 0);
    const wanted = Math.min(Math.max(measured, 1 - allowance), 1 + allowance);
    expect(tTest(second, wanted)).toBeGreaterThan(LEAST_P);
  });

  it("distinguishes step sizes, noise and noise estimates", () => {
    const names = theories.map(({ variances }) => variances.reduce((sum, v) => sum + (v * LAMBDA) / D, 0));
    const [large, small, two, ten, controlled, , exact, unknown, estimated, thermostat] = names;
    expect(large).toBeCloseTo(1.25, 10);
    expect(small).toBeCloseTo(1 / 0.95, 10);
    expect(two / controlled).toBeGreaterThan(1.2);
    expect(two / ten).toBeGreaterThan(1.15);
    expect(unknown).toBeGreaterThan(1.1);
    expect(unknown / estimated).toBeGreaterThan(1.15);
    expect(Math.abs(exact - 1)).toBeGreaterThan(0.02);
    // The thermostat absorbs most of a noise that would otherwise widen the target.
    expect(hamiltonianVariance(LAMBDA, H / 8, Math.max(...noiseOf(2)), 0.05, 0) * LAMBDA).toBeGreaterThan(1.5);
    expect(Math.abs(thermostat - 1)).toBeLessThan(0.2);
  });
});

it("psgld with a fixed preconditioner is Langevin dynamics in other units", async () => {
  // With ρ = 0 and a large ε, G = 1/(ε + |g|) ≈ 1/ε, so x moves as in sgld with step h/ε.
  const epsilon = 1e6;
  const chains = await sampled(
    psgld({ stepSize: H * epsilon, batch: "all", smoothing: 0, leastScale: epsilon }),
    averages,
    MEANS,
    COUNT,
  );
  const { first, second } = momentsOf(
    chains,
    MEANS,
    none.map(() => langevinVariance(LAMBDA, H, 0)),
  );
  expect(tTest(first, 0)).toBeGreaterThan(LEAST_P);
  expect(tTest(second, 1)).toBeGreaterThan(LEAST_P);
});

// Chains of twins with planted mistakes. They test the checks and not the samplers, so `npm run test:slow` suffices.
describe.runIf(isSlow)("planted mistakes", () => {
  const noise = 30;
  const epsilon = 1e6;
  const rules = {
    sgld: { noise: 0, h: H, friction: 0, noiseEstimate: 0, variance: langevinVariance(LAMBDA, H, 0) },
    psgld: { noise: 0, h: H * epsilon, friction: 0, noiseEstimate: epsilon, variance: langevinVariance(LAMBDA, H, 0) },
    sghmc: {
      noise,
      h: H / 8,
      friction: 0.2,
      noiseEstimate: (H * noise) / 16,
      variance: hamiltonianVariance(LAMBDA, H / 8, noise, 0.2, (H * noise) / 16),
    },
    sgnht: {
      noise,
      h: H / 8,
      friction: 0.05,
      noiseEstimate: 0,
      variance: thermostatVariances(LAMBDA, H / 8, new Array<number>(D).fill(noise), 0.05)[0],
    },
  };

  /** p-value of a twin's chains, with the mistake if one is given. */
  function pValue(kind: TwinOptions["kind"], mutant?: Mutant): number {
    const { variance, h, noise, ...rule } = rules[kind];
    const chains = Array.from({ length: CHAINS }, (_, c) => {
      const errors = stream(3, "mutant", c, "rows");
      const twin = new StochasticTwin(new Float64Array(D), {
        ...rule,
        kind,
        mutant,
        resetEvery: 0,
        noise: stream(3, "mutant", c, "noise"),
        stepSize: () => h,
        temperature: () => 1,
        gradient: (x, update) => {
          const draws = errors.at(update);
          return x.map((value) => -LAMBDA * value + (noise > 0 ? Math.sqrt(noise) * draws.normal() : 0));
        },
      });
      return Array.from({ length: 1000 }, (_, t) => {
        twin.step(t);
        return twin.x.slice();
      }).slice(200);
    });
    const { second } = momentsOf(chains, new Float64Array(D), new Array<number>(D).fill(variance));
    const allowance = kind === "sgnht" ? ALLOWANCE : 0;
    const measured = second.reduce((sum, x) => sum + x / CHAINS, 0);
    return tTest(second, Math.min(Math.max(measured, 1 - allowance), 1 + allowance));
  }

  it.each([
    ["sgld", "half noise"],
    ["psgld", "forgotten preconditioner"],
    ["sghmc", "no noise estimate"],
    ["sgnht", "fixed friction"],
  ] as const)("are detected in %s: %s", (kind, mutant) => {
    expect(pValue(kind, mutant)).toBeLessThan(LEAST_P);
    expect(pValue(kind)).toBeGreaterThan(LEAST_P);
  });
});
