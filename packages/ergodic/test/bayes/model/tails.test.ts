/**
 * Upper tails of every numeric family that has them: survival is one minus the distribution function, and upper
 * quantiles agree with lower ones.
 */
import { describe, expect, it } from "vitest";
import { distributionExamples } from "../../../src/bayes/distributions/distribution.ts";
import { distributionOf } from "../../../src/bayes/distributions/index.ts";
import { interpret, reshape, type SymbolicArray, toArray } from "../../../src/engine/compiler/index.ts";
import { CASES } from "./distribution-cases.ts";

const families: Readonly<Record<string, readonly number[]>> = {
  beta: [1.3, 3.5],
  cauchy: [0.5, 1.5],
  exponential: [1.7],
  gamma: [2.5, 1.7],
  halfCauchy: [1.5],
  halfNormal: [1.5],
  halfStudent: [3.5, 1.5],
  inverseGamma: [3.2, 2.1],
  laplace: [0.5, 1.5],
  logistic: [0.3, 1.2],
  lognormal: [0.4, 0.7],
  normal: [0.5, 1.5],
  pareto: [1.5, 2.5],
  student: [4.5, 0.5, 1.5],
  uniform: [-1.5, 2.5],
  weibull: [1.7, 2.2],
};
const counts = [
  ...["bernoulli", "bernoulliLogit", "binomial", "binomialLogit", "discreteUniform", "geometric"],
  ...["negativeBinomial", "negativeBinomialMean", "poisson", "poissonLog"],
];

const at = (array: SymbolicArray): number => interpret([array], {})[0][0];
const relative = (found: number, wanted: number): number => Math.abs(found - wanted) / Math.abs(wanted);

/** Examples in definitions that have both quantiles. */
const stated = [...distributionExamples()]
  .map(([name, { parameters }]) => [name, parameters as readonly number[]] as const)
  .filter(([name, numbers]) => distributionOf(name)!(...numbers).family.upperQuantile);

describe.each([...Object.entries(families), ...stated])("%s", (name, numbers) => {
  const distribution = distributionOf(name)!(...numbers);
  const { family } = distribution;
  const own = Object.fromEntries(Object.keys(distribution.parameters).map((key, i) => [key, numbers[i]]));

  it("survival and distribution functions complement each other", () => {
    for (const p of [0.03, 0.4, 0.5, 0.8, 0.99]) {
      const x = family.quantile!(p, own);
      expect(family.cdf!(x, own)).toBeCloseTo(p, 10);
      expect(family.survival!(x, own)).toBeCloseTo(1 - p, 10);
      expect(relative(family.upperQuantile!(1 - p, own), x), `at ${p}`).toBeLessThan(1e-9);
      if (family.logSurvival) expect(Math.exp(at(distribution.logSurvival(x)))).toBeCloseTo(1 - p, 10);
      if (family.logCdf) expect(Math.exp(at(distribution.logCdf(x)))).toBeCloseTo(p, 10);
    }
  });

  it("the upper tail is exact where the distribution function is 1", () => {
    const q = 1e-9;
    const x = family.upperQuantile!(q, own);
    // A bounded distribution reaches its bound, where x has no further digits.
    expect(relative(family.survival!(x, own), q)).toBeLessThan(name === "uniform" ? 1e-6 : 1e-9);
    if (family.logSurvival) expect(at(distribution.logSurvival(x))).toBeCloseTo(Math.log(q), name === "uniform" ? 5 : 8);
  });
});

it("no family with an upper tail is missing", () => {
  const having = CASES.filter(({ parameters, build }) => {
    const given = Object.entries(parameters).map(([key, { shape, values }]) => [key, reshape(toArray([...values]), shape)]);
    const { survival, upperQuantile, logSurvival } = build(Object.fromEntries(given)).family;
    return survival ?? upperQuantile ?? logSurvival;
  });
  const known = [...Object.keys(families), ...counts, ...distributionExamples().keys()];
  // Families built from the tails of others.
  const composed = ["mixture", "truncated", "zeroInflated", "censored", "normalIdGlm", "poissonLogGlm"];
  const names = new Set(having.map(({ name }) => name.split(" ")[0]));
  expect([...names].filter((name) => !known.includes(name) && !composed.some((word) => name.startsWith(word)))).toEqual([]);
  expect(names.size).toBeGreaterThan(20);
});
