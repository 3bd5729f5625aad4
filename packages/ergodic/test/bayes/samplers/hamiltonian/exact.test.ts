/**
 * Compares samplers on Gaussians with known moments.
 *
 * Each check is a Student-t test over independent chains, of the average of x − μ or of a product of deviations against
 * its exact mean. The false alarm rate of the file is 1e-4, split over its CHECKS. With 48 chains of 300 draws, a bias
 * of 5 % of a standard deviation is detected, or of 7 % in a variance. With the 150 draws of `npm test`, the numbers
 * are 7 and 10 %. Samplers with planted mistakes are detected in `npm run test:slow`.
 */
import { describe, expect, it } from "vitest";
import { hmc, nuts, type Sampler } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { betaLower } from "../../../../src/engine/numbers/beta-tails.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../../power.ts";
import { HamiltonianTwin, type Mutant, type Point } from "../../../reference/nuts.ts";
import { gaussian } from "../densities.ts";

const CHECKS = 255;
const LEAST_P = 1e-4 / CHECKS;
const CHAINS = 48;
const engine = await openEngine();

/** Student's t test of chain averages, whose mean should be `wanted`. */
function tTest(averages: number[], wanted: number): number {
  const n = averages.length;
  const mean = averages.reduce((sum, x) => sum + x, 0) / n;
  const variance = averages.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const t2 = ((mean - wanted) ** 2 * n) / variance;
  return betaLower((n - 1) / 2, 0.5, (n - 1) / (n - 1 + t2));
}

/** p-values of the means, and of the mean products of the given pairs. `chains` holds draws of d numbers. */
function pValues(
  chains: Float64Array[][],
  mean: number[],
  covariance: (i: number, j: number) => number,
  pairs: [number, number][],
) {
  const average = (f: (x: Float64Array) => number) =>
    chains.map((draws) => draws.reduce((sum, x) => sum + f(x), 0) / draws.length);
  const products = pairs.map(([i, j]) =>
    tTest(
      average((x) => (x[i] - mean[i]) * (x[j] - mean[j])),
      covariance(i, j),
    ),
  );
  return [
    ...mean.map((wanted, i) =>
      tTest(
        average((x) => x[i]),
        wanted,
      ),
    ),
    ...products,
  ];
}

async function sampled(sampler: Sampler, mean: number[], precision: number[][], chains: number, draws: number) {
  const density = await gaussian(engine, mean, precision);
  const plan = { chains, warmup: power(150, 300), draws, seed: 12, workers: 1, deterministic: true };
  const run = sampler.start(density, plan, engine);
  while (run.converged === false) await run.advance(1000);
  const made = run.draws();
  run.dispose();
  return Array.from({ length: chains }, (_, c) => Array.from({ length: draws }, (_, k) => made.draw(c, k)));
}

describe("a correlated Gaussian", () => {
  // Covariance [[4, 1.8], [1.8, 1]] with correlation 0.9.
  const mean = [3, -1];
  const covariance = [
    [4, 1.8],
    [1.8, 1],
  ];
  const precision = [
    [1 / 0.76, -1.8 / 0.76],
    [-1.8 / 0.76, 4 / 0.76],
  ];

  it.each(
    [
      nuts(),
      nuts({ metric: "diagonal" }),
      nuts({ metric: "dense" }),
      nuts({ metric: "fisher", jitter: 0.1 }),
      nuts({ maxTreeDepth: 1 }),
      hmc({ time: 1.5, jitter: 0.5 }),
      hmc({ leapfrogs: 3, metric: "dense" }),
    ].map((sampler) => ({ name: JSON.stringify(sampler.toJSON()), sampler })),
  )("$name", async ({ sampler }) => {
    const chains = await sampled(sampler, mean, precision, CHAINS, power(150, 300));
    const pairs: [number, number][] = [
      [0, 0],
      [1, 1],
      [0, 1],
    ];
    for (const p of pValues(chains, mean, (i, j) => covariance[i][j], pairs)) expect(p).toBeGreaterThan(LEAST_P);
  });
});

it("nuts is exact for a Gaussian of many coordinates with scales from 0.1 to 10", async () => {
  const d = power(20, 100);
  const scale = Array.from({ length: d }, (_, i) => 10 ** ((2 * i) / (d - 1) - 1));
  const mean = scale.map((_, i) => (i % 7) - 3);
  const precision = scale.map((s, i) => scale.map((_, j) => (i === j ? s ** -2 : 0)));
  const chains = await sampled(nuts(), mean, precision, 24, 100);
  const pairs = scale.map((_, i): [number, number] => [i, i]);
  const found = pValues(chains, mean, (i) => scale[i] ** 2, pairs);
  expect(found).toHaveLength(2 * d);
  expect(Math.min(...found)).toBeGreaterThan(LEAST_P);
});

// Chains of twins with planted mistakes. They test the checks and not the samplers, so `npm run test:slow` suffices.
describe.runIf(isSlow)("planted mistakes", () => {
  const one = Float64Array.of(1, 1);
  const quarter = Float64Array.of(0.25, 0.25);

  /** Smallest p-value of a twin's chains on a standard Gaussian, at a step size with large energy errors. */
  function least(kernel: "nuts" | "hmc", inverse: Float64Array, factor: Float64Array, step: number, mutant?: Mutant): number {
    const density = (x: Float64Array, g: Float64Array) => {
      for (let i = 0; i < 2; i++) g[i] = -x[i];
      return -0.5 * (x[0] * x[0] + x[1] * x[1]);
    };
    const options = { inverse, factor, dense: false, step, jitter: 0.1, maxDepth: 6, leapfrogs: 2, time: 0, mutant };
    const chains = Array.from({ length: CHAINS }, (_, c) => {
      const twin = new HamiltonianTwin(density, options);
      const key = stream(8, "mutants", c);
      const draws = key.at(0);
      const q = Float64Array.of(draws.normal(), draws.normal());
      let point: Point = { q, g: q.map((x) => -x), logDensity: -0.5 * (q[0] * q[0] + q[1] * q[1]) };
      return Array.from({ length: 200 }, (_, t) => {
        point = twin[kernel](point, key, t + 1).point;
        return point.q;
      });
    });
    return Math.min(
      ...pValues(chains, [0, 0], (i, j) => (i === j ? 1 : 0), [
        [0, 0],
        [1, 1],
        [0, 1],
      ]),
    );
  }

  it.each(["nuts", "hmc"] as const)("are detected in %s: ignored energies and momenta of another mass", (kernel) => {
    expect(least(kernel, one, one, 1.5)).toBeGreaterThan(LEAST_P);
    expect(least(kernel, quarter, Float64Array.of(2, 2), 3)).toBeGreaterThan(LEAST_P);
    expect(least(kernel, one, one, 1.5, "equal weights")).toBeLessThan(LEAST_P);
    expect(least(kernel, quarter, one, 3)).toBeLessThan(LEAST_P);
  });
});
