/**
 * Simulation-based calibration of Gibbs sampling with a discrete parameter, parallel tempering and sequential Monte
 * Carlo.
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS and their quantities. A conditional that omits its
 * prior is detected. In `npm test`, gibbs.test.ts, models.test.ts and exact-compositions.test.ts compare the same
 * samplers with exact moments and find smaller faults.
 */
import { expect, it } from "vitest";
import { calibrate } from "../../../../src/bayes/calibrate.ts";
import { bernoulli, model, normal, vector } from "../../../../src/bayes/model/index.ts";
import {
  type Conditional,
  conjugate,
  enumerate,
  gibbs,
  hmc,
  parallelTempering,
  type Sampler,
  sequentialMonteCarlo,
} from "../../../../src/bayes/samplers/index.ts";
import { add, mul } from "../../../../src/engine/compiler/index.ts";

const RUNS = 4;
const FALSE_ALARM = 1e-4 / RUNS;

/** y ~ N(μ + 2 z, 1) with μ ~ N(0, 2²) and a z ~ bernoulli(0.3) per value. */
const shifted = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  const mu = param("mu", normal(0, 2));
  const z = param("z", bernoulli(0.3), { shape: "N" });
  observe(y, normal(add(mu, mul(2, z)), 1));
});
const level = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 2)), 1));
});
const options = { simulations: 200, draws: 49, bins: 10, warmup: 100, thin: 4, seed: 2 } as const;

/** Smallest p-value, multiplied by the number of p-values. */
async function least(of: typeof level, algorithm: Sampler): Promise<number> {
  const { numbers } = await calibrate(of, { y: [0, 0, 0] }, { ...options, algorithm });
  const all = Object.values(numbers).map(({ pValue }) => pValue);
  expect(all.length).toBe(of === level ? 1 : 4);
  return all.length * Math.min(...all);
}

it("gibbs() is calibrated with assignments and with conjugate blocks", async () => {
  expect(await least(shifted, gibbs())).toBeGreaterThan(FALSE_ALARM);
  expect(await least(shifted, gibbs({ z: enumerate(), mu: conjugate() }))).toBeGreaterThan(FALSE_ALARM);
});

it("parallel tempering is calibrated", async () => {
  const sampler = parallelTempering({ inner: hmc({ time: 2, jitter: 0.3 }), count: 3, lowest: 0.05 });
  expect(await least(level, sampler)).toBeGreaterThan(FALSE_ALARM);
});

it("sequential Monte Carlo is calibrated", async () => {
  // Particles are exchangeable, and every fourth one is ranked.
  expect(await least(level, sequentialMonteCarlo())).toBeGreaterThan(FALSE_ALARM);
});

it("a conditional that omits its prior is detected", async () => {
  const forgetful: Conditional = (_, draws) => [0, 1, 2].map(() => (draws.uniform() < 0.7 ? 1 : 0));
  expect(await least(shifted, gibbs({ mu: conjugate(), z: forgetful }))).toBeLessThan(FALSE_ALARM);
});
