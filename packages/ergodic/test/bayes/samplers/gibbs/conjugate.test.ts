/** Conditionals identified by evaluation: compares families and draws with closed forms, and tests refusals. */
import { describe, expect, it } from "vitest";
import {
  beta,
  binomial,
  gamma,
  inverseGamma,
  logistic,
  model,
  normal,
  poisson,
  student,
} from "../../../../src/bayes/model/index.ts";
import { type ConjugateFamily, conjugateFamilies } from "../../../../src/bayes/samplers/gibbs/conjugate-families.ts";
import { agrees, findFamily, fitFamily } from "../../../../src/bayes/samplers/gibbs/conjugate-fit.ts";
import { conjugate, gibbs } from "../../../../src/bayes/samplers/gibbs/index.ts";
import { sqrt } from "../../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { drawLogGamma } from "../../../../src/engine/random/draw-gamma.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { power } from "../../../power.ts";
import { biasAt, biasFound, checkExactness, DRAWS, expectExact, standardTargets } from "../exactness.ts";

const engine = await openEngine();
const logistic01 = (u: number): number => 1 / (1 + Math.exp(-u));

describe("the shape of a family", () => {
  const [normalFamily, gammaFamily, inverseGammaFamily, betaFamily] = conjugateFamilies;
  it.each<[ConjugateFamily, number, number]>([
    [normalFamily, 0.7, -2],
    [gammaFamily, 3, -0.4],
    [inverseGammaFamily, -2.5, -1.3],
    [betaFamily, 0.4, 6],
    [betaFamily, 20, 3],
  ])("%j, p %f, q %f: the slope is 0 at the mode, and the spread follows from the curvature", (family, p, q) => {
    const base = 0.3;
    expect(family.holds(p, q)).toBe(true);
    const { mode, spread } = family.shape(base, p, q);
    const at = (u: number): number => {
      const [f, g] = family.features(base, u - base);
      return p * f + q * g;
    };
    const h = 1e-3 * spread;
    expect(Math.abs(at(mode + h) - at(mode - h)) / (2 * h)).toBeLessThan(1e-4 / spread);
    const curvature = (at(mode + h) - 2 * at(mode) + at(mode - h)) / (h * h);
    expect(1 / Math.sqrt(-curvature)).toBeCloseTo(spread, 3);
  });
});

/** Log densities of u with known parameters and added constants of different sizes. */
const cases: [string, string, (u: number) => number, number[]][] = [];
for (const constant of [0, -12.3, 4e4]) {
  for (const [mean, sd] of [
    [0, 1],
    [3, 0.01],
    [-1e4, 100],
    [1e-3, 1e-5],
  ])
    cases.push(["normal", `N(${mean}, ${sd}²) + ${constant}`, (u) => constant - 0.5 * ((u - mean) / sd) ** 2, [mean, sd]]);
  for (const [shape, rate] of [
    [1, 1],
    [0.3, 5],
    [200, 1e-4],
    [7, 1e6],
  ]) {
    const name = `(${shape}, ${rate}) + ${constant}`;
    cases.push(["gamma", name, (u) => constant + shape * u - rate * Math.exp(u), [shape, rate]]);
    cases.push(["inverse gamma", name, (u) => constant - shape * u - rate * Math.exp(-u), [shape, rate]]);
  }
  for (const [a, b] of [
    [1, 1],
    [0.4, 3],
    [250, 40],
  ]) {
    const density = (u: number) => constant + a * Math.log(logistic01(u)) + b * Math.log(logistic01(-u));
    cases.push(["beta", `(${a}, ${b}) + ${constant}`, density, [a, b]]);
  }
}

/** Parameters in textbook form. */
function told({ name }: ConjugateFamily, base: number, p: number, q: number): number[] {
  if (name === "normal") return [base - p / (2 * q), 1 / Math.sqrt(-2 * q)];
  if (name === "gamma") return [p, -q * Math.exp(-base)];
  if (name === "inverse gamma") return [-p, -q * Math.exp(base)];
  return [p, q];
}

describe("families", () => {
  it.each(cases)("%s %s", (name, _, density, wanted) => {
    for (const from of [-2, 0.3, 1.9]) {
      const fit = findFamily(density, from)!;
      expect(fit.family.name).toBe(name);
      const found = told(fit.family, fit.base, fit.p, fit.q);
      // Differences of log densities of size c lose about c × 2⁻⁵² of the parameters.
      const tolerance = 1e-9 + 1e-13 * Math.abs(density(fit.base));
      found.forEach((value, i) => {
        expect(Math.abs(value - wanted[i])).toBeLessThan(
          tolerance * Math.max(Math.abs(wanted[i]), name === "normal" ? wanted[1] : 0),
        );
      });
    }
  });

  it("other densities are refused", () => {
    const others: ((u: number) => number)[] = [
      (u) => -2 * Math.log(1 + (u * u) / 3),
      (u) => -0.5 * u * u - Math.log(1 + Math.exp(-u)),
      (u) => -(u ** 4),
      (u) => -0.5 * u * u + 1e-6 * Math.sin(u),
      (u) => 2 * u - 3 * Math.exp(u) - 1e-6 * u * u,
      () => 0,
      (u) => u,
      () => Number.NaN,
      (u) => 0.5 * u * u,
    ];
    for (const density of others) expect(findFamily(density, 0.5)).toBeUndefined();
  });

  it("a fit detects where it does not hold", () => {
    const density = (u: number): number => (u < 3 ? -0.5 * u * u : -0.5 * u * u - 0.01);
    const fit = fitFamily(density, conjugateFamilies[0], 0, 1)!;
    expect(agrees(fit, -4, density(-4))).toBe(true);
    expect(agrees(fit, 3.5, density(3.5))).toBe(false);
  });
});

describe("draws in a run equal those of the closed form", () => {
  /** Draws of a model with one parameter: u for each sweep of chain 1. */
  async function drawn(body: Parameters<typeof model>[0]) {
    using density = await model(body).condition({}, { deterministic: true });
    const plan = { chains: 2, warmup: 5, draws: 40, seed: 6, workers: 1, deterministic: true };
    const run = gibbs([{ of: ["x"], by: conjugate() }]).start(density, plan, engine);
    while (run.converged === false) await run.advance(7);
    const made = run.draws();
    run.dispose();
    // The block has its own seed. See gibbs-run.ts.
    const seed = Math.floor(stream(6, "gibbs", 0).at(0).uniform() * 2 ** 53);
    return Array.from({ length: 40 }, (_, k) => ({
      u: made.draw(1, k)[0],
      draws: stream(seed, "chain", 1, "conjugate").at(5 + k),
      logDensity: made.transition("logDensity")[40 + k],
      expected: density.evaluate(made.draw(1, k)).value,
    }));
  }
  const y = [1.5, -0.2, 2.2, 0.7];

  it("a normal mean under a normal prior", async () => {
    const made = await drawn(({ param, observe }) => {
      const x = param("x", normal(1, 2));
      for (const [i, value] of y.entries()) observe(value, normal(x, 0.5), `y${i}`);
    });
    const precision = 1 / 4 + 4 / 0.25;
    const mean = (1 / 4 + y.reduce((sum, value) => sum + value, 0) / 0.25) / precision;
    for (const { u, draws } of made) expect(u).toBeCloseTo(mean + draws.normal() / Math.sqrt(precision), 8);
  });

  it("a rate of counts under a gamma prior", async () => {
    const made = await drawn(({ param, observe }) => {
      const x = param("x", gamma(2, 3));
      for (const k of [4, 0, 7]) observe(k, poisson(x), `k${k}`);
    });
    for (const { u, draws, logDensity, expected } of made) {
      expect(u).toBeCloseTo(drawLogGamma(draws, 13) - Math.log(6), 9);
      expect(logDensity).toBeCloseTo(expected, 10);
    }
  });

  it("a variance under an inverse gamma prior", async () => {
    const made = await drawn(({ param, observe }) => {
      const x = param("x", inverseGamma(3, 2));
      for (const [i, value] of y.entries()) observe(value, normal(1, sqrt(x)), `y${i}`);
    });
    const squares = y.reduce((sum, value) => sum + (value - 1) ** 2, 0);
    for (const { u, draws } of made) expect(u).toBeCloseTo(Math.log(2 + squares / 2) - drawLogGamma(draws, 5), 9);
  });

  it("a probability under a beta prior", async () => {
    const made = await drawn(({ param, observe }) => {
      const x = param("x", beta(2, 5));
      observe(7, binomial(10, x));
    });
    for (const { u, draws } of made) {
      const first = drawLogGamma(draws, 9);
      expect(u).toBeCloseTo(first - drawLogGamma(draws, 8), 9);
    }
  });
});

it("conjugate draws are exact for Gaussians and logs of gamma variables", async () => {
  // The false alarm rate is 1e-6. With 10⁶ draws per target over 64 chains, a bias of 0.04 standard deviations is
  // detected, and with the 19,200 of `npm test`, one of 0.29. The tests above compare the draws with closed forms.
  const draws = power(300, DRAWS);
  const checks = [];
  for (const target of await standardTargets(engine)) {
    const of = Array.from({ length: target.density.dimension }, (_, i) => i);
    const targets = [target];
    checks.push(...(await checkExactness(engine, gibbs([{ of, by: conjugate() }]), { seed: 5, warmup: 100, draws, targets })));
  }
  expectExact(checks, 1e-6);
  expect(biasFound(checks, 1e-6)).toBeLessThan(biasAt(0.04, draws));
});

it("conditionals without a conjugate family are refused by name", async () => {
  const plan = { chains: 1, warmup: 0, draws: 5, seed: 1, workers: 1, deterministic: true };
  const start = async (body: Parameters<typeof model>[0]) => {
    const density = await model(body).condition({}, { deterministic: true });
    const run = gibbs([{ of: density.parameters.map(({ name }) => name), by: conjugate() }]).start(density, plan, engine);
    return run.advance(5).finally(() => run.dispose());
  };
  await expect(
    start(({ param }) => {
      param("a", normal(0, 1));
      param("b", student(4, 0, 1), { shape: 2 });
    }),
  ).rejects.toThrow(/number 0 of "b" is neither normal.*use slice\(\) or nuts\(\).*SAMPLE_CONJUGATE/);
  await expect(start(({ param }) => void param("l", logistic(0, 1)))).resolves.toBeDefined();
  await expect(start(({ param }) => void param("flat", "real"))).rejects.toThrow("SAMPLE_CONJUGATE");
});
