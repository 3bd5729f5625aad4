/**
 * Gibbs sampling of models: discrete parameters, conditionals on constrained values, and non-centred forms.
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS. With 48 chains, a bias of 0.2 standard deviations is
 * detected, or of 0.33 with the fewer draws of `npm test`, as is a conditional with a planted mistake.
 */
import { describe, expect, it } from "vitest";
import {
  bernoulli,
  binomial,
  type ConditionedModel,
  gamma,
  halfNormal,
  inverseGamma,
  type ModelContext,
  model,
  normal,
  poisson,
  vector,
} from "../../../../src/bayes/model/index.ts";
import { sample } from "../../../../src/bayes/sample.ts";
import {
  type Conditional,
  conjugate,
  enumerate,
  type GibbsBlocks,
  gibbs,
  nuts,
  slice,
} from "../../../../src/bayes/samplers/index.ts";
import { div, mul, sqrt } from "../../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { drawGamma } from "../../../../src/engine/random/draw-gamma.ts";
import { power } from "../../../power.ts";
import { biasFound, checkChains, expectExact, type Functional, leastP } from "../exactness.ts";
import { exactTarget } from "./compiled.ts";

const RUNS = 9;
const FALSE_ALARM = 1e-4 / RUNS;
const COUNT = power(150, 400);
const MOST_BIAS = 0.2 * Math.sqrt(400 / COUNT);
const engine = await openEngine();

async function checked(
  density: ConditionedModel,
  blocks: GibbsBlocks | undefined,
  functionals: readonly Functional[],
  draws = COUNT,
) {
  const plan = { chains: 48, warmup: power(100, 200), draws, seed: 3, workers: 1, deterministic: true };
  const run = gibbs(blocks).start(density, plan, engine);
  while (run.converged === false) await run.advance(1000);
  const checks = checkChains(exactTarget("model", density.dimension, functionals), run.draws());
  run.dispose();
  return checks;
}

const moment = (name: string, of: (x: Float64Array) => number, expectation: number, variance: number): Functional => ({
  name,
  of,
  expectation,
  variance,
});

describe("partially observed counts", () => {
  /**
   * N ~ Poisson(λ) with λ ~ gamma(2, ½). Two of N are seen, each with probability 0.4, so λ | 2 ~ gamma(4, 0.9) and N −
   * 2 | λ ~ Poisson(0.6 λ).
   */
  const seen = ({ param, observe }: ModelContext): void => {
    const rate = param("rate", gamma(2, 0.5));
    const count = param("count", poisson(rate));
    observe(2, binomial(count, 0.4));
  };
  const [mean, variance] = [4 / 0.9, 4 / 0.81];
  const functionals = [
    moment("rate", (x) => Math.exp(x[0]), mean, variance),
    moment("count", (x) => x[1], 2 + 0.6 * mean, 0.6 * mean + 0.36 * variance),
    moment("rate × count", (x) => Math.exp(x[0]) * (x[1] - 2), 0.6 * (variance + mean ** 2), 340.1),
  ];

  it.each([
    ["default blocks", undefined],
    ["conjugate", { rate: conjugate(), count: enumerate() }],
    ["slices", { count: enumerate(), rate: slice() }],
  ] as [string, GibbsBlocks | undefined][])("%s", async (_, blocks) => {
    using density = await model(seen).condition({}, { deterministic: true });
    const checks = await checked(density, blocks, functionals);
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(MOST_BIAS);
  });

  it("sample() returns them by name as whole numbers", async () => {
    const draws = await sample(model(seen), {}, { algorithm: gibbs(), chains: 2, warmup: 100, draws: 50, seed: 1 });
    const counts = draws.draws("count");
    expect(counts.length).toBe(100);
    expect(counts.every((k) => Number.isInteger(k) && k >= 2)).toBe(true);
    expect(draws.draws("rate").every((rate) => rate > 0)).toBe(true);
  });
});

describe("a mean and a variance", () => {
  const y = [1.5, -0.2, 2.2, 0.7, 1.1, 0.4];
  /** s ~ inverse gamma(3, 2) and μ | s ~ N(0, s/0.5). Their posterior has the same form. */
  const body = ({ data, param, observe }: ModelContext): void => {
    const given = data({ y: vector("N") });
    const s = param("s", inverseGamma(3, 2));
    const mu = param("mu", normal(0, sqrt(div(s, 0.5))));
    observe(given.y, normal(mu, sqrt(s)));
  };
  const n = y.length;
  const mean = y.reduce((a, b) => a + b, 0) / n;
  const center = (n * mean) / (n + 0.5);
  const shape = 3 + n / 2;
  const scale = 2 + 0.5 * y.reduce((sum, v) => sum + (v - mean) ** 2, 0) + (0.5 * 0.5 * n * mean ** 2) / (n + 0.5);
  const ofS = scale / (shape - 1);
  const functionals = [
    moment("s", (x) => Math.exp(x[0]), ofS, ofS ** 2 / (shape - 2)),
    moment("mu", (x) => x[1], center, ofS / (n + 0.5)),
    moment("mu spread", (x) => (x[1] - center) ** 2, ofS / (n + 0.5), (3 * ofS ** 2) / (n + 0.5) ** 2),
  ];
  const muGiven: Conditional = ({ s: [s] }, draws) => center + Math.sqrt(s / (n + 0.5)) * draws.normal();
  const sGiven =
    (extra: number): Conditional =>
    ({ mu: [mu] }, draws) => {
      const squares = y.reduce((sum, v) => sum + (v - mu) ** 2, 0) + 0.5 * mu * mu;
      return { s: (2 + squares / 2) / drawGamma(draws, 3 + (n + extra) / 2) };
    };

  it.each([
    ["both conjugate", { s: conjugate(), mu: conjugate() }],
    ["both by conditionals on constrained values", { mu: muGiven, s: sGiven(1) }],
    ["a conditional and nuts", { mu: nuts(), s: sGiven(1) }],
  ] as [string, GibbsBlocks][])("%s", async (_, blocks) => {
    using density = await model(body).condition({ y }, { deterministic: true });
    const checks = await checked(density, blocks, functionals);
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(MOST_BIAS);
  });

  it("a conditional that omits the prior of μ is detected", async () => {
    using density = await model(body).condition({ y }, { deterministic: true });
    expect(leastP(await checked(density, { mu: muGiven, s: sGiven(-2) }, functionals))).toBeLessThan(FALSE_ALARM);
  });
});

describe("a non-centred form", () => {
  const body = ({ data, param, observe }: ModelContext): void => {
    const { y } = data({ y: vector("J") });
    const mu = param("mu", normal(0, 1));
    const tau = param("tau", halfNormal(1));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, 1));
  };

  it("keeps the other parameters' values when a conditional moves their location", async () => {
    using density = await model(body).condition({ y: [1, 2, 3] }, { deterministic: true });
    const start = density.unconstrain({ mu: 0.3, tau: 0.8, theta: [1, -1, 0.5] });
    const plan = { chains: 1, warmup: 0, draws: 20, seed: 3, workers: 1, deterministic: true, start };
    const same: Conditional = ({ tau, theta }) => ({ tau: tau[0], theta });
    const moves: Conditional = (_, draws) => draws.normal();
    const run = gibbs([
      { of: ["mu"], by: moves },
      { of: ["tau", "theta"], by: same },
    ]).start(density, plan, engine);
    while (run.converged === false) await run.advance(1000);
    const draws = run.draws();
    run.dispose();
    expect(new Set(draws.coordinate(0)).size).toBe(20);
    for (let k = 0; k < 20; k++) {
      const { tau, theta } = density.constrain(draws.draw(0, k));
      expect(tau[0]).toBeCloseTo(0.8, 12);
      for (const [i, value] of [1, -1, 0.5].entries()) expect(theta[i]).toBeCloseTo(value, 10);
      expect(draws.transition("logDensity")[k]).toBeCloseTo(density.evaluate(draws.draw(0, k)).value, 10);
    }
  });

  it("refuses a value that breaks a constraint", async () => {
    using density = await model(body).condition({ y: [1, 2, 3] }, { deterministic: true });
    const plan = { chains: 1, warmup: 0, draws: 2, seed: 3, workers: 1, deterministic: true };
    const run = gibbs([
      { of: ["mu", "theta"], by: nuts() },
      { of: ["tau"], by: () => -1 },
    ]).start(density, plan, engine);
    await expect(run.advance(2)).rejects.toThrow(/tau|positive|> 0/);
    run.dispose();
  });
});

it("a mixture with assignments has the moments of the marginalised mixture", async () => {
  const y = [1.4, -0.3, 2.2, 0.6];
  const assigned = ({ data, param, observe }: ModelContext): void => {
    const given = data({ y: vector("N") });
    const mu = param("mu", normal(0, 2));
    const z = param("z", bernoulli(0.4), { shape: "N" });
    observe(given.y, normal(mul(z, mu), 1));
  };
  const z = (s: number) => y.map((_, i) => (s >> i) & 1);
  const parts = Array.from({ length: 16 }, (_, s) => {
    const on = z(s).reduce((a, b) => a + b, 0);
    const sum = z(s).reduce((total, zi, i) => total + zi * y[i], 0);
    const precision = 1 / 4 + on;
    return {
      weight: ((0.4 / 0.6) ** on * Math.exp((sum * sum) / (2 * precision))) / Math.sqrt(precision),
      mean: sum / precision,
      v: 1 / precision,
    };
  });
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const expectation = (of: (part: (typeof parts)[number]) => number) =>
    parts.reduce((sum, part) => sum + (part.weight / total) * of(part), 0);
  const [first, second] = [expectation(({ mean }) => mean), expectation(({ mean, v }) => mean * mean + v)];
  using density = await model(assigned).condition({ y }, { deterministic: true });
  const checks = await checked(density, undefined, [moment("mu", (x) => x[0], first, second - first ** 2)]);
  expectExact(checks, FALSE_ALARM);
  expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(MOST_BIAS);
});
