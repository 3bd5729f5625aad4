/**
 * Tails of discrete distributions. Above its middle, a truncated distribution uses the survival function, which must
 * agree with the sum of probabilities, whether the family defines it or not.
 */
import { describe, expect, it } from "vitest";
import * as d from "../../../src/bayes/distributions/index.ts";
import { interpret, toArray } from "../../../src/engine/compiler/index.ts";

const discrete: readonly (readonly [name: string, distribution: d.Distribution])[] = [
  ["binomial", d.binomial(9, 0.4)],
  ["binomialLogit", d.binomialLogit(9, -0.5)],
  ["poisson", d.poisson(3.2)],
  ["poissonLog", d.poissonLog(0.7)],
  ["negativeBinomial", d.negativeBinomial(2.5, 0.8)],
  ["negativeBinomialMean", d.negativeBinomialMean(3, 1.7)],
  ["geometric", d.geometric(0.3)],
  ["discreteUniform", d.discreteUniform(-2, 5)],
];

const massAt = (distribution: d.Distribution, x: number): number =>
  Math.exp(interpret([distribution.logDensity(toArray([x]))], {})[0][0]);

describe.each(discrete)("%s", (_, distribution) => {
  it("the distribution function rises by the probability of each number", () => {
    for (let x = -3; x <= 9; x++) expect(distribution.cdf(x) - distribution.cdf(x - 1)).toBeCloseTo(massAt(distribution, x), 12);
  });

  it("truncation in the upper half leaves the renormalised probabilities of the rest", () => {
    let tried = 0;
    for (let lower = 1; lower <= 8; lower++) {
      const rest = 1 - distribution.cdf(lower - 1);
      if (rest >= 0.5 || rest < 1e-3) continue;
      tried++;
      const cut = d.truncated(distribution, { lower });
      let sum = 0;
      for (let x = lower; x <= lower + 4; x++) {
        sum += massAt(distribution, x);
        expect(cut.cdf(x), `at ${x}, cut at ${lower}`).toBeCloseTo(sum / rest, 10);
        expect(massAt(cut, x)).toBeCloseTo(massAt(distribution, x) / rest, 10);
      }
      expect(cut.cdf(lower - 1)).toBe(0);
    }
    expect(tried).toBeGreaterThan(0);
  });
});
