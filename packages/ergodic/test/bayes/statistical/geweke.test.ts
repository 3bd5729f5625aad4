/**
 * Geweke's joint test. A chain that alternately draws data given parameters and parameters given data must have the
 * prior as its marginal, whatever the data. It tests model, gradients, transforms and sampler together without a known
 * posterior.
 *
 * μ ~ N(0, 1), σ ~ half-N(0, 1), y₁ … y₃ ~ N(μ, σ). y is a parameter that is redrawn in each sweep. Expectations under
 * the joint distribution are exact. Each sampler has 16 independent chains with Student-t tests over chains. The file
 * has 7 samplers × 7 functionals at 10⁻³ / 49 each, so one run in 1,000 with other seeds would fail by chance. Mutants
 * must be detected: data with scale 1.2 σ, and samplers that move μ 10 % towards 0 after each transition. Source:
 * Geweke 2004.
 */
import { describe, expect, it } from "vitest";
import type { InnerSampling } from "../../../src/bayes/samplers/base/sampler.ts";
import { betaLower } from "../../../src/engine/numbers/beta-tails.ts";
import {
  ellipticalSlice,
  gibbs,
  halfNormal,
  hmc,
  mala,
  metropolisWithinGibbs,
  model,
  normal,
  nuts,
  randomWalk,
  type Sampler,
  sample,
  slice,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";

const joint = model(({ param }) => {
  const mu = param("mu", normal(0, 1));
  const sigma = param("sigma", halfNormal(1));
  param("y", normal(mu, sigma), { shape: 3 });
});

const half = Math.sqrt(2 / Math.PI);
/** Functionals of a draw, with their expectations. */
const functionals: readonly [string, (mu: number, sigma: number, y: number) => number, number][] = [
  ["μ", (mu) => mu, 0],
  ["μ²", (mu) => mu * mu, 1],
  ["σ", (_, sigma) => sigma, half],
  ["σ²", (_, sigma) => sigma * sigma, 1],
  ["y²", (_mu, _sigma, y) => y * y, 2],
  ["μ y", (mu, _, y) => mu * y, 1],
  ["σ y²", (_, sigma, y) => sigma * y * y, 3 * half],
];

const CHAINS = 16;
const COUNT = power(300, 3000);
const FALSE_ALARMS = 1e-3 / 49;

async function joined(by: Sampler, scale: number): Promise<Map<string, number>> {
  const algorithm = gibbs([
    {
      of: ["y"],
      by: ({ mu, sigma }, draws) => Array.from({ length: 3 }, () => mu[0] + scale * sigma[0] * draws.normal()),
    },
    { of: ["mu", "sigma"], by },
  ]);
  const draws = await sample(joint, {}, { algorithm, chains: CHAINS, warmup: power(100, 500), draws: COUNT, seed: 5 });
  const [mu, sigma, y] = [draws.series("mu"), draws.series("sigma"), draws.series("y", 0)];
  return new Map(
    functionals.map(([name, of, expectation]) => {
      const means = Array.from({ length: CHAINS }, (_, c) => {
        let sum = 0;
        for (let k = c * COUNT; k < (c + 1) * COUNT; k++) sum += of(mu[k], sigma[k], y[k]);
        return sum / COUNT;
      });
      return [name, pValue(means, expectation)];
    }),
  );
}

/** Two-sided p-value of Student's t test. */
function pValue(values: readonly number[], expectation: number): number {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1);
  const t = (mean - expectation) / Math.sqrt(variance / n);
  const degrees = n - 1;
  return betaLower(degrees / 2, 0.5, degrees / (degrees + t * t));
}

/** The sampler, with μ (the first unconstrained number) moved towards 0 after each transition. */
function drawnIn(inner: Sampler): Sampler {
  return {
    name: inner.name,
    verb: "sample",
    toJSON: () => inner.toJSON(),
    start(density, plan, engine) {
      const run = inner.start(density, plan, engine) as InnerSampling;
      const advance = run.advance.bind(run);
      run.advance = async (steps) => {
        const made = await advance(steps);
        for (let c = 0; c < plan.chains; c++) run.chain(c).position[0] *= 0.9;
        await run.refresh();
        return made;
      };
      return run;
    },
  };
}

const samplers = [nuts(), hmc({ leapfrogs: 5 }), randomWalk(), metropolisWithinGibbs(), mala(), slice(), ellipticalSlice()].map(
  (sampler) => [sampler.name, sampler] as const,
);

describe("the joint test", () => {
  it.each(samplers)("recovers the prior with %s", async (_, sampler) => {
    for (const [name, p] of await joined(sampler, 1)) expect(p, name).toBeGreaterThan(FALSE_ALARMS);
  });

  it.each([nuts(), randomWalk(), slice()].map((sampler) => [sampler.name, sampler] as const))(
    "detects %s if each transition ends 10 % too near to 0",
    async (_, sampler) => {
      const found = await joined(drawnIn(sampler), 1);
      expect(Math.min(...found.values())).toBeLessThan(FALSE_ALARMS);
    },
  );

  it("detects data on another scale than the model's", async () => {
    const found = await joined(slice(), 1.2);
    expect(Math.min(...found.values())).toBeLessThan(FALSE_ALARMS);
  });
});
