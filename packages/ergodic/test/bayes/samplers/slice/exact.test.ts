/**
 * Compares slice samplers with known moments and quantiles. Each target has 10⁶ draws (38,400 in `npm test`, fewer for
 * variants) over 64 chains started in (−2, 2).
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS. The stated biases, in standard deviations of a
 * functional, would be found. Planted mistakes are detected in `npm run test:slow`.
 */
import { describe, expect, it } from "vitest";
import { ellipticalSlice, type Sampler, slice } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { exp } from "../../../../src/engine/numbers/exp.ts";
import { log } from "../../../../src/engine/numbers/log.ts";
import { isSlow, power } from "../../../power.ts";
import type { WalkMutant } from "../../../reference/walks.ts";
import {
  biasAt,
  biasFound,
  checkChains,
  checkExactness,
  DRAWS,
  expectExact,
  leastP,
  standardTargets,
  type Target,
} from "../exactness.ts";
import { walkChains } from "../metropolis/walks.ts";

/** P(z > 4) for z ~ N(0, 1): the share of a mode beyond 0. */
const BEYOND = 3.167e-5;
const RUNS = 9;
const FALSE_ALARM = 1e-4 / RUNS;
const engine = await openEngine();
const targets = await standardTargets(engine);
const [plain, correlated, , skewed] = targets;

/** Draws per chain of variants, and the ratio of the biases found with them to those found with all draws. */
const VARIANT = power(400, 2000);
const LESS = Math.sqrt(2000 / VARIANT);

// The skewed target has a heavier left tail than a Gaussian reference, so elliptical slices return from it slowly.
const samplers: [Sampler, draws: number, bias: number, of?: Target[]][] = [
  [slice(), DRAWS, biasAt(0.05)],
  [slice({ expansion: "doubling", width: 0.3, adapt: false }), VARIANT, 0.15 * LESS],
  [slice({ limit: 1, width: 20 }), VARIANT, 0.15 * LESS],
  [ellipticalSlice(), DRAWS, biasAt(0.02), targets.slice(0, 3)],
  [ellipticalSlice(), 2 * VARIANT, 0.3 * LESS, [skewed]],
  [ellipticalSlice({ mean: [1, 0], covariance: [9, 3, 3, 4] }), DRAWS, biasAt(0.05), [correlated, skewed]],
];
const cases = samplers.map(([sampler, draws, bias, of = targets]) => ({
  name: `${JSON.stringify(sampler.toJSON())} on ${of.map(({ name }) => name).join(", ")}`,
  sampler,
  draws,
  bias,
  of,
}));

describe.each(cases)("$name", ({ sampler, draws, bias, of }) => {
  it("is exact", async () => {
    const checks = await checkExactness(engine, sampler, { seed: 22, draws, targets: of });
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(bias);
  });
});

/** 0.8 N(−2, 0.25) + 0.2 N(2, 0.25). The acceptance test of doubling matters only with several modes. */
const modes = (() => {
  const plain = (x: Float64Array) => log(0.8 * exp(-2 * (x[0] + 2) ** 2) + 0.2 * exp(-2 * (x[0] - 2) ** 2));
  const functionals = [
    { name: "x", of: (x: Float64Array) => x[0], expectation: -1.2, variance: 2.81 },
    { name: "x > 0", of: (x: Float64Array) => (x[0] > 0 ? 1 : 0), expectation: 0.2 + 0.6 * BEYOND, variance: 0.16 },
  ];
  return { ...targets[0], name: "two modes", density: { ...targets[0].density, plain }, mean: [-2], functionals };
})();

// Chains of twins with planted mistakes. They test the checks and not the samplers, so `npm run test:slow` suffices.
describe.runIf(isSlow)("planted mistakes are detected", () => {
  const slices = { factor: Float64Array.of(1), dense: false, mean: Float64Array.of(0) };
  const ellipse = { ...slices, factor: Float64Array.of(2), steps: Float64Array.of(1), mode: 0, limit: 0 };
  const both = { ...ellipse, factor: Float64Array.of(2, 2), mean: Float64Array.of(1, 0) };

  it.each([
    {
      kernel: "sliceRun",
      mutant: "centred interval",
      target: plain,
      options: { ...slices, steps: Float64Array.of(10), mode: 0, limit: 1 },
    },
    {
      kernel: "sliceRun",
      mutant: "no test of doubling",
      target: modes,
      options: { ...slices, steps: Float64Array.of(1), mode: 1, limit: 5 },
    },
    { kernel: "ellipticalSliceRun", mutant: "reference left in", target: skewed, options: both },
  ] as const)("$kernel: $mutant", ({ kernel, mutant, target, options }) => {
    const from = Float64Array.from(target.mean);
    const chains = (planted: { mutant?: WalkMutant }) =>
      walkChains(kernel, target.density.plain, from, { ...options, ...planted }, { count: 2000 });
    expectExact(checkChains(target, chains({})), FALSE_ALARM);
    expect(leastP(checkChains(target, chains({ mutant })))).toBeLessThan(FALSE_ALARM);
  });
});
