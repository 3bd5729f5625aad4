/**
 * Metropolis and slice samplers on compiled models. The posteriors of their constrained values have closed forms.
 *
 * The false alarm rate of the file is 1e-4, split over its samplers. Biases of 15 % of a functional's standard
 * deviation would be found.
 */
import { describe, expect, it } from "vitest";
import {
  ellipticalSlice,
  mala,
  metropolisHastings,
  metropolisWithinGibbs,
  randomWalk,
  slice,
} from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { beta, binomial, integer, model, sample } from "../../../../src/entries/everything.ts";
import { biasFound, checkExactness, expectExact, type Target } from "../exactness.ts";

const engine = await openEngine();
const coin = model(({ data, param, observe }) => {
  const { heads, flips } = data({ heads: integer(), flips: integer() });
  observe(heads, binomial(flips, param("p", beta(2, 2))));
});
const flips = { heads: 7, flips: 10 };

const samplers = [
  randomWalk(),
  metropolisWithinGibbs(),
  mala(),
  slice(),
  ellipticalSlice(),
  metropolisHastings({ propose: (x, draws) => ({ x: [x[0] + draws.normal()] }) }),
];
const FALSE_ALARM = 1e-4 / samplers.length;

describe.each(samplers.map((sampler) => ({ name: sampler.name, sampler })))("$name", ({ sampler }) => {
  it("draws from Beta(9, 5) although it moves the logit", async () => {
    const density = await coin.condition(flips, { deterministic: true });
    const p = (x: Float64Array) => 1 / (1 + Math.exp(-x[0]));
    const [mean, square] = [9 / 14, (9 * 10) / (14 * 15)];
    const functionals = [
      { name: "p", of: p, expectation: mean, variance: square - mean * mean },
      {
        name: "p^2",
        of: (x: Float64Array) => p(x) ** 2,
        expectation: square,
        variance: (9 * 10 * 11 * 12) / (14 * 15 * 16 * 17) - square * square,
      },
    ];
    const target = { name: "a coin", density, mean: [0.6], covariance: [[0.3]], functionals } as unknown as Target;
    const checks = await checkExactness(engine, sampler, { seed: 25, draws: 500, warmup: 200, targets: [target] });
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(0.15);
  });

  it("is an algorithm of sample()", async () => {
    const posterior = await sample(coin, flips, { algorithm: sampler, chains: 2, warmup: 50, draws: 50, seed: 1 });
    expect(posterior.draws("p").length).toBe(100);
    expect(Math.min(...posterior.draws("p"))).toBeGreaterThan(0);
    expect(Math.max(...posterior.draws("p"))).toBeLessThan(1);
  });
});
